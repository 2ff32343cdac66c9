//! How lists and maps merge: what a schema may say of it.

use serde_json::Value;

use super::wants_type;
use crate::cause::Cause;

pub(super) fn check(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    check_map_type(field, schema, causes);
    let kind = schema["x-kubernetes-list-type"].as_str();
    let place = format!("{field}.x-kubernetes-list-type");
    match kind {
        None | Some("atomic" | "set" | "map") => {}
        Some(other) => causes.push(Cause::not_supported(
            place,
            &other.into(),
            &["atomic", "set", "map"],
        )),
    }
    if kind.is_some() {
        wants_type(
            field,
            schema,
            "array",
            "x-kubernetes-list-type is specified",
            causes,
        );
    }
    match kind {
        Some("set") if schema["type"] == "array" => check_set(field, schema, causes),
        Some("map") => check_map(field, schema, causes),
        Some(_) | None => {}
    }
    let has_keys = schema["x-kubernetes-list-map-keys"]
        .as_array()
        .is_some_and(|keys| !keys.is_empty());
    let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    match kind {
        None if has_keys => causes.push(Cause::required(
            format!("{field}.x-kubernetes-list-type"),
            detail,
        )),
        Some(other) if has_keys && other != "map" => {
            causes.push(Cause::invalid(
                format!("{field}.x-kubernetes-list-type"),
                &other.into(),
                detail,
            ));
        }
        Some(_) | None => {}
    }
}

fn check_map_type(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    let Some(kind) = schema["x-kubernetes-map-type"].as_str() else {
        return;
    };
    wants_type(
        field,
        schema,
        "object",
        "x-kubernetes-map-type is specified",
        causes,
    );
    if !matches!(kind, "atomic" | "granular") {
        let place = format!("{field}.x-kubernetes-map-type");
        causes.push(Cause::not_supported(
            place,
            &kind.into(),
            &["atomic", "granular"],
        ));
    }
}

/// Entries of a set are compared as a whole, so they must be owned as a whole.
fn check_set(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    let items = &schema["items"];
    if items["nullable"] == true {
        causes.push(Cause::forbidden(
            format!("{field}.items.nullable"),
            "cannot be nullable when x-kubernetes-list-type is set",
        ));
    }
    let (key, extension) = match items["type"].as_str() {
        Some("object") => ("x-kubernetes-map-type", &items["x-kubernetes-map-type"]),
        Some("array") => ("x-kubernetes-list-type", &items["x-kubernetes-list-type"]),
        Some(_) | None => return,
    };
    let atomic_by_default = key == "x-kubernetes-list-type" && extension.is_null();
    if *extension != "atomic" && !atomic_by_default {
        let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
        causes.push(Cause::invalid(
            format!("{field}.items.{key}"),
            extension,
            detail,
        ));
    }
}

fn check_map(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    let place = format!("{field}.x-kubernetes-list-map-keys");
    let items = &schema["items"];
    let keys = schema["x-kubernetes-list-map-keys"]
        .as_array()
        .into_iter()
        .flatten();
    let keys: Vec<&str> = keys.filter_map(Value::as_str).collect();
    if items["nullable"] == true {
        let detail = "cannot be nullable when x-kubernetes-list-type is map";
        causes.push(Cause::forbidden(format!("{field}.items.nullable"), detail));
    }
    if keys.is_empty() {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        causes.push(Cause::required(place.clone(), detail));
    }
    if items["type"] != "object" {
        if items.is_object() {
            let detail = "must be object if parent array's x-kubernetes-list-type is map";
            causes.push(Cause::invalid(
                format!("{field}.items.type"),
                &items["type"],
                detail,
            ));
        } else {
            let detail = "must have a schema if x-kubernetes-list-type is map";
            causes.push(Cause::required(format!("{field}.items"), detail));
        }
        return;
    }
    let shown = &schema["x-kubernetes-list-map-keys"];
    for (at, key) in keys.iter().enumerate() {
        if keys[..at].contains(key) {
            causes.push(Cause::invalid(
                place.clone(),
                shown,
                "must not contain duplicate entries",
            ));
            continue;
        }
        let Some(property) = items["properties"].get(key) else {
            let detail = "entries must all be names of item properties";
            causes.push(Cause::invalid(place.clone(), shown, detail));
            continue;
        };
        check_key(&format!("{field}.items"), key, property, items, causes);
    }
}

fn check_key(
    items_field: &str,
    key: &str,
    property: &Value,
    items: &Value,
    causes: &mut Vec<Cause>,
) {
    let place = format!("{items_field}.properties[{key}]");
    if matches!(property["type"].as_str(), Some("array" | "object")) {
        let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        causes.push(Cause::invalid(
            format!("{place}.type"),
            &items["type"],
            detail,
        ));
    }
    if property["nullable"] == true {
        causes.push(Cause::forbidden(
            format!("{place}.nullable"),
            "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
        ));
    }
    let required = items["required"]
        .as_array()
        .is_some_and(|names| names.iter().any(|name| name == key));
    if !required && property.get("default").is_none() {
        let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
        causes.push(Cause::required(format!("{place}.default"), detail));
    }
}
