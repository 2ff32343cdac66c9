//! What a stored `CustomResourceDefinition` means for serving: its versions, ready to be asked.
//!
//! Whether a definition may be stored at all is decided in `crd`; what happens to it over its life in
//! `lifecycle`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::builtin;
use crate::discovery::Resource;
use crate::metadata;
use crate::registry::{Nature, Served, anything};
use crate::scale::Scale;
use crate::schema::Schema;
use crate::table;

/// Completes the status of a definition about to be stored: its names are accepted and it is served at
/// once, so both conditions are true from the start. `old` is what it was.
pub(crate) fn establish(definition: &mut Value, old: Option<&Value>, now: Timestamp) {
    let mut status = old.map_or_else(|| json!({}), |old| old["status"].clone());
    status["acceptedNames"] = definition["spec"]["names"].clone();
    let conditions = match status["conditions"].take() {
        Value::Array(conditions) if !conditions.is_empty() => conditions,
        _ => vec![
            condition(
                "NamesAccepted",
                "True",
                "NoConflicts",
                "no conflicts found",
                now,
            ),
            condition(
                "Established",
                "True",
                "InitialNamesAccepted",
                "the initial names have been accepted",
                now,
            ),
        ],
    };
    status["conditions"] = conditions.into();
    let versions = definition["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten();
    let storage = versions.filter(|version| version["storage"] == true);
    let mut stored = match status["storedVersions"].take() {
        Value::Array(stored) => stored,
        _ => Vec::new(),
    };
    for version in storage {
        if !stored.contains(&version["name"]) {
            stored.push(version["name"].clone());
        }
    }
    status["storedVersions"] = stored.into();
    definition["status"] = status;
}

/// Says that a definition is on its way out.
pub(crate) fn terminate(definition: &mut Value, now: Timestamp) {
    let pending = condition(
        "Terminating",
        "True",
        "InstanceDeletionPending",
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        now,
    );
    put_condition(definition, pending);
}

/// Says that the instances are being deleted.
pub(crate) fn in_progress(mut definition: Value, now: Timestamp) -> Value {
    let going = condition(
        "Terminating",
        "True",
        "InstanceDeletionInProgress",
        "CustomResource deletion is in progress",
        now,
    );
    put_condition(&mut definition, going);
    definition
}

/// Says that the last instance is gone.
pub(crate) fn emptied(mut definition: Value, now: Timestamp) -> Value {
    let done = condition(
        "Terminating",
        "False",
        "InstanceDeletionCompleted",
        "removed all instances",
        now,
    );
    put_condition(&mut definition, done);
    definition
}

/// The time is that of the last change of the status, not of the words.
fn put_condition(definition: &mut Value, mut new: Value) {
    let Some(conditions) = definition["status"]["conditions"].as_array_mut() else {
        return;
    };
    match conditions.iter_mut().find(|old| old["type"] == new["type"]) {
        Some(old) => {
            if old["status"] == new["status"] {
                new["lastTransitionTime"] = old["lastTransitionTime"].take();
            }
            *old = new;
        }
        None => conditions.push(new),
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, now: Timestamp) -> Value {
    json!({
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": metadata::time(now),
    })
}

/// Every served version of the definition, `definition_version` being the definition's own.
///
/// A definition that is being deleted still serves what is left of its objects.
pub(crate) fn serve(definition: &Value, definition_version: u64) -> Vec<Arc<Served>> {
    let spec = &definition["spec"];
    let versions = || spec["versions"].as_array().into_iter().flatten();
    let stored = versions()
        .find(|version| version["storage"] == true)
        .map_or_else(String::new, |version| api_version(spec, version));
    versions()
        .filter(|version| version["served"] == true)
        .filter_map(|version| serve_version(definition, version, &stored, definition_version))
        .map(Arc::new)
        .collect()
}

fn serve_version(
    definition: &Value,
    version: &Value,
    stored_version: &str,
    definition_version: u64,
) -> Option<Served> {
    let spec = &definition["spec"];
    let described = version["schema"]["openAPIV3Schema"].clone();
    let schema = if described.is_object() {
        described.clone()
    } else {
        anything()
    };
    let schema = match Schema::compile(&schema) {
        Ok(schema) => schema,
        Err(causes) => {
            let name = text(&definition["metadata"]["name"]);
            tracing::error!(
                name,
                ?causes,
                "a stored definition does not compile; not served"
            );
            return None;
        }
    };
    let selectable = version["selectableFields"].as_array().into_iter().flatten();
    Some(Served {
        info: resource(spec, version),
        api_version: api_version(spec, version),
        stored_as: Arc::from(text(&definition["metadata"]["name"])),
        stored_version: stored_version.to_owned(),
        schema,
        described: described.is_object().then_some(described),
        columns: table::columns_of_version(version).unwrap_or_default(),
        selectable: selectable
            .map(|field| text(&field["jsonPath"]).trim_start_matches('.').to_owned())
            .collect(),
        scale: Scale::of_version(version),
        nature: Nature::Custom {
            version: definition_version,
        },
        deprecation: deprecation(spec, version),
    })
}

fn resource(spec: &Value, version: &Value) -> Resource {
    let names = &spec["names"];
    let kind = text(&names["kind"]);
    let words = |list: &Value| {
        let words = list.as_array().into_iter().flatten();
        words.map(text).collect()
    };
    Resource {
        group: text(&spec["group"]),
        version: text(&version["name"]),
        list_kind: or(text(&names["listKind"]), || format!("{kind}List")),
        singular: or(text(&names["singular"]), || kind.to_lowercase()),
        kind,
        plural: text(&names["plural"]),
        short_names: words(&names["shortNames"]),
        categories: words(&names["categories"]),
        namespaced: spec["scope"] == "Namespaced",
        verbs: builtin::verbs(),
        status: version["subresources"]["status"].is_object(),
        scale: Scale::of_version(version).is_some(),
    }
}

fn api_version(spec: &Value, version: &Value) -> String {
    format!("{}/{}", text(&spec["group"]), text(&version["name"]))
}

fn deprecation(spec: &Value, version: &Value) -> Option<String> {
    (version["deprecated"] == true).then(|| {
        or(text(&version["deprecationWarning"]), || {
            format!(
                "{} {} is deprecated",
                api_version(spec, version),
                text(&spec["names"]["kind"])
            )
        })
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn or(word: String, otherwise: impl FnOnce() -> String) -> String {
    if word.is_empty() { otherwise() } else { word }
}
