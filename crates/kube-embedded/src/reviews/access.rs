//! May somebody do this? Three kinds ask so: of oneself, of anybody, and in one namespace.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Review;
use crate::access::{Attributes, User, What};
use crate::cause::Cause;
use crate::selector::{Fields, Labels};
use crate::status::{Failure, Qualified};
use crate::verbs::Call;

/// The `status` of a question, or what is wrong with it.
pub(super) fn answer(call: &Call<'_>, review: Review, asked: &Value) -> Result<Value, Failure> {
    let causes = problems(review, asked);
    if !causes.is_empty() {
        return Err(Failure::Invalid {
            kind: Qualified {
                name: String::new(),
                group: "authorization.k8s.io".to_owned(),
            },
            name: String::new(),
            causes,
        });
    }
    let spec = &asked["spec"];
    let other = (review != Review::Access).then(|| user(spec));
    let user = other.as_ref().unwrap_or(call.user);
    let cluster = call.cluster;
    let decision = cluster
        .access
        .decide(&cluster.ledger, user, &attributes(spec));
    let mut status = Map::new();
    status.insert("allowed".to_owned(), decision.allowed.into());
    let mut say = |field: &str, words: String| {
        if !words.is_empty() {
            status.insert(field.to_owned(), words.into());
        }
    };
    say("reason", decision.reason);
    say("evaluationError", unread(&spec["resourceAttributes"]));
    Ok(status.into())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn user(spec: &Value) -> User {
    let words = |list: &Value| -> Vec<String> {
        let words = list.as_array().into_iter().flatten();
        words
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    let extra = spec["extra"].as_object().into_iter().flatten();
    let extra: BTreeMap<_, _> = extra
        .map(|(key, values)| (key.clone(), words(values)))
        .collect();
    User {
        name: text(spec, "user").to_owned(),
        uid: text(spec, "uid").to_owned(),
        groups: words(&spec["groups"]),
        extra,
    }
}

fn attributes(spec: &Value) -> Attributes<'_> {
    let resource = &spec["resourceAttributes"];
    if resource.is_object() {
        let fields = ["group", "resource", "subresource", "namespace", "name"];
        let what = fields.map(|field| text(resource, field));
        return Attributes::resource(text(resource, "verb"), what);
    }
    let path = &spec["nonResourceAttributes"];
    Attributes {
        verb: text(path, "verb").into(),
        what: What::Path(text(path, "path").into()),
    }
}

/// Which selectors cannot be read; then they are taken for none.
fn unread(resource: &Value) -> String {
    let raw = |selector: &str| text(&resource[selector], "rawSelector");
    let fields = Fields::parse(raw("fieldSelector")).is_err();
    let labels = Labels::parse(raw("labelSelector")).is_err();
    let unread = [("fieldSelector", fields), ("labelSelector", labels)];
    let unread = unread.iter().filter(|(_, unread)| *unread);
    let words: Vec<String> = unread
        .map(|(name, _)| format!("spec.resourceAttributes.{name} ignored due to parse error"))
        .collect();
    words.join("; ")
}

/// k8s.io/kubernetes/pkg/apis/authorization/validation
fn problems(review: Review, asked: &Value) -> Vec<Cause> {
    let spec = &asked["spec"];
    let (resource, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let mut causes = Vec::new();
    if resource.is_object() == path.is_object() {
        let words = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        causes.push(Cause::invalid("spec", &in_go_words(path), words));
    }
    let no_groups = spec["groups"].as_array().is_none_or(Vec::is_empty);
    if review != Review::Access && text(spec, "user").is_empty() && no_groups {
        let words = "at least one of user or group must be specified";
        causes.push(Cause::invalid("spec.user", &"".into(), words));
    }
    for name in ["fieldSelector", "labelSelector"] {
        causes.extend(selector(name, &resource[name]));
    }
    causes.extend(metadata(review, &asked["metadata"]));
    if review == Review::LocalSubject {
        let (said, is) = (
            text(resource, "namespace"),
            text(&asked["metadata"], "namespace"),
        );
        if resource.is_object() && said != is {
            let field = "spec.resourceAttributes.namespace";
            causes.push(Cause::invalid(
                field,
                &said.into(),
                "must match metadata.namespace",
            ));
        }
        if path.is_object() {
            let words = "disallowed on this kind of request";
            let value = in_go_words(path);
            causes.push(Cause::invalid("spec.nonResourceAttributes", &value, words));
        }
    }
    causes
}

/// Nothing may be said in it.
fn metadata(review: Review, metadata: &Value) -> Option<Cause> {
    let mut said = metadata.as_object().cloned().unwrap_or_default();
    said.remove("managedFields");
    let words = if review == Review::LocalSubject {
        said.remove("namespace");
        "must be empty except for namespace"
    } else {
        "must be empty"
    };
    (!said.is_empty()).then(|| Cause::invalid("metadata", metadata, words))
}

fn selector(name: &str, selector: &Value) -> Option<Cause> {
    if !selector.is_object() {
        return None;
    }
    let field = format!("spec.resourceAttributes.{name}");
    let raw = text(selector, "rawSelector");
    let no_requirements = selector["requirements"]
        .as_array()
        .is_none_or(Vec::is_empty);
    match (raw.is_empty(), no_requirements) {
        (true, true) => {
            let words =
                format!("when {field} is specified, requirements or rawSelector is required");
            Some(Cause::required(format!("{field}.requirements"), &words))
        }
        (false, false) => {
            let words = "may not specified at the same time as requirements";
            Some(Cause::invalid(
                format!("{field}.rawSelector"),
                &raw.into(),
                words,
            ))
        }
        (true, false) | (false, true) => None,
    }
}

/// `nonResourceAttributes` as Go's struct is written.
fn in_go_words(path: &Value) -> Value {
    if !path.is_object() {
        return Value::Null;
    }
    json!({ "Path": text(path, "path"), "Verb": text(path, "verb") })
}
