//! What a stored `CustomResourceDefinition` means for serving: its versions, ready to be asked.
//!
//! Whether a definition may be stored at all is decided in `crd`; what happens to it over its life in
//! `lifecycle`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::discovery::Resource;
use crate::metadata;
use crate::naming;
use crate::registry::{Nature, Served, anything};
use crate::schema::Schema;
use crate::table;

/// The status of a definition about to be stored: as `old`'s, and objects may be stored in one more version.
pub(crate) fn keep_status(definition: &mut Value, old: Option<&Value>) {
    let Some(old) = old else {
        definition["status"] = naming::nothing_accepted(definition);
        return;
    };
    let mut status = old["status"].clone();
    let versions = definition["spec"]["versions"].as_array();
    let mut versions = versions.into_iter().flatten();
    if let Some(storage) = versions.find(|version| version["storage"] == true)
        && let Some(stored) = status["storedVersions"].as_array_mut()
        && !stored.contains(&storage["name"])
    {
        stored.push(storage["name"].clone());
    }
    definition["status"] = status;
}

/// Says that a definition is on its way out.
pub(crate) fn terminate(definition: &mut Value, now: Timestamp) {
    let going = condition(
        "Terminating",
        "True",
        "InstanceDeletionInProgress",
        "CustomResource deletion is in progress",
        now,
    );
    if let Some(conditions) = definition["status"]["conditions"].as_array_mut() {
        conditions.push(going);
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
    if !naming::is_established(definition) {
        return Vec::new();
    }
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
    let (spec, names) = (&definition["spec"], &definition["status"]["acceptedNames"]);
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
        info: resource(spec, names, version, stored_version),
        api_version: api_version(spec, version),
        stored_as: Arc::from(text(&definition["metadata"]["name"])),
        stored_version: stored_version.to_owned(),
        schema,
        described: described.is_object().then_some(described),
        columns: table::columns_of_version(version).unwrap_or_default(),
        selectable: selectable
            .map(|field| text(&field["jsonPath"]).trim_start_matches('.').to_owned())
            .collect(),
        nature: Nature::Custom {
            version: definition_version,
        },
        deprecation: deprecation(spec, version),
    })
}

/// What a custom resource can be asked for, in the order Kubernetes lists it.
const VERBS: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

fn resource(spec: &Value, names: &Value, version: &Value, stored_version: &str) -> Resource {
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
        verbs: VERBS.map(str::to_owned).to_vec(),
        stored_version: stored_version.to_owned(),
        status: version["subresources"]["status"].is_object(),
        scale: false,
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
