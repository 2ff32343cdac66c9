//! From a schema as JSON to the compiled form. What a schema may say at all is `crd`'s question.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::formats::Format;
use super::node::{Additional, Bound, Kind, Limits, ListKind, Node, NodeId};
use super::{Schema, pattern, rules};
use crate::cause::Cause;
use crate::types;

/// Prefix of the references between built-in schemas.
const REFERENCE: &str = "#/components/schemas/";

pub(super) struct Compiler<'a> {
    nodes: Vec<Node>,
    named: HashMap<&'a str, NodeId>,
    definitions: &'a Map<String, Value>,
    causes: Vec<Cause>,
}

/// Compiles a custom type: its root gets `apiVersion`, `kind` and real object metadata.
pub(super) fn custom(schema: &Value) -> Result<Schema, Vec<Cause>> {
    let mut compiler = Compiler::new(types::definitions());
    let root = compiler.node(schema, "");
    compiler.make_resource(root, schema);
    compiler.finish(root)
}

/// Compiles a schema that describes no whole object.
pub(super) fn part(schema: &Value) -> Result<Schema, Vec<Cause>> {
    let mut compiler = Compiler::new(types::definitions());
    let root = compiler.node(schema, "");
    compiler.finish(root)
}

/// Compiles a built-in type by its definition's name. What it requires is checked where the kind is known: a missing
/// field of a built-in object is the empty one, as for any client written in Go.
pub(super) fn builtin(name: &str) -> Result<Schema, Vec<Cause>> {
    let mut compiler = Compiler::new(types::definitions());
    let root = compiler.reference(name, "");
    for node in &mut compiler.nodes {
        node.required.clear();
    }
    compiler.finish(root)
}

impl<'a> Compiler<'a> {
    fn new(definitions: &'a Map<String, Value>) -> Self {
        Self {
            nodes: Vec::new(),
            named: HashMap::new(),
            definitions,
            causes: Vec::new(),
        }
    }

    fn finish(self, root: NodeId) -> Result<Schema, Vec<Cause>> {
        if self.causes.is_empty() {
            Ok(Schema::new(self.nodes, root))
        } else {
            Err(self.causes)
        }
    }

    /// Compiles one schema object; `field` is where it stands in the whole schema.
    fn node(&mut self, schema: &'a Value, field: &str) -> NodeId {
        if let Some(name) = reference_of(schema) {
            return self.reference(name, field);
        }
        let id = self.reserve();
        let node = self.compile(schema, field);
        self.put(id, node);
        if schema["x-kubernetes-embedded-resource"] == Value::Bool(true) {
            self.make_resource(id, schema);
        }
        id
    }

