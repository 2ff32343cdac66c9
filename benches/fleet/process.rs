//! What the kernel says of this process: its memory and its processor time. Everything is in it: operator,
//! simulated providers, cluster.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Ticks in a second, as the kernel counts for user programs on every architecture we know.
/// Source: proc(5), `utime`; `USER_HZ`.
const TICKS_PER_SECOND: u64 = 100;

/// Bytes in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub resident: u64,
    /// The most it ever was.
    pub peak: u64,
}

impl Memory {
    pub(super) fn now() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status").context("read the memory's size")?;
        let field = |name| {
            kibibytes(&status, name).with_context(|| format!("/proc/self/status has no {name}"))
        };
        Ok(Self {
            resident: field("VmRSS:")? * 1024,
            peak: field("VmHWM:")? * 1024,
        })
    }
}

fn kibibytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Processor time of all threads since the process began.
pub(super) fn processor_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("read the processor time")?;
    let ticks = ticks(&stat).context("/proc/self/stat is not what it should be")?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// User and system ticks: the 14th and 15th field, counted behind the name, which may hold spaces.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}
