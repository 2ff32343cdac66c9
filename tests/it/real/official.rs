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

mod hetzner;

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
    run(&python, script, &asked(&endpoints));
}

/// Runs a script to its end, with what it asked for on its standard input.
fn run(python: &Path, script: &str, asked: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/real/official");
    let mut child = Command::new(python)
        .arg(folder.join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(asked.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{script}: {said}");
}

// Python blocks the test's own thread, so the world needs another.

#[tokio::test(flavor = "multi_thread")]
async fn cloudflares_own_library_publishes_and_withdraws_a_record() {
    drive(
        "a_record.py",
        |at| json!({"url": at.cloudflare, "token": at.tokens.cloudflare, "zone": at.tokens.zone}),
    )
    .await;
}

/// What a script needs to speak to Stripe.
fn stripe(at: &Endpoints) -> Value {
    json!({
        "url": at.stripe,
        "secret_key": at.tokens.stripe_secret_key,
        "webhook_secret": at.tokens.stripe_webhook_secret,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn stripes_own_library_begins_a_sale() {
    drive("a_sale.py", stripe).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stripes_own_library_sells_is_paid_and_gives_back() {
    drive("a_sale_paid.py", stripe).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stripes_own_library_lets_months_pass_by_a_test_clock() {
    drive("a_renewal.py", stripe).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stripes_own_library_is_refused_in_the_ways_it_knows() {
    drive("refusals.py", stripe).await;
}
