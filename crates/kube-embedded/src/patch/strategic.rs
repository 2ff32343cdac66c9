//! Strategic merge patch: a merge patch that knows which lists have keys. Only built-in types do.
//!
//! Source of the directives: "Strategic Merge Patch" in the Kubernetes community's developer documentation.

use serde_json::{Map, Value};

use super::PatchError;
use crate::schema::{Place, Schema};

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Applies a strategic merge patch: like a merge patch, but lists with keys are merged by key and `$patch`,
/// `$deleteFromPrimitiveList`, `$setElementOrder` and `$retainKeys` are obeyed.
pub(crate) fn strategic(
    target: &mut Value,
    patch: &Value,
    types: &Schema,
) -> Result<(), PatchError> {
    let patch = patch
        .as_object()
        .ok_or_else(|| malformed("a strategic merge patch is a JSON object"))?;
    let mut patched = target.as_object().cloned().unwrap_or_default();
    merge_object(&mut patched, patch, Place::root(types))?;
    *target = Value::Object(patched);
    Ok(())
}

fn malformed(words: &str) -> PatchError {
    PatchError::Malformed(words.to_owned())
}

/// What `$patch` asks for.
enum Directive {
    Merge,
    Replace,
    Delete,
}

fn directive(patch: &Map<String, Value>) -> Result<Directive, PatchError> {
    match patch.get(DIRECTIVE).map(Value::as_str) {
        None | Some(Some("merge")) => Ok(Directive::Merge),
        Some(Some("replace")) => Ok(Directive::Replace),
        Some(Some("delete")) => Ok(Directive::Delete),
        Some(other) => Err(malformed(&format!("unknown patch type {other:?}"))),
    }
}

fn merge_object(
    fields: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    place: Place<'_>,
) -> Result<(), PatchError> {
    match directive(patch)? {
        Directive::Replace => {
            *fields = without_directives(patch);
            return Ok(());
        }
        Directive::Delete => {
            fields.clear();
            return Ok(());
        }
        Directive::Merge => {}
    }
    if let Some(kept) = patch.get(RETAIN) {
        let kept = kept
            .as_array()
            .ok_or_else(|| malformed("$retainKeys is a list of field names"))?;
        fields.retain(|name, _| kept.iter().any(|one| one == name.as_str()));
    }
    for (name, change) in patch {
        if let Some(list) = name.strip_prefix(DELETE_FROM) {
            delete_scalars(fields, list, change)?;
        }
    }
    for (name, change) in patch.iter().filter(|(name, _)| !name.starts_with('$')) {
        merge_field(fields, name, change, place.field(name))?;
    }
    for (name, order) in patch {
        if let Some(list) = name.strip_prefix(ORDER) {
            reorder(fields, list, order, place.field(list).merge_key())?;
        }
    }
    Ok(())
}

fn without_directives(patch: &Map<String, Value>) -> Map<String, Value> {
    let fields = patch.iter().filter(|(name, _)| !name.starts_with('$'));
    fields
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn merge_field(
    fields: &mut Map<String, Value>,
    name: &str,
    change: &Value,
    place: Place<'_>,
) -> Result<(), PatchError> {
    match (fields.get_mut(name), change) {
        (_, Value::Null) => {
            fields.remove(name);
            Ok(())
        }
        (Some(Value::Object(target)), Value::Object(change)) => merge_object(target, change, place),
        (Some(Value::Array(entries)), Value::Array(change)) => merge_list(entries, change, place),
        (_, change) => {
            match plain(change) {
                Some(value) => fields.insert(name.to_owned(), value),
                None => fields.remove(name),
            };
            Ok(())
        }
    }
}

/// A value where there is nothing to merge it with: what carries a directive is nothing, and nulls are left out.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(fields) if fields.contains_key(DIRECTIVE) => None,
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| !name.starts_with('$'));
            let fields = fields.filter_map(|(name, value)| Some((name.clone(), plain(value)?)));
            Some(Value::Object(fields.collect()))
        }
        Value::Array(entries) => Some(Value::Array(entries.iter().filter_map(plain).collect())),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
    }
}

fn merge_list(
    entries: &mut Vec<Value>,
    change: &[Value],
    place: Place<'_>,
) -> Result<(), PatchError> {
    match place.merge_key() {
        Some(key) => merge_by_key(entries, change, key, place),
        None if place.merges_scalars() => {
            let before = entries.clone();
            for value in change {
                if !entries.contains(value) {
                    entries.push(value.clone());
                }
            }
            interleave(entries, &before, change, |one, other| one == other);
            Ok(())
        }
        None => {
            *entries = change.to_vec();
            Ok(())
        }
    }
}