    fn reserve(&mut self) -> NodeId {
        // A schema is at most some megabytes of JSON: far fewer nodes than u32 can count.
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node::default());
        id
    }

    fn put(&mut self, id: NodeId, node: Node) {
        self.nodes[id.0 as usize] = node;
    }

    /// The node of a named definition, compiled the first time it is met; so definitions may refer to themselves.
    fn reference(&mut self, name: &str, field: &str) -> NodeId {
        let Some((name, schema)) = self.definitions.get_key_value(name) else {
            let words = format!("{REFERENCE}{name}");
            self.causes.push(Cause::invalid(
                child(field, "$ref"),
                &words.into(),
                "unknown reference",
            ));
            return self.reserve();
        };
        if let Some(known) = self.named.get(name.as_str()) {
            return *known;
        }
        let id = self.reserve();
        self.named.insert(name, id);
        let node = self.compile(schema, field);
        self.put(id, node);
        id
    }

    fn compile(&mut self, schema: &'a Value, field: &str) -> Node {
        let kind = self.kind(schema, field);
        let (regex, pattern_text) = self.pattern(schema, field);
        Node {
            kind,
            nullable: flag(schema, "nullable"),
            int_or_string: flag(schema, "x-kubernetes-int-or-string"),
            preserve_unknown: flag(schema, "x-kubernetes-preserve-unknown-fields"),
            embedded: flag(schema, "x-kubernetes-embedded-resource"),
            properties: self.properties(schema, field),
            additional: self.additional(schema, field),
            items: self.child(schema, "items", field),
            default: schema
                .get("default")
                .filter(|default| !default.is_null())
                .cloned(),
            list: list_kind(schema),
            atomic_map: schema["x-kubernetes-map-type"] == "atomic",
            patch_key: text(schema, "x-kubernetes-patch-merge-key"),
            patch_merges: schema["x-kubernetes-patch-strategy"] == "merge",
            required: strings(schema, "required"),
            allowed: schema["enum"].as_array().cloned().unwrap_or_default(),
            format: schema["format"].as_str().and_then(Format::parse),
            format_text: schema["format"].as_str().unwrap_or_default().to_owned(),
            is_int32: schema["format"] == "int32",
            pattern: regex,
            pattern_text,
            limits: limits(schema),
            all_of: self.branches(schema, "allOf", field),
            any_of: self.branches(schema, "anyOf", field),
            one_of: self.branches(schema, "oneOf", field),
            not: self.child(schema, "not", field),
            rules: rules::compile(schema, field, &mut self.causes),
        }
    }

    fn kind(&mut self, schema: &Value, field: &str) -> Option<Kind> {
        let word = schema["type"].as_str().filter(|word| !word.is_empty())?;
        let kind = Kind::parse(word);
        if kind.is_none() {
            let supported = ["array", "boolean", "integer", "number", "object", "string"];
            self.causes.push(Cause::not_supported(
                child(field, "type"),
                &word.into(),
                &supported,
            ));
        }
        kind
    }

    fn pattern(&mut self, schema: &Value, field: &str) -> (Option<regex::Regex>, String) {
        let Some(text) = schema["pattern"].as_str().filter(|text| !text.is_empty()) else {
            return (None, String::new());
        };
        match pattern::compile(text) {
            Ok(regex) => (Some(regex), text.to_owned()),
            Err(error) => {
                let detail = format!(
                    "must be a valid regular expression, but isn't: error parsing regexp: {}",
                    last_line(&error.to_string())
                );
                self.causes.push(Cause::invalid(
                    child(field, "pattern"),
                    &text.into(),
                    &detail,
                ));
                (None, String::new())
            }
        }
    }

    fn properties(&mut self, schema: &'a Value, field: &str) -> BTreeMap<String, NodeId> {
        let Some(properties) = schema["properties"].as_object() else {
            return BTreeMap::new();
        };
        let mut compiled = BTreeMap::new();
        for (name, property) in properties {
            let below = format!("{}[{name}]", child(field, "properties"));
            compiled.insert(name.clone(), self.node(property, &below));
        }
        compiled
    }

    fn additional(&mut self, schema: &'a Value, field: &str) -> Additional {
        match &schema["additionalProperties"] {
            Value::Bool(true) => Additional::Anything,
            Value::Bool(false) => Additional::Forbidden,
            each @ Value::Object(_) => {
                Additional::Each(self.node(each, &child(field, "additionalProperties")))
            }
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Additional::Unknown
            }
        }
    }

    fn child(&mut self, schema: &'a Value, key: &str, field: &str) -> Option<NodeId> {
        let below = schema.get(key).filter(|below| below.is_object())?;
        Some(self.node(below, &child(field, key)))
    }

    fn branches(&mut self, schema: &'a Value, key: &str, field: &str) -> Vec<NodeId> {
        let Some(branches) = schema[key].as_array() else {
            return Vec::new();
        };
        let mut compiled = Vec::with_capacity(branches.len());
        for (at, branch) in branches.iter().enumerate() {
            let below = format!("{}[{at}]", child(field, key));
            compiled.push(self.node(branch, &below));
        }
        compiled
    }

    /// Makes a node a whole Kubernetes object. Of its own `metadata` schema only what it says of the names counts.
    fn make_resource(&mut self, id: NodeId, schema: &'a Value) {
        let names = &schema["properties"]["metadata"]["properties"];
        let standard = self.reference(types::OBJECT_META, "");
        let mut properties = self.nodes[standard.0 as usize].properties.clone();
        for name in ["name", "generateName"] {
            if let Some(constrained) = names.get(name) {
                let field = format!("properties[metadata].properties[{name}]");
                properties.insert(name.to_owned(), self.node(constrained, &field));
            }
        }
        let metadata = self.reserve();
        let node = Node {
            kind: Some(Kind::Object),
            properties,
            ..Node::default()
        };
        self.put(metadata, node);
        let word = self.reserve();
        let node = Node {
            kind: Some(Kind::String),
            ..Node::default()
        };
        self.put(word, node);
        let resource = &mut self.nodes[id.0 as usize];
        resource.properties.insert("metadata".to_owned(), metadata);
        for name in ["apiVersion", "kind"] {
            resource.properties.entry(name.to_owned()).or_insert(word);
        }
    }
}

fn reference_of(schema: &Value) -> Option<&str> {
    schema["$ref"]
        .as_str()
        .map(|full| full.strip_prefix(REFERENCE).unwrap_or(full))
}

fn child(field: &str, key: &str) -> String {
    if field.is_empty() {
        key.to_owned()
    } else {
        format!("{field}.{key}")
    }
}

fn flag(schema: &Value, key: &str) -> bool {
    schema[key] == Value::Bool(true)
}

fn text(schema: &Value, key: &str) -> Option<String> {
    schema[key].as_str().map(str::to_owned)
}

fn strings(schema: &Value, key: &str) -> Vec<String> {
    let words = schema[key].as_array().into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn list_kind(schema: &Value) -> ListKind {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => ListKind::Set,
        Some("map") => ListKind::Map(strings(schema, "x-kubernetes-list-map-keys")),
        _ => ListKind::Atomic,
    }
}

fn limits(schema: &Value) -> Limits {
    let bound = |at: &str, exclusive: &str| {
        schema[at].as_f64().map(|at| Bound {
            at,
            exclusive: flag(schema, exclusive),
        })
    };
    Limits {
        minimum: bound("minimum", "exclusiveMinimum"),
        maximum: bound("maximum", "exclusiveMaximum"),
        multiple_of: schema["multipleOf"].as_f64().filter(|step| *step > 0.0),
        min_length: schema["minLength"].as_u64(),
        max_length: schema["maxLength"].as_u64(),
        min_items: schema["minItems"].as_u64(),
        max_items: schema["maxItems"].as_u64(),
        min_properties: schema["minProperties"].as_u64(),
        max_properties: schema["maxProperties"].as_u64(),
    }
}

/// A regex error without the picture of where it is.
fn last_line(error: &str) -> String {
    let last = error.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
