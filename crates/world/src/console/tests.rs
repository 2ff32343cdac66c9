//! What the console shows and what its orders do, on a world without sockets.

mod timeline;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Api, Options, World};

async fn send(world: &World, request: Request<Body>) -> (StatusCode, Value) {
    let response = world.console().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 22)
        .await
        .unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

async fn see(world: &World, path: &str) -> Value {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (status, seen) = send(world, request).await;
    assert_eq!(status, StatusCode::OK, "{seen}");
    seen
}

async fn order(world: &World, what: Value) -> StatusCode {
    let request = Request::post("/api/orders")
        .header("content-type", "application/json")
        .body(Body::from(what.to_string()))
        .unwrap();
    send(world, request).await.0
}

async fn new_server(world: &World) -> u64 {
    let body = json!({ "name": "one", "server_type": "cx23", "image": "ubuntu-24.04", "location": "nbg1" });
    let request = Request::post("/v1/servers")
        .header(
            "authorization",
            format!("Bearer {}", world.options().projects[0].token),
        )
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = world.hetzner().oneshot(request).await.unwrap();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    let made: Value = serde_json::from_slice(&bytes).unwrap();
    made["server"]["id"]
        .as_u64()
        .unwrap_or_else(|| panic!("{made}"))
}

#[tokio::test(start_paused = true)]
async fn a_server_deleted_by_hand_is_gone_and_history_says_by_whom() {
    let world = World::new(Options::default());
    let id = new_server(&world).await;
    assert_eq!(see(&world, "/api/servers").await[0]["name"], "one");
    assert_eq!(
        order(&world, json!({ "do": "delete_server", "server": id })).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(world.snapshot().living_servers().count(), 0);
    let history = see(&world, "/api/history").await;
    let last = history.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["change"], &last["caller"]),
        (&json!("removed"), &json!("console"))
    );
    assert_eq!(
        order(&world, json!({ "do": "delete_server", "server": id })).await,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(start_paused = true)]
async fn an_api_taken_down_answers_503_until_everything_is_healed() {
    let world = World::new(Options::default());
    let ask = async || {
        let request = Request::get("/client/v4/zones")
            .body(Body::empty())
            .unwrap();
        world.cloudflare().oneshot(request).await.unwrap().status()
    };
    order(
        &world,
        json!({ "do": "take_down", "api": "cloudflare", "down": true }),
    )
    .await;
    assert_eq!(ask().await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        see(&world, "/api/faults").await["down"],
        json!(["cloudflare"])
    );
    order(&world, json!({ "do": "heal" })).await;
    assert_eq!(ask().await, StatusCode::BAD_REQUEST);
    let traffic = see(&world, "/api/traffic").await;
    assert_eq!(traffic["apis"][1]["calls"], 2);
}

#[tokio::test(start_paused = true)]
async fn the_state_holds_no_token_and_no_user_data() {
    let world = World::new(Options::default());
    new_server(&world).await;
    let state = see(&world, "/api/state").await.to_string();
    let options = world.options();
    for secret in [
        &options.projects[0].token,
        &options.cloudflare_token,
        &options.stripe_secret_key,
        &options.stripe_webhook_secret,
    ] {
        assert!(!state.contains(secret.as_str()));
    }
    assert!(!state.contains("user_data"));
}

#[tokio::test(start_paused = true)]
async fn pages_from_elsewhere_cannot_give_orders() {
    let world = World::new(Options::default());
    let heal =
        || Body::from(json!({ "do": "take_down", "api": "stripe", "down": true }).to_string());
    let rebound = Request::post("/api/orders")
        .header("host", "evil.example:80")
        .header("content-type", "application/json")
        .body(heal());
    assert_eq!(
        send(&world, rebound.unwrap()).await.0,
        StatusCode::FORBIDDEN
    );
    let form = Request::post("/api/orders")
        .header("host", "127.0.0.1:4000")
        .header("content-type", "text/plain")
        .body(heal());
    assert_eq!(
        send(&world, form.unwrap()).await.0,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert!(!world.faults().is_down(Api::Stripe));
    for host in ["127.0.0.1:4000", "localhost", "[::1]:80"] {
        let page = Request::get("/")
            .header("host", host)
            .body(Body::empty())
            .unwrap();
        assert_eq!(send(&world, page).await.0, StatusCode::OK, "{host}");
    }
}

#[tokio::test(start_paused = true)]
async fn orders_out_of_range_or_unknown_change_nothing() {
    let world = World::new(Options::default());
    for (what, status) in [
        (json!({ "do": "nonsense" }), StatusCode::BAD_REQUEST),
        (
            json!({ "do": "exhaust", "location": "mars", "exhausted": true }),
            StatusCode::NOT_FOUND,
        ),
        (
            json!({ "do": "skip", "seconds": u64::MAX }),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            json!({ "do": "chance", "api": "stripe", "kind": "throttled", "probability": 2.0 }),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            json!({ "do": "end_period", "subscription": "sub_none" }),
            StatusCode::NOT_FOUND,
        ),
        (
            json!({ "do": "delete_record", "record": "none" }),
            StatusCode::NOT_FOUND,
        ),
        (
            json!({ "do": "edit_record", "record": "none", "content": "127.64.0.1" }),
            StatusCode::CONFLICT,
        ),
        (
            json!({ "do": "send_event", "event": "evt_none" }),
            StatusCode::NOT_FOUND,
        ),
    ] {
        assert_eq!(order(&world, what.clone()).await, status, "{what}");
    }
    assert_eq!(world.history(), []);
    let exhaust =
        json!({ "do": "exhaust", "location": "nbg1", "server_type": null, "exhausted": true });
    assert_eq!(order(&world, exhaust).await, StatusCode::NO_CONTENT);
    assert!(world.faults().is_exhausted("nbg1", "cx23"));
}
