//! What a `CustomResourceDefinition` must be before it is stored: names, versions, structural schemas, columns.
//!
//! The words are those of Kubernetes' own apiextensions-apiserver.

mod names;
mod selectable;
mod structural;
#[cfg(test)]
mod tests;
mod versions;
mod warnings;

use serde_json::{Value, json};

use crate::cause::Cause;

pub(crate) use warnings::warnings;

/// Fills in what a client may leave out: `listKind`, `singular`, `conversion`.
pub(crate) fn default_in(crd: &mut Value) {
    let Some(spec) = crd.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    if spec.get("conversion").is_none_or(Value::is_null) {
        spec.insert("conversion".to_owned(), json!({"strategy": "None"}));
    }
    let Some(names) = spec.get_mut("names").and_then(Value::as_object_mut) else {
        return;
    };
    let kind = names
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if kind.is_empty() {
        return;
    }
    for (key, value) in [
        ("singular", kind.to_lowercase()),
        ("listKind", format!("{kind}List")),
    ] {
        if names
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .is_empty()
        {
            names.insert(key.to_owned(), value.into());
        }
    }
}

/// Everything a real API server refuses at creation (`old` None) or update, with its words. Empty when acceptable.
pub(crate) fn check(crd: &Value, old: Option<&Value>) -> Vec<Cause> {
    let spec = &crd["spec"];
    let mut causes = names::check(crd, old.is_none());
    check_scope(spec, &mut causes);
    check_conversion(spec, &mut causes);
    if spec["preserveUnknownFields"] == Value::Bool(true) {
        let detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        causes.push(Cause::invalid(
            "spec.preserveUnknownFields",
            &Value::Bool(true),
            detail,
        ));
    }
    versions::check(spec, &mut causes);
    match old {
        Some(old) => {
            check_unchanged(crd, old, &mut causes);
            check_stored_versions(crd, old, &mut causes);
        }
        None => versions::check_first_stored(spec, &mut causes),
    }
    causes
}

fn check_scope(spec: &Value, causes: &mut Vec<Cause>) {
    match spec["scope"].as_str().unwrap_or_default() {
        "Cluster" | "Namespaced" => {}
        "" => causes.push(Cause::required("spec.scope", "")),
        other => causes.push(Cause::not_supported(
            "spec.scope",
            &other.into(),
            &["Cluster", "Namespaced"],
        )),
    }
}

/// Webhooks are not called, so asking for one is refused at once instead of failing at the first conversion.
fn check_conversion(spec: &Value, causes: &mut Vec<Cause>) {
    let conversion = &spec["conversion"];
    let strategy = &conversion["strategy"];
    match strategy.as_str().unwrap_or_default() {
        "None" => {
            let webhook = &conversion["webhook"];
            for (given, name) in [
                ("clientConfig", "webhookClientConfig"),
                ("conversionReviewVersions", "conversionReviewVersions"),
            ] {
                if !webhook[given].is_null() {
                    let detail = "should not be set when strategy is not set to Webhook";
                    causes.push(Cause::forbidden(format!("spec.conversion.{name}"), detail));
                }
            }
        }
        "Webhook" => {
            let detail = "this server calls no webhooks; only None is supported";
            causes.push(Cause::forbidden("spec.conversion.strategy", detail));
        }
        "" if conversion.is_null() => {}
        "" => causes.push(Cause::required("spec.conversion.strategy", "")),
        _ => causes.push(Cause::not_supported(
            "spec.conversion.strategy",
            strategy,
            &["None", "Webhook"],
        )),
    }
}

fn check_unchanged(crd: &Value, old: &Value, causes: &mut Vec<Cause>) {
    for pointer in [
        "/spec/group",
        "/spec/names/plural",
        "/spec/scope",
        "/spec/names/kind",
    ] {
        let now = crd.pointer(pointer).unwrap_or(&Value::Null);
        if old.pointer(pointer).is_some_and(|before| before != now) {
            let field = pointer.trim_start_matches('/').replace('/', ".");
            causes.push(Cause::invalid(field, now, "field is immutable"));
        }
    }
}

/// A version objects were once stored in cannot go while it is still listed in the status.
fn check_stored_versions(crd: &Value, old: &Value, causes: &mut Vec<Cause>) {
    let stored = old["status"]["storedVersions"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let versions = crd["spec"]["versions"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    for (at, name) in stored.iter().enumerate() {
        if !versions.iter().any(|version| version["name"] == *name) {
            let shown = name.as_str().unwrap_or_default();
            let detail = format!(
                "missing from spec.versions; {shown} was previously a storage version, and must remain in spec.versions \
                 until a storage migration ensures no data remains persisted in {shown} and removes {shown} from status.storedVersions"
            );
            causes.push(Cause::invalid(
                format!("status.storedVersions[{at}]"),
                name,
                &detail,
            ));
        }
    }
}
