//! Filling in what the schema gives a default for, and dropping nulls where null means nothing.

use serde_json::{Map, Value};

use super::Schema;
use super::node::{Additional, NodeId};
use crate::cause::Cause;
use crate::path::Path;

impl Schema {
    pub(super) fn default_at(&self, id: NodeId, value: &mut Value) {
        let node = self.node(id);
        match value {
            Value::Object(fields) => {
                for (name, property) in &node.properties {
                    self.fill(*property, name, fields);
                }
                self.default_fields(id, fields);
            }
            Value::Array(entries) => {
                let Some(items) = node.items else { return };
                for entry in entries {
                    if entry.is_null()
                        && !self.node(items).nullable
                        && let Some(default) = &self.node(items).default
                    {
                        *entry = default.clone();
                    }
                    self.default_at(items, entry);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Puts the default where the field is missing, or null though it must not be.
    fn fill(&self, property: NodeId, name: &str, fields: &mut Map<String, Value>) {
        let node = self.node(property);
        let Some(default) = &node.default else { return };
        let missing = fields
            .get(name)
            .is_none_or(|value| value.is_null() && !node.nullable);
        if missing {
            fields.insert(name.to_owned(), default.clone());
        }
    }

    /// Goes below every known field; a null that neither may be nor has a default is dropped.
    fn default_fields(&self, id: NodeId, fields: &mut Map<String, Value>) {
        fields.retain(|name, value| {
            let Some(child) = self.child_of(id, name) else {
                return true;
            };
            let node = self.node(child);
            if value.is_null() && !node.nullable {
                match &node.default {
                    Some(default) => *value = default.clone(),
                    None => return false,
                }
            }
            self.default_at(child, value);
            true
        });
    }

    /// Finds nulls where null means nothing and no default stands in. Only an apply gets that far with them: everything
    /// else drops them.
    pub(super) fn nulls_at(
        &self,
        id: NodeId,
        value: &Value,
        path: &Path<'_>,
        causes: &mut Vec<Cause>,
    ) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let Some(child) = self.child_of(id, name) else {
                        continue;
                    };
                    let below = path.field(name);
                    let node = self.node(child);
                    let kind = node
                        .kind
                        .filter(|_| !node.nullable && node.default.is_none());
                    match (field, kind) {
                        (Value::Null, Some(kind)) => {
                            let kind = kind.word();
                            let place = below.dotted();
                            let words = format!("{place} in body must be of type {kind}: \"null\"");
                            causes.push(Cause::type_invalid(place, &"null".into(), &words));
                        }
                        (field, _) => self.nulls_at(child, field, &below, causes),
                    }
                }
            }
            Value::Array(entries) => {
                let Some(items) = self.node(id).items else {
                    return;
                };
                for (at, entry) in entries.iter().enumerate() {
                    self.nulls_at(items, entry, &path.index(at), causes);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The schema of a field: its property's, else that of additional properties.
    pub(super) fn child_of(&self, id: NodeId, name: &str) -> Option<NodeId> {
        let node = self.node(id);
        if let Some(property) = node.properties.get(name) {
            return Some(*property);
        }
        match node.additional {
            Additional::Each(each) => Some(each),
            Additional::Unknown | Additional::Anything | Additional::Forbidden => None,
        }
    }
}
