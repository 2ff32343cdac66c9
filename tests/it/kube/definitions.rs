//! Room: what a definition must be before it is taken.

use serde_json::{Value, json};

use super::sequence::{Sequence, seq, things, yaml};

const FORMS: &str = r"
- {type: string}
- {description: x}
- {type: array}
- {type: array, items: {}}
- {type: array, items: [{type: string}]}
- {type: text}
- {type: object, additionalProperties: false}
- {type: object, properties: {a: {type: string}}, additionalProperties: {type: string}}
- {type: object, properties: {a: {type: string}}, additionalProperties: true}
- {type: array, uniqueItems: true, items: {type: string}}
- {type: object, definitions: {a: {type: string}}}
- {type: object, dependencies: {a: [b]}}
- {type: object, patternProperties: {a: {type: string}}}
- {type: array, items: {type: string}, additionalItems: true}
- {type: object, $ref: 'x'}
- {type: object, id: x}
- {type: string, pattern: '['}
- {type: string, minLength: 5, maxLength: 3}
- {type: string, format: invented}
- {type: string, enum: []}
- {type: integer, multipleOf: 0}
- {type: integer, minLength: -1}
- {type: string, nullable: true, enum: [a]}
- {type: integer, exclusiveMinimum: true}
";

const EXTENSIONS: &str = r"
- {x-kubernetes-int-or-string: true}
- {type: string, x-kubernetes-int-or-string: true}
- {x-kubernetes-preserve-unknown-fields: true}
- {type: object, x-kubernetes-preserve-unknown-fields: false}
- {type: string, x-kubernetes-preserve-unknown-fields: true}
- {type: object, x-kubernetes-embedded-resource: true}
- {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
- {type: string, x-kubernetes-embedded-resource: true}
";

const LISTS: &str = r"
- {type: object, x-kubernetes-map-type: odd}
- {type: string, x-kubernetes-map-type: atomic}
- {type: array, x-kubernetes-list-type: odd, items: {type: string}}
- {type: string, x-kubernetes-list-type: set}
- {type: array, x-kubernetes-list-type: set, items: {type: string}}
- {type: array, x-kubernetes-list-type: set, items: {type: object}}
- {type: array, x-kubernetes-list-type: set, items: {type: object, x-kubernetes-map-type: atomic}}
- {type: array, x-kubernetes-list-type: set, items: {type: array, items: {type: string}}}
- {type: array, x-kubernetes-list-type: set, items: {type: array, x-kubernetes-list-type: set, items: {type: string}}}
- {type: array, x-kubernetes-list-type: set, items: {type: string, nullable: true}}
- {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string}}}}
- {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: string, default: x}}}}
- {type: array, x-kubernetes-list-type: map, items: {type: object}}
- {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object}}
- {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: string}}
- {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: string}}}}
- {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k, k], items: {type: object, required: [k], properties: {k: {type: string}}}}
- {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: object}}}}
- {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], nullable: true, properties: {k: {type: string}}}}
- {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string, nullable: true}}}}
- {type: array, x-kubernetes-list-map-keys: [k], items: {type: string}}
- {type: string, allOf: [{x-kubernetes-list-type: set, x-kubernetes-preserve-unknown-fields: true, x-kubernetes-int-or-string: true, x-kubernetes-embedded-resource: true, x-kubernetes-map-type: atomic}]}
";

