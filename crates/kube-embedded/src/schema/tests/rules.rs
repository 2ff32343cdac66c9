//! CEL rules: when they run, what they see, and what they say.

use super::*;

#[test]
fn a_rule_that_does_not_hold_says_its_message() {
    let field = "{type: object, properties: {min: {type: integer}, max: {type: integer}}, x-kubernetes-validations: [{rule: self.min <= self.max, message: min is above max}]}";
    accepts(field, &["{min: 1, max: 2}"]);
    refuses(
        field,
        "{min: 3, max: 2}",
        &["spec.f: Invalid value: min is above max"],
    );
    refuses(
        "{type: integer, x-kubernetes-validations: [{rule: self > 0}]}",
        "0",
        &["spec.f: Invalid value: 0: failed rule: self > 0"],
    );
}

#[test]
fn the_message_can_be_computed() {
    let field = "{type: integer, x-kubernetes-validations: [{rule: self < 5, messageExpression: \"'got ' + string(self)\", message: fixed}]}";
    refuses(field, "7", &["spec.f: Invalid value: 7: got 7"]);
    let broken = "{type: integer, x-kubernetes-validations: [{rule: self < 5, messageExpression: \"''\", message: fixed}]}";
    refuses(broken, "7", &["spec.f: Invalid value: 7: fixed"]);
}

#[test]
fn the_reason_and_the_place_can_be_given() {
    let with = |extra: &str| {
        format!(
            "{{type: object, properties: {{a: {{type: string}}}}, x-kubernetes-validations: [{{rule: has(self.a), message: a is needed, {extra}}}]}}"
        )
    };
    refuses(
        &with("reason: FieldValueRequired, fieldPath: .a"),
        "{}",
        &["spec.f.a: Required value: a is needed"],
    );
    refuses(
        &with("reason: FieldValueForbidden"),
        "{}",
        &["spec.f: Forbidden: a is needed"],
    );
    refuses(
        &with("reason: FieldValueDuplicate"),
        "{}",
        &["spec.f: Duplicate value"],
    );
    refuses(
        &with("fieldPath: \"['a']\""),
        "{}",
        &["spec.f[a]: Invalid value: a is needed"],
    );
}

#[test]
fn a_transition_rule_runs_only_with_an_old_value() {
    let field = "{type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: cannot be changed}]}";
    accepts(field, &["a"]);
    updates(field, "a", "a", &[]);
    updates(
        field,
        "a",
        "b",
        &["spec.f: Invalid value: \"b\": cannot be changed"],
    );
    let optional = "{type: string, x-kubernetes-validations: [{rule: \"oldSelf.hasValue() || self == 'first'\", optionalOldSelf: true, message: must start as first}]}";
    accepts(optional, &["first"]);
    refuses(
        optional,
        "second",
        &["spec.f: Invalid value: \"second\": must start as first"],
    );
    updates(optional, "first", "second", &[]);
    let value = "{type: integer, x-kubernetes-validations: [{rule: self >= oldSelf.orValue(10), optionalOldSelf: true, message: shrinks}]}";
    refuses(value, "5", &["spec.f: Invalid value: 5: shrinks"]);
    updates(value, "20", "19", &["spec.f: Invalid value: 19: shrinks"]);
    updates(value, "3", "4", &[]);
}

#[test]
fn entries_of_a_map_list_are_compared_with_their_old_selves() {
    let field = "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string}, v: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf, message: only up}]}}}}";
    updates(
        field,
        "[{k: a, v: 1}, {k: b, v: 2}]",
        "[{k: b, v: 2}, {k: a, v: 5}]",
        &[],
    );
    updates(
        field,
        "[{k: a, v: 1}, {k: b, v: 2}]",
        "[{k: b, v: 1}]",
        &["spec.f[0].v: Invalid value: 1: only up"],
    );
    let atomic = "{type: array, items: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf, message: only up}]}}";
    updates(atomic, "[5]", "[1]", &[]);
}

#[test]
fn a_rule_broken_before_and_untouched_does_not_stop_an_update() {
    let field = "{type: object, properties: {a: {type: integer, x-kubernetes-validations: [{rule: self > 0, message: positive}]}, b: {type: string}}}";
    updates(field, "{a: 0}", "{a: 0, b: x}", &[]);
    updates(
        field,
        "{a: 0}",
        "{a: -1}",
        &["spec.f.a: Invalid value: -1: positive"],
    );
}

