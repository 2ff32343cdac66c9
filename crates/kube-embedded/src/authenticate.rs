//! Who asks: by a token of the server's own or of a service account, or a caller in this process.

use std::sync::Arc;

use http::{HeaderMap, header};
use subtle::ConstantTimeEq;

use crate::access::User;
use crate::cluster::Cluster;
use crate::status::Failure;
use crate::tokens::{self, ISSUER, TokenError};

/// Where a request without a token comes from.
#[derive(Clone)]
pub(crate) enum Origin {
    /// From this process; it may do everything.
    Trusted,
    Network,
    /// From this process, from whoever has that token.
    Holder(Arc<str>),
}

/// The tokens that do not change while the server runs, and whose they are.
#[derive(Default)]
pub(crate) struct Tokens(Vec<(String, User)>);

impl Tokens {
    pub(crate) fn add(&mut self, token: String, user: User) {
        self.0.push((token, user));
    }

    /// In the same time whichever it is.
    fn find(&self, given: &str) -> Option<&User> {
        let mut found = None;
        for (token, user) in &self.0 {
            if token.as_bytes().ct_eq(given.as_bytes()).into() {
                found = Some(user);
            }
        }
        found
    }
}

/// Why a token is nobody's, as a review of it says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unknown {
    #[error("invalid bearer token")]
    Token,
    #[error("[invalid bearer token, {0}]")]
    Account(TokenError),
}

/// Whose a token is, and which of the asked audiences it is for.
pub(crate) fn identify(
    cluster: &Cluster,
    token: &str,
    audiences: &[String],
) -> Result<(User, Vec<String>), Unknown> {
    let own = [ISSUER.to_owned()];
    let for_us = audiences.contains(&own[0]);
    if let Some(user) = cluster.tokens.find(token).filter(|_| for_us) {
        return Ok((user.clone(), own.to_vec()));
    }
    tokens::verify(cluster, token, audiences).map_err(|error| match error {
        TokenError::Foreign => Unknown::Token,
        other => Unknown::Account(other),
    })
}

/// A token that is sent must be right, also where none is needed.
pub(crate) fn authenticate(
    cluster: &Cluster,
    headers: &HeaderMap,
    origin: &Origin,
) -> Result<User, Failure> {
    let given = match (headers.get(header::AUTHORIZATION), origin) {
        (Some(given), _) => bearer(given.to_str().unwrap_or_default()),
        (None, Origin::Holder(token)) => Some(&**token),
        (None, Origin::Trusted) => return Ok(User::admin()),
        (None, Origin::Network) => None,
    };
    match given {
        Some(token) => identify(cluster, token, &[ISSUER.to_owned()])
            .map(|(user, _)| user)
            .map_err(|_| Failure::Unauthorized),
        None if cluster.access.is_enforced() => Ok(User::anonymous()),
        None => Err(Failure::Unauthorized),
    }
}

/// The token, if it is one: other ways to show who one is are not looked at.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{ANONYMOUS, Authorization};

    #[tokio::test]
    async fn only_a_token_or_this_process_gets_in() {
        let cluster = Cluster::of_a_test(Authorization::AlwaysAllow, &[("right", "alice")]).await;
        let check = |given: Option<&str>, origin: &Origin, name: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(header::AUTHORIZATION, given.parse().unwrap());
            }
            let user = authenticate(&cluster, &headers, origin).ok();
            assert_eq!(
                user.as_ref().map(|user| user.name.as_str()),
                name,
                "{given:?}"
            );
        };
        check(Some("Bearer right"), &Origin::Network, Some("alice"));
        check(Some("bearer right"), &Origin::Network, Some("alice"));
        check(Some("Bearer righ"), &Origin::Network, None);
        check(Some("Bearer right "), &Origin::Network, None);
        check(Some("Basic right"), &Origin::Network, None);
        check(Some("right"), &Origin::Network, None);
        check(None, &Origin::Network, None);
        check(None, &Origin::Trusted, Some("system:admin"));
        check(None, &Origin::Holder("right".into()), Some("alice"));
        check(None, &Origin::Holder("wrong".into()), None);
        check(Some("Bearer wrong"), &Origin::Trusted, None);
    }

    #[tokio::test]
    async fn where_roles_decide_a_request_without_a_token_is_anonymous() {
        let cluster = Cluster::of_a_test(Authorization::Rbac, &[]).await;
        let mut headers = HeaderMap::new();
        let user = authenticate(&cluster, &headers, &Origin::Network).unwrap();
        assert_eq!(user.name, ANONYMOUS);
        headers.insert(header::AUTHORIZATION, "Bearer wrong".parse().unwrap());
        assert!(authenticate(&cluster, &headers, &Origin::Network).is_err());
    }
}
