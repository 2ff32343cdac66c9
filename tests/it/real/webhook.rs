//! Webhooks as Stripe sends them, signed by Stripe's own library; and those that Stripe never sent.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::dev::{Dev, Endpoints};
use super::shop;
use super::tool::{self, Tool};
use super::wait::until;

/// The value of Stripe-Signature, by Stripe's library, as if sent so many seconds ago.
fn signed(python: &Path, payload: &str, secret: &str, ago: i64) -> String {
    #[allow(
        clippy::disallowed_methods,
        reason = "the running binary's clock is this machine's"
    )]
    let now = Timestamp::now().as_second();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/real/sign_webhook.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = json!({"payload": payload, "secret": secret, "at": now - ago}).to_string();
    let mut input = child.stdin.take().unwrap();
    input.write_all(asked.as_bytes()).unwrap();
    drop(input);
    let made = child.wait_with_output().unwrap();
    assert!(made.status.success());
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

async fn deliver(endpoints: &Endpoints, payload: &str, signature: &str) -> StatusCode {
    let answer = super::http::client()
        .post(format!("{}/webhooks/stripe", endpoints.site))
        .header("Stripe-Signature", signature)
        .header("Content-Type", "application/json")
        .body(payload.to_owned())
        .send()
        .await
        .unwrap();
    answer.status()
}

/// The events that the simulated Stripe has, newest first.
async fn events(endpoints: &Endpoints) -> Vec<Value> {
    let url = format!("{}/v1/events?limit=100", endpoints.stripe.url);
    let page = shop::get(&url, &endpoints.stripe.secret_key).await;
    page["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_webhook_signed_by_stripes_own_library_is_taken_and_five_of_it_make_one_instance() {
    let test = "a_webhook_signed_by_stripes_own_library_is_taken_and_five_of_it_make_one_instance";
    let Some([python]) = tool::need(test, [Tool::Python]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder.path()).await;
    let client = dev.client().await;
    let secret = &dev.endpoints.stripe.webhook_secret;
    let page = shop::check_out(&dev.endpoints, "ada").await.unwrap();
    shop::pay(&dev.endpoints, &page, shop::GOOD_CARD)
        .await
        .unwrap();
    let event = until(shop::COMES_UP, "Stripe tells of the payment", async || {
        let told = events(&dev.endpoints).await;
        let wanted = |event: &&Value| event["type"] == "checkout.session.completed";
        told.iter()
            .find(wanted)
            .cloned()
            .ok_or("not yet".to_owned())
    })
    .await;
    for copy in 0..5 {
        let signature = signed(&python, &event.to_string(), secret, 0);
        let status = deliver(&dev.endpoints, &event.to_string(), &signature).await;
        assert_eq!(status, StatusCode::OK, "copy {copy}");
    }
    // The same payment under another event's name: what counts is what was paid for, not who told of it.
    let mut renamed = event.clone();
    renamed["id"] = json!("evt_told_by_somebody_else");
    let signature = signed(&python, &renamed.to_string(), secret, 0);
    let status = deliver(&dev.endpoints, &renamed.to_string(), &signature).await;
    assert_eq!(status, StatusCode::OK);

    let name = shop::instance_with_subdomain(&client, "ada").await;
    shop::ready(&client, &name).await;
    shop::every_event_is_settled(&client).await;
    assert_eq!(shop::instances(&client).await, [name]);
    assert_eq!(shop::servers(&dev.endpoints).await.len(), 1);
}

#[tokio::test]
async fn a_webhook_that_stripe_never_sent_is_refused_and_counted() {
    let test = "a_webhook_that_stripe_never_sent_is_refused_and_counted";
    let Some([python]) = tool::need(test, [Tool::Python]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder.path()).await;
    let at = &dev.endpoints;
    let event = json!({"id": "evt_forged", "object": "event", "type": "checkout.session.completed",
        "livemode": false, "data": {"object": {"id": "cs_test_forged", "object": "checkout.session"}}})
    .to_string();
    let good = signed(&python, &event, &at.stripe.webhook_secret, 0);
    let forged = signed(&python, &event, "whsec_guessed", 0);
    assert_eq!(deliver(at, &event, &forged).await, StatusCode::BAD_REQUEST);
    assert_eq!(deliver(at, &event, "").await, StatusCode::BAD_REQUEST);
    assert_eq!(
        deliver(at, &format!("{event} "), &good).await,
        StatusCode::BAD_REQUEST
    );
    let stale = signed(&python, &event, &at.stripe.webhook_secret, 3_600);
    assert_eq!(deliver(at, &event, &stale).await, StatusCode::BAD_REQUEST);
    let large = "x".repeat(300 * 1024);
    let signature = signed(&python, &event, &at.stripe.webhook_secret, 0);
    assert_eq!(
        deliver(at, &large, &signature).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );

    let client = dev.client().await;
    assert_eq!(
        shop::ledger(&client).await,
        [""; 0],
        "nothing was written down"
    );
    let metrics = super::http::client().get(&at.metrics).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let counted = |outcome: &str| {
        let line = metrics
            .lines()
            .find(|line| line.contains("webhook") && line.contains(outcome))?;
        line.rsplit(' ').next()?.parse::<f64>().ok()
    };
    assert_eq!(counted("bad_signature"), Some(4.0), "{metrics}");
    assert_eq!(counted("too_large"), Some(1.0), "{metrics}");
}
