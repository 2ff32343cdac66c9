//! Schemas of definitions, and which are structural.

use super::*;

/// What is said of a property of the schema, placed below it.
fn schema_refused(schema: &str, expected: &[&str]) {
    let field: Value = serde_yaml_ng::from_str(schema).unwrap();
    let root = json!({"type": "object", "properties": {"f": field}});
    let crd = with("/spec/versions/0/schema/openAPIV3Schema", root);
    let found: Vec<String> = said(&crd, None)
        .iter()
        .map(|words| words.replace("spec.validation.openAPIV3Schema.properties[f]", ""))
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
    schema_refused("{type: object, additionalProperties: false}", &[]);
    schema_refused(
        "{type: object, properties: {a: {type: string}}, additionalProperties: false}",
        &[
            ".additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ],
    );
    schema_refused(
        "{type: object, properties: {a: {type: string}}, additionalProperties: true}",
        &[],
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
    schema_refused("{type: string, x-kubernetes-int-or-string: true}", &[]);
    schema_refused(
        "{x-kubernetes-int-or-string: true, x-kubernetes-preserve-unknown-fields: true}",
        &[
            ".x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true",
        ],
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
    schema_refused(
        "{type: array, x-kubernetes-list-type: odd, items: {type: string}}",
        &[
            ".x-kubernetes-list-type: Unsupported value: \"odd\": supported values: \"atomic\", \"set\", \"map\"",
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
}

#[test]
fn entries_of_a_map_list_have_usable_keys() {
    let map = |rest: &str| format!("{{type: array, x-kubernetes-list-type: map, {rest}}}");
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
            ".x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty",
        ],
    );
    schema_refused(
        &map(
            "x-kubernetes-list-map-keys: [k, k], items: {type: object, required: [k], properties: {k: {type: string}}}",
        ),
        &[
            ".x-kubernetes-list-map-keys: Invalid value: [\"k\",\"k\"]: must not contain duplicate entries",
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
        &[],
    );
    refuses(
        "/spec/versions/0/schema/openAPIV3Schema",
        json!({"type": "object", "allOf": [{"properties": {"a": {"minLength": 1}}}]}),
        &[
            "spec.validation.openAPIV3Schema.properties[a]: Required value: because it is defined in spec.validation.openAPIV3Schema.allOf[0].properties[a]",
        ],
    );
    schema_refused(
        "{x-kubernetes-int-or-string: true, anyOf: [{type: string}, {type: integer}]}",
        &[
            ".anyOf[0].type: Forbidden: must be empty to be structural",
            ".anyOf[1].type: Forbidden",
        ],
    );
    schema_refused(
        "{type: integer, allOf: [{x-kubernetes-validations: [{rule: 'true'}]}]}",
        &[".allOf[0].x-kubernetes-validations: Forbidden: must be empty to be structural"],
    );
    schema_refused(
        "{type: object, anyOf: [{properties: {metadata: {}}}]}",
        &[".anyOf[0].properties[metadata]: Forbidden: must not be specified in a nested context"],
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
        &[".default: Invalid value: \"string\":  in body must be of type integer"],
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
        &[".default.a: Required value"],
    );
    schema_refused(
        "{type: object, default: {}, properties: {a: {type: string}}, required: [a]}",
        &[".default.a: Required value"],
    );
}

#[test]
fn rules_compile_and_say_where_they_stand() {
    let rule = |rest: &str| {
        format!(
            "{{type: object, properties: {{a: {{type: string}}, m: {{type: object, additionalProperties: {{type: string}}}}}}, x-kubernetes-validations: [{{{rest}}}]}}"
        )
    };
    schema_refused(&rule("rule: has(self.a)"), &[]);
    schema_refused(
        &rule("rule: 'self >'"),
        &[
            ".x-kubernetes-validations[0].rule: Invalid value: {\"Rule\":\"self \\u003e\",\"Message\":\"\",\"MessageExpression\":\"\",\"Reason\":null,\"FieldPath\":\"\",\"OptionalOldSelf\":null}: compilation failed: ERROR",
        ],
    );
    schema_refused(
        &rule("rule: 'true', messageExpression: \"'\""),
        &[".x-kubernetes-validations[0].messageExpression: Invalid value: {\"Rule\":\"true\""],
    );
    schema_refused(
        &rule("rule: 'true', message: \"a\\nb\""),
        &[
            ".x-kubernetes-validations[0].message: Invalid value: \"a\\nb\": must not contain line breaks",
        ],
    );
    schema_refused(
        &rule("rule: 'true', message: ' '"),
        &[
            ".x-kubernetes-validations[0].message: Invalid value: \" \": must be non-empty if specified",
        ],
    );
    schema_refused(
        &rule("rule: \"true\\n&& true\""),
        &[
            ".x-kubernetes-validations[0].message: Required value: message must be specified if rule contains line breaks",
        ],
    );
    schema_refused(&rule("rule: 'true', fieldPath: .a"), &[]);
    schema_refused(&rule("rule: 'true', fieldPath: \".m['x.y']\""), &[]);
    schema_refused(
        &rule("rule: 'true', fieldPath: .b"),
        &[".x-kubernetes-validations[0].fieldPath: Invalid value: \".b\": must be a valid path"],
    );
    schema_refused(
        &rule("rule: 'true', fieldPath: 'a['"),
        &[".x-kubernetes-validations[0].fieldPath: Invalid value: \"a[\": must be a valid path"],
    );
    schema_refused(
        &rule("rule: 'true', optionalOldSelf: true"),
        &[
            ".x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule",
        ],
    );
    schema_refused(
        "{type: array, items: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf}]}}",
        &[
            ".items.x-kubernetes-validations[0].rule: Invalid value: \"self >= oldSelf\": oldSelf cannot be used on the uncorrelatable portion of the schema within ",
        ],
    );
}

#[test]
fn rules_speak_of_fields_there_are() {
    let rule = |rule: &str| {
        format!(
            "{{type: object, properties: {{a: {{type: string}}, n: {{type: integer}}, x-y: {{type: string}}, t: {{type: string, format: date-time}}, l: {{type: array, items: {{type: object, properties: {{b: {{type: integer}}}}}}}}, m: {{type: object, additionalProperties: {{type: object, properties: {{c: {{type: string}}}}}}}}, free: {{type: object, x-kubernetes-preserve-unknown-fields: true}}, e: {{x-kubernetes-int-or-string: true}}}}, x-kubernetes-validations: [{{rule: {}}}]}}",
            Value::from(rule)
        )
    };
    for sound in [
        "has(self.a) && self.a.size() > 0",
        "self.x__dash__y == 'a'",
        "self.l.all(i, has(i.b) && i.b > 0) && self.l.exists_one(i, i.b == 1)",
        "self.l.map(i, i.b).sum() > 0",
        "self.l[0].b == 1",
        "self.m.all(k, self.m[k].c == k) && self.m.anything.c == 'x'",
        "self.free.any.thing == 1",
        "self.t.getFullYear() > 2000",
        "self.a.startsWith(self.a) ? true : self.n > 0",
        "type(self.e) == string || self.e == 5",
        "[1, 2].exists(i, i == self.n)",
        "{'k': self.a}.k == 'x'",
        "math.greatest(1, self.n) > 0",
        "quantity('1Gi').isGreaterThan(quantity('1Mi'))",
        "self.n == oldSelf.n",
        "self.l.filter(i, i.b > 1).size() == 0",
        "self.?a.orValue('') == ''",
    ] {
        schema_refused(&rule(sound), &[]);
    }
    for (wrong, words) in [
        (
            "self.z == 1",
            "<input>:1:5: undefined field 'z'\n | self.z == 1\n | ....^",
        ),
        ("has(self.z)", "<input>:1:9: undefined field 'z'"),
        (
            "self.a.b == 'x'",
            "<input>:1:7: type 'string' does not support field selection",
        ),
        (
            "self.n.b == 'x'",
            "<input>:1:7: type 'int' does not support field selection",
        ),
        (
            "self.l.all(i, i.z > 0)",
            "<input>:1:16: undefined field 'z'",
        ),
        ("self.l[0].z == 1", "<input>:1:10: undefined field 'z'"),
        ("self.m.k.z == 1", "<input>:1:9: undefined field 'z'"),
        (
            "this.a == 'x'",
            "<input>:1:1: undeclared reference to 'this' (in container '')",
        ),
    ] {
        let found = said(
            &with(
                "/spec/versions/0/schema/openAPIV3Schema",
                json!({"type": "object", "properties": {"f": serde_yaml_ng::from_str::<Value>(&rule(wrong)).unwrap()}}),
            ),
            None,
        );
        assert!(
            found.len() == 1 && found[0].contains(words),
            "{wrong}: {found:#?}"
        );
    }
    schema_refused(
        &rule("self.n + 1"),
        &[
            ".x-kubernetes-validations[0].rule: Invalid value: {\"Rule\":\"self.n + 1\",\"Message\":\"\",\"MessageExpression\":\"\",\"Reason\":null,\"FieldPath\":\"\",\"OptionalOldSelf\":null}: cel expression must evaluate to a bool",
        ],
    );
}

#[test]
fn a_rule_at_the_root_may_speak_of_the_object_itself() {
    let root = |rule: &str| json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}, "x-kubernetes-validations": [{"rule": rule}]});
    refuses(
        "/spec/versions/0/schema/openAPIV3Schema",
        root("self.metadata.name == self.spec.a && self.kind == 'A'"),
        &[],
    );
    refuses(
        "/spec/versions/0/schema/openAPIV3Schema",
        root("self.status.b == 'x'"),
        &["spec.validation.openAPIV3Schema.x-kubernetes-validations[0].rule: Invalid value"],
    );
}
