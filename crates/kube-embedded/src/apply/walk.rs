//! Which fields a value has, and which differ between two values, as the type says lists and maps are taken apart.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Element, Set};
use crate::schema::{ListKind, Place};

/// The element of a list entry; None in an atomic list, or when the entry has no key.
pub(super) fn element_of(place: Place<'_>, entry: &Value) -> Option<Element> {
    match place.list() {
        ListKind::Atomic => None,
        ListKind::Set => Some(Element::Value(entry.to_string())),
        ListKind::Map(keys) => place.key(keys, entry).map(Element::Key),
    }
}

/// The parts of a value that are owned one by one; None for a leaf, which is owned as a whole.
pub(super) fn parts<'a>(
    place: Place<'a>,
    value: &'a Value,
) -> Option<Vec<(Element, Place<'a>, &'a Value)>> {
    match value {
        Value::Object(fields) if !place.is_atomic_map() => {
            let part = |(name, field): (&String, &'a Value)| {
                (Element::Field(name.clone()), place.field(name), field)
            };
            Some(fields.iter().map(part).collect())
        }
        Value::Array(entries) if *place.list() != ListKind::Atomic => {
            let part = |entry: &'a Value| Some((element_of(place, entry)?, place.entry(), entry));
            Some(entries.iter().filter_map(part).collect())
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// All fields an applied configuration has an opinion on.
pub(super) fn fields_of(place: Place<'_>, value: &Value) -> Set {
    let mut set = Set::default();
    for (element, below, part) in parts(place, value).unwrap_or_default() {
        if is_owned_itself(place, &element, below, part) {
            set.members.insert(element.clone());
        }
        set.add_below(element, fields_of(below, part));
    }
    set
}

/// List entries, keys of maps, leaves and empty objects are members themselves; declared structures only through their fields.
fn is_owned_itself(place: Place<'_>, element: &Element, below: Place<'_>, part: &Value) -> bool {
    let Element::Field(name) = element else {
        return true;
    };
    let empty = part.as_object().is_some_and(serde_json::Map::is_empty);
    parts(below, part).is_none() || empty || !place.declares(name)
}

/// What a write changed.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) added: Set,
    pub(super) modified: Set,
    pub(super) removed: Set,
}

impl Difference {
    /// What the writer now has an opinion on.
    pub(super) fn written(&self) -> Set {
        self.added.union(&self.modified)
    }
}

/// Compares two versions of an object.
pub(super) fn compare(place: Place<'_>, old: &Value, new: &Value) -> Difference {
    let mut difference = Difference::default();
    if old == new {
        return difference;
    }
    let old_parts = by_element(place, old);
    let new_parts = by_element(place, new);
    for (element, (below, before)) in &old_parts {
        if let Some((_, after)) = new_parts.get(element) {
            changed(&mut difference, element, *below, before, after);
        } else {
            difference.removed.members.insert(element.clone());
            difference
                .removed
                .add_below(element.clone(), everything(*below, before));
        }
    }
    for (element, (below, after)) in &new_parts {
        if !old_parts.contains_key(element) {
            difference.added.members.insert(element.clone());
            difference
                .added
                .add_below(element.clone(), everything(*below, after));
        }
    }
    difference
}

/// The first entry counts where a list has two of a key.
fn by_element<'a>(place: Place<'a>, value: &'a Value) -> BTreeMap<Element, (Place<'a>, &'a Value)> {
    let mut found = BTreeMap::new();
    for (element, below, part) in parts(place, value).unwrap_or_default() {
        found.entry(element).or_insert((below, part));
    }
    found
}

fn changed(
    difference: &mut Difference,
    element: &Element,
    place: Place<'_>,
    before: &Value,
    after: &Value,
) {
    if same(before, after) {
        return;
    }
    // A structure that becomes null, or was, is one without parts: it is not itself replaced.
    let is_leaf = |value: &Value, other: &Value| {
        parts(place, value).is_none() && !(value.is_null() && parts(place, other).is_some())
    };
    if is_leaf(before, after) || is_leaf(after, before) {
        difference.modified.members.insert(element.clone());
    }
    let below = compare(place, before, after);
    difference.added.add_below(element.clone(), below.added);
    difference
        .modified
        .add_below(element.clone(), below.modified);
    difference.removed.add_below(element.clone(), below.removed);
}

/// Equal as JSON means it: 1 and 1.0 are the same number.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (one, other) => one == other,
    }
}

/// Every path below, structures included.
pub(super) fn everything(place: Place<'_>, value: &Value) -> Set {
    let mut set = Set::default();
    for (element, below, part) in parts(place, value).unwrap_or_default() {
        set.members.insert(element.clone());
        set.add_below(element, everything(below, part));
    }
    set
}
