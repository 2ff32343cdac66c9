//! A program that runs beside the bench: started, never outliving it, and what the kernel says of it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Ticks in a second, as the kernel counts for user programs on every architecture we know.
/// Source: proc(5), `utime`; `USER_HZ`.
const TICKS_PER_SECOND: u64 = 100;

/// Killed when dropped.
pub(super) struct Process {
    child: Child,
    log: std::path::PathBuf,
}

impl Process {
    /// Starts it, what it prints going to `log`.
    pub(super) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).context("make a log")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().context("share the log")?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("start {}", command.get_program().display()))?;
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// # Errors
    /// When it has ended, with the last it printed.
    pub(super) fn must_run(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait().context("look after it")? {
            let printed = fs::read_to_string(&self.log).unwrap_or_default();
            let last = printed.lines().last().unwrap_or_default();
            bail!("it has ended ({status}): {last}");
        }
        Ok(())
    }

    /// Bytes in memory.
    pub(super) fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(self.proc("status")).context("read the memory's size")?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("no VmRSS")?;
        let kibibytes: u64 = line
            .split_whitespace()
            .next()
            .context("an empty VmRSS")?
            .parse()
            .context("read VmRSS")?;
        Ok(kibibytes * 1024)
    }

    /// Processor time of all its threads since it began.
    pub(super) fn processor_time(&self) -> Result<Duration> {
        let stat = fs::read_to_string(self.proc("stat")).context("read the processor time")?;
        let ticks = ticks(&stat).context("/proc/<pid>/stat is not what it should be")?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }
}

/// User and system ticks: the 14th and 15th field, counted behind the name, which may hold spaces.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
