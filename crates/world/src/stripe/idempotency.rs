//! Idempotency keys: the answer that was given to one is given again to the same request, a different request with the
//! same key is refused, and so is a second one while the first is under way.
//!
//! Source: Stripe's reference on idempotent requests: keys of up to 255 characters are kept for at least 24 hours; what
//! comes of a request is remembered as soon as it was begun, failures with status 500 too.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

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
    pub(crate) body: Value,
    #[serde(default)]
    path: String,
    /// The id of the request that got this answer first.
    #[serde(default)]
    pub(crate) request: String,
}

impl Kept {
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK)
    }
}

/// The keys of requests whose answers have not gone out yet. Clones are the same set.
#[derive(Clone, Default)]
pub(crate) struct UnderWay {
    keys: Arc<Mutex<BTreeSet<String>>>,
}

/// Holds a key until it is dropped.
pub(crate) struct Claim {
    key: String,
    of: UnderWay,
}

impl UnderWay {
    /// None when another request holds the key.
    pub(crate) fn claim(&self, key: &str) -> Option<Claim> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.to_owned()).then(|| Claim {
            key: key.to_owned(),
            of: self.clone(),
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let keys = &self.of.keys;
        keys.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
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
    pub(crate) fn replay(&self, key: &str, asked: &Asked) -> Result<Option<&Kept>, Refusal> {
        let Some(kept) = self.keys.get(&key.to_owned()) else {
            return Ok(None);
        };
        if kept.path != asked.path {
            return Err(Refusal::KeyElsewhere {
                key: key.to_owned(),
                here: asked.path.clone(),
                first: kept.path.clone(),
            });
        }
        if kept.fingerprint != fingerprint(asked) {
            return Err(Refusal::KeyReused(key.to_owned()));
        }
        Ok(Some(kept))
    }

    pub(crate) fn remember(
        &mut self,
        key: &str,
        asked: &Asked,
        (status, body): (StatusCode, &Value),
        request: &str,
        now: i64,
    ) {
        let kept = Kept {
            fingerprint: fingerprint(asked),
            status: status.as_u16(),
            body: body.clone(),
            path: asked.path.clone(),
            request: request.to_owned(),
        };
        self.keys.insert(key.to_owned(), kept);
        self.agenda
            .plan(None, now + KEPT_SECONDS, &Due::KeyExpires(key.to_owned()));
    }
}
