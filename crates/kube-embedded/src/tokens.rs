//! Tokens of service accounts: how they are signed, and whose a token is. Not who may ask for one.
//!
//! They are JSON Web Tokens (RFC 7519) signed with ES256 (RFC 7518, 3.4), with the claims of
//! k8s.io/kubernetes/pkg/serviceaccount/claims.go. The key is kept beside the objects, so that tokens
//! outlive the process just when those do.

mod issue;
mod key;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use issue::issue;
pub(crate) use key::SigningKey;

use crate::access::{AUTHENTICATED, SERVICE_ACCOUNT, User, go_list, groups_of_service_accounts};
use crate::cluster::Cluster;
use crate::stored::Stored;

/// Who says that the tokens are good; also whom they are for, unless said otherwise.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc";

/// How far clocks may differ, in seconds; as in Kubernetes.
const LEEWAY: i64 = 60;
/// The longest token looked at, in bytes.
const LENGTH_LIMIT: usize = 16 * 1024;

/// What a token says. Times are in seconds since 1970.
#[derive(Serialize, Deserialize)]
struct Claims {
    aud: Vec<String>,
    exp: i64,
    iat: i64,
    iss: String,
    jti: String,
    #[serde(rename = "kubernetes.io")]
    kubernetes: Kubernetes,
    nbf: i64,
    sub: String,
}

#[derive(Serialize, Deserialize)]
struct Kubernetes {
    namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Reference>,
    serviceaccount: Reference,
}

#[derive(Serialize, Deserialize)]
struct Reference {
    name: String,
    uid: String,
}

impl Reference {
    fn to(object: &Stored) -> Self {
        Self {
            name: object.name().to_owned(),
            uid: object.uid().to_owned(),
        }
    }
}

/// Why a token is not good. The words are told to whoever may ask for a review of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// Somebody else's, or no token at all.
    #[error("it is no token of this server")]
    Foreign,
    #[error("go-jose/go-jose: error in cryptographic primitive")]
    Signature,
    #[error("token audiences {} is invalid for the target audiences {}", go_list(.given), go_list(.asked))]
    Audience {
        given: Vec<String>,
        asked: Vec<String>,
    },
    #[error("service account token has expired")]
    Expired,
    #[error("service account token is not valid yet")]
    Early,
    #[error("serviceaccounts {0:?} not found")]
    NoAccount(String),
    #[error("service account UID ({is}) does not match claim ({claimed})")]
    OtherAccount { is: String, claimed: String },
    #[error("service account {0} has been deleted")]
    DeletedAccount(String),
    #[error("service account token has been invalidated")]
    Invalidated,
    #[error("secret UID ({is}) does not match service account secret ref claim ({claimed})")]
    OtherSecret { is: String, claimed: String },
}

/// Whose token it is, and which of the asked audiences it is for.
pub(crate) fn verify(
    cluster: &Cluster,
    token: &str,
    audiences: &[String],
) -> Result<(User, Vec<String>), TokenError> {
    if token.len() > LENGTH_LIMIT {
        return Err(TokenError::Foreign);
    }
    let (payload, signed) = cluster.signing_key.read(token).ok_or(TokenError::Foreign)?;
    let issuer: serde_json::Value =
        serde_json::from_slice(&payload).map_err(|_| TokenError::Foreign)?;
    if issuer["iss"] != ISSUER {
        return Err(TokenError::Foreign);
    }
    if !signed {
        return Err(TokenError::Signature);
    }
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| TokenError::Foreign)?;
    let meant: Vec<String> = audiences
        .iter()
        .filter(|audience| claims.aud.contains(audience))
        .cloned()
        .collect();
    if meant.is_empty() {
        return Err(TokenError::Audience {
            given: claims.aud,
            asked: audiences.to_vec(),
        });
    }
    claims.hold_at(cluster.now())?;
    claims.stand(cluster)?;
    Ok((claims.user(), meant))
}

impl Claims {
    fn hold_at(&self, now: Timestamp) -> Result<(), TokenError> {
        let now = now.as_second();
        if now > self.exp.saturating_add(LEEWAY) {
            return Err(TokenError::Expired);
        }
        if now < self.nbf.saturating_sub(LEEWAY) {
            return Err(TokenError::Early);
        }
        Ok(())
    }

    /// Is everything it speaks of still there?
    fn stand(&self, cluster: &Cluster) -> Result<(), TokenError> {
        let Kubernetes {
            namespace,
            serviceaccount,
            secret,
        } = &self.kubernetes;
        let find = |resource: &str, name: &str| {
            cluster.ledger.get(resource, &format!("{namespace}/{name}"))
        };
        let gone = |object: &Stored| object.is_deleting() && was_deleted(object, cluster.now());
        let account = find("serviceaccounts", &serviceaccount.name)
            .ok_or_else(|| TokenError::NoAccount(serviceaccount.name.clone()))?;
        if account.uid() != serviceaccount.uid {
            return Err(TokenError::OtherAccount {
                is: account.uid().to_owned(),
                claimed: serviceaccount.uid.clone(),
            });
        }
        if gone(&account) {
            let name = format!("{namespace}/{}", serviceaccount.name);
            return Err(TokenError::DeletedAccount(name));
        }
        let Some(bound) = secret else {
            return Ok(());
        };
        let secret = find("secrets", &bound.name).ok_or(TokenError::Invalidated)?;
        if secret.uid() != bound.uid {
            return Err(TokenError::OtherSecret {
                is: secret.uid().to_owned(),
                claimed: bound.uid.clone(),
            });
        }
        if gone(&secret) {
            return Err(TokenError::Invalidated);
        }
        Ok(())
    }

    fn user(self) -> User {
        let Kubernetes {
            namespace,
            serviceaccount: Reference { name, uid },
            ..
        } = self.kubernetes;
        let mut groups = groups_of_service_accounts(&namespace);
        groups.push(AUTHENTICATED.to_owned());
        let id = vec![format!("JTI={}", self.jti)];
        User {
            name: format!("{SERVICE_ACCOUNT}{namespace}:{name}"),
            uid,
            groups,
            extra: [("authentication.kubernetes.io/credential-id".to_owned(), id)].into(),
        }
    }
}

/// Did it begin to go so long ago that nothing of it counts any more?
fn was_deleted(object: &Stored, now: Timestamp) -> bool {
    let value = object.value();
    let at = value["metadata"]["deletionTimestamp"].as_str();
    let at = at.and_then(|time| time.parse::<Timestamp>().ok());
    at.is_none_or(|at| at.as_second() < now.as_second() - LEEWAY)
}