#[test]
fn rules_see_values_as_the_schema_types_them() {
    accepts(
        "{type: number, x-kubernetes-validations: [{rule: self == 2.0}]}",
        &["2"],
    );
    accepts(
        "{type: integer, x-kubernetes-validations: [{rule: self == 2}]}",
        &["2.0"],
    );
    accepts(
        "{type: string, format: date-time, x-kubernetes-validations: [{rule: \"self > timestamp('2026-01-01T00:00:00Z')\"}]}",
        &["2026-11-24T00:00:00Z"],
    );
    accepts(
        "{type: string, format: duration, x-kubernetes-validations: [{rule: \"self <= duration('24h')\"}]}",
        &["1h30m"],
    );
    accepts(
        "{type: string, format: byte, x-kubernetes-validations: [{rule: size(self) == 2}]}",
        &["YWI="],
    );
    accepts(
        "{type: object, properties: {a_b: {type: string}, in: {type: string}, c-d: {type: string}}, x-kubernetes-validations: [{rule: self.a_b == self.__in__ && self.c__dash__d == 'z'}]}",
        &["{a_b: x, in: x, c-d: z}"],
    );
    accepts(
        "{type: object, additionalProperties: {type: string}, x-kubernetes-validations: [{rule: \"self.all(k, k.startsWith('a-'))\"}]}",
        &["{a-b: x}"],
    );
    accepts(
        "{x-kubernetes-int-or-string: true, x-kubernetes-validations: [{rule: \"type(self) == string ? self.endsWith('%') : self >= 0\"}]}",
        &["5", "'5%'"],
    );
    accepts(
        "{type: array, items: {type: string}, x-kubernetes-validations: [{rule: \"self.exists_one(x, x == 'a') && 'b' in self\"}]}",
        &["[a, b]"],
    );
}

#[test]
fn kubernetes_own_functions_are_there() {
    for rule in [
        "self.matches('^a')",
        "isURL('https://a.example/x') && url('https://a.example/x').getHost() == 'a.example'",
        "quantity('1Gi').isGreaterThan(quantity('1Mi'))",
        "ip('10.0.0.1').family() == 4 && cidr('10.0.0.0/8').containsIP('10.0.0.1')",
        "[1, 2, 3].sum() == 6 && [3, 1].max() == 3",
        "'a,b'.split(',').size() == 2 && 'A'.lowerAscii() == 'a'",
        "'abc'.find('b+') == 'b'",
        "semver('1.2.3').major() == 1",
    ] {
        let field =
            serde_json::json!({"type": "string", "x-kubernetes-validations": [{"rule": rule}]})
                .to_string();
        accepts(&field, &["abc"]);
    }
}

#[test]
fn a_rule_that_cannot_be_evaluated_refuses_the_object() {
    let field = "{type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: self.a == 'x'}]}";
    let said = schema_of(field).validate(&object_of("{}"), None);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].message.contains("evaluating rule: self.a == 'x'"),
        "{}",
        said[0].message
    );
}

#[test]
fn rules_wait_until_the_shape_is_right() {
    let field = "{type: object, properties: {a: {type: integer}}, x-kubernetes-validations: [{rule: self.a > 0}]}";
    refuses(
        field,
        "{a: x}",
        &[
            "spec.f.a: Invalid value: \"string\": spec.f.a in body must be of type integer: \"string\"",
            "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
        ],
    );
    let bounded = "{type: object, properties: {a: {type: integer, maximum: 5}}, x-kubernetes-validations: [{rule: self.a > 10, message: above ten}]}";
    refuses(
        bounded,
        "{a: 6}",
        &[
            "spec.f.a: Invalid value: 6: spec.f.a in body should be less than or equal to 5",
            "spec.f: Invalid value: above ten",
        ],
    );
}

#[test]
fn a_rule_at_the_root_sees_the_whole_object() {
    let root = yaml(
        "{type: object, properties: {spec: {type: object, properties: {f: {type: string}}}}, x-kubernetes-validations: [{rule: \"self.metadata.name.startsWith(self.spec.f)\", message: name begins with f}]}",
    );
    let schema = Schema::compile(&root).unwrap();
    assert_eq!(schema.validate(&object_of("a"), None), []);
    assert_eq!(
        schema.validate(&object_of("b"), None)[0].to_string(),
        "<nil>: Invalid value: name begins with f"
    );
}
