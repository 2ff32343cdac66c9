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
    if let Some(wanted) = mismatch(place.kind(), value) {
        found.push(format!("{path}: expected {wanted}, got {value}"));
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
                let missing = keys
                    .iter()
                    .find(|key| entry.get(key.as_str()).is_none())
                    .map_or("", String::as_str);
                found.push(format!("{path}: element {at}: associative list with keys has an element that omits key field {missing:?} (and doesn't have default value)"));
            }
            (_, Some(element)) if !seen.insert(element.clone()) => {
                found.push(format!("{path}: duplicate entries for key {element}"));
            }
            (ListKind::Atomic | ListKind::Set | ListKind::Map(_), _) => {}
        }
        walk(place.entry(), entry, &below, found);
    }
}

/// What was expected instead; a null can stand for anything.
fn mismatch(kind: Option<Kind>, value: &Value) -> Option<&'static str> {
    let (fits, wanted) = match kind? {
        Kind::Object => (value.is_object(), "map"),
        Kind::Array => (value.is_array(), "list"),
        Kind::String => (value.is_string(), "string"),
        Kind::Integer | Kind::Number => (value.is_number(), "numeric (int or float)"),
        Kind::Boolean => (value.is_boolean(), "boolean"),
    };
    (!fits && !value.is_null()).then_some(wanted)
}
