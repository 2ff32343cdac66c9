//! What the server fills in for the built-in kinds when they are written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Builtin;
use crate::{crd, metadata};

/// An object of the kind before anything is said about it, as far as who owns its fields is concerned: these
/// parts are always there, so nobody makes them.
pub(crate) fn blank(builtin: Builtin) -> Value {
    match builtin {
        Builtin::Namespace => json!({ "spec": {}, "status": {} }),
        Builtin::CoreEvent => json!({ "involvedObject": {}, "source": {} }),
        Builtin::Event => json!({ "regarding": {}, "deprecatedSource": {} }),
        Builtin::Lease => json!({ "spec": {} }),
        Builtin::Definition => json!({ "spec": { "names": {} } }),
        Builtin::Secret | Builtin::ConfigMap | Builtin::ServiceAccount | Builtin::Review(_) => {
            json!({})
        }
    }
}

/// What a client means; `old` is what the object was.
pub(crate) fn default_in(builtin: Builtin, object: &mut Value, old: Option<&Value>) {
    match builtin {
        Builtin::Namespace => {
            label_with_name(object);
            // `/finalize` alone changes it.
            if let Some(old) = old {
                object["spec"] = old["spec"].clone();
            }
        }
        Builtin::Secret => secret(object),
        Builtin::Definition => crd::default_in(object),
        Builtin::ConfigMap
        | Builtin::ServiceAccount
        | Builtin::CoreEvent
        | Builtin::Event
        | Builtin::Lease
        | Builtin::Review(_) => {}
    }
}

/// Fields of a feature that is off by default are dropped, though whoever said them owns them.
pub(crate) fn drop_coordinated_election(lease: &mut Value) {
    if let Some(spec) = lease.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("strategy");
        spec.remove("preferredHolder");
    }
}

/// What the server itself says of a new object, and nobody owns.
pub(crate) fn complete(builtin: Builtin, object: &mut Value) {
    match builtin {
        Builtin::Namespace => {
            object["spec"] = json!({ "finalizers": ["kubernetes"] });
            object["status"] = json!({ "phase": "Active" });
        }
        Builtin::Lease => there(object, &[("spec", json!({}))]),
        Builtin::Secret
        | Builtin::ConfigMap
        | Builtin::ServiceAccount
        | Builtin::CoreEvent
        | Builtin::Event
        | Builtin::Definition
        | Builtin::Review(_) => {}
    }
}

/// The fields that an Event has even if it does not say them, in the core group's words.
pub(crate) fn complete_event(object: &mut Value) {
    there(
        object,
        &[
            ("involvedObject", json!({})),
            ("source", json!({})),
            ("firstTimestamp", Value::Null),
            ("lastTimestamp", Value::Null),
            ("eventTime", Value::Null),
            ("reportingComponent", "".into()),
            ("reportingInstance", "".into()),
        ],
    );
}

fn there(object: &mut Value, fields: &[(&str, Value)]) {
    let Some(map) = object.as_object_mut() else {
        return;
    };
    for (field, value) in fields {
        map.entry(*field).or_insert_with(|| value.clone());
    }
}

/// Takes out every null: in a built-in kind it says no more than nothing.
pub(crate) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn label_with_name(object: &mut Value) {
    let name = metadata::text(object, "name").to_owned();
    metadata::edit(object, |fields| {
        let labels = fields.entry("labels").or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
        }
    });
}

fn secret(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    if fields.get("type").is_none_or(|kind| kind == "") {
        fields.insert("type".to_owned(), "Opaque".into());
    }
    let Some(Value::Object(plain)) = fields.remove("stringData") else {
        return;
    };
    let kept = fields
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(kept) = kept.as_object_mut() {
        for (key, value) in plain {
            let value = value.as_str().unwrap_or_default();
            kept.insert(key, STANDARD.encode(value).into());
        }
    }
}
