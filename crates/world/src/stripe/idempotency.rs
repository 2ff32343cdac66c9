//! Idempotency keys: the answer that was given to one is given again to the same request, and a different request with
//! the same key is refused.
//!
//! Source: Stripe's reference on idempotent requests: keys of up to 255 characters are kept for at least 24 hours; requests
//! that fail validation are not remembered.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::State;
use super::due::Due;
use super::refusal::Refusal;
use crate::call::Asked;

const KEPT_SECONDS: i64 = 24 * 3_600;
const LONGEST: usize = 255;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    fingerprint: String,
    status: u16,
    body: Value,
}

/// The key of a request, if it has one.
pub(crate) fn key_of(asked: &Asked) -> Result<Option<String>, Refusal> {
    match asked.header("idempotency-key") {
        Some(key) if key.len() > LONGEST => Err(Refusal::State(
            "Idempotency keys can be up to 255 characters long.".to_owned(),
        )),
        Some(key) if asked.method == http::Method::POST => Ok(Some(key.to_owned())),
        Some(_) | None => Ok(None),
    }
}

fn fingerprint(asked: &Asked) -> String {
    let mut hash = Sha256::new();
    hash.update(asked.path.as_bytes());
    hash.update([0]);
    hash.update(&asked.body);
    hex::encode(hash.finalize())
}

impl State {
    /// The answer this key got before, if it was for the same request.
    pub(crate) fn replay(
        &self,
        key: &str,
        asked: &Asked,
    ) -> Result<Option<(StatusCode, Value)>, Refusal> {
        let Some(kept) = self.keys.get(&key.to_owned()) else {
            return Ok(None);
        };
        if kept.fingerprint != fingerprint(asked) {
            return Err(Refusal::KeyReused);
        }
        let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
        Ok(Some((status, kept.body.clone())))
    }

    pub(crate) fn remember(
        &mut self,
        key: &str,
        asked: &Asked,
        status: StatusCode,
        body: &Value,
        now: i64,
    ) {
        let kept = Kept {
            fingerprint: fingerprint(asked),
            status: status.as_u16(),
            body: body.clone(),
        };
        self.keys.insert(key.to_owned(), kept);
        self.agenda
            .plan(now + KEPT_SECONDS, &Due::KeyExpires(key.to_owned()));
    }
}