const COMBINATIONS: &str = r"
- {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
- {x-kubernetes-int-or-string: true, anyOf: [{type: string}, {type: integer}]}
- {x-kubernetes-int-or-string: true, allOf: [{anyOf: [{type: integer}, {type: string}]}]}
- {type: object, properties: {a: {type: string}}, oneOf: [{required: [a]}, {properties: {a: {minLength: 2}}}]}
- {type: object, anyOf: [{type: object}]}
- {type: object, allOf: [{properties: {a: {minLength: 1}}}]}
- {type: object, allOf: [{items: {minLength: 1}}]}
- {type: string, not: {default: x}}
- {type: string, oneOf: [{nullable: true}]}
- {type: string, allOf: [{description: x, title: y}]}
- {type: object, anyOf: [{additionalProperties: {minLength: 1}}]}
- {type: object, additionalProperties: {type: string}, anyOf: [{additionalProperties: {minLength: 1}}]}
- {type: string, allOf: [{anyOf: [{type: string}]}]}
";

const DEFAULTS: &str = r"
- {type: integer, default: 5}
- {type: integer, default: x}
- {type: string, enum: [a], default: b}
- {type: object, default: {b: 1}, properties: {a: {type: string}}}
- {type: object, default: {}, properties: {a: {type: string, default: x}}, required: [a]}
- {type: object, default: {}, properties: {a: {type: string}}, required: [a]}
- {type: array, default: [1], items: {type: string}}
";

const RULES: &str = r#"
- {type: integer, x-kubernetes-validations: [{rule: self > 0}]}
- {type: integer, x-kubernetes-validations: [{rule: 'self >'}]}
- {type: integer, x-kubernetes-validations: [{rule: ''}]}
- {type: integer, x-kubernetes-validations: [{rule: self.foo}]}
- {type: integer, x-kubernetes-validations: [{rule: self + 1}]}
- {type: integer, x-kubernetes-validations: [{rule: 'true', reason: Odd}]}
- {type: integer, x-kubernetes-validations: [{rule: 'true', messageExpression: "'"}]}
- {type: integer, x-kubernetes-validations: [{rule: 'true', message: "a\nb"}]}
- {type: integer, x-kubernetes-validations: [{rule: "true\n&& true"}]}
- {type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: 'true', fieldPath: .b}]}
- {type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: 'true', fieldPath: .a}]}
- {type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: 'true', fieldPath: 'a['}]}
- {type: integer, allOf: [{x-kubernetes-validations: [{rule: self > 0}]}]}
"#;

/// Schemas of one field.
const TABLES: [(&str, &str); 6] = [
    (
        "a schema says a type everywhere and uses no forbidden word",
        FORMS,
    ),
    ("each extension is used where it makes sense", EXTENSIONS),
    ("a list type and its keys fit the items", LISTS),
    (
        "a combination constrains and describes nothing",
        COMBINATIONS,
    ),
    ("a default fits its own schema", DEFAULTS),
    ("a rule must compile when it is written down", RULES),
];

const NAMES: &str = r#"
- [/metadata/name, "other.example"]
- [/spec/group, null]
- [/spec/group, "example"]
- [/spec/group, "A.example"]
- [/spec/names/plural, null]
- [/spec/names/plural, "Widgets"]
- [/spec/names/singular, "a_b"]
- [/spec/names/kind, "Wid get"]
- [/spec/names/kind, null]
- [/spec/names/listKind, "Thing"]
- [/spec/names/shortNames, ["1x"]]
- [/spec/names/categories, [""]]
- [/spec/scope, null]
- [/spec/scope, "Galaxy"]
"#;

