//! What the built-in kinds refuse beyond their schemas: k8s.io/kubernetes/pkg/apis/core/validation.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Builtin;
use crate::cause::Cause;
use crate::crd;
use crate::metadata;

/// All values of a Secret or `ConfigMap` together.
const SIZE_LIMIT: usize = 1024 * 1024;
const KEY_WORDS: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// Everything wrong with an object, `old` being what it was.
pub(crate) fn check(builtin: Builtin, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    match builtin {
        Builtin::Secret => secret(object, old),
        Builtin::ConfigMap => config_map(object, old),
        Builtin::Lease => lease(object),
        Builtin::CoreEvent => core_event(object),
        Builtin::Event => event(object, old),
        Builtin::Definition => crd::check(object, old),
        Builtin::Namespace | Builtin::ServiceAccount | Builtin::Review(_) => Vec::new(),
    }
}

fn secret(object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut size = 0;
    for (key, value) in object["data"].as_object().into_iter().flatten() {
        causes.extend(check_key("data", key));
        let bytes = value.as_str().and_then(|text| STANDARD.decode(text).ok());
        match bytes {
            Some(bytes) => size += bytes.len(),
            None if value.is_null() => {}
            None => causes.push(Cause::invalid(
                format!("data[{key}]"),
                &"<secret contents redacted>".into(),
                "must be base64",
            )),
        }
    }
    if size > SIZE_LIMIT {
        causes.push(Cause::too_long("data", SIZE_LIMIT as u64));
    }
    causes.extend(required_keys(object));
    if let Some(old) = old {
        causes.extend(immutable(object, old, &["data"]));
        if object["type"] != old["type"] {
            causes.push(Cause::invalid(
                "type",
                &object["type"],
                "field is immutable",
            ));
        }
    }
    causes
}

/// What a Secret of a known type must hold.
fn required_keys(object: &Value) -> Vec<Cause> {
    let keys: &[&str] = match object["type"].as_str().unwrap_or_default() {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    };
    let missing = keys
        .iter()
        .filter(|key| object["data"].get(**key).is_none());
    missing
        .map(|key| Cause::required(format!("data[{key}]"), ""))
        .collect()
}

fn config_map(object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut size = 0;
    for field in ["data", "binaryData"] {
        for (key, value) in object[field].as_object().into_iter().flatten() {
            causes.extend(check_key(field, key));
            if field == "binaryData" && object["data"].get(key).is_some() {
                let words = format!("duplicate of key present in {}", "data");
                causes.push(Cause::invalid(
                    format!("{field}[{key}]"),
                    &key.as_str().into(),
                    &words,
                ));
            }
            size += value.as_str().map_or(0, str::len);
        }
    }
    if size > SIZE_LIMIT {
        causes.push(Cause::too_long("", SIZE_LIMIT as u64));
    }
    if let Some(old) = old {
        causes.extend(immutable(object, old, &["data", "binaryData"]));
    }
    causes
}

fn check_key(field: &str, key: &str) -> Option<Cause> {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let invalid = |words: &str| {
        Some(Cause::invalid(
            format!("{field}[{key}]"),
            &key.into(),
            words,
        ))
    };
    match key {
        "." => invalid("must not be '.'"),
        ".." => invalid("must not be '..'"),
        key if key.len() > 253 => invalid("must be no more than 253 bytes"),
        key if key.is_empty() || !key.bytes().all(inside) => invalid(KEY_WORDS),
        _ => None,
    }
}

/// Once `immutable` is true, neither it nor the fields change.
fn immutable(object: &Value, old: &Value, fields: &[&str]) -> Vec<Cause> {
    if old["immutable"] != true {
        return Vec::new();
    }
    let words = "field is immutable when `immutable` is set";
    let mut causes = Vec::new();
    if object["immutable"] != true {
        causes.push(Cause::forbidden("immutable", words));
    }
    let changed = fields
        .iter()
        .filter(|field| object[**field] != old[**field]);
    causes.extend(changed.map(|field| Cause::forbidden(*field, words)));
    causes
}

fn lease(object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut causes = Vec::new();
    if spec["leaseDurationSeconds"]
        .as_i64()
        .is_some_and(|seconds| seconds <= 0)
    {
        causes.push(Cause::invalid(
            "spec.leaseDurationSeconds",
            &spec["leaseDurationSeconds"],
            "must be greater than 0",
        ));
    }
    if spec["leaseTransitions"]
        .as_i64()
        .is_some_and(|count| count < 0)
    {
        causes.push(Cause::invalid(
            "spec.leaseTransitions",
            &spec["leaseTransitions"],
            "must be greater than or equal to 0",
        ));
    }
    if spec["holderIdentity"] == "" {
        causes.push(Cause::invalid(
            "spec.holderIdentity",
            &"".into(),
            "must not be empty",
        ));
    }
    causes
}

/// An Event is kept beside what it is about; about something cluster-wide, in `default`.
fn about_its_namespace(object: &Value, about: &str) -> Option<Cause> {
    let namespace = metadata::text(object, "namespace");
    let involved = object[about]["namespace"].as_str().unwrap_or_default();
    let fits = if involved.is_empty() {
        ["default", "kube-system"].contains(&namespace)
    } else {
        namespace == involved
    };
    (!fits).then(|| {
        let words = "does not match event.namespace";
        Cause::invalid(format!("{about}.namespace"), &involved.into(), words)
    })
}

fn core_event(object: &Value) -> Vec<Cause> {
    about_its_namespace(object, "involvedObject")
        .into_iter()
        .collect()
}

/// The newer group demands who reports what; only of new Events, as old ones came from `v1`.
fn event(object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes: Vec<Cause> = about_its_namespace(object, "regarding")
        .into_iter()
        .collect();
    if old.is_some() {
        return causes;
    }
    for field in [
        "eventTime",
        "reportingController",
        "reportingInstance",
        "action",
        "reason",
    ] {
        if object[field].as_str().unwrap_or_default().is_empty() {
            causes.push(Cause::required(field, ""));
        }
    }
    if !["Normal", "Warning"].contains(&object["type"].as_str().unwrap_or_default()) {
        causes.push(Cause::invalid(
            "type",
            &object["type"],
            "has invalid value: must be Normal or Warning",
        ));
    }
    if object["note"]
        .as_str()
        .is_some_and(|note| note.len() > 1024)
    {
        causes.push(Cause::invalid(
            "note",
            &"".into(),
            "can have at most 1024 characters",
        ));
    }
    causes
}
