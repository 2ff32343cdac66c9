//! `serviceaccounts/token`: what a TokenRequest gets.
//!
//! The rules and words are those of k8s.io/kubernetes/pkg/registry/core/serviceaccount/storage/token.go.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Claims, ISSUER, Kubernetes, Reference};
use crate::access::SERVICE_ACCOUNT;
use crate::answer::Answer;
use crate::cause::Cause;
use crate::metadata;
use crate::reviews;
use crate::status::{Failure, Qualified};
use crate::stored::Stored;
use crate::verbs::Call;

const GROUP: &str = "authentication.k8s.io";
/// What a token is good for if nobody says, in seconds.
const AN_HOUR: i64 = 3600;
const SHORTEST: i64 = 600;
const LONGEST: i64 = 1 << 32;

pub(crate) fn issue(call: &Call<'_>) -> Result<Answer, Failure> {
    let name = call.target.name.as_deref().unwrap_or_default();
    let (mut asked, warnings) = reviews::body(call, [GROUP, "v1", "TokenRequest"])?;
    if !asked["spec"].is_object() {
        asked["spec"] = json!({});
    }
    if asked["spec"]["expirationSeconds"].is_null() {
        asked["spec"]["expirationSeconds"] = AN_HOUR.into();
    }
    reviews::track(call, &mut asked)?;
    let said = metadata::text(&asked, "name");
    if !said.is_empty() && said != name {
        let words = "must match the service account name if specified";
        let cause = Cause::invalid("metadata.name", &said.into(), words);
        return Err(invalid(name, vec![cause]));
    }
    let account = find(call, "serviceaccounts", name)?;
    let said = metadata::text(&asked, "uid");
    if !said.is_empty() && said != account.uid() {
        return Err(Failure::Conflict {
            resource: kind(),
            name: name.to_owned(),
            why: format!(
                "the UID in the token request ({said}) does not match the UID of the service account ({})",
                account.uid()
            ),
        });
    }
    let causes = problems(&asked["spec"]);
    if !causes.is_empty() {
        return Err(invalid("", causes));
    }
    let secret = bound(call, &asked["spec"]["boundObjectRef"])?;
    let now = call.cluster.now();
    complete(&mut asked, &account, now);
    let claims = claims(call, &asked["spec"], &account, secret.as_deref(), now);
    let token = serde_json::to_vec(&claims)
        .ok()
        .and_then(|claims| call.cluster.signing_key.sign(&claims))
        .ok_or_else(|| Failure::Internal("failed to generate token".to_owned()))?;
    let ends = Timestamp::from_second(claims.exp).unwrap_or(Timestamp::MAX);
    asked["status"] = json!({ "token": token, "expirationTimestamp": metadata::time(ends) });
    Ok(Answer::value(asked)
        .with_code(StatusCode::CREATED)
        .with_warnings(warnings))
}

fn kind() -> Qualified {
    Qualified {
        name: "TokenRequest".to_owned(),
        group: GROUP.to_owned(),
    }
}

fn invalid(name: &str, causes: Vec<Cause>) -> Failure {
    Failure::Invalid {
        kind: kind(),
        name: name.to_owned(),
        causes,
    }
}

/// An object in the namespace of the request.
fn find(call: &Call<'_>, plural: &str, name: &str) -> Result<std::sync::Arc<Stored>, Failure> {
    let found = call.cluster.ledger.get(plural, &call.target.key(name));
    found.ok_or_else(|| Failure::NotFound {
        resource: Qualified {
            name: plural.to_owned(),
            group: String::new(),
        },
        name: name.to_owned(),
    })
}

fn problems(spec: &Value) -> Vec<Cause> {
    let attestations = &spec["attestations"];
    if attestations
        .as_object()
        .is_some_and(|said| !said.is_empty())
    {
        let words = "attestations may only be specified with a webhook bound object reference";
        return vec![Cause::invalid("spec.attestations", attestations, words)];
    }
    let value = &spec["expirationSeconds"];
    let refuse = |words: &str| vec![Cause::invalid("spec.expirationSeconds", value, words)];
    match value.as_i64().unwrap_or(AN_HOUR) {
        ..SHORTEST => refuse("may not specify a duration less than 10 minutes"),
        SHORTEST..=LONGEST => Vec::new(),
        _ => refuse("may not specify a duration larger than 2^32 seconds"),
    }
}

/// The Secret with which the token is to end. There are no Pods and Nodes here.
fn bound(call: &Call<'_>, reference: &Value) -> Result<Option<std::sync::Arc<Stored>>, Failure> {
    if !reference.is_object() {
        return Ok(None);
    }
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let (group, version) = text("apiVersion")
        .split_once('/')
        .unwrap_or(("", text("apiVersion")));
    let secret = match (group, text("kind")) {
        ("", "Secret") => find(call, "secrets", text("name"))?,
        ("", "Pod") => find(call, "pods", text("name"))?,
        ("", "Node") => find(call, "nodes", text("name"))?,
        (_, kind) => {
            return Err(Failure::BadRequest(format!(
                "cannot bind token to object of type {group}/{version}, Kind={kind}"
            )));
        }
    };
    let said = text("uid");
    if !said.is_empty() && said != secret.uid() {
        return Err(Failure::Conflict {
            resource: Qualified {
                name: text("kind").to_owned(),
                group: String::new(),
            },
            name: secret.name().to_owned(),
            why: format!(
                "the UID in the bound object reference ({said}) does not match the UID in record. The object might have been deleted and then recreated"
            ),
        });
    }
    Ok(Some(secret))
}

/// What the server says of a request.
fn complete(asked: &mut Value, account: &Stored, now: Timestamp) {
    let audiences = asked["spec"]["audiences"].as_array();
    if audiences.is_none_or(Vec::is_empty) {
        asked["spec"]["audiences"] = json!([ISSUER]);
    }
    if !asked["spec"]["boundObjectRef"].is_object() {
        asked["spec"]["boundObjectRef"] = Value::Null;
    }
    metadata::edit(asked, |fields| {
        fields.insert("name".to_owned(), account.name().into());
        fields.insert("namespace".to_owned(), account.namespace().into());
        fields.insert("uid".to_owned(), account.uid().into());
        fields.insert("creationTimestamp".to_owned(), metadata::time(now).into());
    });
}

fn claims(
    call: &Call<'_>,
    spec: &Value,
    account: &Stored,
    secret: Option<&Stored>,
    now: Timestamp,
) -> Claims {
    let audiences = spec["audiences"].as_array().into_iter().flatten();
    let seconds = spec["expirationSeconds"].as_i64().unwrap_or(AN_HOUR);
    let ends = now
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX);
    Claims {
        aud: audiences
            .filter_map(|audience| audience.as_str().map(str::to_owned))
            .collect(),
        exp: ends.as_second(),
        iat: now.as_second(),
        iss: ISSUER.to_owned(),
        jti: call.cluster.new_uid(),
        kubernetes: Kubernetes {
            namespace: account.namespace().to_owned(),
            secret: secret.map(Reference::to),
            serviceaccount: Reference::to(account),
        },
        nbf: now.as_second(),
        sub: format!(
            "{SERVICE_ACCOUNT}{}:{}",
            account.namespace(),
            account.name()
        ),
    }
}
