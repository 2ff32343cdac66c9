//! The simulated providers as the vendors' own Python libraries see them: clients nobody here wrote.

mod cloudflare;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use world::{Endpoints, Latency, Listen, Options, World};

use super::tool::{self, Tool};

/// Has the script drive a world of its own, on which a second lasts a hundredth.
async fn drive(script: &str, asked: impl FnOnce(&Endpoints) -> Value) {
    let world = World::new(Options {
        speed: 100.0,
        latency: Latency::default(),
        ..Options::seeded(7)
    });
    drive_in(&world, script, asked).await;
}

async fn drive_in(world: &World, script: &str, asked: impl FnOnce(&Endpoints) -> Value) {
    let Some([python]) = tool::need(script, [Tool::Python]) else {
        return;
    };
    let (endpoints, serving) = world
        .serve(Listen::default(), CancellationToken::new())
        .await
        .unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(serving);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/real/official");
    let mut child = Command::new(python)
        .arg(folder.join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(asked(&endpoints).to_string().as_bytes())
        .unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{script}: {said}");
}

// Python blocks the test's own thread, so the world needs another.

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_library_buys_changes_and_returns_a_server() {
    drive("a_server.py", |at| {
        let token = at.tokens.hetzner.values().next();
        json!({"url": at.hetzner, "token": token})
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudflares_own_library_publishes_and_withdraws_a_record() {
    drive(
        "a_record.py",
        |at| json!({"url": at.cloudflare, "token": at.tokens.cloudflare, "zone": at.tokens.zone}),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stripes_own_library_begins_a_sale() {
    drive(
        "a_sale.py",
        |at| json!({"url": at.stripe, "secret_key": at.tokens.stripe_secret_key}),
    )
    .await;
}
