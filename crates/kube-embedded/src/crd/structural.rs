//! Is a schema structural? Every place typed, nothing contradictory, defaults that fit, rules that compile.

mod alternatives;
mod lists;
mod rules;
mod scope;

use serde_json::Value;

use super::versions::within;
use crate::cause::Cause;
use crate::schema::Schema;

/// Keywords of JSON Schema an API server does not take at all.
const FORBIDDEN: [&str; 7] = [
    "$ref",
    "definitions",
    "dependencies",
    "patternProperties",
    "additionalItems",
    "id",
    "$schema",
];

/// Checks a version's whole schema; `field` is where it stands in the definition.
pub(super) fn check(field: &str, schema: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    check_root(field, schema, &mut causes);
    walk(field, schema, Role::Root, &mut causes);
    alternatives::check(field, schema, &mut causes);
    rules::check(field, schema, &mut causes);
    match Schema::compile(schema) {
        Ok(_) if causes.is_empty() => {
            check_defaults(field, "", schema, &mut causes);
            rules::check_names(field, schema, true, &mut causes);
        }
        Ok(_) => {}
        Err(found) => {
            let told = |cause: &Cause| cause.field.ends_with("$ref");
            let found = found.into_iter().filter(|cause| !told(cause));
            causes.extend(found.map(|cause| within(field, cause)));
        }
    }
    causes
}

/// What a schema describes, which decides how its missing type is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Root,
    Field,
    Entry,
}

fn check_root(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    match schema["type"].as_str().unwrap_or_default() {
        "object" => {}
        "" => causes.push(Cause::required(
            format!("{field}.type"),
            "must not be empty at the root",
        )),
        other => causes.push(Cause::invalid(
            format!("{field}.type"),
            &other.into(),
            "must be object at the root",
        )),
    }
    if schema["nullable"] == true {
        causes.push(Cause::forbidden(
            format!("{field}.nullable"),
            "nullable cannot be true at the root",
        ));
    }
    if !schema["additionalProperties"].is_null() {
        causes.push(Cause::forbidden(
            format!("{field}.additionalProperties"),
            "must not be used at the root",
        ));
    }
    check_identity(field, schema, causes);
    let Some(metadata) = schema["properties"].get("metadata") else {
        return;
    };
    let place = format!("{field}.properties[metadata]");
    let only_names = metadata["properties"].as_object().is_none_or(|properties| {
        properties
            .keys()
            .all(|name| name == "name" || name == "generateName")
    });
    let extra = metadata.as_object().is_some_and(|fields| {
        fields.keys().any(|key| {
            !matches!(
                key.as_str(),
                "type" | "properties" | "description" | "title"
            )
        })
    });
    if !only_names || extra {
        let detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        causes.push(Cause::forbidden(place, detail));
    }
}

/// What an object says of itself can only be text.
fn check_identity(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    for name in ["apiVersion", "kind"] {
        if let Some(property) = schema["properties"].get(name)
            && property["type"] != "string"
        {
            let place = format!("{field}.properties[{name}].type");
            causes.push(Cause::invalid(place, &property["type"], "must be string"));
        }
    }
}

fn walk(field: &str, schema: &Value, role: Role, causes: &mut Vec<Cause>) {
    check_type(field, schema, role, causes);
    check_keywords(field, schema, causes);
    lists::check(field, schema, causes);
    check_extensions(field, schema, causes);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(
            &format!("{field}.properties[{name}]"),
            property,
            Role::Field,
            causes,
        );
    }
    if schema["additionalProperties"].is_object() {
        walk(
            &format!("{field}.additionalProperties"),
            &schema["additionalProperties"],
            Role::Field,
            causes,
        );
    }
    if schema["items"].is_object() {
        walk(
            &format!("{field}.items"),
            &schema["items"],
            Role::Entry,
            causes,
        );
    }
}

fn check_type(field: &str, schema: &Value, role: Role, causes: &mut Vec<Cause>) {
    let kind = schema["type"].as_str().unwrap_or_default();
    let place = format!("{field}.type");
    let flag = |key: &str| schema[key] == Value::Bool(true);
    let untyped = flag("x-kubernetes-int-or-string")
        || flag("x-kubernetes-preserve-unknown-fields")
        || flag("x-kubernetes-embedded-resource");
    if kind.is_empty() && !untyped {
        match role {
            // Told once already.
            Role::Root => {}
            Role::Field => causes.push(Cause::required(
                place,
                "must not be empty for specified object fields",
            )),
            Role::Entry => causes.push(Cause::required(
                place,
                "must not be empty for specified array items",
            )),
        }
    }
    if kind == "array" && !schema["items"].is_object() && !schema["items"].is_array() {
        causes.push(Cause::required(
            format!("{field}.items"),
            "must be specified",
        ));
    }
}

