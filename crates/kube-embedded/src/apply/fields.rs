//! Sets of field paths, and their form in `managedFields` (`FieldsV1`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use crate::schema::Place;

/// Deepest set read from a client; no object is nested deeper.
const DEPTH_LIMIT: usize = 128;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Element {
    Field(String),
    /// An entry of a map list by its key fields, as (name, JSON text).
    Key(Vec<(String, String)>),
    /// An entry of a set, as JSON text.
    Value(String),
    Index(u64),
}

/// Paths, as a tree. A path is in the set when its last element is a member where its parents lead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) members: BTreeSet<Element>,
    pub(super) children: BTreeMap<Element, Set>,
}

impl Element {
    fn encode(&self) -> String {
        match self {
            Element::Field(name) => format!("f:{name}"),
            Element::Key(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
                    .collect();
                format!("k:{{{}}}", fields.join(","))
            }
            Element::Value(value) => format!("v:{value}"),
            Element::Index(index) => format!("i:{index}"),
        }
    }

    fn decode(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "f" => Some(Element::Field(rest.to_owned())),
            "v" => Some(Element::Value(
                serde_json::from_str::<Value>(rest).ok()?.to_string(),
            )),
            "i" => rest.parse().ok().map(Element::Index),
            "k" => {
                let fields: Map<String, Value> = serde_json::from_str(rest).ok()?;
                let mut fields: Vec<(String, String)> = fields
                    .into_iter()
                    .map(|(name, value)| (name, value.to_string()))
                    .collect();
                fields.sort();
                Some(Element::Key(fields))
            }
            _ => None,
        }
    }
}

