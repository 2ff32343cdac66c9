//! The console: one page that shows the world and lets a person break things, the JSON it is made of, and the stream that says
//! when to look again. What an order does is in `order`.

mod kin;
mod order;
mod page;
#[cfg(test)]
mod tests;
mod timeline;
mod view;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::extract::{Query, Request, State as Shared};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use futures::{Stream, stream};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::call::{send, whole};
use crate::world::World;
use timeline::Wanted;

const STYLE: &[u8] = include_bytes!("../assets/console.css");
const SCRIPT: &[u8] = include_bytes!("../assets/console.js");
const FIRST_SCRIPT: &[u8] = include_bytes!("../assets/live.js");
/// An order is far smaller.
const MOST_ORDER: usize = 16 * 1024;
/// Pages that follow along at once.
const SEATS: usize = 32;
/// What happens within this time is told at once.
const GATHERED: Duration = Duration::from_millis(200);
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
     form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
);

pub(crate) fn router(world: &World) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/assets/console.css", get(style))
        .route("/assets/console.js", get(async || script(SCRIPT)))
        .route("/assets/live.js", get(async || script(FIRST_SCRIPT)))
        .route("/live", get(live))
        .route("/origin-ca.pem", get(origin_ca))
        .route("/api/ticks", get(ticks))
        .route("/api/calls", get(calls))
        .route("/api/state", get(state))
        .route("/api/servers", get(servers))
        .route("/api/records", get(records))
        .route("/api/money", get(money))
        .route("/api/traffic", get(traffic))
        .route("/api/faults", get(faults))
        .route("/api/history", get(history))
        .route("/api/orders", post(orders))
        .layer(Extension(Arc::new(Semaphore::new(SEATS))))
        .layer(middleware::from_fn(only_from_here))
        .with_state(world.clone())
}

/// Whoever reaches the console owns the world, so a page elsewhere must not: neither under another name for this machine,
/// nor with a form.
async fn only_from_here(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    if !host.is_none_or(|host| host.to_str().is_ok_and(is_this_machine)) {
        return refusal(
            StatusCode::FORBIDDEN,
            "the console answers to loopback addresses only",
        );
    }
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_json = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if request.method() == http::Method::POST && !is_json {
        let why = "send the order as application/json";
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert("content-security-policy", POLICY);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Whether a Host header names this machine itself.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn refusal(status: StatusCode, why: &str) -> Response {
    send(crate::call::json(status, &json!({ "error": why })))
}

fn shown(value: &serde_json::Value) -> Response {
    send(crate::call::json(StatusCode::OK, value))
}

async fn page(Shared(world): Shared<World>, Query(wanted): Query<Wanted>) -> Response {
    html(page::whole(&world, &wanted))
}

/// The part of the page that changes with every call.
async fn live(Shared(world): Shared<World>, Query(wanted): Query<Wanted>) -> Response {
    html(page::live(&world, &wanted))
}

fn html(page: Result<String, askama::Error>) -> Response {
    match page {
        Ok(page) => send(crate::call::html(StatusCode::OK, page)),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Says that something happened, a few times a second at most.
async fn ticks(
    Shared(world): Shared<World>,
    Extension(seats): Extension<Arc<Semaphore>>,
) -> Response {
    match seats.try_acquire_owned() {
        Ok(seat) => Sse::new(ticking(&world, seat))
            .keep_alive(KeepAlive::default())
            .into_response(),
        Err(_) => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many pages follow along",
        ),
    }
}

fn ticking(
    world: &World,
    seat: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let heard = (world.asked(), world.changes(), seat);
    stream::unfold(heard, async |(mut asked, mut changes, seat)| {
        heard_something(&mut asked, &mut changes).await.ok()?;
        tokio::time::sleep(GATHERED).await;
        changes.borrow_and_update();
        let calls = *asked.borrow_and_update();
        let tick = Event::default().data(calls.to_string());
        Some((Ok(tick), (asked, changes, seat)))
    })
}

async fn heard_something(
    asked: &mut watch::Receiver<u64>,
    changes: &mut watch::Receiver<u64>,
) -> Result<(), watch::error::RecvError> {
    tokio::select! {
        call = asked.changed() => call,
        change = changes.changed() => change,
    }
}

async fn calls(Shared(world): Shared<World>) -> Response {
    shown(&json!(world.calls()))
}

async fn origin_ca(Shared(world): Shared<World>) -> Response {
    match world.origin_ca_root().await {
        Some(root) => send(whole(
            StatusCode::OK,
            "application/x-pem-file",
            Bytes::from(root),
        )),
        None => refusal(StatusCode::SERVICE_UNAVAILABLE, "the world keeps nothing"),
    }
}

async fn style() -> Response {
    send(whole(
        StatusCode::OK,
        "text/css; charset=utf-8",
        Bytes::from_static(STYLE),
    ))
}

fn script(source: &'static [u8]) -> Response {
    send(whole(
        StatusCode::OK,
        "text/javascript; charset=utf-8",
        Bytes::from_static(source),
    ))
}

async fn state(Shared(world): Shared<World>) -> Response {
    shown(&view::state(&world))
}

async fn servers(Shared(world): Shared<World>) -> Response {
    shown(&json!(view::servers(&world.snapshot(), usize::MAX)))
}

async fn records(Shared(world): Shared<World>) -> Response {
    shown(&json!(world.snapshot().records))
}

async fn money(Shared(world): Shared<World>) -> Response {
    shown(&view::money(&world.snapshot(), usize::MAX))
}

async fn traffic(Shared(world): Shared<World>) -> Response {
    shown(&view::traffic(&world, &world.snapshot()))
}

async fn faults(Shared(world): Shared<World>) -> Response {
    shown(&json!(world.faults().standing()))
}

#[derive(Deserialize)]
struct Since {
    /// Only what changed after this sequence.
    #[serde(default)]
    since: u64,
}

async fn history(Shared(world): Shared<World>, Query(Since { since }): Query<Since>) -> Response {
    shown(&json!(world.history_since(since)))
}

async fn orders(Shared(world): Shared<World>, request: Request) -> Response {
    let Ok(body) = axum::body::to_bytes(request.into_body(), MOST_ORDER).await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "the order is too large");
    };
    match serde_json::from_slice::<order::Order>(&body) {
        Err(error) => refusal(StatusCode::BAD_REQUEST, &error.to_string()),
        Ok(order) => match order.carry_out(&world).await {
            Ok(said) => {
                remember(&world, said);
                StatusCode::NO_CONTENT.into_response()
            }
            Err(error) => refusal(error.status(), &error.to_string()),
        },
    }
}

/// What a person ordered is part of what happened, unless the order's own change says so already.
fn remember(world: &World, said: Option<String>) {
    if let Some(said) = said {
        let now = world.clock().stamp(world.clock().now());
        world.remember(crate::calls::Call::arriving(
            now,
            crate::call::Api::Console,
            said,
        ));
    }
}