const VERSIONS: &str = r#"
- [/spec/versions, []]
- [/spec/versions/0/name, "V1"]
- [/spec/versions/0/schema, null]
- [/spec/versions/0/deprecationWarning, "old"]
- [/spec/versions/0/storage, false]
- [/spec/conversion, {"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}}]
- [/spec/conversion, {"strategy": "Odd"}]
- [/spec/preserveUnknownFields, true]
"#;

const COLUMNS: &str = r#"
- [/spec/versions/0/additionalPrinterColumns, [{"name": "C", "type": "odd", "jsonPath": ".a"}]]
- [/spec/versions/0/additionalPrinterColumns, [{}]]
- [/spec/versions/0/additionalPrinterColumns, [{"name": "C", "type": "string", "jsonPath": ".a["}]]
- [/spec/versions/0/additionalPrinterColumns, [{"name": "C", "type": "string", "jsonPath": "a"}]]
"#;

const SELECTABLE: &str = r#"
- [/spec/versions/0/selectableFields, [{"jsonPath": ".spec.y"}]]
- [/spec/versions/0/selectableFields, [{"jsonPath": ".metadata.name"}]]
- [/spec/versions/0/selectableFields, [{"jsonPath": ".spec.o"}]]
- [/spec/versions/0/selectableFields, [{"jsonPath": ".spec.x"}, {"jsonPath": ".spec.x"}]]
- [/spec/versions/0/selectableFields, [{"jsonPath": ".spec.x[0]"}]]
- [/spec/versions/0/selectableFields, [{}]]
"#;

const SCALE: &str = r#"
- [/spec/versions/0/subresources, {"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}}]
- [/spec/versions/0/subresources, {"scale": {"specReplicasPath": ".status.replicas", "labelSelectorPath": ".x"}}]
- [/spec/versions/0/subresources, {"scale": {"specReplicasPath": ".spec.replicas[0]", "statusReplicasPath": ".status.replicas"}}]
"#;

const ROOT: &str = r#"
- [/spec/versions/0/schema/openAPIV3Schema, {"type": "array", "items": {"type": "string"}}]
- [/spec/versions/0/schema/openAPIV3Schema, {}]
- [/spec/versions/0/schema/openAPIV3Schema, {"type": "object", "nullable": true}]
- [/spec/versions/0/schema/openAPIV3Schema, {"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}}}]
- [/spec/versions/0/schema/openAPIV3Schema, {"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}]
- [/spec/versions/0/schema/openAPIV3Schema, {"type": "object", "properties": {"metadata": {"type": "object", "required": ["labels"]}}}]
- [/spec/versions/0/schema/openAPIV3Schema, {"type": "object", "properties": {"apiVersion": {"type": "integer"}, "kind": {"type": "string", "enum": ["x"]}}}]
- [/spec/versions/0/schema/openAPIV3Schema, {"type": "object", "x-kubernetes-preserve-unknown-fields": true}]
"#;

/// Places in a good definition, and what is put there; null takes away.
const CHANGES: [(&str, &str); 6] = [
    ("a definition says what its kind is called", NAMES),
    ("a definition has one version that is stored", VERSIONS),
    ("a column is of a known type and has a path", COLUMNS),
    (
        "a selectable field is a scalar that the schema has",
        SELECTABLE,
    ),
    ("a scale has paths below spec and status", SCALE),
    (
        "the root of a schema is an object and leaves metadata alone",
        ROOT,
    ),
];

fn tried(sequence: Sequence, definition: Value) -> Sequence {
    sequence.post("{definitions}?dryRun=All", definition)
}

fn schemas(sentence: &str, table: &str) -> Sequence {
    let rows = yaml(table);
    let rows = rows.as_array().unwrap().iter();
    rows.fold(seq(sentence), |sequence, row| {
        let schema = json!({"type": "object", "properties": {"f": row}});
        let sequence = tried(sequence, things(schema));
        if row["pattern"] == "[" {
            return sequence.known("patterns");
        }
        sequence
    })
}

fn good() -> Value {
    things(
        json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "x": {"type": "string"}, "o": {"type": "object"}, "replicas": {"type": "integer"},
        }}}}),
    )
}

fn changes(sentence: &str, table: &str) -> Sequence {
    let rows = yaml(table);
    let rows = rows.as_array().unwrap().iter();
    rows.fold(seq(sentence), |sequence, row| {
        let mut definition = good();
        let (parent, name) = row[0].as_str().unwrap().rsplit_once('/').unwrap();
        let parent = definition
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap();
        match &row[1] {
            Value::Null => drop(parent.remove(name)),
            value => drop(parent.insert(name.to_owned(), value.clone())),
        }
        tried(sequence, definition)
    })
}

/// Two versions, the second changed.
fn two(field: &str, value: Value) -> Value {
    let mut definition = good();
    let first = definition.pointer("/spec/versions/0").unwrap().clone();
    let mut second = first.clone();
    second["name"] = json!("v2");
    second["storage"] = json!(false);
    second[field] = value;
    definition["spec"]["versions"] = json!([first, second]);
    definition
}

fn several() -> Vec<Sequence> {
    let bad =
        json!({"openAPIV3Schema": {"type": "object", "properties": {"a": {"type": "array"}}}});
    let sequence = seq("of two versions each is checked and one is stored");
    let versions = [
        two("storage", json!(true)),
        two("name", json!("v1")),
        two("schema", bad),
    ];
    vec![versions.into_iter().fold(sequence, tried)]
}

pub(super) fn sequences() -> Vec<Sequence> {
    let tables = TABLES
        .iter()
        .map(|(sentence, table)| schemas(sentence, table));
    let changes = CHANGES
        .iter()
        .map(|(sentence, table)| changes(sentence, table));
    tables.chain(changes).chain(several()).collect()
}
