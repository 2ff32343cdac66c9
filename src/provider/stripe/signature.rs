//! Whether a webhook's raw body was signed by Stripe, lately. Pure; it does not read the event.
//!
//! The header is `t=<unix seconds>,v1=<hex>[,v1=<hex>][,v0=<hex>]`; each `v1` is HMAC-SHA256 of
//! `<t>.<raw body>` under one of the endpoint's secrets, of which there are two while one is rolled.
//! Source: <https://docs.stripe.com/webhooks#verify-manually>

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// How far the sender's clock may be from ours, either way.
pub const TOLERANCE: Duration = Duration::from_mins(5);
/// No header of Stripe's is longer; each signature costs us a digest.
const HEADER_LENGTH_MAX: usize = 4096;

/// Why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the header is not of the form t=…,v1=…")]
    Malformed,
    #[error("it was signed more than five minutes ago, or our clock is fast")]
    TooOld,
    #[error("it was signed more than five minutes ahead, or our clock is slow")]
    TooNew,
    #[error("no signature was made with a secret of ours")]
    NoMatch,
}

/// Checks that any `v1` of `header` was made from `raw_body` with any of `secrets`, within
/// [`TOLERANCE`] of `now`.
pub fn verify(
    raw_body: &[u8],
    header: &str,
    secrets: &[SecretString],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let header = Header::parse(header).ok_or(SignatureError::Malformed)?;
    let mut matches = Choice::from(0);
    for secret in secrets {
        let expected = digest(secret, header.stamp, raw_body).ok_or(SignatureError::NoMatch)?;
        for given in &header.signatures {
            matches |= expected.as_slice().ct_eq(given);
        }
    }
    if !bool::from(matches) {
        return Err(SignatureError::NoMatch);
    }
    let ahead = header.signed.duration_since(now);
    let tolerance = SignedDuration::try_from(TOLERANCE).unwrap_or(SignedDuration::ZERO);
    if ahead > tolerance {
        Err(SignatureError::TooNew)
    } else if ahead < -tolerance {
        Err(SignatureError::TooOld)
    } else {
        Ok(())
    }
}

struct Header<'a> {
    /// As it was spelled, because that is what was signed.
    stamp: &'a str,
    signed: Timestamp,
    signatures: Vec<Vec<u8>>,
}

impl<'a> Header<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if text.len() > HEADER_LENGTH_MAX {
            return None;
        }
        let parts = || {
            text.split(',')
                .filter_map(|part| part.trim().split_once('='))
        };
        let stamp = parts().find_map(|(key, value)| (key == "t").then_some(value))?;
        let signed = Timestamp::from_second(stamp.parse().ok()?).ok()?;
        let signatures: Vec<_> = parts()
            .filter(|(key, _)| *key == "v1")
            .filter_map(|(_, value)| hex::decode(value).ok())
            .collect();
        (!signatures.is_empty()).then_some(Self {
            stamp,
            signed,
            signatures,
        })
    }
}

fn digest(secret: &SecretString, stamp: &str, raw_body: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    mac.update(stamp.as_bytes());
    mac.update(b".");
    mac.update(raw_body);
    Some(mac.finalize().into_bytes().to_vec())
}

/// The header Stripe would send, for tests that send webhooks.
#[cfg(test)]
pub(crate) fn sign(raw_body: &[u8], secret: &SecretString, now: Timestamp) -> String {
    let stamp = now.as_second().to_string();
    let digest = digest(secret, &stamp, raw_body).unwrap_or_default();
    format!("t={stamp},v1={}", hex::encode(digest))
}

#[cfg(test)]
mod tests;
