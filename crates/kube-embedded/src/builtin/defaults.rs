//! What the server fills in for the built-in kinds when they are written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Builtin;
use crate::{crd, metadata};

/// Completes an object about to be stored; `old` is what it was.
pub(crate) fn default_in(builtin: Builtin, object: &mut Value, old: Option<&Value>) {
    match builtin {
        Builtin::Namespace => namespace(object, old),
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

fn namespace(object: &mut Value, old: Option<&Value>) {
    let name = metadata::text(object, "name").to_owned();
    metadata::edit(object, |fields| {
        let labels = fields.entry("labels").or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
        }
    });
    if let Some(old) = old {
        // `/finalize` alone changes it.
        object["spec"] = old["spec"].clone();
    } else {
        object["spec"] = json!({ "finalizers": ["kubernetes"] });
        object["status"] = json!({ "phase": "Active" });
    }
}

/// `stringData` is for writing only.
fn secret(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    if fields
        .get("type")
        .is_none_or(|kind| kind.is_null() || kind == "")
    {
        fields.insert("type".to_owned(), "Opaque".into());
    }
    let Some(Value::Object(plain)) = fields.remove("stringData") else {
        return;
    };
    let kept = fields.entry("data").or_insert_with(|| json!({}));
    if kept.is_null() {
        *kept = json!({});
    }
    if let Some(kept) = kept.as_object_mut() {
        for (key, value) in plain {
            let value = value.as_str().unwrap_or_default();
            kept.insert(key, STANDARD.encode(value).into());
        }
    }
}
