//! What Go's encoder leaves out of a built-in kind: fields that are null or empty.

use serde_json::{Map, Value};

use super::Schema;
use super::node::{Additional, Kind, NodeId};

impl Schema {
    /// A null among a map's texts is an empty text; any other null, and an empty list or map that need not be there, is
    /// no field at all. What has no schema stays as it is.
    pub(crate) fn tidy(&self, object: &mut Value) {
        self.tidy_at(self.root, object);
    }

    fn tidy_at(&self, id: NodeId, value: &mut Value) {
        match value {
            Value::Object(fields) => self.tidy_fields(id, fields),
            Value::Array(items) => {
                if let Some(item) = self.node(id).items {
                    for value in items {
                        self.tidy_at(item, value);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn tidy_fields(&self, id: NodeId, fields: &mut Map<String, Value>) {
        let node = self.node(id);
        fields.retain(|name, value| {
            let Some(child) = self.child_of(id, name) else {
                return true;
            };
            self.tidy_at(child, value);
            let of_map = !node.properties.contains_key(name);
            if value.is_null() && of_map && self.node(child).kind == Some(Kind::String) {
                *value = "".into();
            }
            let needless = !of_map && !node.required.contains(name);
            !(value.is_null() || needless && self.is_empty_collection(child, value))
        });
    }

    /// An object with fields of its own is one even if it has none of them.
    fn is_empty_collection(&self, id: NodeId, value: &Value) -> bool {
        let node = self.node(id);
        let is_map = node.properties.is_empty() && matches!(node.additional, Additional::Each(_));
        match value {
            Value::Array(items) => items.is_empty() && node.items.is_some(),
            Value::Object(fields) => fields.is_empty() && is_map,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
}
