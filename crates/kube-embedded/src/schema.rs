//! A type's structural schema, compiled once: defaults, prunes and validates objects, and knows how lists merge.

mod cel;
mod compile;
mod defaults;
mod formats;
mod lists;
mod node;
mod pattern;
mod place;
mod prune;
mod rules;
mod scalars;
mod tidy;
mod validate;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use crate::cause::{Cause, Reason};
use crate::path::Path;

pub(crate) use cel::escaped as cel_name;
pub(crate) use formats::is_known_format;
pub(crate) use node::{Kind, ListKind};
pub(crate) use place::Place;
pub(crate) use rules::{as_go, parse as parse_cel};

use formats::Format;
use lists::key_of;
use node::{Node, NodeId};

/// A compiled schema; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    nodes: Arc<[Node]>,
    root: NodeId,
    has_rules: bool,
    /// Of a built-in kind, whose objects Go decodes before anything looks at them.
    is_builtin: bool,
}

impl Schema {
    /// Compiles a CRD version's `openAPIV3Schema`. Causes name fields relative to it; [`crate::crd::check`]
    /// finds the same and more, so a stored CRD always compiles.
    pub(crate) fn compile(schema: &Value) -> Result<Self, Vec<Cause>> {
        compile::custom(schema)
    }

    /// Compiles a part of a schema by itself: the value it describes is no whole object.
    pub(crate) fn compile_part(schema: &Value) -> Result<Self, Vec<Cause>> {
        compile::part(schema)
    }

    /// Compiles one of the built-in definitions (`io.k8s.api.core.v1.Secret`).
    pub(crate) fn builtin(definition: &str) -> Result<Self, Vec<Cause>> {
        let schema = compile::builtin(definition)?;
        Ok(Self {
            is_builtin: true,
            ..schema
        })
    }

    fn new(nodes: Vec<Node>, root: NodeId) -> Self {
        Self {
            is_builtin: false,
            has_rules: nodes.iter().any(|node| !node.rules.is_empty()),
            nodes: nodes.into(),
            root,
        }
    }

    /// Fills in the defaults of missing fields (and of nulls where null is not allowed); other such nulls go.
    pub(crate) fn default_in(&self, object: &mut Value) {
        self.default_at(self.root, object);
    }

    /// Nulls outside of metadata that stand for no value. To be asked of what an apply made, before its defaults.
    pub(crate) fn misplaced_nulls(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        self.nulls_at(self.root, object, &Path::Root, &mut causes);
        causes.retain(|cause| !cause.field.starts_with("metadata"));
        causes
    }

    /// Drops what the schema does not know and names it (`spec.foo`, `spec.list[0].bar`), sorted, with what metadata
    /// does not know at the end. `apiVersion`, `kind` and `metadata`'s own fields are always known.
    pub(crate) fn prune(&self, object: &mut Value) -> Vec<String> {
        let mut dropped = Vec::new();
        self.prune_at(Some(self.root), object, &Path::Root, &mut dropped);
        dropped
            .sort_by_cached_key(|path| (format!(".{path}").contains(".metadata."), path.clone()));
        dropped
    }

    /// Everything wrong with the object, in Kubernetes' words, CEL rules included. With the old object, transition
    /// rules run and what did not change is not held against the new one (ratcheting).
    pub(crate) fn validate(&self, object: &Value, old: Option<&Value>) -> Vec<Cause> {
        let mut causes = self.check_types(object, old);
        self.check_lists(self.root, object, old, &Path::Root, &mut causes);
        if !self.has_rules {
            return causes;
        }
        if causes.iter().any(hides_rules) {
            causes.push(Cause::invalid(
                Path::Root.to_string(),
                &Value::Null,
                UNCHECKED,
            ));
        } else {
            self.check_rules(object, old, &mut causes);
        }
        causes
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

const UNCHECKED: &str = "some validation rules were not checked because the object was invalid; \
    correct the existing errors to complete validation";

/// Rules are written for objects of the right shape: some errors make running them pointless.
fn hides_rules(cause: &Cause) -> bool {
    match cause.reason {
        Reason::NotSupported
        | Reason::Required
        | Reason::TooLong
        | Reason::TooMany
        | Reason::TypeInvalid => true,
        Reason::Duplicate | Reason::Invalid | Reason::Forbidden => false,
    }
}
