//! Whether a request may speak for the account: the key it sends, and the version it wants.

use base64::Engine;
use http::HeaderMap;
use subtle::ConstantTimeEq;

use super::API_VERSION;
use super::refusal::Refusal;
use crate::options::Options;

/// What an error shows of a key at its beginning and its end.
const SHOWN_FIRST: usize = 8;
const SHOWN_LAST: usize = 4;

/// The secret key as a bearer token, or as the user of HTTP Basic.
pub(super) fn authorise(options: &Options, headers: &HeaderMap) -> Result<(), Refusal> {
    let header = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .ok_or(Refusal::NoKey)?;
    let key = match header.split_once(' ') {
        Some(("Bearer", key)) => key.trim().to_owned(),
        Some(("Basic", encoded)) => basic_user(encoded).ok_or(Refusal::NoKey)?,
        Some(_) | None => return Err(Refusal::NoKey),
    };
    let expected = options.stripe_secret_key.as_bytes();
    if bool::from(key.as_bytes().ct_eq(expected)) {
        Ok(())
    } else if key.is_empty() {
        Err(Refusal::NoKey)
    } else if key.starts_with("pk_") {
        Err(Refusal::PublishableKey)
    } else {
        Err(Refusal::WrongKey(masked(&key)))
    }
}

fn basic_user(encoded: &str) -> Option<String> {
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(encoded.trim())
        .ok()?;
    let text = String::from_utf8(decoded).ok()?;
    Some(text.split(':').next()?.to_owned())
}

/// Its beginning and end, as Stripe shows a key that it does not know; of a short one the beginning only.
fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let last = if letters.len() > 2 * (SHOWN_FIRST + SHOWN_LAST) {
        letters.len() - SHOWN_LAST
    } else {
        letters.len()
    };
    let hide = |(index, letter): (usize, &char)| {
        if (SHOWN_FIRST..last).contains(&index) {
            '*'
        } else {
            *letter
        }
    };
    letters.iter().enumerate().map(hide).collect()
}

/// Only one version is spoken. An older one exists at Stripe, anything else does not.
pub(super) fn check_version(asked: Option<&str>) -> Result<(), Refusal> {
    match asked {
        None | Some(API_VERSION) => Ok(()),
        Some(version) if is_older(version) => {
            Err(Refusal::Version(version.to_owned(), API_VERSION))
        }
        Some(version) => Err(Refusal::NoVersion(version.to_owned())),
    }
}

fn is_older(version: &str) -> bool {
    let date = version.split('.').next().unwrap_or_default();
    date.parse::<jiff::civil::Date>().is_ok() && version < API_VERSION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_by_its_ends_only() {
        assert_eq!(
            masked("sk_test_abcdefghijklmnopqrstuvwx"),
            "sk_test_********************uvwx"
        );
        assert_eq!(masked("sk_test_short"), "sk_test_*****");
    }

    #[test]
    fn an_older_version_is_told_from_one_that_never_was() {
        assert_eq!(check_version(Some(API_VERSION)), Ok(()));
        let old = check_version(Some("2025-03-31.basil")).unwrap_err();
        assert!(matches!(old, Refusal::Version(..)), "{old}");
        for never in ["latest", "2026-12-24.x", "2025-13-31"] {
            let refusal = check_version(Some(never)).unwrap_err();
            assert_eq!(refusal, Refusal::NoVersion(never.to_owned()));
        }
    }
}
