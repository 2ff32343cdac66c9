//! What defaulting and pruning make of an object.

use super::*;

fn defaults(field: &str, value: &str, expected: &str) {
    let mut object = object_of(value);
    schema_of(field).default_in(&mut object);
    assert_eq!(object, object_of(expected), "{field} on {value}");
}

fn prunes(field: &str, value: &str, expected: &str, dropped: &[&str]) {
    let mut object = object_of(value);
    assert_eq!(
        schema_of(field).prune(&mut object),
        dropped,
        "{field} on {value}"
    );
    assert_eq!(object, object_of(expected), "{field} on {value}");
}

#[test]
fn missing_fields_get_their_defaults() {
    let field = "{type: object, properties: {a: {type: string, default: x}, b: {type: integer, default: 5}}}";
    defaults(field, "{}", "{a: x, b: 5}");
    defaults(field, "{a: y}", "{a: y, b: 5}");
    defaults(field, "{a: ''}", "{a: '', b: 5}");
    let nested = "{type: object, properties: {o: {type: object, default: {}, properties: {a: {type: string, default: x}}}}}";
    defaults(nested, "{}", "{o: {a: x}}");
    let deep = "{type: object, properties: {o: {type: object, properties: {a: {type: string, default: x}}}}}";
    defaults(deep, "{}", "{}");
    defaults(deep, "{o: {}}", "{o: {a: x}}");
    let list = "{type: array, items: {type: object, properties: {a: {type: string, default: x}}}}";
    defaults(list, "[{}, {a: y}]", "[{a: x}, {a: y}]");
    let map = "{type: object, additionalProperties: {type: object, properties: {a: {type: string, default: x}}}}";
    defaults(map, "{k: {}}", "{k: {a: x}}");
}

#[test]
fn a_null_is_a_default_where_null_means_nothing() {
    let field = "{type: object, properties: {a: {type: string, default: x}, b: {type: string}, c: {type: string, nullable: true, default: x}, d: {type: string, nullable: true}}}";
    defaults(field, "{a: null}", "{a: x, c: x}");
    defaults(field, "{a: y, b: null}", "{a: y, c: x}");
    defaults(
        field,
        "{a: y, c: null, d: null}",
        "{a: y, c: null, d: null}",
    );
    defaults(
        "{type: object, x-kubernetes-preserve-unknown-fields: true}",
        "{u: null}",
        "{u: null}",
    );
    defaults(
        "{type: array, items: {type: string, default: x}}",
        "[null, a]",
        "[x, a]",
    );
    defaults("{type: array, items: {type: string}}", "[null]", "[null]");
}

#[test]
fn unknown_fields_are_dropped_and_named() {
    let field = "{type: object, properties: {a: {type: string}}}";
    prunes(field, "{a: x}", "{a: x}", &[]);
    prunes(
        field,
        "{a: x, c: y, b: y}",
        "{a: x}",
        &["spec.f.b", "spec.f.c"],
    );
    prunes(
        "{type: array, items: {type: object, properties: {a: {type: string}}}}",
        "[{a: x}, {b: x}]",
        "[{a: x}, {}]",
        &["spec.f[1].b"],
    );
    prunes(
        "{type: object, additionalProperties: {type: object, properties: {a: {type: string}}}}",
        "{k: {a: x, b: x}}",
        "{k: {a: x}}",
        &["spec.f.k.b"],
    );
    prunes(
        "{type: object, additionalProperties: true}",
        "{k: x, l: {b: x}}",
        "{k: x, l: {}}",
        &["spec.f.l.b"],
    );
    prunes("{type: object}", "{a: {b: c}}", "{}", &["spec.f.a"]);
}

#[test]
fn fields_to_be_preserved_are_kept_and_known_ones_below_still_pruned() {
    let field = "{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: object, properties: {b: {type: string}}}}}";
    prunes(
        field,
        "{u: {v: w}, a: {b: x, c: y}}",
        "{u: {v: w}, a: {b: x}}",
        &["spec.f.a.c"],
    );
    prunes(
        "{x-kubernetes-preserve-unknown-fields: true}",
        "[{a: b}]",
        "[{a: b}]",
        &[],
    );
    prunes("{x-kubernetes-int-or-string: true}", "5", "5", &[]);
}

#[test]
fn metadata_keeps_its_own_fields_and_loses_others() {
    let mut object = yaml(
        "{apiVersion: a/v1, kind: A, extra: x, metadata: {name: a, labels: {any/key: v}, finalizers: [f], ownerReferences: [{apiVersion: v1, kind: B, name: b, uid: u, odd: 1}], odd: 1, creationTimestamp: null, managedFields: [{manager: m, fieldsV1: {'f:spec': {}}}]}}",
    );
    let schema = schema_of("{type: string}");
    assert_eq!(
        schema.prune(&mut object),
        ["extra", "metadata.odd", "metadata.ownerReferences[0].odd"]
    );
    schema.default_in(&mut object);
    assert_eq!(
        object,
        yaml(
            "{apiVersion: a/v1, kind: A, metadata: {name: a, labels: {any/key: v}, finalizers: [f], ownerReferences: [{apiVersion: v1, kind: B, name: b, uid: u}], managedFields: [{manager: m, fieldsV1: {'f:spec': {}}}]}}"
        )
    );
}

#[test]
fn an_embedded_object_keeps_its_identity() {
    let field = "{type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object, properties: {a: {type: string}}}}}";
    prunes(
        field,
        "{apiVersion: v1, kind: B, metadata: {name: b, odd: 1}, spec: {a: x, b: y}, status: {}}",
        "{apiVersion: v1, kind: B, metadata: {name: b}, spec: {a: x}}",
        &["spec.f.spec.b", "spec.f.status", "spec.f.metadata.odd"],
    );
}

#[test]
fn a_null_that_stands_for_nothing_is_found() {
    let field = "{type: object, properties: {a: {type: string}, n: {type: string, nullable: true}, d: {type: string, default: x}, l: {type: array, items: {type: object, properties: {b: {type: integer}}}}, free: {type: object, x-kubernetes-preserve-unknown-fields: true}, e: {x-kubernetes-int-or-string: true}}}";
    let found = |value: &str| -> Vec<String> {
        let causes = schema_of(field).misplaced_nulls(&object_of(value));
        causes.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        found("{a: x, n: null, d: null, free: {any: null}, e: null}"),
        [""; 0]
    );
    assert_eq!(
        found("{a: null, l: [{b: 1}, {b: null}]}"),
        [
            "spec.f.a: Invalid value: \"null\": spec.f.a in body must be of type string: \"null\"",
            "spec.f.l[1].b: Invalid value: \"null\": spec.f.l[1].b in body must be of type integer: \"null\"",
        ]
    );
    let with_time = yaml("{metadata: {creationTimestamp: null, name: a}}");
    assert_eq!(schema_of(field).misplaced_nulls(&with_time), []);
}
