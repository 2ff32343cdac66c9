//! Within `allOf`, `anyOf`, `oneOf` and `not` a schema may only narrow what is typed outside of them.

use serde_json::Value;

use crate::cause::Cause;

/// What must be said outside, and how its presence inside is told.
const OUTSIDE_ONLY: [(&str, &str); 11] = [
    ("type", "must be empty to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("default", "must be undefined to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("nullable", "must be false to be structural"),
    (
        "x-kubernetes-preserve-unknown-fields",
        "must be false to be structural",
    ),
    (
        "x-kubernetes-embedded-resource",
        "must be false to be structural",
    ),
    (
        "x-kubernetes-int-or-string",
        "must be false to be structural",
    ),
    (
        "x-kubernetes-list-type",
        "must be undefined to be structural",
    ),
    (
        "x-kubernetes-map-type",
        "must be undefined to be structural",
    ),
];

/// Finds the alternatives of a schema and of all below it.
pub(super) fn check(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    for (below, branch) in branches(field, schema) {
        narrow(
            &below,
            branch,
            schema,
            schema["x-kubernetes-int-or-string"] == true,
            causes,
        );
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        check(&format!("{field}.properties[{name}]"), property, causes);
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            check(&format!("{field}.{key}"), &schema[key], causes);
        }
    }
}

fn branches<'a>(field: &str, schema: &'a Value) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    for key in ["allOf", "anyOf", "oneOf"] {
        for (at, branch) in schema[key].as_array().into_iter().flatten().enumerate() {
            found.push((format!("{field}.{key}[{at}]"), branch));
        }
    }
    if schema["not"].is_object() {
        found.push((format!("{field}.not"), &schema["not"]));
    }
    found
}

/// `outside` is the typed schema the branch narrows. An int-or-string says its two types in an anyOf.
fn narrow(
    field: &str,
    branch: &Value,
    outside: &Value,
    types_allowed: bool,
    causes: &mut Vec<Cause>,
) {
    for (key, detail) in OUTSIDE_ONLY {
        let said = branch
            .get(key)
            .is_some_and(|value| !value.is_null() && *value != "" && *value != false);
        if said && !(types_allowed && key == "type") {
            causes.push(Cause::forbidden(format!("{field}.{key}"), detail));
        }
    }
    for (name, property) in branch["properties"].as_object().into_iter().flatten() {
        let below = format!("{field}.properties[{name}]");
        match outside["properties"].get(name) {
            Some(typed) => narrow(&below, property, typed, false, causes),
            None => missing(&below, field, causes),
        }
    }
    if branch["items"].is_object() {
        let below = format!("{field}.items");
        match outside.get("items") {
            Some(typed) => narrow(&below, &branch["items"], typed, false, causes),
            None => missing(&below, field, causes),
        }
    }
    for (below, inner) in branches(field, branch) {
        narrow(&below, inner, outside, types_allowed, causes);
    }
}

/// The typed counterpart of a narrowed place is asked for where it should stand.
fn missing(below: &str, within: &str, causes: &mut Vec<Cause>) {
    let wanted = [".allOf[", ".anyOf[", ".oneOf[", ".not"]
        .iter()
        .filter_map(|key| within.find(key))
        .min();
    let outside = wanted.map_or(within, |at| &within[..at]);
    let inside = below.strip_prefix(within).unwrap_or_default();
    causes.push(Cause::required(
        format!("{outside}{inside}"),
        &format!("because it is defined in {below}"),
    ));
}
