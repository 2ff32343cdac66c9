//! Within `allOf`, `anyOf`, `oneOf` and `not` a schema may only narrow what is typed outside of them.

use serde_json::{Value, json};

use crate::cause::Cause;

const EMPTY: &str = "must be empty to be structural";
const UNDEFINED: &str = "must be undefined to be structural";
const FALSE: &str = "must be false to be structural";

/// What must be said outside, and how its presence inside is told.
const OUTSIDE_ONLY: [(&str, &str); 13] = [
    ("type", EMPTY),
    ("title", EMPTY),
    ("description", EMPTY),
    ("x-kubernetes-list-map-keys", EMPTY),
    ("x-kubernetes-validations", EMPTY),
    ("default", UNDEFINED),
    ("additionalProperties", UNDEFINED),
    ("x-kubernetes-list-type", UNDEFINED),
    ("x-kubernetes-map-type", UNDEFINED),
    ("nullable", FALSE),
    ("x-kubernetes-preserve-unknown-fields", FALSE),
    ("x-kubernetes-embedded-resource", FALSE),
    ("x-kubernetes-int-or-string", FALSE),
];

/// Checks the alternatives of a schema and of all below it.
pub(super) fn check(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    walk(field, schema, causes);
    for (below, branch) in branches(field, schema) {
        check_typed(field, Some(schema), &below, branch, causes);
    }
}

fn walk(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    // An int-or-string says its two types in exactly one of two ways.
    let either = json!([{"type": "integer"}, {"type": "string"}]);
    let in_any_of = schema["anyOf"] == either;
    let in_all_of = schema["allOf"][0]["anyOf"] == either;
    for (below, branch) in branches(field, schema) {
        let is_type = in_any_of && below.starts_with(&format!("{field}.anyOf["));
        let holds_type = in_all_of && below == format!("{field}.allOf[0]");
        super::lists::check(&below, branch, causes);
        super::check_keywords(&below, branch, causes);
        if !is_type {
            narrow(&below, branch, holds_type, causes);
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{field}.properties[{name}]"), property, causes);
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            walk(&format!("{field}.{key}"), &schema[key], causes);
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

/// Finds what may only be said outside, in a branch and all below it.
fn narrow(field: &str, branch: &Value, types_in_any_of: bool, causes: &mut Vec<Cause>) {
    for (key, detail) in OUTSIDE_ONLY {
        let said = branch.get(key).is_some_and(|value| {
            !value.is_null() && *value != "" && *value != false && *value != json!([])
        });
        if said {
            causes.push(Cause::forbidden(format!("{field}.{key}"), detail));
        }
    }
    if branch["properties"].get("metadata").is_some() {
        let detail = "must not be specified in a nested context";
        causes.push(Cause::forbidden(
            format!("{field}.properties[metadata]"),
            detail,
        ));
    }
    for (name, property) in branch["properties"].as_object().into_iter().flatten() {
        narrow(
            &format!("{field}.properties[{name}]"),
            property,
            false,
            causes,
        );
    }
    if branch["items"].is_object() {
        narrow(&format!("{field}.items"), &branch["items"], false, causes);
    }
    for (below, inner) in branches(field, branch) {
        if !(types_in_any_of && below.starts_with(&format!("{field}.anyOf["))) {
            narrow(&below, inner, false, causes);
        }
    }
}

/// What a branch of the root narrows must be typed: `outside` is where that should be said. As on the real server,
/// only the branches of the root are looked at.
fn check_typed(
    outside: &str,
    typed: Option<&Value>,
    field: &str,
    branch: &Value,
    causes: &mut Vec<Cause>,
) {
    let Some(typed) = typed else {
        let detail = format!("because it is defined in {field}");
        causes.push(Cause::required(outside, &detail));
        return;
    };
    for (name, property) in branch["properties"].as_object().into_iter().flatten() {
        let (below, place) = (
            format!("{field}.properties[{name}]"),
            format!("{outside}.properties[{name}]"),
        );
        check_typed(
            &place,
            typed["properties"].get(name),
            &below,
            property,
            causes,
        );
    }
    if branch["items"].is_object() {
        let (below, place) = (format!("{field}.items"), format!("{outside}.items"));
        check_typed(&place, typed.get("items"), &below, &branch["items"], causes);
    }
    for (below, inner) in branches(field, branch) {
        check_typed(outside, Some(typed), &below, inner, causes);
    }
}
