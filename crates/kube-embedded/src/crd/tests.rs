//! Definitions and what a real API server says of them.

use serde_json::json;

use super::*;

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.a.example"},
        "spec": {
            "group": "a.example", "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "shortNames": ["wd"], "categories": ["all"]},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    })
}

/// The standard definition with one place replaced (or taken away by null).
fn with(pointer: &str, value: Value) -> Value {
    let mut crd = definition();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match crd.pointer_mut(parent).unwrap() {
        Value::Object(fields) if value.is_null() => {
            fields.remove(key);
        }
        Value::Object(fields) => {
            fields.insert(key.to_owned(), value);
        }
        Value::Array(entries) => entries[key.parse::<usize>().unwrap()] = value,
        _ => unreachable!("a scalar has no parts"),
    }
    crd
}

fn said(crd: &Value, old: Option<&Value>) -> Vec<String> {
    let mut crd = crd.clone();
    default_in(&mut crd);
    check(&crd, old).iter().map(ToString::to_string).collect()
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "so that a table line reads json!(…)"
)]
fn refuses(pointer: &str, value: Value, expected: &[&str]) {
    let found = said(&with(pointer, value.clone()), None);
    let matches = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.starts_with(expected));
    assert!(
        matches,
        "{pointer} = {value}\n found {found:#?}\n expected {expected:#?}"
    );
}

/// What is said of a property of the schema, placed below it.
fn schema_refused(schema: &str, expected: &[&str]) {
    let field: Value = serde_yaml_ng::from_str(schema).unwrap();
    let root = json!({"type": "object", "properties": {"f": field}});
    let crd = with("/spec/versions/0/schema/openAPIV3Schema", root);
    let found: Vec<String> = said(&crd, None)
        .iter()
        .map(|words| words.replace("spec.versions[0].schema.openAPIV3Schema.properties[f]", ""))
        .collect();
    let matches = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.starts_with(expected));
    assert!(
        matches,
        "{schema}\n found {found:#?}\n expected {expected:#?}"
    );
}

#[test]
fn what_may_be_left_out_is_filled_in() {
    let mut crd = definition();
    default_in(&mut crd);
    assert_eq!(crd["spec"]["names"]["singular"], "widget");
    assert_eq!(crd["spec"]["names"]["listKind"], "WidgetList");
    assert_eq!(crd["spec"]["conversion"], json!({"strategy": "None"}));
    assert_eq!(said(&definition(), None), [""; 0]);
}

#[test]
fn names_must_be_names() {
    refuses(
        "/metadata/name",
        json!("other.a.example"),
        &[
            "metadata.name: Invalid value: \"other.a.example\": must be spec.names.plural+\".\"+spec.group",
        ],
    );
    refuses(
        "/spec/group",
        Value::Null,
        &["metadata.name: Invalid value", "spec.group: Required value"],
    );
    refuses(
        "/spec/group",
        json!("example"),
        &[
            "metadata.name: Invalid value",
            "spec.group: Invalid value: \"example\": should be a domain with at least one dot",
        ],
    );
    refuses(
        "/spec/group",
        json!("A.example"),
        &[
            "metadata.name: Invalid value",
            "spec.group: Invalid value: \"A.example\": a lowercase RFC 1123 subdomain",
        ],
    );
}

#[test]
fn what_a_kind_is_called_must_be_labels() {
    refuses(
        "/spec/names/plural",
        Value::Null,
        &[
            "metadata.name: Invalid value",
            "spec.names.plural: Required value",
        ],
    );
    refuses(
        "/spec/names/plural",
        json!("Widgets"),
        &[
            "metadata.name: Invalid value",
            "spec.names.plural: Invalid value: \"Widgets\": a DNS-1035 label",
        ],
    );
    refuses(
        "/spec/names/singular",
        json!("a_b"),
        &["spec.names.singular: Invalid value: \"a_b\": a DNS-1035 label"],
    );
    refuses(
        "/spec/names/kind",
        json!("Wid get"),
        &[
            "spec.names.singular: Invalid value: \"wid get\"",
            "spec.names.kind: Invalid value: \"Wid get\": may have mixed case, but should otherwise match: a DNS-1035 label",
            "spec.names.listKind: Invalid value",
        ],
    );
    refuses(
        "/spec/names/listKind",
        json!("Widget"),
        &["spec.names.listKind: Invalid value: \"Widget\": kind and listKind may not be the same"],
    );
    refuses(
        "/spec/names/shortNames",
        json!(["1x"]),
        &["spec.names.shortNames[0]: Invalid value: \"1x\""],
    );
    refuses(
        "/spec/names/categories",
        json!([""]),
        &["spec.names.categories[0]: Required value"],
    );
}