fn check_keywords(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    let mut forbid =
        |key: &str, detail: &str| causes.push(Cause::forbidden(format!("{field}.{key}"), detail));
    for key in FORBIDDEN {
        if schema
            .get(key)
            .is_some_and(|value| !value.is_null() && *value != "")
        {
            forbid(key, &format!("{key} is not supported"));
        }
    }
    if schema["uniqueItems"] == true {
        forbid(
            "uniqueItems",
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        );
    }
    if schema["items"].is_array() {
        forbid("items", "items must be a schema object and not an array");
    }
    let has_properties = schema["properties"]
        .as_object()
        .is_some_and(|properties| !properties.is_empty());
    match &schema["additionalProperties"] {
        Value::Null | Value::Bool(true) => {}
        _ if has_properties => forbid(
            "additionalProperties",
            "additionalProperties and properties are mutual exclusive",
        ),
        _ => {}
    }
}

fn check_extensions(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    let flag = |key: &str| schema[key] == Value::Bool(true);
    if schema["x-kubernetes-preserve-unknown-fields"] == Value::Bool(false) {
        let place = format!("{field}.x-kubernetes-preserve-unknown-fields");
        causes.push(Cause::invalid(
            place,
            &Value::Bool(false),
            "must be true or undefined",
        ));
    }
    for key in [
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-embedded-resource",
    ] {
        if flag("x-kubernetes-int-or-string") && flag(key) {
            let detail = "must be false if x-kubernetes-int-or-string is true";
            causes.push(Cause::invalid(
                format!("{field}.{key}"),
                &Value::Bool(true),
                detail,
            ));
        }
    }
    if flag("x-kubernetes-embedded-resource") {
        check_identity(field, schema, causes);
        wants_type(
            field,
            schema,
            "object",
            "x-kubernetes-embedded-resource is true",
            causes,
        );
        let has_properties = schema["properties"]
            .as_object()
            .is_some_and(|properties| !properties.is_empty());
        if !has_properties && !flag("x-kubernetes-preserve-unknown-fields") {
            let detail = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
            causes.push(Cause::required(format!("{field}.properties"), detail));
        }
        if !schema["additionalProperties"].is_null() {
            let detail = "must not be used if x-kubernetes-embedded-resource is set";
            causes.push(Cause::forbidden(
                format!("{field}.additionalProperties"),
                detail,
            ));
        }
    }
}

/// An extension that makes sense for one type only.
fn wants_type(field: &str, schema: &Value, kind: &str, why: &str, causes: &mut Vec<Cause>) {
    let place = format!("{field}.type");
    let detail = format!("must be {kind} if {why}");
    match schema["type"].as_str().unwrap_or_default() {
        found if found == kind => {}
        "" => causes.push(Cause::required(place, &detail)),
        other => causes.push(Cause::invalid(place, &other.into(), &detail)),
    }
}

/// Defaults must fit their own schema; `at` is the place below `field`.
fn check_defaults(field: &str, at: &str, schema: &Value, causes: &mut Vec<Cause>) {
    let below = |key: &str| {
        if at.is_empty() {
            key.to_owned()
        } else {
            format!("{at}.{key}")
        }
    };
    if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
        check_default(
            &format!("{field}.{}", below("default")),
            default,
            schema,
            causes,
        );
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        check_defaults(
            field,
            &below(&format!("properties[{name}]")),
            property,
            causes,
        );
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            check_defaults(field, &below(key), &schema[key], causes);
        }
    }
}

/// A default is checked as it is: the defaults below it are not filled in first.
fn check_default(place: &str, default: &Value, schema: &Value, causes: &mut Vec<Cause>) {
    let Ok(compiled) = Schema::compile_part(schema) else {
        return;
    };
    if !compiled.prune(&mut default.clone()).is_empty() {
        causes.push(Cause::invalid(
            place,
            default,
            "must not have unknown fields",
        ));
        return;
    }
    for cause in compiled.validate(default, None) {
        let field = match cause.field.as_str() {
            "<nil>" => place.to_owned(),
            below => format!("{place}.{below}"),
        };
        causes.push(Cause { field, ..cause });
    }
}
