//! The real kubectl, line by line, against all servers: the same output, the same complaints, the same exit code.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Reached;
use super::kubectl_table::{FILES, LINES, Line};
use super::printed::comparable;
use crate::real::tool::{self, Tool};
use crate::real::wait::until;

const NAMESPACE: &str = "kubectl-lines";
/// Lines that the table has at least.
const LEAST: usize = 60;

/// What came of one line, comparable.
#[derive(Debug, PartialEq)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// A person at a terminal, in a folder with the files.
struct Terminal {
    kubectl: std::path::PathBuf,
    server: Reached,
}

impl Terminal {
    fn command(&self, words: &[String]) -> Command {
        let folder = self.server.folder.path();
        let mut command = Command::new(&self.kubectl);
        command
            .current_dir(folder)
            .env_remove("KUBECONFIG")
            .env("KUBE_EDITOR", "sed -i s/blue/green/")
            .arg("--kubeconfig")
            .arg(self.server.kubeconfig())
            .arg("--cache-dir")
            .arg(folder.join("cache"))
            .args(["--namespace", NAMESPACE])
            .args(words)
            .stdin(Stdio::null());
        command
    }

    fn says(&self, typed: &str) -> Said {
        let output = self.command(&words(typed)).output().unwrap();
        let text = |bytes: &[u8]| comparable(&String::from_utf8_lossy(bytes), &self.server.address);
        Said {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Types the lines, one after the other, when the kind they are about is described everywhere: the real one takes a
    /// while for that.
    async fn sit_down(&self) {
        for (name, text) in FILES {
            fs::write(self.server.folder.path().join(name), text).unwrap();
        }
        for typed in [
            format!("create namespace {NAMESPACE}"),
            "apply -f definition.yaml".to_owned(),
        ] {
            let said = self.says(&typed);
            assert_eq!(said.code, Some(0), "{typed}: {}", said.err);
        }
        until(
            Duration::from_mins(1),
            "the kind is explained",
            async || {
                let said = self.says("explain barges");
                (said.code == Some(0)).then_some(()).ok_or(said.err)
            },
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_says_the_same_of_every_server() {
    let test = "kubectl_says_the_same_of_every_server";
    let Some([kubectl]) = tool::need(test, [Tool::Kubectl]) else {
        return;
    };
    let Some(servers) = Reached::all(test).await else {
        return;
    };
    let terminals = servers.map(|server| Terminal {
        kubectl: kubectl.clone(),
        server,
    });
    for terminal in &terminals {
        terminal.sit_down().await;
    }
    let names = terminals.each_ref().map(|terminal| terminal.server.name);
    // They block, so each has a thread; the servers have the runtime's.
    let typing = terminals.map(|terminal| {
        tokio::task::spawn_blocking(move || {
            let said: Vec<_> = LINES.iter().map(|line| terminal.says(line.typed)).collect();
            terminal.says(&format!("delete namespace {NAMESPACE} --wait=false"));
            said
        })
    });
    let [real, memory, sqlite] = futures::future::try_join_all(typing)
        .await
        .unwrap()
        .try_into()
        .unwrap();
    let mut report = String::new();
    for (name, ours) in [(names[1], memory), (names[2], sqlite)] {
        for ((line, real), ours) in LINES.iter().zip(&real).zip(&ours) {
            report += &told(line, name, real, ours);
        }
    }
    assert!(report.is_empty(), "{report}");
}

/// What is wrong with one line; empty when nothing is.
fn told(line: &Line, name: &str, real: &Said, ours: &Said) -> String {
    match (real == ours, line.known) {
        (true, None) | (false, Some(_)) => String::new(),
        (true, Some(known)) => format!("\n{}: no difference any more: {known}", line.wish),
        (false, None) => format!(
            "\n=== {} ({name}): kubectl {}\n--- real, {:?}\n{}{}--- ours, {:?}\n{}{}",
            line.wish, line.typed, real.code, real.out, real.err, ours.code, ours.out, ours.err
        ),
    }
}

/// The words of a line; those in single quotes are one.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
            continue;
        }
        for (at, piece) in part.split(' ').enumerate() {
            if at > 0 {
                words.push(String::new());
            }
            words.last_mut().unwrap().push_str(piece);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn a_line_is_split_as_a_shell_would() {
    let split = words("patch barge anna -p '{\"a\": 1}' -o jsonpath='{.b} {.c}'");
    let expected = [
        "patch",
        "barge",
        "anna",
        "-p",
        "{\"a\": 1}",
        "-o",
        "jsonpath={.b} {.c}",
    ];
    assert_eq!(split, expected);
}

#[test]
fn the_table_is_long_enough_and_its_files_are_there() {
    assert!(LINES.len() >= LEAST);
    for line in LINES {
        let files = words(line.typed).into_iter().filter(|word| {
            Path::new(word)
                .extension()
                .is_some_and(|ending| ending == "yaml")
        });
        for file in files {
            assert!(FILES.iter().any(|(name, _)| *name == file), "{file}");
        }
    }
}
