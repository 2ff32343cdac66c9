//! Objects as CEL sees them, and the functions rules may call.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use base64::Engine;
use kube_cel::KubeCelExt;
use kube_cel::cel::objects::{Key, Map};
use kube_cel::cel::{Context, Program, Value as Cel};
use serde_json::{Number, Value};

use super::formats::duration_nanos;
use super::node::{Additional, Kind, NodeId};
use super::{Format, Schema};

/// Words a field name must be escaped for (`__in__`). Source: Kubernetes' CRD validation rules documentation.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The names of CEL's types, as `type(x)` gives them.
const TYPES: [&str; 11] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
];

/// The context every rule runs in: CEL's own functions and Kubernetes' libraries.
pub(super) fn functions() -> &'static Context<'static> {
    static FUNCTIONS: LazyLock<Context<'static>> = LazyLock::new(|| {
        let mut context = Context::default().with_all();
        // The cel crate has no types as values; names do, as rules only compare them (`type(self) == string`).
        context.add_function("type", |value: Cel| Arc::new(type_of(&value).to_owned()));
        for name in TYPES {
            context.add_variable_from_value(name, Cel::String(Arc::new(name.to_owned())));
        }
        context
    });
    &FUNCTIONS
}

fn type_of(value: &Cel) -> &'static str {
    match value {
        Cel::Bool(_) => "bool",
        Cel::Int(_) => "int",
        Cel::UInt(_) => "uint",
        Cel::Float(_) => "double",
        Cel::String(_) => "string",
        Cel::Bytes(_) => "bytes",
        Cel::List(_) => "list",
        Cel::Map(_) => "map",
        Cel::Null => "null_type",
        Cel::Timestamp(_) => "google.protobuf.Timestamp",
        Cel::Duration(_) => "google.protobuf.Duration",
        Cel::Opaque(_) | Cel::Function(..) => "opaque",
    }
}

/// A JSON value as CEL sees it at this place of the schema: times and durations parsed, field names escaped.
pub(super) fn from_json(schema: &Schema, id: Option<NodeId>, value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(bool) => Cel::Bool(*bool),
        Value::Number(number) => from_number(schema, id, number),
        Value::String(text) => from_text(id.and_then(|id| schema.node(id).format), text),
        Value::Array(entries) => {
            let items = id.and_then(|id| schema.node(id).items);
            Cel::List(Arc::new(
                entries
                    .iter()
                    .map(|entry| from_json(schema, items, entry))
                    .collect(),
            ))
        }
        Value::Object(fields) => {
            // The keys of a map are the user's data; only names the schema declares are escaped.
            let is_map = id.is_some_and(|id| {
                matches!(
                    schema.node(id).additional,
                    Additional::Each(_) | Additional::Anything
                )
            });
            let mut map = HashMap::with_capacity(fields.len());
            for (name, field) in fields {
                let child = id.and_then(|id| schema.child_of(id, name));
                let key = if is_map { name.clone() } else { escaped(name) };
                map.insert(Key::String(Arc::new(key)), from_json(schema, child, field));
            }
            Cel::Map(Map { map: Arc::new(map) })
        }
    }
}

/// A whole number is a double where the schema says `number`, else an int.
fn from_number(schema: &Schema, id: Option<NodeId>, number: &Number) -> Cel {
    let kind = id.and_then(|id| schema.node(id).kind);
    let float = number.as_f64().unwrap_or(f64::NAN);
    match (kind, number.as_i64()) {
        (Some(Kind::Number), _) => Cel::Float(float),
        (_, Some(whole)) => Cel::Int(whole),
        (Some(Kind::Integer), None) => whole(float),
        (_, None) => Cel::Float(float),
    }
}

/// `1.0` written for an integer.
#[allow(
    clippy::cast_possible_truncation,
    reason = "an integer field's float is whole, and saturating is what Go does"
)]
fn whole(float: f64) -> Cel {
    Cel::Int(float as i64)
}

fn from_text(format: Option<Format>, text: &str) -> Cel {
    let plain = || Cel::String(Arc::new(text.to_owned()));
    match format {
        Some(Format::DateTime) => text.parse().map_or_else(|_| plain(), Cel::Timestamp),
        Some(Format::Date) => format!("{text}T00:00:00Z")
            .parse()
            .map_or_else(|_| plain(), Cel::Timestamp),
        Some(Format::Duration) => duration_nanos(text)
            .and_then(duration)
            .unwrap_or_else(plain),
        Some(Format::Byte) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text);
            bytes.map_or_else(|_| plain(), |bytes| Cel::Bytes(Arc::new(bytes)))
        }
        Some(_) | None => plain(),
    }
}

/// A CEL duration, had from CEL itself.
fn duration(nanos: f64) -> Option<Cel> {
    static DURATION: LazyLock<Option<Program>> =
        LazyLock::new(|| Program::compile("duration(text)").ok());
    let mut scope = functions().new_inner_scope();
    scope.add_variable_from_value("text", Cel::String(Arc::new(format!("{nanos:.0}ns"))));
    DURATION.as_ref()?.execute(&scope).ok()
}

/// A field's name as CEL can write it. Source: Kubernetes' CRD validation rules documentation.
pub(crate) fn escaped(name: &str) -> String {
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    name.replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_are_escaped_as_kubernetes_escapes_them() {
        for (name, cel) in [
            ("plain", "plain"),
            ("snake_case", "snake_case"),
            ("a__b", "a__underscores__b"),
            ("a.b", "a__dot__b"),
            ("a-b/c", "a__dash__b__slash__c"),
            ("namespace", "__namespace__"),
            ("int", "int"),
        ] {
            assert_eq!(escaped(name), cel);
        }
    }
}
