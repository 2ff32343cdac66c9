//! Webhooks over TCP: a receiver with a port of its own, and a world that sends by itself.
#![allow(clippy::unwrap_used, reason = "a test's own helpers fail the test")]

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::post;
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use world::{Options, WebhookTarget, World};

/// The longest anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts a Checkout Session and pays it; everything over routers, without sockets.
async fn buy(world: &World) {
    let form = "mode=subscription&line_items[0][price]=price_basic_monthly\
                &success_url=https://shop.test/done";
    let create = Request::post("/v1/checkout/sessions")
        .header(
            "authorization",
            format!("Bearer {}", world.options().stripe_secret_key),
        )
        .body(Body::from(form))
        .unwrap();
    let answer = world.stripe().oneshot(create).await.unwrap();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20)
        .await
        .unwrap();
    let session: Value = serde_json::from_slice(&bytes).unwrap();
    let page = format!("/c/pay/{}", session["id"].as_str().unwrap());
    let card = "email=ada@example.com&name=Ada&card_number=4242424242424242";
    let pay = Request::post(page).body(Body::from(card)).unwrap();
    let paid = world.stripe().oneshot(pay).await.unwrap();
    assert_eq!(paid.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_url_gets_its_webhooks_as_they_happen_and_again_after_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (got, mut arrivals) = mpsc::unbounded_channel();
    let receive = async move |headers: HeaderMap, body: Bytes| {
        assert!(headers.contains_key("stripe-signature"));
        let event: Value = serde_json::from_slice(&body).unwrap();
        got.send(event["type"].as_str().unwrap().to_owned())
            .unwrap();
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let receiver = Router::new().route("/hook", post(receive));
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, receiver).await.unwrap() });
    // 6,000 world seconds in each second: the five minutes until the next attempt take no time.
    let world = World::new(Options {
        speed: 6_000.0,
        ..Options::default()
    });
    world.deliver_webhooks_to(WebhookTarget::Url(url));
    let (runner, stopped) = (world.clone(), stop.clone());
    tasks.spawn(async move { runner.run(stopped).await });

    buy(&world).await;
    let mut completed = 0;
    while completed < 3 {
        let arrival = tokio::time::timeout(PATIENCE, arrivals.recv());
        let kind = arrival.await.unwrap().unwrap();
        completed += usize::from(kind == "checkout.session.completed");
    }
    stop.cancel();
    tasks.shutdown().await;
}
