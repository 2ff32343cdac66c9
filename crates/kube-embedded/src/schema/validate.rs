//! Does an object fit its schema? Types, bounds and required fields; not CEL rules, not repeats in lists.
//!
//! The words and the order of checks are those of the validator in Kubernetes' own kube-openapi.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Schema;
use super::node::{Additional, Kind, Node, NodeId, word_of};
use super::scalars;
use crate::cause::{Cause, Reason};
use crate::path::Path;

impl Schema {
    pub(super) fn check_types(&self, object: &Value, old: Option<&Value>) -> Vec<Cause> {
        let mut walk = Walk {
            schema: self,
            causes: Vec::new(),
            visited: 0,
        };
        walk.check(self.root, object, old, &Path::Root);
        // What two alternatives, or one and the schema itself, complain of is told once.
        let mut told = HashSet::new();
        walk.causes.retain(|cause| told.insert(cause.to_string()));
        walk.causes
    }
}

struct Walk<'s> {
    schema: &'s Schema,
    causes: Vec<Cause>,
    /// How much of the value was looked at: of several failing alternatives the one that fits best is told.
    visited: usize,
}

impl Walk<'_> {
    fn check(&mut self, id: NodeId, value: &Value, old: Option<&Value>, path: &Path<'_>) {
        if old == Some(value) {
            return;
        }
        self.visited += 1;
        let schema = self.schema;
        let node = schema.node(id);
        if value.is_null() {
            self.check_null(node, path);
            return;
        }
        self.check_type(node, value, path);
        self.check_alternatives(node, value, path);
        match value {
            Value::String(text) => scalars::check_text(node, text, path, &mut self.causes),
            Value::Number(number) => scalars::check_number(node, number, path, &mut self.causes),
            Value::Array(entries) => self.check_array(id, entries, old, path),
            Value::Null | Value::Bool(_) | Value::Object(_) => {}
        }
        scalars::check_allowed(node, value, path, &mut self.causes);
        if let Value::Object(fields) = value {
            self.check_object(node, fields, old, path);
        }
    }

    /// The real validator asks of a null what it is and whether it is one of the allowed values, which it never is.
    fn check_null(&mut self, node: &Node, path: &Path<'_>) {
        if let Some(wanted) = wanted_type(node).filter(|_| !node.nullable) {
            self.wrong_type(&wanted, "null", path);
        }
        scalars::check_allowed(node, &Value::Null, path, &mut self.causes);
    }

    fn check_type(&mut self, node: &Node, value: &Value, path: &Path<'_>) {
        let Some(wanted) = wanted_type(node) else {
            return;
        };
        let fits = if node.int_or_string {
            value.is_string() || Kind::Integer.holds(value)
        } else {
            node.kind.is_none_or(|kind| kind.holds(value))
        };
        if fits {
            return;
        }
        let format = node.checked_format().filter(|_| !self.schema.is_builtin);
        match (format, value) {
            // Real servers take a list where a text of a format should be.
            (Some(_), Value::Array(_)) if node.kind == Some(Kind::String) => {}
            (Some(format), Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
                self.wrong_type(format, go_format(value), path);
            }
            _ => self.wrong_type(&wanted, word_of(value), path),
        }
    }

    fn wrong_type(&mut self, wanted: &str, found: &str, path: &Path<'_>) {
        let detail = format!(
            "{} in body must be of type {wanted}: \"{found}\"",
            path.dotted()
        );
        self.causes.push(Cause::type_invalid(
            path.to_string(),
            &found.into(),
            &detail,
        ));
    }

    /// `anyOf`, `oneOf`, `allOf`, `not`, in the order the real validator takes them.
    fn check_alternatives(&mut self, node: &Node, value: &Value, path: &Path<'_>) {
        if !node.any_of.is_empty() {
            let tried = self.attempt(&node.any_of, value, path);
            if tried.fitting == 0 {
                self.no_alternative("must validate at least one schema (anyOf)", path);
                self.causes.extend(tried.best);
            }
        }
        if !node.one_of.is_empty() {
            let tried = self.attempt(&node.one_of, value, path);
            match tried.fitting {
                1 => {}
                0 => {
                    self.no_alternative(
                        "must validate one and only one schema (oneOf). Found none valid",
                        path,
                    );
                    self.causes.extend(tried.best);
                }
                several => {
                    let words = format!(
                        "must validate one and only one schema (oneOf). Found {several} valid alternatives"
                    );
                    self.no_alternative(&words, path);
                }
            }
        }
        self.check_all_of(node, value, path);
        if let Some(not) = node.not
            && self.attempt(&[not], value, path).fitting == 1
        {
            self.no_alternative("must not validate the schema (not)", path);
        }
    }

    fn check_all_of(&mut self, node: &Node, value: &Value, path: &Path<'_>) {
        let mut failed = 0;
        for branch in &node.all_of {
            let before = self.causes.len();
            self.check(*branch, value, None, path);
            failed += usize::from(self.causes.len() > before);
        }
        if failed > 0 {
            let none = if failed == node.all_of.len() {
                ". None validated"
            } else {
                ""
            };
            self.no_alternative(
                &format!("must validate all the schemas (allOf){none}"),
                path,
            );
        }
    }

    /// Such an error belongs to no field: Kubernetes names the place in the text only.
    fn no_alternative(&mut self, words: &str, path: &Path<'_>) {
        let detail = format!("\"{}\" {words}", path.dotted());
        self.causes
            .push(Cause::invalid(Path::Root.to_string(), &"".into(), &detail));
    }

    fn attempt(&mut self, branches: &[NodeId], value: &Value, path: &Path<'_>) -> Tried {
        let mut tried = Tried::default();
        let mut best_visited = 0;
        for branch in branches {
            let mut walk = Walk {
                schema: self.schema,
                causes: Vec::new(),
                visited: 0,
            };
            walk.check(*branch, value, None, path);
            if walk.causes.is_empty() {
                tried.fitting += 1;
            } else if walk.visited > best_visited {
                best_visited = walk.visited;
                tried.best = walk.causes;
            }
        }
        tried
    }

    fn check_array(&mut self, id: NodeId, entries: &[Value], old: Option<&Value>, path: &Path<'_>) {
        let schema = self.schema;
        let node = schema.node(id);
        if let Some(items) = node.items {
            let before = schema.correlate(id, old);
            for (at, entry) in entries.iter().enumerate() {
                self.check(items, entry, before.find(entry), &path.index(at));
            }
        }
        let count = entries.len();
        if let Some(least) = node
            .limits
            .min_items
            .filter(|least| (count as u64) < *least)
        {
            let detail = format!(
                "{} in body should have at least {least} items",
                path.dotted()
            );
            self.causes
                .push(Cause::invalid(path.to_string(), &count.into(), &detail));
        }
        if let Some(most) = node.limits.max_items.filter(|most| (count as u64) > *most) {
            self.causes
                .push(Cause::too_many(path.to_string(), count, most));
        }
    }

    fn check_object(
        &mut self,
        node: &Node,
        fields: &Map<String, Value>,
        old: Option<&Value>,
        path: &Path<'_>,
    ) {
        let count = fields.len();
        if let Some(least) = node
            .limits
            .min_properties
            .filter(|least| (count as u64) < *least)
        {
            let detail = format!(
                "{} in body should have at least {least} properties",
                path.dotted()
            );
            self.causes
                .push(Cause::invalid(path.to_string(), &count.into(), &detail));
        }
        if let Some(most) = node
            .limits
            .max_properties
            .filter(|most| (count as u64) > *most)
        {
            self.causes
                .push(Cause::too_many(path.to_string(), count, most));
        }
        for (name, value) in fields {
            let before = old.and_then(|old| old.get(name));
            let below = path.field(name);
            match (node.properties.get(name), &node.additional) {
                (Some(property), _) => self.check(*property, value, before, &below),
                (None, Additional::Each(each)) => self.check(*each, value, before, &below),
                (None, Additional::Forbidden) => {
                    let detail = format!("{} in body is a forbidden property", below.dotted());
                    self.causes
                        .push(Cause::invalid(below.to_string(), &"".into(), &detail));
                }
                (None, Additional::Unknown | Additional::Anything) => {}
            }
        }
        self.check_embedded(node, fields, path);
        for name in node
            .required
            .iter()
            .filter(|name| !fields.contains_key(name.as_str()))
        {
            let below = path.field(name).to_string();
            self.causes.push(Cause::new(
                Reason::Required,
                below,
                "Required value".to_owned(),
            ));
        }
    }

    /// A whole object inside another must say what it is.
    fn check_embedded(&mut self, node: &Node, fields: &Map<String, Value>, path: &Path<'_>) {
        if !node.embedded {
            return;
        }
        for name in ["apiVersion", "kind"] {
            let below = path.field(name).to_string();
            match fields.get(name) {
                None => self.causes.push(Cause::required(below, "")),
                Some(value) if value == "" => {
                    self.causes
                        .push(Cause::invalid(below, value, "must not be empty"));
                }
                Some(_) => {}
            }
        }
    }
}

#[derive(Default)]
struct Tried {
    fitting: usize,
    /// What is wrong with the alternative that fits best.
    best: Vec<Cause>,
}

/// The type as the message names it; None when anything goes.
/// The format Go's own type of the value has.
fn go_format(value: &Value) -> &'static str {
    match value {
        Value::Number(number) if number.is_f64() => "double",
        Value::Number(_) => "int64",
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => "",
    }
}

fn wanted_type(node: &Node) -> Option<String> {
    if node.int_or_string {
        return Some("integer,string".to_owned());
    }
    node.kind.map(|kind| kind.word().to_owned())
}
