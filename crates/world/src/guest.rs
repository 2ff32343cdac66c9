//! What a server that has started answers: a gateway's health, once it has booted. Nothing of what it would do.

use std::{net::Ipv4Addr, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::get,
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    World,
    call::{Answer, Api, Asked, Turn, json as answer, lost},
    clock::millis,
};

/// The address a connection came in on, where there is one; it says which server is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuestAddress(pub Ipv4Addr);

/// The version the gateway says it is.
const VERSION: &str = "2026.9.6";

pub(crate) fn router(world: &World) -> Router {
    Router::new()
        .route("/healthz", get(knock))
        .route("/health", get(knock))
        .route("/startupz", get(knock))
        .route("/readyz", get(knock))
        .fallback(knock)
        .with_state(world.clone())
}

async fn knock(State(world): State<World>, request: Request) -> Response {
    let address = addressed(&request);
    let asked = match Asked::read(request).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let boot = world.options().boot;
    let up = world.look(|now, state| address.and_then(|address| up_for(now, state, address, boot)));
    let Some(up) = up else {
        // Nobody listens at that address: the connection breaks.
        return lost();
    };
    world
        .call(Api::Guests, &asked, |_: &mut Turn<'_>| {
            health(&asked.pattern, up)
        })
        .await
}

/// The server that is meant: the address the connection came in on, else the one in the URI, else the one in Host.
fn addressed(request: &Request) -> Option<Ipv4Addr> {
    if let Some(GuestAddress(address)) = request.extensions().get() {
        return Some(*address);
    }
    let in_host = || {
        request
            .headers()
            .get(http::header::HOST)?
            .to_str()
            .ok()?
            .split(':')
            .next()
    };
    request.uri().host().or_else(in_host)?.parse().ok()
}

/// How long the gateway at an address has been up; nothing when none is.
fn up_for(
    now: i64,
    state: &crate::state::State,
    address: Ipv4Addr,
    boot: Duration,
) -> Option<Duration> {
    let running_since = state.hetzner.running_since(now, address)?;
    let up = now - running_since - millis(boot);
    u64::try_from(up).ok().map(Duration::from_millis)
}

/// The health endpoints as the gateway documents them: no token needed, and little said without one.
fn health(pattern: &str, up: Duration) -> Answer {
    let body: Value = match pattern {
        "/healthz" | "/health" => json!({ "ok": true, "status": "live" }),
        // It tells more from loopback, and every simulated address is one.
        "/startupz" => {
            json!({ "ok": true, "status": "started", "version": VERSION, "uptimeMs": millis(up) })
        }
        "/readyz" => json!({ "ready": true }),
        _ => return unknown(),
    };
    answer(StatusCode::OK, &body)
}

fn unknown() -> Answer {
    answer(
        StatusCode::NOT_FOUND,
        &json!({ "error": { "message": "Not Found", "type": "not_found" } }),
    )
}
