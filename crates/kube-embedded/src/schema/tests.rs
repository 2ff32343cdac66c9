//! Schemas and objects as YAML, and what a real API server says of them.

mod rules;
mod shaping;

use serde_json::{Value, json};

use super::*;

pub(super) fn yaml(text: &str) -> Value {
    serde_yaml_ng::from_str(text).unwrap()
}

/// A custom type with one field `spec.f`.
pub(super) fn schema_of(field: &str) -> Schema {
    let root = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"f": yaml(field)}}}});
    Schema::compile(&root).unwrap()
}

pub(super) fn object_of(value: &str) -> Value {
    json!({"apiVersion": "a.example/v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"f": yaml(value)}})
}

fn said(schema: &Schema, object: &Value, old: Option<&Value>) -> Vec<String> {
    schema
        .validate(object, old)
        .iter()
        .map(ToString::to_string)
        .collect()
}

pub(super) fn accepts(field: &str, values: &[&str]) {
    let schema = schema_of(field);
    for value in values {
        assert_eq!(
            said(&schema, &object_of(value), None),
            [""; 0],
            "{field} should accept {value}"
        );
    }
}

pub(super) fn refuses(field: &str, value: &str, causes: &[&str]) {
    assert_eq!(
        said(&schema_of(field), &object_of(value), None),
        causes,
        "{field} on {value}"
    );
}

/// What an update from one value to another is told.
pub(super) fn updates(field: &str, old: &str, new: &str, causes: &[&str]) {
    let old = object_of(old);
    assert_eq!(
        said(&schema_of(field), &object_of(new), Some(&old)),
        causes,
        "{field} from {old} to {new}"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_both_types() {
    accepts("{type: string}", &["x", "''"]);
    accepts("{type: integer}", &["1", "-5", "1.0", "9007199254740993"]);
    accepts("{type: number}", &["1", "1.5", "-2e3"]);
    accepts("{type: boolean}", &["true", "false"]);
    accepts("{type: array, items: {type: string}}", &["[]", "[a]"]);
    accepts("{type: object}", &["{}"]);
    refuses(
        "{type: string}",
        "1",
        &["spec.f: Invalid value: \"integer\": spec.f in body must be of type string: \"integer\""],
    );
    refuses(
        "{type: integer}",
        "x",
        &["spec.f: Invalid value: \"string\": spec.f in body must be of type integer: \"string\""],
    );
    refuses(
        "{type: integer}",
        "1.5",
        &[
            "spec.f: Invalid value: \"number\": spec.f in body must be of type integer: \"number\"",
            "<nil>: Invalid value: \"\": Checked value must be of type integer (default format) in spec.f",
        ],
    );
    refuses(
        "{type: boolean}",
        "'true'",
        &["spec.f: Invalid value: \"string\": spec.f in body must be of type boolean: \"string\""],
    );
    refuses(
        "{type: object}",
        "[]",
        &["spec.f: Invalid value: \"array\": spec.f in body must be of type object: \"array\""],
    );
    refuses(
        "{type: array, items: {type: string}}",
        "{}",
        &["spec.f: Invalid value: \"object\": spec.f in body must be of type array: \"object\""],
    );
    refuses(
        "{type: string}",
        "null",
        &["spec.f: Invalid value: \"null\": spec.f in body must be of type string: \"null\""],
    );
    accepts("{type: string, nullable: true}", &["null", "x"]);
    refuses(
        "{type: string, nullable: true, enum: [a, null]}",
        "null",
        &["spec.f: Unsupported value: null: supported values: \"a\", \"null\""],
    );
    refuses(
        "{type: array, items: {type: object, properties: {n: {type: integer}}}}",
        "[{n: 1}, {n: x}]",
        &[
            "spec.f[1].n: Invalid value: \"string\": spec.f[1].n in body must be of type integer: \"string\"",
        ],
    );
    refuses(
        "{type: object, additionalProperties: {type: integer}}",
        "{a: 1, b: x}",
        &[
            "spec.f.b: Invalid value: \"string\": spec.f.b in body must be of type integer: \"string\"",
        ],
    );
}

#[test]
fn an_int_or_string_is_either() {
    let field = "{x-kubernetes-int-or-string: true}";
    accepts(field, &["1", "'50%'"]);
    refuses(
        field,
        "true",
        &[
            "spec.f: Invalid value: \"boolean\": spec.f in body must be of type integer,string: \"boolean\"",
        ],
    );
    refuses(
        field,
        "1.5",
        &[
            "spec.f: Invalid value: \"number\": spec.f in body must be of type integer,string: \"number\"",
        ],
    );
    let anyof = "{x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}";
    accepts(anyof, &["1", "x"]);
    let pattern = "{x-kubernetes-int-or-string: true, pattern: '^[0-9]+%$'}";
    accepts(pattern, &["1", "'50%'"]);
    refuses(
        pattern,
        "x",
        &["spec.f: Invalid value: \"x\": spec.f in body should match '^[0-9]+%$'"],
    );
}

#[test]
fn required_fields_are_asked_for_by_name() {
    let field =
        "{type: object, required: [a, b], properties: {a: {type: string}, b: {type: string}}}";
    accepts(field, &["{a: x, b: y}", "{a: '', b: ''}"]);
    refuses(field, "{a: x}", &["spec.f.b: Required value"]);
    refuses(
        field,
        "{}",
        &["spec.f.a: Required value", "spec.f.b: Required value"],
    );
    refuses(
        "{type: array, items: {type: object, required: [a], properties: {a: {type: string}}}}",
        "[{a: x}, {}]",
        &["spec.f[1].a: Required value"],
    );
}

#[test]
fn a_closed_set_lists_what_it_supports() {
    accepts("{type: string, enum: [a, b]}", &["a", "b"]);
    refuses(
        "{type: string, enum: [a, b]}",
        "c",
        &["spec.f: Unsupported value: \"c\": supported values: \"a\", \"b\""],
    );
    accepts("{type: integer, enum: [1, 2]}", &["1", "1.0"]);
    refuses(
        "{type: integer, enum: [1, 2]}",
        "3",
        &["spec.f: Unsupported value: 3: supported values: \"1\", \"2\""],
    );
    refuses(
        "{type: boolean, enum: [true]}",
        "false",
        &["spec.f: Unsupported value: false: supported values: \"true\""],
    );
    refuses(
        "{type: string, enum: ['']}",
        "a",
        &["spec.f: Unsupported value: \"a\": supported values: \"\""],
    );
}

#[test]
fn numbers_stay_within_their_bounds() {
    let field = "{type: integer, minimum: 1, maximum: 10}";
    accepts(field, &["1", "10"]);
    refuses(
        field,
        "0",
        &["spec.f: Invalid value: 0: spec.f in body should be greater than or equal to 1"],
    );
    refuses(
        field,
        "11",
        &["spec.f: Invalid value: 11: spec.f in body should be less than or equal to 10"],
    );
    let open =
        "{type: number, minimum: 0, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true}";
    accepts(open, &["0.5"]);
    refuses(
        open,
        "0",
        &["spec.f: Invalid value: 0: spec.f in body should be greater than 0"],
    );
    refuses(
        open,
        "1",
        &["spec.f: Invalid value: 1: spec.f in body should be less than 1"],
    );
    refuses(
        open,
        "1.25",
        &["spec.f: Invalid value: 1.25: spec.f in body should be less than 1"],
    );
    accepts("{type: integer, multipleOf: 5}", &["0", "5", "-10"]);
    refuses(
        "{type: integer, multipleOf: 5}",
        "7",
        &["spec.f: Invalid value: 7: spec.f in body should be a multiple of 5"],
    );
    refuses(
        "{type: number, maximum: 1000000}",
        "2000000",
        &["spec.f: Invalid value: 2000000: spec.f in body should be less than or equal to 1000000"],
    );
}

#[test]
fn strings_keep_their_length_pattern_and_format() {
    accepts(
        "{type: string, minLength: 1, maxLength: 3}",
        &["a", "abc", "äöü"],
    );
    refuses(
        "{type: string, minLength: 2}",
        "a",
        &["spec.f: Invalid value: \"a\": spec.f in body should be at least 2 chars long"],
    );
    refuses(
        "{type: string, maxLength: 3}",
        "abcd",
        &["spec.f: Too long: may not be more than 3 bytes"],
    );
    accepts("{type: string, pattern: '^[a-z]+$'}", &["abc"]);
    refuses(
        "{type: string, pattern: '^[a-z]+$'}",
        "A",
        &["spec.f: Invalid value: \"A\": spec.f in body should match '^[a-z]+$'"],
    );
    refuses(
        "{type: string, format: ipv4}",
        "x",
        &["spec.f: Invalid value: \"x\": spec.f in body must be of type ipv4: \"x\""],
    );
    refuses(
        "{type: string, format: date-time}",
        "x",
        &["spec.f: Invalid value: \"x\": spec.f in body must be of type date-time: \"x\""],
    );
    accepts("{type: string, format: invented}", &["anything"]);
    accepts("{type: integer, format: int32}", &["5"]);
    refuses(
        "{type: string, minLength: 3, pattern: '^b'}",
        "a",
        &[
            "spec.f: Invalid value: \"a\": spec.f in body should be at least 3 chars long",
            "spec.f: Invalid value: \"a\": spec.f in body should match '^b'",
        ],
    );
}

#[test]
fn lists_and_maps_keep_their_size() {
    accepts(
        "{type: array, minItems: 1, maxItems: 2, items: {type: string}}",
        &["[a]", "[a, b]"],
    );
    refuses(
        "{type: array, minItems: 1, items: {type: string}}",
        "[]",
        &["spec.f: Invalid value: 0: spec.f in body should have at least 1 items"],
    );
    refuses(
        "{type: array, maxItems: 1, items: {type: string}}",
        "[a, b]",
        &["spec.f: Too many: 2: must have at most 1 item"],
    );
    let map =
        "{type: object, minProperties: 1, maxProperties: 2, additionalProperties: {type: string}}";
    accepts(map, &["{a: x}"]);
    refuses(
        map,
        "{}",
        &["spec.f: Invalid value: 0: spec.f in body should have at least 1 properties"],
    );
    refuses(
        map,
        "{a: x, b: x, c: x}",
        &["spec.f: Too many: 3: must have at most 2 items"],
    );
}

#[test]
fn sets_and_map_lists_have_no_repeats() {
    let set = "{type: array, x-kubernetes-list-type: set, items: {type: string}}";
    accepts(set, &["[]", "[a, b]"]);
    refuses(set, "[a, b, a]", &["spec.f[2]: Duplicate value: \"a\""]);
    let map = "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string}, v: {type: string}}}}";
    accepts(map, &["[{k: a}, {k: b}]"]);
    refuses(
        map,
        "[{k: a, v: x}, {k: a, v: y}]",
        &["spec.f[1]: Duplicate value: {\"k\":\"a\"}"],
    );
    refuses(map, "[{v: x}]", &["spec.f[0].k: Required value"]);
    let two = "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [port, protocol], items: {type: object, properties: {port: {type: integer}, protocol: {type: string, default: TCP}}}}";
    accepts(
        two,
        &["[{port: 1, protocol: TCP}, {port: 1, protocol: UDP}]"],
    );
    refuses(
        two,
        "[{port: 1}, {port: 1, protocol: TCP}]",
        &["spec.f[1]: Duplicate value: {\"port\":1,\"protocol\":\"TCP\"}"],
    );
    accepts("{type: array, items: {type: string}}", &["[a, a]"]);
}

#[test]
fn alternatives_are_told_apart() {
    let one = "{type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}";
    accepts(one, &["{a: x}", "{b: x}"]);
    refuses(
        one,
        "{a: x, b: x}",
        &[
            "<nil>: Invalid value: \"\": \"spec.f\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
        ],
    );
    refuses(
        one,
        "{}",
        &[
            "<nil>: Invalid value: \"\": \"spec.f\" must validate one and only one schema (oneOf). Found none valid",
            "spec.f.a: Required value",
        ],
    );
    let any = "{type: string, anyOf: [{pattern: ^a}, {pattern: ^b}]}";
    accepts(any, &["a", "b"]);
    refuses(
        any,
        "c",
        &[
            "<nil>: Invalid value: \"\": \"spec.f\" must validate at least one schema (anyOf)",
            "spec.f: Invalid value: \"c\": spec.f in body should match '^a'",
        ],
    );
    let all = "{type: string, allOf: [{minLength: 2}, {pattern: ^a}]}";
    accepts(all, &["ab"]);
    refuses(
        all,
        "a",
        &[
            "spec.f: Invalid value: \"a\": spec.f in body should be at least 2 chars long",
            "<nil>: Invalid value: \"\": \"spec.f\" must validate all the schemas (allOf)",
        ],
    );
    refuses(
        "{type: string, not: {enum: [x]}}",
        "x",
        &["<nil>: Invalid value: \"\": \"spec.f\" must not validate the schema (not)"],
    );
    accepts("{type: string, not: {enum: [x]}}", &["y"]);
}

#[test]
fn what_did_not_change_is_not_held_against_an_update() {
    let field = "{type: object, properties: {old: {type: string, maxLength: 1}, new: {type: string, maxLength: 1}}}";
    updates(field, "{old: long}", "{old: long, new: a}", &[]);
    updates(
        field,
        "{old: long}",
        "{old: longer}",
        &["spec.f.old: Too long: may not be more than 1 byte"],
    );
    updates(
        field,
        "{old: long}",
        "{old: long, new: bb}",
        &["spec.f.new: Too long: may not be more than 1 byte"],
    );
    let map = "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string}, v: {type: integer, maximum: 1}}}}";
    updates(map, "[{k: a, v: 5}]", "[{k: b, v: 1}, {k: a, v: 5}]", &[]);
    let atomic = "{type: array, items: {type: integer, maximum: 1}}";
    updates(atomic, "[5]", "[5]", &[]);
    updates(
        atomic,
        "[5]",
        "[5, 1]",
        &[
            "spec.f[0]: Invalid value: 5: spec.f in body should be less than or equal to 1"
                .replace("spec.f in", "spec.f[0] in")
                .as_str(),
        ],
    );
}

#[test]
fn a_name_can_be_constrained_and_nothing_else_of_metadata() {
    let root = yaml(
        "{type: object, properties: {metadata: {type: object, properties: {name: {type: string, maxLength: 3}, labels: {type: string}}}}}",
    );
    let schema = Schema::compile(&root).unwrap();
    let object = |name: &str| json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": name, "labels": {"a": "b"}}});
    assert_eq!(said(&schema, &object("abc"), None), [""; 0]);
    assert_eq!(
        said(&schema, &object("abcd"), None),
        ["metadata.name: Too long: may not be more than 3 bytes"]
    );
}

#[test]
fn a_schema_that_cannot_be_compiled_says_where_and_why() {
    let refused = |text: &str| -> Vec<String> {
        Schema::compile(&yaml(text))
            .err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        refused("{type: object, properties: {a: {type: text}}}"),
        [
            "properties[a].type: Unsupported value: \"text\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\""
        ]
    );
    assert!(
        refused("{type: object, properties: {a: {type: string, pattern: '('}}}")[0].starts_with(
            "properties[a].pattern: Invalid value: \"(\": must be a valid regular expression"
        )
    );
    assert!(
        refused("{type: object, x-kubernetes-validations: [{rule: 'self.a >'}]}")[0].starts_with(
            "x-kubernetes-validations[0].rule: Invalid value: {\"Rule\":\"self.a \\u003e\""
        )
    );
    assert_eq!(
        refused("{type: object, x-kubernetes-validations: [{rule: ''}]}"),
        ["x-kubernetes-validations[0].rule: Required value: rule is not specified"]
    );
    assert_eq!(
        refused("{type: object, x-kubernetes-validations: [{rule: 'true', reason: Odd}]}"),
        [
            "x-kubernetes-validations[0].reason: Unsupported value: \"Odd\": supported values: \"FieldValueDuplicate\", \"FieldValueForbidden\", \"FieldValueInvalid\", \"FieldValueRequired\""
        ]
    );
}

#[test]
fn an_integer_fits_its_format() {
    accepts(
        "{type: integer, format: int32}",
        &["2147483647", "-2147483648"],
    );
    accepts("{type: integer, format: int64}", &["3000000000"]);
    refuses(
        "{type: integer, format: int32}",
        "3000000000",
        &[
            "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec.f",
        ],
    );
    refuses(
        "{type: integer}",
        "1e30",
        &[
            "<nil>: Invalid value: \"\": Checked value must be of type integer (default format) in spec.f",
        ],
    );
    refuses(
        "{type: number, maximum: 1.5, exclusiveMaximum: true}",
        "2",
        &["spec.f: Invalid value: 2: spec.f in body should be less than 1"],
    );
    refuses(
        "{type: number, maximum: 2000000}",
        "2000000.5",
        &[
            "spec.f: Invalid value: 2.0000005e+06: spec.f in body should be less than or equal to 2e+06",
        ],
    );
    accepts("{type: number, multipleOf: 0.1}", &["0.3"]);
}

#[test]
fn an_embedded_object_says_what_it_is() {
    let field = "{type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}";
    accepts(field, &["{apiVersion: v1, kind: B}"]);
    refuses(
        field,
        "{}",
        &[
            "spec.f.apiVersion: Required value",
            "spec.f.kind: Required value",
        ],
    );
    refuses(
        field,
        "{apiVersion: '', kind: B}",
        &["spec.f.apiVersion: Invalid value: \"\": must not be empty"],
    );
}
