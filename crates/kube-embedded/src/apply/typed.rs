//! Can an applied configuration be typed? What a real server finds before it merges anything.

use std::collections::BTreeSet;

use serde_json::Value;

use super::walk::element_of;
use crate::schema::{Kind, ListKind, Place};

/// Everything that cannot be typed, one sentence each.
pub(super) fn check(place: Place<'_>, applied: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(place, applied, "", &mut found);
    found
}

fn walk(place: Place<'_>, value: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(words) = mismatch(place.kind(), value) {
        found.push(format!("{path}: {words}"));
        return;
    }
    match value {
        Value::Object(fields) if !place.is_atomic_map() => {
            for (name, field) in fields {
                let below = format!("{path}.{name}");
                if place.allows(name) {
                    walk(place.field(name), field, &below, found);
                } else {
                    found.push(format!("{below}: field not declared in schema"));
                }
            }
        }
        Value::Array(entries) => walk_list(place, entries, path, found),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {}
    }
}

fn walk_list(place: Place<'_>, entries: &[Value], path: &str, found: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (at, entry) in entries.iter().enumerate() {
        let element = element_of(place, entry);
        let below = element.as_ref().map_or_else(
            || format!("{path}[{at}]"),
            |element| format!("{path}{element}"),
        );
        match (place.list(), element) {
            (ListKind::Map(keys), None) => {
                let keys = keys.iter().map(|key| format!("{key:?}"));
                let keys = keys.collect::<Vec<_>>().join(" ");
                found.push(format!(
                    "{path}: element {at}: associative list with keys has an element that omits all key fields [{keys}] (and doesn't have default values for any key fields)"
                ));
            }
            (_, Some(element)) if !seen.insert(element.clone()) => {
                found.push(format!("{path}: duplicate entries for key {element}"));
            }
            (ListKind::Atomic | ListKind::Set | ListKind::Map(_), _) => {}
        }
        walk(place.entry(), entry, &below, found);
    }
}

/// What was expected instead, in the real server's words; a null can stand for anything.
fn mismatch(kind: Option<Kind>, value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let (fits, words) = match kind? {
        Kind::Object => (
            value.is_object(),
            format!("expected map, got &{{{}}}", as_go(value)),
        ),
        Kind::Array => (
            value.is_array(),
            format!("expected list, got &{{{}}}", as_go(value)),
        ),
        Kind::String => (
            value.is_string(),
            format!("expected string, got &value.valueUnstructured{{Value:{value}}}"),
        ),
        Kind::Integer | Kind::Number => (
            value.is_number(),
            format!("expected numeric (int or float), got {}", go_type(value)),
        ),
        Kind::Boolean => (
            value.is_boolean(),
            format!("expected boolean, got &{{{}}}", as_go(value)),
        ),
    };
    (!fits).then_some(words)
}

/// A value as Go's `%v` prints it.
fn as_go(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(as_go).collect();
            format!("[{}]", entries.join(" "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, field)| format!("{name}:{}", as_go(field)))
                .collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