#[test]
fn scope_conversion_and_pruning_are_closed_choices() {
    refuses("/spec/scope", Value::Null, &["spec.scope: Required value"]);
    refuses(
        "/spec/scope",
        json!("Galaxy"),
        &[
            "spec.scope: Unsupported value: \"Galaxy\": supported values: \"Cluster\", \"Namespaced\"",
        ],
    );
    refuses(
        "/spec/conversion",
        json!({"strategy": "Webhook"}),
        &["spec.conversion.strategy: Unsupported value: \"Webhook\": supported values: \"None\""],
    );
    refuses(
        "/spec/conversion",
        json!({"strategy": "None", "webhook": {}}),
        &[
            "spec.conversion.webhook: Forbidden: should not be set when strategy is not set to Webhook",
        ],
    );
    refuses(
        "/spec/preserveUnknownFields",
        json!(true),
        &["spec.preserveUnknownFields: Invalid value: true: cannot set to true"],
    );
}

#[test]
fn exactly_one_version_is_stored_and_each_has_a_schema() {
    let version = |name: &str, storage: bool| json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object"}}});
    refuses(
        "/spec/versions",
        json!([]),
        &[
            "spec.versions: Invalid value: []: must have exactly one version marked as storage version",
        ],
    );
    refuses(
        "/spec/versions",
        json!([version("v1", true), version("v2", true)]),
        &["spec.versions: Invalid value: [\"v1\",\"v2\"]: must have exactly one"],
    );
    refuses(
        "/spec/versions",
        json!([version("v1", true), version("v1", false)]),
        &["spec.versions: Invalid value: [\"v1\",\"v1\"]: must contain unique version names"],
    );
    refuses(
        "/spec/versions/0/name",
        json!("V1"),
        &["spec.versions[0].name: Invalid value: \"V1\": a DNS-1035 label"],
    );
    refuses(
        "/spec/versions/0/schema",
        Value::Null,
        &["spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"],
    );
    refuses(
        "/spec/versions/0/deprecationWarning",
        json!("old"),
        &[
            "spec.versions[0].deprecationWarning: Invalid value: \"old\": can only be set for deprecated versions",
        ],
    );
}

#[test]
fn the_root_is_a_typed_object() {
    let root = |schema: Value, expected: &[&str]| {
        refuses("/spec/versions/0/schema/openAPIV3Schema", schema, expected);
    };
    root(
        json!({}),
        &[
            "spec.versions[0].schema.openAPIV3Schema.type: Required value: must not be empty at the root",
        ],
    );
    root(
        json!({"type": "array", "items": {"type": "string"}}),
        &[
            "spec.versions[0].schema.openAPIV3Schema.type: Invalid value: \"array\": must be object at the root",
        ],
    );
    root(
        json!({"type": "object", "nullable": true}),
        &[
            "spec.versions[0].schema.openAPIV3Schema.nullable: Forbidden: nullable cannot be true at the root",
        ],
    );
    root(
        json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}}}),
        &[],
    );
    root(
        json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}),
        &[
            "spec.versions[0].schema.openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
        ],
    );
}

