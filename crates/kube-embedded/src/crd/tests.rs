//! Definitions and what a real API server says of them.

mod schemas;

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
        &["spec.names.categories[0]: Invalid value: \"\": a DNS-1035 label"],
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
        &[
            "spec.conversion.strategy: Forbidden: this server calls no webhooks; only None is supported",
        ],
    );
    refuses(
        "/spec/conversion",
        json!({"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}}),
        &[
            "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
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
            "status.storedVersions: Invalid value: null: must have at least one stored version",
        ],
    );
    refuses(
        "/spec/versions",
        json!([version("v1", true), version("v2", true)]),
        &[
            "spec.versions: Invalid value: [{\"Name\":\"v1\",",
            "status.storedVersions: Invalid value: [\"v1\"]: must have the storage version v2",
        ],
    );
    refuses(
        "/spec/versions",
        json!([version("v1", true), version("v1", false)]),
        &["spec.versions: Invalid value: [{\"Name\":\"v1\","],
    );
    refuses(
        "/spec/versions/0/name",
        json!("V1"),
        &[
            "spec.versions[0].name: Invalid value: \"V1\": a DNS-1035 label",
            "spec.version: Invalid value: \"V1\": a DNS-1035 label",
        ],
    );
    refuses(
        "/spec/versions/0/schema",
        Value::Null,
        &["spec.versions[0].schema.openAPIV3Schema: Required value"],
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
        &["spec.validation.openAPIV3Schema.type: Required value: must not be empty at the root"],
    );
    root(
        json!({"type": "array", "items": {"type": "string"}}),
        &[
            "spec.validation.openAPIV3Schema.type: Invalid value: \"array\": must be object at the root",
        ],
    );
    root(
        json!({"type": "object", "nullable": true}),
        &[
            "spec.validation.openAPIV3Schema.nullable: Forbidden: nullable cannot be true at the root",
        ],
    );
    root(
        json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}}}),
        &[],
    );
    root(
        json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}),
        &[
            "spec.validation.openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
        ],
    );
}

#[test]
fn columns_selectable_fields_and_scale_point_somewhere() {
    refuses(
        "/spec/versions/0/additionalPrinterColumns",
        json!([{"name": "C", "type": "odd", "jsonPath": ".a"}]),
        &["spec.additionalPrinterColumns[0].type: Invalid value: \"odd\""],
    );
    refuses(
        "/spec/versions/0/selectableFields",
        json!([{"jsonPath": ".spec.x"}]),
        &[
            "spec.selectableFields[0].jsonPath: Invalid value: \".spec.x\": is an invalid path: does not refer to a valid field",
        ],
    );
    refuses(
        "/spec/versions/0/selectableFields",
        json!([{"jsonPath": ".metadata.name"}]),
        &[
            "spec.selectableFields[0].jsonPath: Invalid value: \".metadata.name\": is an invalid path: does not refer to a valid field",
        ],
    );
    let selecting = json!({"name": "v1", "served": true, "storage": true, "selectableFields": [{"jsonPath": ".spec.x"}, {"jsonPath": ".spec.o"}, {"jsonPath": ".spec.x"}],
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"x": {"type": "string"}, "o": {"type": "object"}}}}}}});
    refuses(
        "/spec/versions/0",
        selecting,
        &[
            "spec.selectableFields[1].jsonPath: Invalid value: \".spec.o\": must point to a field of type",
            "spec.selectableFields[2].jsonPath: Duplicate value: \".spec.x\"",
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
            "spec.subresources.scale.specReplicasPath: Invalid value: \".status.replicas\": should be a json path under .spec",
            "spec.subresources.scale.statusReplicasPath: Required value",
            "spec.subresources.scale.labelSelectorPath: Invalid value: \".x\": should be a json path under either .spec or .status",
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

#[test]
fn odd_formats_and_sets_are_warned_of() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "format": "invented"},
        "b": {"type": "integer", "format": "int64"},
        "c": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object", "x-kubernetes-map-type": "atomic"}}}});
    let found = warnings(&with("/spec/versions/0/schema/openAPIV3Schema", schema));
    assert_eq!(
        found,
        [
            "unrecognized format \"invented\"",
            "x-kubernetes-list-type: set for items of type \"object\" is not supported by server-side apply or CEL validation rules"
        ]
    );
    assert_eq!(warnings(&definition()), [""; 0]);
}
