//! Dropping what the schema does not know, and naming it.

use serde_json::Value;

use super::Schema;
use super::node::{Additional, NodeId};
use crate::path::Path;

impl Schema {
    /// Prunes below `id`; a place without a schema (None) knows no fields at all.
    pub(super) fn prune_at(
        &self,
        id: Option<NodeId>,
        value: &mut Value,
        path: &Path<'_>,
        dropped: &mut Vec<String>,
    ) {
        match value {
            Value::Object(fields) => {
                let keeps_unknown = id.is_some_and(|id| self.node(id).preserve_unknown);
                fields.retain(|name, field| {
                    let below = path.field(name);
                    match self.known(id, name) {
                        Known::As(child) => self.prune_at(child, field, &below, dropped),
                        Known::Not if keeps_unknown => {}
                        Known::Not => {
                            dropped.push(below.to_string());
                            return false;
                        }
                    }
                    true
                });
            }
            Value::Array(entries) => {
                let node = id.map(|id| self.node(id));
                let items = node.and_then(|node| node.items);
                if items.is_none() && node.is_some_and(|node| node.preserve_unknown) {
                    return;
                }
                for (at, entry) in entries.iter_mut().enumerate() {
                    self.prune_at(items, entry, &path.index(at), dropped);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn known(&self, id: Option<NodeId>, name: &str) -> Known {
        let Some(id) = id else { return Known::Not };
        if let Some(child) = self.child_of(id, name) {
            return Known::As(Some(child));
        }
        match self.node(id).additional {
            Additional::Anything => Known::As(None),
            Additional::Unknown | Additional::Forbidden | Additional::Each(_) => Known::Not,
        }
    }
}

enum Known {
    /// Kept, and pruned by this schema (or by none).
    As(Option<NodeId>),
    Not,
}