#[test]
fn every_place_is_typed_and_nothing_contradicts() {
    schema_refused("{type: string}", &[]);
    schema_refused(
        "{description: x}",
        &[".type: Required value: must not be empty for specified object fields"],
    );
    schema_refused(
        "{type: array}",
        &[".items: Required value: must be specified"],
    );
    schema_refused(
        "{type: array, items: {}}",
        &[".items.type: Required value: must not be empty for specified array items"],
    );
    schema_refused(
        "{type: array, items: [{type: string}]}",
        &[".items: Forbidden: items must be a schema object and not an array"],
    );
    schema_refused("{type: text}", &[".type: Unsupported value: \"text\""]);
    schema_refused(
        "{type: object, additionalProperties: false}",
        &[".additionalProperties: Forbidden: additionalProperties cannot be set to false"],
    );
    schema_refused(
        "{type: object, properties: {a: {type: string}}, additionalProperties: {type: string}}",
        &[
            ".additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ],
    );
    schema_refused(
        "{type: array, uniqueItems: true, items: {type: string}}",
        &[".uniqueItems: Forbidden: uniqueItems cannot be set to true"],
    );
    schema_refused(
        "{type: object, definitions: {a: {}}}",
        &[".definitions: Forbidden: definitions is not supported"],
    );
    schema_refused(
        "{type: object, patternProperties: {a: {}}}",
        &[".patternProperties: Forbidden: patternProperties is not supported"],
    );
    schema_refused(
        "{type: string, pattern: '['}",
        &[".pattern: Invalid value: \"[\": must be a valid regular expression"],
    );
}

#[test]
fn kubernetes_extensions_stand_where_they_make_sense() {
    schema_refused("{x-kubernetes-int-or-string: true}", &[]);
    schema_refused(
        "{x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}",
        &[],
    );
    schema_refused(
        "{type: string, x-kubernetes-int-or-string: true}",
        &[".type: Invalid value: \"string\": must be empty if x-kubernetes-int-or-string is true"],
    );
    schema_refused("{x-kubernetes-preserve-unknown-fields: true}", &[]);
    schema_refused(
        "{type: object, x-kubernetes-preserve-unknown-fields: false}",
        &[".x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined"],
    );
    schema_refused(
        "{type: object, x-kubernetes-embedded-resource: true}",
        &[
            ".properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without",
        ],
    );
    schema_refused(
        "{type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}",
        &[],
    );
    schema_refused(
        "{type: object, x-kubernetes-map-type: odd}",
        &[
            ".x-kubernetes-map-type: Unsupported value: \"odd\": supported values: \"atomic\", \"granular\"",
        ],
    );
    schema_refused(
        "{type: string, x-kubernetes-map-type: atomic}",
        &[".type: Invalid value: \"string\": must be object if x-kubernetes-map-type is specified"],
    );
}

#[test]
fn lists_say_how_they_merge() {
    let map = |rest: &str| format!("{{type: array, x-kubernetes-list-type: map, {rest}}}");
    schema_refused(
        "{type: array, x-kubernetes-list-type: odd, items: {type: string}}",
        &[
            ".x-kubernetes-list-type: Unsupported value: \"odd\": supported values: \"atomic\", \"map\", \"set\"",
        ],
    );
    schema_refused(
        "{type: string, x-kubernetes-list-type: set}",
        &[".type: Invalid value: \"string\": must be array if x-kubernetes-list-type is specified"],
    );
    schema_refused(
        "{type: array, x-kubernetes-list-type: set, items: {type: string}}",
        &[],
    );
    schema_refused(
        "{type: array, x-kubernetes-list-type: set, items: {type: object}}",
        &[
            ".items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set",
        ],
    );
    schema_refused(
        &map(
            "x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string}}}",
        ),
        &[],
    );
    schema_refused(
        &map(
            "x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: string, default: x}}}",
        ),
        &[],
    );
    schema_refused(
        &map("items: {type: object}"),
        &[
            ".x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ],
    );
    schema_refused(
        &map("x-kubernetes-list-map-keys: [k], items: {type: object}"),
        &[
            ".x-kubernetes-list-map-keys: Invalid value: [\"k\"]: entries must all be names of item properties",
        ],
    );
    schema_refused(
        &map(
            "x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: string}}}",
        ),
        &[
            ".items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys",
        ],
    );
    schema_refused(
        &map(
            "x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: object}}}",
        ),
        &[".items.properties[k].type: Invalid value: \"object\": must be a scalar type"],
    );
    schema_refused(
        "{type: array, x-kubernetes-list-map-keys: [k], items: {type: string}}",
        &[
            ".x-kubernetes-list-map-keys: Invalid value: [\"k\"]: must be empty if x-kubernetes-list-type is not map",
        ],
    );
}

#[test]
fn alternatives_only_narrow() {
    schema_refused(
        "{type: object, properties: {a: {type: string}}, oneOf: [{required: [a]}, {properties: {a: {minLength: 2}}}]}",
        &[],
    );
    schema_refused(
        "{type: object, anyOf: [{type: object}]}",
        &[".anyOf[0].type: Forbidden: must be empty to be structural"],
    );
    schema_refused(
        "{type: object, allOf: [{properties: {a: {minLength: 1}}}]}",
        &[".properties[a]: Required value: because it is defined in .allOf[0].properties[a]"],
    );
    schema_refused(
        "{type: string, not: {default: x}}",
        &[".not.default: Forbidden: must be undefined to be structural"],
    );
    schema_refused(
        "{type: string, oneOf: [{nullable: true}]}",
        &[".oneOf[0].nullable: Forbidden: must be false to be structural"],
    );
}

#[test]
fn defaults_fit_their_own_schema() {
    schema_refused("{type: integer, default: 5}", &[]);
    schema_refused(
        "{type: integer, default: x}",
        &[".default: Invalid value: \"string\": default in body must be of type integer"],
    );
    schema_refused(
        "{type: string, enum: [a], default: b}",
        &[".default: Unsupported value: \"b\": supported values: \"a\""],
    );
    schema_refused(
        "{type: object, default: {b: 1}, properties: {a: {type: string}}}",
        &[".default: Invalid value: {\"b\":1}: must not have unknown fields"],
    );
    schema_refused(
        "{type: object, default: {}, properties: {a: {type: string, default: x}}, required: [a]}",
        &[],
    );
    schema_refused(
        "{type: object, default: {}, properties: {a: {type: string}}, required: [a]}",
        &[".default.a: Required value"],
    );
}

#[test]
fn rules_compile() {
    schema_refused(
        "{type: integer, x-kubernetes-validations: [{rule: self > 0}]}",
        &[],
    );
    schema_refused(
        "{type: integer, x-kubernetes-validations: [{rule: 'self >'}]}",
        &[".x-kubernetes-validations[0].rule: Invalid value: \"self >\": compilation failed"],
    );
    schema_refused(
        "{type: integer, x-kubernetes-validations: [{rule: 'true', messageExpression: \"'\"}]}",
        &[
            ".x-kubernetes-validations[0].messageExpression: Invalid value: \"'\": compilation failed",
        ],
    );
}

#[test]
fn columns_selectable_fields_and_scale_point_somewhere() {
    refuses(
        "/spec/versions/0/additionalPrinterColumns",
        json!([{"name": "C", "type": "odd", "jsonPath": ".a"}]),
        &["spec.versions[0].additionalPrinterColumns[0].type: Invalid value: \"odd\""],
    );
    refuses(
        "/spec/versions/0/selectableFields",
        json!([{"jsonPath": ".spec.x"}]),
        &[
            "spec.versions[0].selectableFields[0].jsonPath: Invalid value: \".spec.x\": is an invalid path: does not refer to a valid field",
        ],
    );
    refuses(
        "/spec/versions/0/selectableFields",
        json!([{"jsonPath": ".metadata.name"}]),
        &[
            "spec.versions[0].selectableFields[0].jsonPath: Invalid value: \".metadata.name\": must not point to fields in metadata",
        ],
    );
    let selecting = json!({"name": "v1", "served": true, "storage": true, "selectableFields": [{"jsonPath": ".spec.x"}, {"jsonPath": ".spec.o"}, {"jsonPath": ".spec.x"}],
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"x": {"type": "string"}, "o": {"type": "object"}}}}}}});
    refuses(
        "/spec/versions/0",
        selecting,
        &[
            "spec.versions[0].selectableFields[1].jsonPath: Invalid value: \".spec.o\": must point to a field of type",
            "spec.versions[0].selectableFields[2].jsonPath: Duplicate value: \".spec.x\"",
        ],
    );
    refuses(
        "/spec/versions/0/subresources",
        json!({"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}}),
        &[],
    );
    refuses(
        "/spec/versions/0/subresources",
        json!({"scale": {"specReplicasPath": ".status.replicas", "labelSelectorPath": ".x"}}),
        &[
            "spec.versions[0].subresources.scale.specReplicasPath: Invalid value: \".status.replicas\": should be a json path under .spec",
            "spec.versions[0].subresources.scale.statusReplicasPath: Required value",
            "spec.versions[0].subresources.scale.labelSelectorPath: Invalid value: \".x\": should be a json path under .spec or .status",
        ],
    );
}

#[test]
fn some_things_cannot_be_changed() {
    let mut old = definition();
    default_in(&mut old);
    old["status"] = json!({"storedVersions": ["v1", "v1beta1"]});
    let found = said(&with("/spec/scope", json!("Cluster")), Some(&old));
    assert_eq!(
        found[0],
        "spec.scope: Invalid value: \"Cluster\": field is immutable"
    );
    assert!(found[1].starts_with("status.storedVersions[1]: Invalid value: \"v1beta1\": missing from spec.versions; v1beta1 was previously a storage version"));
    assert_eq!(found.len(), 2);
}
