//! What a source says, as a tree of values that know where they came from; and how a later source is
//! laid over an earlier one. What the values mean is not known here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

/// The longest list that may be written element by element in the environment.
const INDEX_MAX: usize = 63;

/// Where a value came from. The rank orders the sources: the higher one was read later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) rank: usize,
    place: Arc<str>,
}

impl Origin {
    pub(super) fn new(rank: usize, place: impl Into<Arc<str>>) -> Self {
        Self {
            rank,
            place: place.into(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

/// No `Debug`: any text may be a secret.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

pub(super) enum Value {
    /// Numbers and booleans too: what a text means is for the reader to say.
    Text(Zeroizing<String>),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl Node {
    pub(super) fn table(origin: Origin) -> Self {
        Self {
            value: Value::Table(BTreeMap::new()),
            origin,
        }
    }

    fn text(text: &str, origin: Origin) -> Self {
        Self {
            value: Value::Text(Zeroizing::new(text.to_owned())),
            origin,
        }
    }

    /// A parsed file; `place` tells the origin of what stands at a byte.
    pub(super) fn parsed(table: &DeTable<'_>, place: &dyn Fn(usize) -> Origin) -> Self {
        Self {
            value: Value::Table(entries(table, place)),
            origin: place(0),
        }
    }

    /// A table the program made.
    pub(super) fn from_table(table: &toml::Table, origin: &Origin) -> Self {
        let entries = table
            .iter()
            .map(|(key, value)| (key.clone(), Self::from_value(value, origin)))
            .collect();
        Self {
            value: Value::Table(entries),
            origin: origin.clone(),
        }
    }

    fn from_value(value: &toml::Value, origin: &Origin) -> Self {
        let value = match value {
            toml::Value::Table(table) => return Self::from_table(table, origin),
            toml::Value::Array(items) => Value::List(
                items
                    .iter()
                    .map(|item| Self::from_value(item, origin))
                    .collect(),
            ),
            toml::Value::String(text) => return Self::text(text, origin.clone()),
            toml::Value::Integer(_)
            | toml::Value::Float(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_) => return Self::text(&value.to_string(), origin.clone()),
        };
        Self {
            value,
            origin: origin.clone(),
        }
    }

    /// Lays a later source over this one: tables are merged, everything else is replaced.
    pub(super) fn overlay(&mut self, over: Self) {
        match (&mut self.value, over) {
            (
                Value::Table(ours),
                Self {
                    value: Value::Table(theirs),
                    ..
                },
            ) => {
                for (key, node) in theirs {
                    match ours.get_mut(&key) {
                        Some(mine) => mine.overlay(node),
                        None => {
                            ours.insert(key, node);
                        }
                    }
                }
            }
            (_, over) => *self = over,
        }
    }

    /// Sets one value by its path; a number in the path is a place in a list.
    pub(super) fn set(&mut self, path: &[String], text: &str, origin: &Origin) {
        let Some((first, rest)) = path.split_first() else {
            *self = Self::text(text, origin.clone());
            return;
        };
        let index = first
            .parse::<usize>()
            .ok()
            .filter(|index| *index <= INDEX_MAX);
        if let (Some(index), Value::List(items)) = (index, &mut self.value) {
            while items.len() <= index {
                items.push(Self::table(origin.clone()));
            }
            if let Some(item) = items.get_mut(index) {
                item.set(rest, text, origin);
            }
            return;
        }
        if !matches!(self.value, Value::Table(_)) {
            *self = Self::table(origin.clone());
        }
        if let Value::Table(entries) = &mut self.value {
            let child = entries
                .entry(first.clone())
                .or_insert_with(|| Self::empty_for(rest, origin));
            child.set(rest, text, origin);
        }
    }

    /// What stands at a path that the environment is the first to mention.
    fn empty_for(rest: &[String], origin: &Origin) -> Self {
        let is_list = rest
            .first()
            .is_some_and(|next| next.parse::<usize>().is_ok_and(|index| index <= INDEX_MAX));
        let mut node = Self::table(origin.clone());
        if is_list {
            node.value = Value::List(Vec::new());
        }
        node
    }
}

fn entries(table: &DeTable<'_>, place: &dyn Fn(usize) -> Origin) -> BTreeMap<String, Node> {
    table
        .iter()
        .map(|(key, value)| {
            let node = from_parsed(value.get_ref(), place(key.span().start), place);
            (key.get_ref().to_string(), node)
        })
        .collect()
}

fn from_parsed(value: &DeValue<'_>, origin: Origin, place: &dyn Fn(usize) -> Origin) -> Node {
    let value = match value {
        DeValue::Table(table) => Value::Table(entries(table, place)),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| from_parsed(item.get_ref(), place(item.span().start), place))
                .collect(),
        ),
        DeValue::String(text) => return Node::text(text, origin),
        DeValue::Integer(number) => return Node::text(&number.to_string(), origin),
        DeValue::Float(number) => return Node::text(number.as_str(), origin),
        DeValue::Boolean(yes) => return Node::text(&yes.to_string(), origin),
        DeValue::Datetime(moment) => return Node::text(&moment.to_string(), origin),
    };
    Node { value, origin }
}

/// The line, from 1, of a byte in a text.
pub(super) fn line(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}
