//! What the console remembers of calls and things, what it lets a person follow, and what it never shows.

use axum::body::Body;
use futures::StreamExt;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{new_server, order, see};
use crate::{Fault, FaultKind, Options, World};

async fn text(world: &World, path: &str) -> String {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = world.console().oneshot(request).await.unwrap();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 22).await;
    String::from_utf8(bytes.unwrap().to_vec()).unwrap()
}

async fn hetzner(world: &World, method: &str, path: &str, body: Value) -> Value {
    let token = &world.options().projects[0].token;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = world.hetzner().oneshot(request).await.unwrap();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or_default()
}

async fn publish(world: &World, name: &str, content: &str) {
    let zone = world.look(|_, state| state.cloudflare.zone_id().to_owned());
    let token = &world.options().cloudflare_token;
    let record = json!({ "type": "A", "name": name, "content": content });
    let request = Request::post(format!("/client/v4/zones/{zone}/dns_records"))
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(record.to_string()))
        .unwrap();
    assert!(
        world
            .cloudflare()
            .oneshot(request)
            .await
            .unwrap()
            .status()
            .is_success()
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_is_remembered_with_its_answer_its_time_and_what_struck() {
    let world = World::new(Options::default());
    let id = new_server(&world).await;
    let endpoint = "DELETE /v1/servers/{id}";
    let lost = Fault::once(crate::Api::Hetzner, FaultKind::LostAfterCommit, endpoint);
    world.faults().plan(lost);
    hetzner(&world, "DELETE", &format!("/v1/servers/{id}"), Value::Null).await;
    hetzner(&world, "GET", "/v1/servers/7", Value::Null).await;
    let calls = see(&world, "/api/calls").await;
    assert_eq!(calls[0]["endpoint"], "POST /v1/servers");
    assert_eq!(calls[0]["outcome"], json!({ "answered": 201 }));
    assert_eq!(calls[1]["endpoint"], endpoint);
    assert_eq!(calls[1]["target"], id.to_string());
    assert_eq!(calls[1]["outcome"], "lost");
    assert_eq!(calls[1]["struck"], json!(["lost-after-commit"]));
    assert_eq!(calls[2]["outcome"], json!({ "answered": 404 }));
    // The change and the call that made it are one line, and it says what struck.
    let followed = text(&world, &format!("/live?follow={id}")).await;
    assert!(followed.contains("lost-after-commit"), "{followed}");
    // The server and its two addresses.
    let by = "DELETE /v1/servers/{id} by main";
    assert_eq!(followed.matches(by).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_caller_gave_up_is_remembered_as_lost() {
    let world = World::new(Options::default());
    let list = "GET /v1/servers";
    let stalled = Fault::once(crate::Api::Hetzner, FaultKind::StalledAfterCommit, list);
    world.faults().plan(stalled);
    let patience = std::time::Duration::from_secs(5);
    let call = hetzner(&world, "GET", "/v1/servers", Value::Null);
    assert!(tokio::time::timeout(patience, call).await.is_err());
    let calls = world.calls();
    assert_eq!(calls[0].outcome, crate::Outcome::Lost);
    assert_eq!(calls[0].milliseconds, 5_000);
}

#[tokio::test(start_paused = true)]
async fn following_a_server_shows_its_record_and_not_its_neighbour() {
    let world = World::new(Options::default());
    let id = new_server(&world).await;
    let other = json!({ "name": "neighbour", "server_type": "cx23", "image": "ubuntu-24.04", "location": "nbg1" });
    hetzner(&world, "POST", "/v1/servers", other).await;
    let shown = hetzner(&world, "GET", &format!("/v1/servers/{id}"), Value::Null).await;
    let address = shown["server"]["public_net"]["ipv4"]["ip"]
        .as_str()
        .unwrap();
    publish(&world, "ada", address).await;
    publish(&world, "eve", "127.64.9.9").await;
    let followed = text(&world, &format!("/live?follow={id}")).await;
    assert!(followed.contains("ada.assistants.example"), "{followed}");
    assert!(
        !followed.contains("neighbour") && !followed.contains("eve."),
        "{followed}"
    );
    let only_dns = text(&world, &format!("/live?follow={id}&api=cloudflare")).await;
    assert!(only_dns.contains("ada.assistants.example") && !only_dns.contains("POST /v1/servers"));
}

#[tokio::test(start_paused = true)]
async fn what_comes_from_outside_is_text_on_the_page() {
    let world = World::new(Options::default());
    let id = new_server(&world).await;
    let name = "<img src=x onerror=alert(1)>";
    let rename = json!({ "do": "rename_server", "server": id, "name": name });
    assert!(order(&world, rename).await.is_success());
    let page = text(&world, "/?follow=%22%3E%3Cscript%3E").await;
    assert!(
        !page.contains("<img") && !page.contains("\"><script>"),
        "{page}"
    );
    assert!(text(&world, "/").await.contains("img src=x onerror=alert"));
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_ever_remembered() {
    let world = World::new(Options::default());
    let wanted = json!({
        "name": "one", "server_type": "cx23", "image": "ubuntu-24.04", "location": "nbg1",
        "user_data": "#cloud-config of-nobody-elses-business",
    });
    let made = hetzner(&world, "POST", "/v1/servers", wanted).await;
    let password = made["root_password"].as_str().unwrap().to_owned();
    publish(&world, "ada", "127.64.0.2").await;
    order(&world, json!({ "do": "heal" })).await;
    let mut everything = serde_json::to_string(&(world.history(), world.calls())).unwrap();
    for path in ["/", "/live", "/api/calls", "/api/history", "/api/state"] {
        everything.push_str(&text(&world, path).await);
    }
    let options = world.options();
    for secret in [
        "of-nobody-elses-business",
        &password,
        &options.projects[0].token,
        &options.cloudflare_token,
        &options.cloudflare_origin_ca_key,
        &options.stripe_secret_key,
        &options.stripe_webhook_secret,
    ] {
        assert!(!everything.contains(secret), "{secret}");
    }
    assert!(everything.contains("everything healed"));
}

#[tokio::test(start_paused = true)]
async fn the_stream_ticks_when_an_api_was_called_and_only_then() {
    let world = World::new(Options::default());
    let request = Request::get("/api/ticks").body(Body::empty()).unwrap();
    let response = world.console().oneshot(request).await.unwrap();
    let mut ticks = response.into_body().into_data_stream();
    let second = std::time::Duration::from_secs(1);
    assert!(tokio::time::timeout(second, ticks.next()).await.is_err());
    hetzner(&world, "GET", "/v1/servers", Value::Null).await;
    let tick = tokio::time::timeout(second, ticks.next()).await;
    let tick = tick.unwrap().unwrap().unwrap();
    assert_eq!(tick.as_ref(), b"data: 1\n\n");
}
