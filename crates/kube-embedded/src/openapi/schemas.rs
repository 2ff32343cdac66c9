//! The schemas of a document: each served kind, its list, and all they refer to.

use serde_json::{Map, Value, json};

use super::{Described, group_version_kind};
use crate::types;

const REFERENCE: &str = "#/components/schemas/";
const KINDS: &str = "x-kubernetes-group-version-kind";
const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

/// Adds a kind, its list and what they refer to; gives the name of the kind's schema.
pub(super) fn add(described: &Described<'_>, schemas: &mut Map<String, Value>) -> String {
    let resource = described.resource;
    let builtin = types::definition(&resource.group, &resource.version, &resource.kind);
    let name = builtin.clone().unwrap_or_else(|| custom_name(described));
    let mut schema = match (described.schema, builtin) {
        (Some(schema), _) => custom(schema, schemas),
        (None, Some(builtin)) => {
            refer(&builtin, schemas);
            schemas.remove(&builtin).unwrap_or_default()
        }
        (None, None) => custom(&json!({"type": "object"}), schemas),
    };
    schema[KINDS] = json!([group_version_kind(resource, &resource.kind)]);
    schemas.insert(name.clone(), schema);
    refer(LIST_META, schemas);
    schemas.insert(format!("{name}List"), list(described, &name));
    name
}

/// `example.a.v1.Widget`: the group backwards, as Kubernetes names them.
fn custom_name(described: &Described<'_>) -> String {
    let resource = described.resource;
    let mut parts: Vec<&str> = resource.group.split('.').rev().collect();
    parts.extend([resource.version.as_str(), resource.kind.as_str()]);
    parts.join(".")
}

fn list(described: &Described<'_>, name: &str) -> Value {
    let resource = described.resource;
    json!({
        "description": format!("A list of {}.", resource.kind),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"description": API_VERSION, "type": "string"},
            "kind": {"description": KIND, "type": "string"},
            "metadata": referring(LIST_META, &json!({"description": "Where the list stands among all versions."})),
            "items": {"description": format!("The objects of kind {}.", resource.kind), "type": "array", "items": referring(name, &json!({}))},
        },
        KINDS: [group_version_kind(resource, &resource.list_kind)],
    })
}

const API_VERSION: &str = "The API version the object is written in.";
const KIND: &str = "The kind of object.";

/// A custom schema with the fields every object has.
fn custom(schema: &Value, schemas: &mut Map<String, Value>) -> Value {
    refer(types::OBJECT_META, schemas);
    let mut schema = schema.clone();
    if !schema["properties"].is_object() {
        schema["properties"] = json!({});
    }
    for (name, description) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        if schema["properties"].get(name).is_none() {
            schema["properties"][name] = json!({"description": description, "type": "string"});
        }
    }
    let described = json!({"description": "Name and standard metadata."});
    schema["properties"]["metadata"] = referring(types::OBJECT_META, &described);
    schema
}

/// A reference; with something said beside it only `allOf` allows that.
fn referring(name: &str, beside: &Value) -> Value {
    let reference = json!({"$ref": format!("{REFERENCE}{name}")});
    if *beside == json!({}) {
        return reference;
    }
    let mut schema = beside.clone();
    schema["allOf"] = json!([reference]);
    schema
}

/// Adds a built-in definition and all it refers to.
fn refer(name: &str, schemas: &mut Map<String, Value>) {
    if schemas.contains_key(name) {
        return;
    }
    let Some(definition) = types::definitions().get(name) else {
        return;
    };
    schemas.insert(name.to_owned(), Value::Null);
    let definition = resolved(definition, schemas);
    schemas.insert(name.to_owned(), definition);
}

/// A definition whose references are those of a document. What it refers to is added.
fn resolved(definition: &Value, schemas: &mut Map<String, Value>) -> Value {
    let Some(fields) = definition.as_object() else {
        return definition.clone();
    };
    if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
        refer(name, schemas);
        let beside: Map<String, Value> = fields
            .iter()
            .filter(|(key, _)| *key != "$ref")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        return referring(name, &Value::Object(beside));
    }
    let mut out = fields.clone();
    for below in ["items", "additionalProperties"] {
        if let Some(schema) = fields.get(below) {
            out.insert(below.to_owned(), resolved(schema, schemas));
        }
    }
    if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
        let properties: Map<String, Value> = properties
            .iter()
            .map(|(name, schema)| (name.clone(), resolved(schema, schemas)))
            .collect();
        out.insert("properties".to_owned(), Value::Object(properties));
    }
    Value::Object(out)
}
