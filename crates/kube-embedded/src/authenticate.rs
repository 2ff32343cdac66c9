//! Who asks: whoever knows the token, or a caller in this process if the builder trusts those.

use http::{HeaderMap, header};
use subtle::ConstantTimeEq;

use crate::status::Failure;

/// Whether a request without a token comes from this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Trusted,
    Network,
}

/// A token that is sent must be right, also where none is needed.
pub(crate) fn authenticate(
    headers: &HeaderMap,
    token: &str,
    origin: Origin,
) -> Result<(), Failure> {
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return match origin {
            Origin::Trusted => Ok(()),
            Origin::Network => Err(Failure::Unauthorized),
        };
    };
    let given = given.to_str().unwrap_or_default();
    let right = given
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .is_some_and(|(_, given)| given.as_bytes().ct_eq(token.as_bytes()).into());
    right.then_some(()).ok_or(Failure::Unauthorized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_or_this_process_gets_in() {
        let check = |given: Option<&str>, origin, allowed: bool| {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(header::AUTHORIZATION, given.parse().unwrap());
            }
            assert_eq!(
                authenticate(&headers, "right", origin).is_ok(),
                allowed,
                "{given:?}"
            );
        };
        check(Some("Bearer right"), Origin::Network, true);
        check(Some("bearer right"), Origin::Network, true);
        check(Some("Bearer righ"), Origin::Network, false);
        check(Some("Bearer right "), Origin::Network, false);
        check(Some("Basic right"), Origin::Network, false);
        check(Some("right"), Origin::Network, false);
        check(None, Origin::Network, false);
        check(None, Origin::Trusted, true);
        check(Some("Bearer wrong"), Origin::Trusted, false);
    }
}