fn merge_by_key(
    entries: &mut Vec<Value>,
    change: &[Value],
    key: &str,
    place: Place<'_>,
) -> Result<(), PatchError> {
    let replaces = |entry: &&Value| entry[DIRECTIVE] == "replace" && entry.get(key).is_none();
    if change.iter().any(|entry| replaces(&entry)) {
        *entries = change
            .iter()
            .filter(|entry| !replaces(entry))
            .cloned()
            .collect();
        return Ok(());
    }
    let before = entries.clone();
    for entry in change {
        let fields = entry
            .as_object()
            .ok_or_else(|| malformed("a list with a merge key holds objects"))?;
        let wanted = fields.get(key).ok_or_else(|| PatchError::NoMergeKey {
            entry: as_go(entry),
            key: key.to_owned(),
        })?;
        let found = entries.iter().position(|one| one.get(key) == Some(wanted));
        match (directive(fields)?, found) {
            (Directive::Delete, Some(at)) => {
                entries.remove(at);
            }
            (Directive::Delete, None) => {}
            (Directive::Merge | Directive::Replace, Some(at)) => {
                if let Value::Object(entry) = &mut entries[at] {
                    merge_object(entry, fields, place.entry())?;
                }
            }
            (Directive::Merge | Directive::Replace, None) => {
                entries.push(Value::Object(without_directives(fields)));
            }
        }
    }
    interleave(entries, &before, change, |one, other| {
        one.get(key) == other.get(key)
    });
    Ok(())
}

/// A map as Go prints it.
fn as_go(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name}:{}", as_go(value)));
            format!("map[{}]", fields.collect::<Vec<_>>().join(" "))
        }
        Value::Array(items) => {
            let items = items.iter().map(as_go);
            format!("[{}]", items.collect::<Vec<_>>().join(" "))
        }
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Puts a merged list in the order a real server gives it: what the patch names in the patch's order, the rest in the
/// order it had, and of the two the patch's first unless both were there before the other way round.
fn interleave(
    entries: &mut Vec<Value>,
    before: &[Value],
    change: &[Value],
    same: impl Fn(&Value, &Value) -> bool,
) {
    let place = |list: &[Value], entry: &Value| list.iter().position(|one| same(one, entry));
    let (mut named, rest): (Vec<Value>, Vec<Value>) = entries
        .drain(..)
        .partition(|entry| place(change, entry).is_some());
    named.sort_by_key(|entry| place(change, entry));
    let mut named = named.into_iter().peekable();
    for entry in rest {
        let was = place(before, &entry);
        let goes_first =
            |other: &Value| place(before, other).is_none_or(|at| was.is_none_or(|was| at <= was));
        while let Some(other) = named.next_if(goes_first) {
            entries.push(other);
        }
        entries.push(entry);
    }
    entries.extend(named);
}

fn delete_scalars(
    fields: &mut Map<String, Value>,
    list: &str,
    gone: &Value,
) -> Result<(), PatchError> {
    let gone = gone
        .as_array()
        .ok_or_else(|| malformed("$deleteFromPrimitiveList is a list"))?;
    if let Some(Value::Array(entries)) = fields.get_mut(list) {
        entries.retain(|entry| !gone.contains(entry));
    }
    Ok(())
}

/// Puts the listed entries in the listed order into the places they hold; the others stay where they are.
fn reorder(
    fields: &mut Map<String, Value>,
    list: &str,
    order: &Value,
    key: Option<&str>,
) -> Result<(), PatchError> {
    let order = order
        .as_array()
        .ok_or_else(|| malformed("$setElementOrder is a list"))?;
    let Some(Value::Array(entries)) = fields.get_mut(list) else {
        return Ok(());
    };
    let rank = |entry: &Value| {
        order
            .iter()
            .position(|wanted| key.map_or(wanted == entry, |key| wanted.get(key) == entry.get(key)))
    };
    let places: Vec<usize> = (0..entries.len())
        .filter(|at| rank(&entries[*at]).is_some())
        .collect();
    let mut listed: Vec<Value> = places.iter().map(|at| entries[*at].clone()).collect();
    listed.sort_by_key(|entry| rank(entry));
    for (place, entry) in places.into_iter().zip(listed) {
        entries[place] = entry;
    }
    Ok(())
}
