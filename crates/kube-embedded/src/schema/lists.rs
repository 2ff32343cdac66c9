//! Sets without repeats and lists whose entries have keys: checked, and entries found again in the old object.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Schema;
use super::node::{ListKind, NodeId};
use crate::cause::{Cause, Reason};
use crate::path::Path;

/// The key fields of an entry of a map list that are there, defaults filled in; None when the entry is no object.
pub(super) fn key_of(
    schema: &Schema,
    items: Option<NodeId>,
    keys: &[String],
    entry: &Value,
) -> Option<Map<String, Value>> {
    let fields = entry.as_object()?;
    let default = |name: &String| {
        let property = schema.child_of(items?, name)?;
        schema.node(property).default.clone()
    };
    let value = |name: &String| match fields.get(name) {
        Some(value) if !value.is_null() => Some(value.clone()),
        Some(_) | None => default(name),
    };
    let key = keys
        .iter()
        .filter_map(|name| Some((name.clone(), value(name)?)));
    Some(key.collect())
}

impl Schema {
    /// Finds repeats in sets and map lists, everywhere below. What did not change is not looked at again.
    pub(super) fn check_lists(
        &self,
        id: NodeId,
        value: &Value,
        old: Option<&Value>,
        path: &Path<'_>,
        causes: &mut Vec<Cause>,
    ) {
        if old == Some(value) {
            return;
        }
        match value {
            Value::Object(fields) => {
                let node = self.node(id);
                for (name, field) in fields {
                    let Some(child) = self.child_of(id, name) else {
                        continue;
                    };
                    let before = old.and_then(|old| old.get(name));
                    let below = if node.properties.contains_key(name) {
                        path.field(name)
                    } else {
                        path.key(name)
                    };
                    self.check_lists(child, field, before, &below, causes);
                }
            }
            Value::Array(entries) => {
                self.check_repeats(id, entries, path, causes);
                let Some(items) = self.node(id).items else {
                    return;
                };
                let before = self.correlate(id, old);
                for (at, entry) in entries.iter().enumerate() {
                    self.check_lists(items, entry, before.find(entry), &path.index(at), causes);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn check_repeats(
        &self,
        id: NodeId,
        entries: &[Value],
        path: &Path<'_>,
        causes: &mut Vec<Cause>,
    ) {
        let node = self.node(id);
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let shown = match &node.list {
                ListKind::Atomic => return,
                ListKind::Set => entry.clone(),
                ListKind::Map(keys) => match key_of(self, node.items, keys, entry) {
                    Some(key) => Value::Object(key),
                    // What is no object is told where types are checked.
                    None => continue,
                },
            };
            let times = seen.entry(canonical(&shown)).or_default();
            *times += 1;
            // Only the first repeat is told.
            if *times == 2 {
                let below = path.index(at).to_string();
                causes.push(Cause::new(
                    Reason::Duplicate,
                    below,
                    format!("Duplicate value: {shown}"),
                ));
            }
        }
    }

    /// The old entries of a list by key; only map lists have any.
    pub(super) fn correlate<'a>(&'a self, id: NodeId, old: Option<&'a Value>) -> Correlated<'a> {
        let node = self.node(id);
        let entries = old.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let by_key = match &node.list {
            ListKind::Map(keys) => entries
                .iter()
                .filter_map(|entry| {
                    Some((
                        canonical(&Value::Object(key_of(self, node.items, keys, entry)?)),
                        entry,
                    ))
                })
                .collect(),
            ListKind::Atomic | ListKind::Set => HashMap::new(),
        };
        Correlated {
            schema: self,
            id,
            by_key,
        }
    }
}

/// Old entries of one list, found by the new entry's key.
pub(super) struct Correlated<'a> {
    schema: &'a Schema,
    id: NodeId,
    by_key: HashMap<String, &'a Value>,
}

impl<'a> Correlated<'a> {
    pub(super) fn find(&self, entry: &Value) -> Option<&'a Value> {
        if self.by_key.is_empty() {
            return None;
        }
        let node = self.schema.node(self.id);
        let ListKind::Map(keys) = &node.list else {
            return None;
        };
        let key = key_of(self.schema, node.items, keys, entry)?;
        self.by_key.get(&canonical(&Value::Object(key))).copied()
    }
}

/// One text for equal values: fields sorted, so that order of writing does not matter.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: std::collections::BTreeMap<&String, String> = fields
                .iter()
                .map(|(name, field)| (name, canonical(field)))
                .collect();
            format!("{sorted:?}")
        }
        Value::Array(entries) => format!("{:?}", entries.iter().map(canonical).collect::<Vec<_>>()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
