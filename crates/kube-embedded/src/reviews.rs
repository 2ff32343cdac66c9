//! Questions about users and what they may do. Nothing of it is stored.
//!
//! The rules and words are those of k8s.io/kubernetes/pkg/registry/{authentication,authorization}.

mod access;

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::access::{User, not_found};
use crate::answer::Answer;
use crate::apply;
use crate::authenticate;
use crate::decode;
use crate::metadata;
use crate::request::FieldValidation;
use crate::status::Failure;
use crate::tokens::ISSUER;
use crate::types;
use crate::verbs::{Call, fit};

/// Which question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Review {
    /// `SelfSubjectAccessReview`: may I do this?
    Access,
    /// `SubjectAccessReview`: may somebody do this?
    Subject,
    /// `LocalSubjectAccessReview`: the same, in one namespace.
    LocalSubject,
    /// `SelfSubjectRulesReview`: what may I do?
    Rules,
    /// `SelfSubjectReview`: who am I?
    Identity,
    /// `TokenReview`: whose token is this?
    Token,
}

/// The question with its answer in `status`.
pub(crate) fn answer(call: &Call<'_>, review: Review) -> Result<Answer, Failure> {
    let info = &call.target.served.info;
    let kind = [&*info.group, &*info.version, &*info.kind];
    let (mut asked, warnings) = body(call, kind)?;
    let answered = match review {
        Review::Rules => rules(call, &asked)?,
        Review::Identity => identity(call, &asked),
        Review::Access | Review::Subject | Review::LocalSubject => {
            track(call, &mut asked)?;
            asked["status"] = access::answer(call, review, &asked)?;
            asked
        }
        Review::Token => {
            track(call, &mut asked)?;
            asked["status"] = token(call, &asked["spec"])?;
            asked
        }
    };
    Ok(Answer::value(answered)
        .with_code(StatusCode::CREATED)
        .with_warnings(warnings))
}

/// What a client asks, without what nobody knows, and the warnings about that.
pub(crate) fn body(
    call: &Call<'_>,
    [group, version, kind]: [&str; 3],
) -> Result<(Value, Vec<String>), Failure> {
    let served = &call.target.served;
    let mut asked = if served.info.kind == kind {
        fit::body(call, None)?
    } else {
        part(call, &format!("{group}/{version}"), kind)?
    };
    let schema = types::schema(group, version, kind);
    let unknown = schema.map(|schema| schema.prune(&mut asked));
    crate::builtin::drop_nulls(&mut asked);
    let unknown = unknown.unwrap_or_default().into_iter();
    let words: Vec<String> = unknown
        .map(|field| format!("unknown field \"{field}\""))
        .collect();
    match call.ask.field_validation()? {
        FieldValidation::Ignore => Ok((asked, Vec::new())),
        FieldValidation::Strict if !words.is_empty() => Err(Failure::BadRequest(format!(
            "{kind} in version {version:?} cannot be handled as a {kind}: strict decoding error: {}",
            words.join(", ")
        ))),
        FieldValidation::Strict | FieldValidation::Warn => Ok((asked, words)),
    }
}

/// A body of another kind than the object it is sent to.
fn part(call: &Call<'_>, api_version: &str, kind: &str) -> Result<Value, Failure> {
    let decoded = decode::object(&call.ask.content_type, &call.body);
    let mut asked = decoded.map_err(|error| Failure::BadRequest(error.to_string()))?;
    if !asked.is_object() {
        return Err(Failure::BadRequest("the body is not an object".to_owned()));
    }
    let said = |field: &str, otherwise| asked[field].as_str().unwrap_or(otherwise).to_owned();
    let (said_version, said_kind) = (said("apiVersion", api_version), said("kind", kind));
    if said_version != api_version || said_kind != kind {
        let version = said_version.rsplit('/').next().unwrap_or_default();
        return Err(Failure::BadRequest(format!(
            "{said_kind} in version {said_version:?} cannot be handled as a {kind}: converting ({version}.{said_kind}) to (authentication.{kind}): unknown conversion"
        )));
    }
    let namespace = metadata::text(&asked, "namespace");
    if !namespace.is_empty() && namespace != call.target.namespace {
        return Err(Failure::BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
                .to_owned(),
        ));
    }
    asked["apiVersion"] = api_version.into();
    asked["kind"] = kind.into();
    metadata::edit(&mut asked, |_| {});
    Ok(asked)
}

