//! The site: what each address answers, and what holds for every answer (limits, headers, request id).
//! It sells; it never buys a server, and asks no controller anything.

mod assets;
mod checkout;
mod counters;
mod done;
mod error;
mod frame;
mod health;
mod landing;
mod progress;
mod view;
mod webhook;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use http::StatusCode;
use kube::Client;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;
use url::Url;

use crate::api::InstallationName;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::intent::Intent;
use crate::provider::Billing;

use counters::Counters;
use frame::Frame;

/// Longer than a call to the payment provider may take, so that its own answer is shown.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A form of ours is far smaller.
const FORM_BYTES_MAX: usize = 16 * 1024;
/// Stripe's largest events are well below; past it a body is not read.
const WEBHOOK_BYTES_MAX: usize = 256 * 1024;

const WEBHOOK_PATH: &str = "/webhooks/stripe";

/// What the site is put together from.
pub struct Site {
    pub client: Client,
    pub namespace: String,
    pub clock: Clock,
    pub catalog: Catalog,
    pub billing: Arc<dyn Billing>,
    pub installation: InstallationName,
    /// The zone that assistants get their names in, such as `clawdet.example`.
    pub zone: String,
    /// Where browsers reach this site.
    pub public_url: Url,
    /// Where the payment provider's hosted checkout lives, such as `https://checkout.stripe.com`; a browser
    /// is sent nowhere else from our form.
    pub checkout_origins: Vec<Url>,
    /// Whether real money is taken; otherwise every page says that it is a test.
    pub live_mode: bool,
    /// Where the site's own counters go.
    pub registry: prometheus::Registry,
}

/// Why a site cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    #[error("the site's counters are registered already")]
    Counters(#[source] prometheus::Error),
    #[error("an address cannot stand in a header")]
    Header(#[source] http::header::InvalidHeaderValue),
}

/// What every handler sees.
struct Shared {
    site: Site,
    intent: Intent,
    counters: Counters,
    /// What paid checkouts bought, by session: looked up once, since it never changes.
    bought: Mutex<BTreeMap<String, done::Bought>>,
}

type Here = axum::extract::State<Arc<Shared>>;

/// The whole site as one service.
pub fn router(site: Site) -> Result<Router, SiteError> {
    let counters = Counters::register(&site.registry).map_err(SiteError::Counters)?;
    let frame = Frame::new(&site, counters.clone()).map_err(SiteError::Header)?;
    let shared = Arc::new(Shared {
        intent: Intent::new(site.client.clone(), &site.namespace),
        counters,
        bought: Mutex::default(),
        site,
    });
    let forms = Router::new()
        .route(
            "/checkout",
            post(checkout::start).get(checkout::nothing_here),
        )
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX));
    let webhooks = Router::new()
        .route(WEBHOOK_PATH, post(webhook::receive))
        .layer(DefaultBodyLimit::max(WEBHOOK_BYTES_MAX));
    let csrf = CsrfLayer::new()
        // A webhook comes from elsewhere by nature; its signature protects it.
        .with_insecure_bypass(|_, uri| uri.path() == WEBHOOK_PATH);
    Ok(Router::new()
        .route("/", get(landing::show))
        .route("/checkout/done", get(done::show))
        .route("/checkout/cancelled", get(checkout::cancelled))
        .route("/assets/{name}", get(assets::serve))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .merge(forms)
        .merge(webhooks)
        .with_state(shared)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIMEOUT,
        ))
        .layer(csrf)
        .layer(CatchPanicLayer::custom(frame::panicked))
        .layer(axum::middleware::from_fn_with_state(
            Arc::new(frame),
            frame::around,
        )))
}

/// What Prometheus asks, on a listener of its own: it shows how many customers there are.
pub fn metrics(registry: prometheus::Registry) -> Router {
    Router::new()
        .route("/metrics", get(health::metrics))
        .with_state(registry)
}

#[cfg(test)]
mod tests;
