//! What a refusal of Cloudflare's means for us: its code sorted by remedy.
//!
//! Source of the codes: what several clients' issue threads report (external-dns #2410, #3706, #5898,
//! ddns-go #916 and #1378); the vendor publishes no complete list.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;

use crate::provider::account::one_line;
use crate::provider::{ProviderError, Refusal};

/// Past the limit everything is refused for five minutes.
/// Source: <https://developers.cloudflare.com/fundamentals/api/reference/limits/>
pub(super) const BLOCK: Duration = Duration::from_mins(5);

#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    errors: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    error_chain: Vec<Said>,
}

/// A refusal for certain, or None: a success, a lost answer, or one that says nothing of its effect.
pub(super) fn refusal(answer: &Response<Bytes>) -> Option<ProviderError> {
    let said: Option<Envelope> = serde_json::from_slice(answer.body()).ok();
    let status = answer.status();
    let is_success = said.as_ref().is_none_or(|envelope| envelope.success);
    if status.is_success() && is_success {
        return None;
    }
    let errors = said.map(|envelope| envelope.errors).unwrap_or_default();
    let why = errors.iter().find_map(why).or_else(|| why_status(status))?;
    let message = match errors.first() {
        Some(error) => one_line(&format!("{}: {}", error.code, error.message)),
        None => format!("status {}", status.as_u16()),
    };
    let ray = ray(answer.headers());
    tracing::info!(provider = "cloudflare", ?why, %message, ray, "A request was refused");
    Some(ProviderError::Refused { why, message })
}

fn why(error: &Said) -> Option<Refusal> {
    let known = match error.code {
        // An A, AAAA or CNAME with that host exists · a CNAME does · a record does · an identical one does.
        81053 | 81054 | 81057 | 81058 => Some(Refusal::AlreadyExists),
        // The record does not exist.
        81044 => Some(Refusal::NotFound),
        // The token has no token's form · access denied · invalid credentials · authentication error.
        6111 | 9103 | 9106 | 9107 | 9109 | 10000 => Some(Refusal::Denied),
        // The zone's quota of records is used up.
        81045 => Some(Refusal::LimitReached),
        _ => None,
    };
    known.or_else(|| error.error_chain.iter().find_map(why))
}

/// Without a code we know. A success that says `"success": false` did nothing either.
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
fn ray(headers: &HeaderMap) -> String {
    let value = headers.get("cf-ray");
    one_line(value.and_then(|value| value.to_str().ok()).unwrap_or("-"))
}

/// `Ratelimit: "default";r=50;t=30`: `r` requests are left.
/// Source: the limits page above.
pub(super) fn remaining(headers: &HeaderMap) -> Option<u32> {
    let said = headers.get("ratelimit")?.to_str().ok()?;
    said.split(';')
        .find_map(|part| part.trim().strip_prefix("r="))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests;