/// As conflicts name fields: `.spec.ports[name="web"].port`.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Element::Field(name) => write!(f, ".{name}"),
            Element::Key(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                write!(f, "[{}]", fields.join(","))
            }
            Element::Value(value) => write!(f, "[={value}]"),
            Element::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl Set {
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.values().all(Set::is_empty)
    }

    /// Adds everything below an element; nothing when there is nothing.
    pub(super) fn add_below(&mut self, element: Element, below: Set) {
        if !below.is_empty() {
            let merged = match self.children.remove(&element) {
                Some(before) => before.union(&below),
                None => below,
            };
            self.children.insert(element, merged);
        }
    }

    pub(super) fn union(&self, other: &Set) -> Set {
        let mut both = self.clone();
        both.members.extend(other.members.iter().cloned());
        for (element, below) in &other.children {
            both.add_below(element.clone(), below.clone());
        }
        both
    }

    /// Without the paths of the other; what lies below them stays.
    pub(super) fn without(&self, other: &Set) -> Set {
        let mut left = Set {
            members: self.members.difference(&other.members).cloned().collect(),
            children: BTreeMap::new(),
        };
        for (element, below) in &self.children {
            let below = match other.children.get(element) {
                Some(gone) => below.without(gone),
                None => below.clone(),
            };
            left.add_below(element.clone(), below);
        }
        left
    }

    pub(super) fn common(&self, other: &Set) -> Set {
        let mut both = Set {
            members: self.members.intersection(&other.members).cloned().collect(),
            children: BTreeMap::new(),
        };
        for (element, below) in &self.children {
            if let Some(others) = other.children.get(element) {
                both.add_below(element.clone(), below.common(others));
            }
        }
        both
    }

    /// Also has every declared field something is known below of: who owns a part keeps the whole alive.
    pub(super) fn with_parents(&self, place: Place<'_>) -> Set {
        let mut whole = Set {
            members: self.members.clone(),
            children: BTreeMap::new(),
        };
        for (element, below) in &self.children {
            let next = match element {
                Element::Field(name) => {
                    if place.declares(name) && !below.is_empty() {
                        whole.members.insert(element.clone());
                    }
                    place.field(name)
                }
                Element::Key(_) | Element::Value(_) | Element::Index(_) => place.entry(),
            };
            whole.add_below(element.clone(), below.with_parents(next));
        }
        whole
    }

    /// Only what is at or below one field of the root.
    pub(super) fn only(&self, name: &str) -> Set {
        let element = Element::Field(name.to_owned());
        let mut one = Set::default();
        if self.members.contains(&element) {
            one.members.insert(element.clone());
        }
        if let Some(below) = self.children.get(&element) {
            one.add_below(element, below.clone());
        }
        one
    }

    /// Every path as conflicts name it, sorted.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.write_paths("", &mut paths);
        paths
    }

    fn write_paths(&self, parent: &str, paths: &mut Vec<String>) {
        for element in &self.members {
            paths.push(format!("{parent}{element}"));
        }
        for (element, below) in &self.children {
            below.write_paths(&format!("{parent}{element}"), paths);
        }
    }

    /// The `fieldsV1` form.
    pub(super) fn encode(&self) -> Value {
        let mut tree = Map::new();
        for element in &self.members {
            tree.insert(element.encode(), Value::Object(Map::new()));
        }
        for (element, below) in &self.children {
            let mut below = below.encode();
            if let (true, Value::Object(fields)) = (self.members.contains(element), &mut below) {
                fields.insert(".".to_owned(), Value::Object(Map::new()));
            }
            tree.insert(element.encode(), below);
        }
        Value::Object(tree)
    }

    /// Reads the `fieldsV1` form; None when it is none.
    pub(super) fn decode(tree: &Value) -> Option<Self> {
        Self::decode_below(tree, 0)
    }

    fn decode_below(tree: &Value, depth: usize) -> Option<Self> {
        if depth > DEPTH_LIMIT {
            return None;
        }
        let mut set = Set::default();
        for (text, below) in tree.as_object()? {
            if text == "." {
                continue;
            }
            let element = Element::decode(text)?;
            let fields = below.as_object()?;
            if fields.is_empty() || fields.contains_key(".") {
                set.members.insert(element.clone());
            }
            set.add_below(element, Self::decode_below(below, depth + 1)?);
        }
        Some(set)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_set_is_read_as_it_was_written() {
        let tree = json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}, "f:finalizers": {".": {}, "v:\"a\"": {}}},
            "f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}}, "f:list": {"i:0": {}}},
        });
        let set = Set::decode(&tree).unwrap();
        assert_eq!(set.encode(), tree);
        assert_eq!(
            set.paths(),
            [
                ".metadata.finalizers",
                ".metadata.labels",
                ".metadata.finalizers[=\"a\"]",
                ".metadata.labels.app",
                ".spec.list[0]",
                ".spec.ports[port=80,protocol=\"TCP\"]",
                ".spec.ports[port=80,protocol=\"TCP\"].name",
            ]
        );
    }

    #[test]
    fn what_is_no_set_is_not_read() {
        for tree in [
            json!(null),
            json!({"f:a": 1}),
            json!({"x:a": {}}),
            json!({"a": {}}),
            json!({"k:a": {}}),
            json!({"i:x": {}}),
        ] {
            assert_eq!(Set::decode(&tree), None, "{tree}");
        }
        let mut deep = json!({});
        for _ in 0..200 {
            deep = json!({"f:a": deep});
        }
        assert_eq!(Set::decode(&deep), None);
    }

    #[test]
    fn sets_can_be_joined_and_taken_apart() {
        let set = |tree: Value| Set::decode(&tree).unwrap();
        let one = set(json!({"f:a": {".": {}, "f:b": {}, "f:c": {}}}));
        let other = set(json!({"f:a": {"f:b": {}, "f:d": {}}}));
        assert_eq!(
            one.union(&other),
            set(json!({"f:a": {".": {}, "f:b": {}, "f:c": {}, "f:d": {}}}))
        );
        assert_eq!(
            one.without(&other),
            set(json!({"f:a": {".": {}, "f:c": {}}}))
        );
        assert_eq!(one.common(&other), set(json!({"f:a": {"f:b": {}}})));
        assert!(one.without(&one).is_empty());
    }
}