/// Notes whose word the question is, as if it were kept.
pub(crate) fn track(call: &Call<'_>, asked: &mut Value) -> Result<(), Failure> {
    let version = asked["apiVersion"].as_str().unwrap_or_default();
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let kind = asked["kind"].as_str().unwrap_or_default();
    if let Some(schema) = types::schema(group, version, kind) {
        let blank = json!({
            "spec": { "audiences": null, "boundObjectRef": null },
            "status": {},
        });
        apply::track_update(Some(&blank), asked, &call.writer()?, schema);
    }
    Ok(())
}

fn identity(call: &Call<'_>, asked: &Value) -> Value {
    json!({
        "apiVersion": asked["apiVersion"],
        "kind": asked["kind"],
        "metadata": { "creationTimestamp": metadata::time(call.cluster.now()) },
        "status": { "userInfo": described(call.user) },
    })
}

/// `UserInfo` of `authentication.k8s.io/v1`.
fn described(user: &User) -> Value {
    let mut info = Map::new();
    let mut put = |field: &str, value: Value| info.insert(field.to_owned(), value);
    put("username", user.name.as_str().into());
    if !user.uid.is_empty() {
        put("uid", user.uid.as_str().into());
    }
    if !user.groups.is_empty() {
        put("groups", user.groups.as_slice().into());
    }
    if !user.extra.is_empty() {
        put("extra", json!(user.extra));
    }
    info.into()
}

fn token(call: &Call<'_>, spec: &Value) -> Result<Value, Failure> {
    let token = spec["token"].as_str().unwrap_or_default();
    if token.is_empty() {
        let words = "token is required for TokenReview in authentication";
        return Err(Failure::BadRequest(words.to_owned()));
    }
    let audiences = spec["audiences"].as_array().into_iter().flatten();
    let mut audiences: Vec<String> = audiences
        .filter_map(|audience| audience.as_str().map(str::to_owned))
        .collect();
    if audiences.is_empty() {
        audiences.push(ISSUER.to_owned());
    }
    Ok(
        match authenticate::identify(call.cluster, token, &audiences) {
            Ok((user, audiences)) => json!({
                "authenticated": true,
                "user": described(&user),
                "audiences": audiences,
            }),
            Err(unknown) => json!({ "user": {}, "error": unknown.to_string() }),
        },
    )
}

fn rules(call: &Call<'_>, asked: &Value) -> Result<Value, Failure> {
    let namespace = asked["spec"]["namespace"].as_str().unwrap_or_default();
    if namespace.is_empty() {
        return Err(Failure::BadRequest("no namespace on request".to_owned()));
    }
    let (resources, paths) = ("resourceRules", "nonResourceRules");
    let mut status = json!({ resources: [], paths: [], "incomplete": false });
    if call.cluster.access.is_enforced() {
        let policy = call.cluster.access.policy(&call.cluster.ledger);
        let held = policy.held(call.user, namespace);
        let shown = |is_one: &dyn Fn(&Value) -> bool| {
            let rules = held.rules.iter().map(|rule| rule.to_json());
            Value::Array(rules.filter(is_one).collect())
        };
        status[resources] = shown(&|rule| rule["resources"].is_array());
        status[paths] = shown(&|rule| rule["nonResourceURLs"].is_array());
        if !held.missing.is_empty() {
            status["evaluationError"] = not_found(&held.missing).into();
        }
    } else {
        status[resources] = json!([{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }]);
        status[paths] = json!([{ "verbs": ["*"], "nonResourceURLs": ["*"] }]);
    }
    Ok(json!({
        "apiVersion": asked["apiVersion"],
        "kind": asked["kind"],
        "metadata": {},
        "spec": {},
        "status": status,
    }))
}
