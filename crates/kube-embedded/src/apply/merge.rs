//! An applied configuration merged into the live object, and given-up fields taken out of it.

use serde_json::{Map, Value};

use super::fields::{Element, Set};
use super::walk::{element_of, same};
use crate::schema::{ListKind, Place};

/// The live value with the applied one on top: leaves are replaced, maps and keyed lists merged.
pub(super) fn merged(place: Place<'_>, live: &Value, applied: &Value) -> Value {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) if !place.is_atomic_map() => {
            Value::Object(merged_fields(place, live, applied))
        }
        (Value::Array(live), Value::Array(applied)) if *place.list() != ListKind::Atomic => {
            Value::Array(merged_entries(place, live, applied))
        }
        // 1 and 1.0 are the same number: what is stored does not change for it.
        (live, applied) if same(live, applied) => live.clone(),
        (_, applied) => applied.clone(),
    }
}

fn merged_fields(
    place: Place<'_>,
    live: &Map<String, Value>,
    applied: &Map<String, Value>,
) -> Map<String, Value> {
    let mut fields = live.clone();
    for (name, value) in applied {
        let value = match live.get(name) {
            Some(before) => merged(place.field(name), before, value),
            None => value.clone(),
        };
        fields.insert(name.clone(), value);
    }
    fields
}

/// Entries in the applied order, with those only the live list has kept where they were between them.
fn merged_entries(place: Place<'_>, live: &[Value], applied: &[Value]) -> Vec<Value> {
    let live: Vec<(Option<Element>, &Value)> = live
        .iter()
        .map(|entry| (element_of(place, entry), entry))
        .collect();
    let applied: Vec<(Option<Element>, &Value)> = applied
        .iter()
        .map(|entry| (element_of(place, entry), entry))
        .collect();
    let position = |list: &[(Option<Element>, &Value)], wanted: &Option<Element>| {
        wanted
            .is_some()
            .then(|| list.iter().position(|(element, _)| element == wanted))
            .flatten()
    };
    let with_live = |(element, entry): &(Option<Element>, &Value)| match position(&live, element) {
        Some(at) => merged(place.entry(), live[at].1, entry),
        None => (*entry).clone(),
    };
    let mut shared = applied
        .iter()
        .map(|(element, _)| element)
        .filter(|element| position(&live, element).is_some())
        .peekable();
    let mut out = Vec::with_capacity(live.len().max(applied.len()));
    let (mut left, mut right) = (0, 0);
    while left < live.len() || right < applied.len() {
        let before = live.get(left);
        let place_in_applied = before.and_then(|(element, _)| position(&applied, element));
        match (before, place_in_applied) {
            // Only live: it stays where it is.
            (Some((_, entry)), None) => {
                out.push((*entry).clone());
                left += 1;
            }
            // Merged already, or to be merged later when the applied order reaches it.
            (Some((element, _)), Some(at))
                if at < right
                    || (at != right && shared.peek().is_some_and(|next| *next != element)) =>
            {
                left += 1;
            }
            (_, at) => {
                let Some(entry) = applied.get(right) else {
                    break;
                };
                out.push(with_live(entry));
                if shared.peek().is_some_and(|next| **next == entry.0) {
                    shared.next();
                }
                left += usize::from(at == Some(right));
                right += 1;
            }
        }
    }
    out
}

/// Takes the paths of a set out of a value; whatever is below a path goes with it.
pub(super) fn remove(place: Place<'_>, value: &mut Value, gone: &Set) {
    match value {
        Value::Object(fields) => fields.retain(|name, field| {
            keep(
                &Element::Field(name.clone()),
                place.field(name),
                field,
                gone,
            )
        }),
        Value::Array(entries) => entries.retain_mut(|entry| match element_of(place, entry) {
            Some(element) => keep(&element, place.entry(), entry, gone),
            None => true,
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn keep(element: &Element, place: Place<'_>, value: &mut Value, gone: &Set) -> bool {
    if gone.members.contains(element) {
        return false;
    }
    if let Some(below) = gone.children.get(element) {
        remove(place, value, below);
        // What loses its last part here is null on the real server, and refused where null means nothing.
        if *value == Value::Object(Map::new()) || *value == Value::Array(Vec::new()) {
            *value = Value::Null;
        }
    }
    true
}
