//! What a refusal of Hetzner's means for us: its code sorted by remedy. An answer without a code we
//! know is no refusal here, unless its status leaves no doubt.
//!
//! Source of the codes: `error.go` of the vendor's Go client, and the error tables of the API's
//! `OpenAPI` description.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;

use crate::provider::account::one_line;
use crate::provider::{ProviderError, Refusal};

#[derive(Deserialize)]
struct Envelope {
    error: Body,
}

#[derive(Deserialize)]
struct Body {
    code: String,
    #[serde(default)]
    message: String,
}

/// A refusal for certain, or None: a success, a lost answer, or one that says nothing of its effect.
pub(super) fn refusal(answer: &Response<Bytes>) -> Option<ProviderError> {
    if answer.status().is_success() {
        return None;
    }
    let said: Option<Body> = serde_json::from_slice::<Envelope>(answer.body())
        .ok()
        .map(|envelope| envelope.error);
    let why = said
        .as_ref()
        .and_then(why)
        .or_else(|| why_status(answer.status()))?;
    let message = match &said {
        Some(body) => one_line(&format!("{}: {}", body.code, body.message)),
        None => format!("status {}", answer.status().as_u16()),
    };
    let correlation = correlation_id(answer.headers());
    tracing::info!(provider = "hetzner", ?why, %message, correlation, "A request was refused");
    Some(ProviderError::Refused { why, message })
}

/// How the API says that a type is not (or no longer) sold in a place, under a code that means any bad
/// input, without details. Source: autobase-tech/autobase #1403, roots/trellis-cli #622.
const NOT_SOLD_THERE: &str = "unsupported location for server type";

fn why(said: &Body) -> Option<Refusal> {
    Some(match said.code.as_str() {
        "invalid_input" if said.message.contains(NOT_SOLD_THERE) => Refusal::NoCapacity,
        "uniqueness_error" => Refusal::NameTaken,
        // A type that was withdrawn or is sold out here may well be had elsewhere.
        "resource_unavailable"
        | "placement_error"
        | "invalid_server_type"
        | "no_space_left_in_location" => Refusal::NoCapacity,
        "resource_limit_exceeded" => Refusal::LimitReached,
        "locked" | "conflict" | "resource_locked" | "resource_in_use" | "maintenance"
        | "robot_unavailable" | "server_not_stopped" | "must_be_unassigned" => Refusal::Busy,
        "protected" => Refusal::Protected,
        "not_found" => Refusal::NotFound,
        "forbidden" | "unauthorized" | "token_readonly" => Refusal::Denied,
        "invalid_input" | "json_error" | "unsupported_error" | "deprecated_api_endpoint" => {
            Refusal::Invalid
        }
        _ => return None,
    })
}

/// Without a code we know. A bare 404 is not "not found": a wrong address or a proxy says the same, and
/// a server believed gone is bought again.
fn why_status(status: StatusCode) -> Option<Refusal> {
    Some(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refusal::Denied,
        StatusCode::CONFLICT | StatusCode::LOCKED => Refusal::Busy,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => return None,
        status if status.is_server_error() => return None,
        _ => Refusal::Invalid,
    })
}

/// What the vendor's support asks for.
fn correlation_id(headers: &HeaderMap) -> String {
    let value = headers.get("x-correlation-id");
    one_line(value.and_then(|value| value.to_str().ok()).unwrap_or("-"))
}

/// Source: `RateLimit-Remaining` of <https://docs.hetzner.cloud/#rate-limiting>
pub(super) fn remaining(headers: &HeaderMap) -> Option<u32> {
    headers
        .get("ratelimit-remaining")?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests;
