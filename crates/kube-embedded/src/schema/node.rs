//! One place of a compiled schema: everything known of the values that may stand there.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Number, Value};

use super::formats::Format;
use super::rules::Rule;

/// Index of a node in its schema's arena; references may form loops (a CRD's schema of schemas does).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId(pub(super) u32);

/// The closed set of `OpenAPI` types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl Kind {
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "object" => Some(Kind::Object),
            "array" => Some(Kind::Array),
            "string" => Some(Kind::String),
            "integer" => Some(Kind::Integer),
            "number" => Some(Kind::Number),
            "boolean" => Some(Kind::Boolean),
            _ => None,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Object => "object",
            Kind::Array => "array",
            Kind::String => "string",
            Kind::Integer => "integer",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
        }
    }

    /// Is the value of this type? A whole number is an integer however it is written.
    pub(super) fn holds(self, value: &Value) -> bool {
        match self {
            Kind::Object => value.is_object(),
            Kind::Array => value.is_array(),
            Kind::String => value.is_string(),
            Kind::Integer => value.as_number().is_some_and(is_whole),
            Kind::Number => value.is_number(),
            Kind::Boolean => value.is_boolean(),
        }
    }
}

fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

/// The type of a value as the schema checks name it.
pub(super) fn word_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if is_whole(number) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What keys beside the named properties may hold.
#[derive(Debug, Default)]
pub(super) enum Additional {
    #[default]
    Unknown,
    Anything,
    Forbidden,
    Each(NodeId),
}

/// How two versions of a list become one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// As a whole.
    #[default]
    Atomic,
    /// Scalars, each once.
    Set,
    /// Objects, told apart by these fields.
    Map(Vec<String>),
}

/// Bounds on numbers, lengths and counts.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) multiple_of: Option<f64>,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) min_properties: Option<u64>,
    pub(super) max_properties: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) at: f64,
    pub(super) exclusive: bool,
}

#[derive(Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a keyword of the schema language"
)]
pub(super) struct Node {
    pub(super) kind: Option<Kind>,
    pub(super) nullable: bool,
    pub(super) int_or_string: bool,
    pub(super) preserve_unknown: bool,
    /// A whole object inside another, with its own apiVersion, kind and metadata.
    pub(super) embedded: bool,
    pub(super) properties: BTreeMap<String, NodeId>,
    pub(super) additional: Additional,
    pub(super) items: Option<NodeId>,
    pub(super) default: Option<Value>,
    pub(super) list: ListKind,
    /// `x-kubernetes-map-type: atomic`
    pub(super) atomic_map: bool,
    /// `x-kubernetes-patch-merge-key`: only built-in types have one.
    pub(super) patch_key: Option<String>,
    /// `x-kubernetes-patch-strategy: merge`
    pub(super) patch_merges: bool,
    pub(super) required: Vec<String>,
    pub(super) allowed: Vec<Value>,
    pub(super) format: Option<Format>,
    /// The format as written, for messages.
    pub(super) format_text: String,
    /// `format: int32`
    pub(super) is_int32: bool,
    pub(super) pattern: Option<Regex>,
    /// The pattern as written, for messages.
    pub(super) pattern_text: String,
    pub(super) limits: Limits,
    pub(super) all_of: Vec<NodeId>,
    pub(super) any_of: Vec<NodeId>,
    pub(super) one_of: Vec<NodeId>,
    pub(super) not: Option<NodeId>,
    pub(super) rules: Vec<Rule>,
}

impl Node {
    /// The format as written, if a server looks at it: of texts those that are checked and a few more, of numbers their
    /// size.
    pub(super) fn checked_format(&self) -> Option<&str> {
        let format = self.format_text.as_str();
        let is_looked_at = match self.kind {
            Some(Kind::String) => {
                self.format.is_some()
                    || ["password", "k8s-short-name", "k8s-long-name"].contains(&format)
            }
            Some(Kind::Integer) => ["int32", "int64"].contains(&format),
            Some(Kind::Number) => ["float", "double"].contains(&format),
            Some(Kind::Object | Kind::Array | Kind::Boolean) | None => false,
        };
        is_looked_at.then_some(format)
    }
}
