//! Processes that outlive us, found again by a file of their numbers; one line each, `number begun`, so that
//! a number given to another program since is not taken for ours.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

struct Ours {
    number: u32,
    begun: String,
}

/// Starts it apart from our terminal, what it prints going to `<name>.log` in the folder.
pub(super) fn start(folder: &Path, name: &str, command: &mut Command) -> Result<()> {
    let log = File::create(folder.join(format!("{name}.log"))).context("make a log")?;
    let child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("share the log")?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .with_context(|| format!("start {name}"))?;
    let number = child.id();
    let begun = begun(number).with_context(|| format!("{name} ended at once"))?;
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(folder.join("processes"))
        .context("open the file of processes")?;
    writeln!(file, "{number} {begun}").context("note the process")
}

/// Whether there are any, and none has ended.
pub(super) fn all_run(folder: &Path) -> bool {
    let all = noted(folder);
    !all.is_empty() && all.iter().all(Ours::runs)
}

/// Ends them at once, the last first: what they stored is not kept, so they need no time to tidy up.
pub(super) fn end_all(folder: &Path) -> Result<()> {
    for ours in noted(folder).iter().rev().filter(|ours| ours.runs()) {
        Command::new("kill")
            .args(["-9", &ours.number.to_string()])
            .status()
            .context("start kill")?;
    }
    Ok(())
}

fn noted(folder: &Path) -> Vec<Ours> {
    let text = fs::read_to_string(folder.join("processes")).unwrap_or_default();
    let parse = |line: &str| {
        let (number, begun) = line.split_once(' ')?;
        Some(Ours {
            number: number.parse().ok()?,
            begun: begun.to_owned(),
        })
    };
    text.lines().filter_map(parse).collect()
}

impl Ours {
    fn runs(&self) -> bool {
        begun(self.number).is_some_and(|begun| begun == self.begun)
    }
}

/// When the process began, in clock ticks since the machine did; `None` when there is none, or it has ended and
/// waits to be collected (proc(5), `/proc/pid/stat`: fields 3 and 22).
fn begun(number: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ');
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18).map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::{all_run, end_all, start};
    use std::fs;
    use std::process::Command;

    #[test]
    fn what_is_started_runs_until_it_is_ended_and_a_strangers_process_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert!(!all_run(at), "nothing was started");
        start(at, "waits", Command::new("tail").args(["-f", "/dev/null"])).unwrap();
        assert!(all_run(at));
        let noted = fs::read_to_string(at.join("processes")).unwrap();
        let (number, _) = noted.split_once(' ').unwrap();
        fs::write(at.join("processes"), format!("{number} 1\n")).unwrap();
        end_all(at).unwrap();
        fs::write(at.join("processes"), noted).unwrap();
        assert!(
            all_run(at),
            "it began at another time, so it was no process of ours"
        );
        end_all(at).unwrap();
        let begun = std::time::Instant::now();
        while all_run(at) {
            assert!(begun.elapsed().as_secs() < 10, "it still runs");
            std::thread::yield_now();
        }
    }
}
