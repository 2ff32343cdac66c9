//! What a definition may say and had better not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::schema::is_known_format;

/// Warnings for whoever makes a definition, in the words of the real server.
pub(crate) fn warnings(crd: &Value) -> Vec<String> {
    let mut formats = Vec::new();
    let mut sets = BTreeSet::new();
    for version in crd["spec"]["versions"].as_array().into_iter().flatten() {
        walk(
            &version["schema"]["openAPIV3Schema"],
            &mut formats,
            &mut sets,
        );
    }
    formats.dedup();
    formats.extend(sets);
    formats
}

fn walk(schema: &Value, formats: &mut Vec<String>, sets: &mut BTreeSet<String>) {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, format) = (word(&schema["type"]), word(&schema["format"]));
    if !format.is_empty() && !is_known_format(&kind, &format) {
        formats.push(format!("unrecognized format {format:?}"));
    }
    let entries = word(&schema["items"]["type"]);
    if schema["x-kubernetes-list-type"] == "set" && matches!(entries.as_str(), "object" | "array") {
        sets.insert(format!(
            "x-kubernetes-list-type: set for items of type {entries:?} is not supported by server-side apply or CEL validation rules"
        ));
    }
    for property in schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, property)| property)
    {
        walk(property, formats, sets);
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            walk(&schema[key], formats, sets);
        }
    }
}
