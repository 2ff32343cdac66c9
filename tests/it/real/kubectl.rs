//! The real kubectl, as a person at a terminal would use it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// kubectl with one cluster and one namespace.
pub(super) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    /// The kubeconfig's own when left out.
    namespace: Option<String>,
    /// Where it keeps what it discovered; not the home folder of the person who runs the tests.
    cache: PathBuf,
}

/// What it said.
pub(super) struct Said {
    pub(super) ok: bool,
    pub(super) out: String,
    pub(super) err: String,
}

impl Kubectl {
    pub(super) fn new(
        program: &Path,
        kubeconfig: &Path,
        namespace: Option<&str>,
        folder: &Path,
    ) -> Self {
        Kubectl {
            program: program.to_path_buf(),
            kubeconfig: kubeconfig.to_path_buf(),
            namespace: namespace.map(str::to_owned),
            cache: folder.join("kubectl-cache"),
        }
    }

    /// Applies definitions and waits until they are served.
    pub(super) fn install(&self, definitions: &Path) {
        self.ok(&[
            "apply",
            "--server-side",
            "-f",
            definitions.to_str().unwrap(),
        ]);
        self.ok(&[
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "crd",
            "--all",
        ]);
    }

    /// Runs it and returns what it said, whether it worked or not.
    pub(super) fn run(&self, words: &[&str]) -> Said {
        self.with_input(words, "")
    }

    /// Runs it and returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub(super) fn ok(&self, words: &[&str]) -> String {
        self.ok_with_input(words, "")
    }

    pub(super) fn ok_with_input(&self, words: &[&str], input: &str) -> String {
        let said = self.with_input(words, input);
        assert!(said.ok, "kubectl {}: {}", words.join(" "), said.err);
        said.out
    }

    pub(super) fn with_input(&self, words: &[&str], input: &str) -> Said {
        let mut child = self
            .command()
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        Said {
            ok: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The command without its words, for what `run` cannot do, such as another environment.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .arg("--cache-dir")
            .arg(&self.cache)
            .env_remove("KUBECONFIG");
        if let Some(namespace) = &self.namespace {
            command.args(["--namespace", namespace]);
        }
        command
    }
}
