//! Kubernetes' own Python library: `session.py` does with it what a controller's author does, and prints the same on
//! every server.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::Reached;
use super::printed::comparable;
use crate::real::tool::{self, Tool};

/// Things that are done and told at least.
const LEAST: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pythons_library_sees_the_same_on_every_server() {
    let test = "pythons_library_sees_the_same_on_every_server";
    let Some([python]) = tool::need(test, [Tool::Python]) else {
        return;
    };
    let Some(servers) = Reached::all(test).await else {
        return;
    };
    let names = servers.each_ref().map(|server| server.name);
    // Each blocks a thread of its own; the servers have the runtime's.
    let sessions = servers.map(|server| {
        let python = python.clone();
        tokio::task::spawn_blocking(move || session(&python, &server))
    });
    let told = futures::future::try_join_all(sessions).await.unwrap();
    let [real, ours @ ..] = told.as_slice() else {
        panic!("there are three servers");
    };
    assert!(real.len() >= LEAST, "{real:#?}");
    let mut report = String::new();
    for (name, ours) in names[1..].iter().zip(ours) {
        for (real, ours) in real.iter().zip(ours).filter(|(real, ours)| real != ours) {
            // Writing to a String cannot fail.
            let _ = writeln!(report, "\n--- real\n{real}\n--- {name}\n{ours}");
        }
        assert!(report.is_empty(), "{report}");
        assert_eq!(real.len(), ours.len(), "{name} ends early or late");
    }
}

/// The lines that the session prints.
fn session(python: &Path, server: &Reached) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/kube/clients/session.py");
    let output = Command::new(python)
        // Of certificates that are not checked.
        .args(["-W", "ignore"])
        .arg(script)
        .arg(server.kubeconfig())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", server.name);
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines();
    lines
        .map(|line| comparable(line, &server.address))
        .collect()
}
