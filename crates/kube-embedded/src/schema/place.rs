//! A place in a type while walking a value: its schema, or none below fields the type does not describe.

use serde_json::Value;

use super::node::{Additional, Kind, ListKind, Node, NodeId};
use super::{Schema, key_of};

/// Where in a type we are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    schema: &'a Schema,
    id: Option<NodeId>,
}

impl<'a> Place<'a> {
    pub(crate) fn root(schema: &'a Schema) -> Self {
        Self {
            schema,
            id: Some(schema.root),
        }
    }

    pub(crate) fn field(self, name: &str) -> Self {
        let id = self.id.and_then(|id| self.schema.child_of(id, name));
        Place { id, ..self }
    }

    pub(crate) fn entry(self) -> Self {
        let id = self.node().and_then(|node| node.items);
        Place { id, ..self }
    }

    fn node(self) -> Option<&'a Node> {
        self.id.map(|id| self.schema.node(id))
    }

    /// Is it a property the type names (and not just a key of a map)?
    pub(crate) fn declares(self, name: &str) -> bool {
        self.node()
            .is_some_and(|node| node.properties.contains_key(name))
    }

    /// May a field of this name stand here at all?
    pub(crate) fn allows(self, name: &str) -> bool {
        self.node().is_none_or(|node| {
            let open = matches!(node.additional, Additional::Each(_) | Additional::Anything);
            open || node.preserve_unknown || node.properties.contains_key(name)
        })
    }

    /// How lists here merge: as a whole where the type says nothing.
    pub(crate) fn list(self) -> &'a ListKind {
        self.node().map_or(&ListKind::Atomic, |node| &node.list)
    }

    /// Replaced as a whole, never field by field: `x-kubernetes-map-type: atomic`.
    pub(crate) fn is_atomic_map(self) -> bool {
        self.node().is_some_and(|node| node.atomic_map)
    }

    /// The type of values here, when it is one of the six.
    pub(crate) fn kind(self) -> Option<Kind> {
        self.node()
            .filter(|node| !node.int_or_string)
            .and_then(|node| node.kind)
    }

    /// The key fields of an entry of the map list here, as (name, JSON text), sorted by name; None when it has none.
    pub(crate) fn key(self, keys: &[String], entry: &Value) -> Option<Vec<(String, String)>> {
        let key = key_of(self.schema, self.node()?.items, keys, entry)?;
        let mut key: Vec<(String, String)> = key
            .into_iter()
            .map(|(name, value)| (name, value.to_string()))
            .collect();
        key.sort();
        (!key.is_empty()).then_some(key)
    }

    /// The field that tells entries apart in a strategic merge patch; only built-in types have one.
    pub(crate) fn merge_key(self) -> Option<&'a str> {
        self.node().and_then(|node| node.patch_key.as_deref())
    }

    /// A strategic merge patch adds to this list of scalars instead of replacing it.
    pub(crate) fn merges_scalars(self) -> bool {
        self.node()
            .is_some_and(|node| node.patch_merges && node.patch_key.is_none())
    }
}
