//! The payment provider's webhook: checked, written into the ledger, answered. Nothing else happens here;
//! what an event means is for the payment controller.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

use super::frame::Rendered;
use super::{Here, Shared};
use crate::api::payment_event::EventSource;
use crate::cause::chain;
use crate::intent::Recorded;
use crate::provider::WebhookError;

const SIGNATURE: &str = "stripe-signature";

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    /// In the ledger already.
    Duplicate,
    TooLarge,
    BadSignature,
    /// Signed, and yet not an event; or the body broke off.
    Unreadable,
    /// The ledger did not take it: the payment provider sends it again.
    Failed,
}

impl Outcome {
    pub(super) const ALL: &[Self] = &[
        Self::Accepted,
        Self::Duplicate,
        Self::TooLarge,
        Self::BadSignature,
        Self::Unreadable,
        Self::Failed,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::TooLarge => "too_large",
            Self::BadSignature => "bad_signature",
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Accepted | Self::Duplicate => StatusCode::OK,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadSignature | Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::Failed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

pub(super) async fn receive(
    State(here): Here,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let outcome = take(&here, &headers, body).await;
    here.counters.webhook(outcome);
    let text = format!("{}\n", outcome.as_str());
    (outcome.status(), Rendered::as_extension(), text).into_response()
}

async fn take(here: &Shared, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Outcome {
    let body = match body {
        Ok(body) => body,
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => return Outcome::TooLarge,
        Err(_) => return Outcome::Unreadable,
    };
    let signature = headers
        .get(SIGNATURE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let now = here.site.clock.now();
    let event = match here.site.billing.open_webhook(&body, signature, now) {
        Ok(event) => event,
        Err(error) => {
            tracing::warn!(error = %chain(&error), "A webhook was refused");
            return match error {
                WebhookError::Signature(_) => Outcome::BadSignature,
                WebhookError::Unreadable(_) => Outcome::Unreadable,
            };
        }
    };
    match here.intent.record(&event, EventSource::Webhook).await {
        Ok(Recorded::New) => Outcome::Accepted,
        Ok(Recorded::Known) => Outcome::Duplicate,
        Err(error) => {
            tracing::error!(event = %event.id, error = %chain(&error), "A webhook could not be kept");
            Outcome::Failed
        }
    }
}
