//! A program that runs beside the test and never outlives it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::wait::until;

/// Killed when dropped.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it, what it prints going to `log`.
    pub(super) fn start(command: &mut Command, log: &Path) -> Process {
        let file = File::options().create(true).append(true).open(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("start {}: {error}", command.get_program().display()));
        Process {
            child,
            log: log.to_path_buf(),
        }
    }

    /// What it has printed.
    pub(super) fn printed(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// # Panics
    /// When it has ended, with what it printed.
    pub(super) fn must_run(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("it has ended ({status}):\n{}", self.printed());
        }
    }

    /// Sends SIGINT, as Ctrl-C does, and waits for it to end by itself.
    pub(super) async fn interrupt(mut self, limit: Duration) -> ExitStatus {
        let told = Command::new("sh")
            .args(["-c", "kill -INT \"$0\"", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(told.success(), "send SIGINT");
        let printed = self.log.clone();
        until(limit, "the process ends by itself", async || {
            let ended = self.child.try_wait().unwrap();
            ended.ok_or_else(|| fs::read_to_string(&printed).unwrap_or_default())
        })
        .await
    }

    /// Ends it as `kill -9` does: it cannot tidy up.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
