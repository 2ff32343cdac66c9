//! Whether the process lives, whether it can do its work, and its numbers. For machines: plain text.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use kube::Api;
use kube::api::ListParams;
use prometheus::{Encoder, Registry, TextEncoder};

use super::error::WebError;
use super::frame::Rendered;
use super::{Here, Shared};
use crate::api::Plan;

/// A cluster that takes longer is not one to work with.
const CLUSTER_PATIENCE: Duration = Duration::from_secs(3);

/// Answers as long as requests are served at all.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Answers 200 only when a purchase could be shown and kept: the plans are known and the cluster answers.
pub(super) async fn ready(State(here): Here) -> Response {
    let missing = if !here.site.catalog.is_synced() {
        Some("the plans, customers and instances are not read yet")
    } else if !cluster_answers(&here).await {
        Some("the cluster does not answer")
    } else {
        None
    };
    match missing {
        None => "ok\n".into_response(),
        Some(missing) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Rendered::as_extension(),
            format!("{missing}\n"),
        )
            .into_response(),
    }
}

async fn cluster_answers(here: &Shared) -> bool {
    let plans: Api<Plan> = Api::namespaced(here.site.client.clone(), &here.site.namespace);
    let one = ListParams::default().limit(1);
    let asked = tokio::time::timeout(CLUSTER_PATIENCE, plans.list_metadata(&one)).await;
    matches!(asked, Ok(Ok(_)))
}

pub(super) async fn metrics(State(registry): State<Registry>) -> Result<Response, WebError> {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    encoder
        .encode(&registry.gather(), &mut text)
        .map_err(WebError::Metrics)?;
    let kind = encoder.format_type().to_owned();
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
