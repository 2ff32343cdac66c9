//! Room: what a schema does to an object: types, limits, formats, defaults, pruning, rules.

use serde_json::{Value, json};

use super::sequence::{Sequence, seq, thing, things, yaml};

const SCALARS: &str = r"
- [{type: string}, [1, true, null, [], {}]]
- [{type: integer}, [x, 1.5, true, 3000000000]]
- [{type: integer, format: int32}, [3000000000]]
- [{type: number}, [x]]
- [{type: boolean}, ['true', 1]]
- [{x-kubernetes-int-or-string: true}, [true, 1.5, x, 5]]
- [{type: string, enum: [a, b]}, [c, '']]
- [{type: integer, enum: [1, 2]}, [3]]
- [{type: boolean, enum: [true]}, [false]]
- [{type: integer, minimum: 1, maximum: 1000000}, [0, 2000000]]
- [{type: number, minimum: 0, exclusiveMinimum: true, maximum: 1.5, exclusiveMaximum: true}, [0, 1.5, 2]]
- [{type: integer, multipleOf: 5}, [7]]
- [{type: number, multipleOf: 0.1}, [0.35, 0.3]]
- [{type: string, minLength: 2, maxLength: 3}, [a, abcd]]
- [{type: string, pattern: '^[a-z]+$'}, [A]]
";

const OBJECTS: &str = r"
- [{type: object, properties: {a: {type: string}}}, [[], x, {a: 1, b: 2}]]
- [{type: object, required: [a, b], properties: {a: {type: string}, b: {type: string}}}, [{}, {a: x}]]
- [{type: object, minProperties: 1, maxProperties: 2, additionalProperties: {type: string}}, [{}, {a: x, b: x, c: x}, {a: 1}]]
- [{type: object, additionalProperties: true}, [{a: {b: c}}]]
- [{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: object, properties: {b: {type: string}}}}}, [{u: {v: w}, a: {b: x, c: y}, n: null}]]
- [{type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}, [{}, {apiVersion: v1, kind: B, metadata: {name: b, odd: 1}, odd: 1}, {apiVersion: v1, kind: B, metadata: {name: B_}}]]
";

const LISTS: &str = r"
- [{type: array, items: {type: integer}}, [{}, [1, x, 2.5], x]]
- [{type: array, minItems: 1, maxItems: 2, items: {type: string}}, [[], [a, b, c]]]
- [{type: array, x-kubernetes-list-type: set, items: {type: string}}, [[a, b, a], [a, a, a]]]
- [{type: array, x-kubernetes-list-type: set, items: {type: integer}}, [[1, 1]]]
";

const FORMATS: &str = r"
- [{type: string, format: ipv4}, [x, 1.2.3.4]]
- [{type: string, format: ipv6}, [x, '::1', 1.2.3.4]]
- [{type: string, format: cidr}, [x, 10.0.0.0/8, 10.0.0.0/33]]
- [{type: string, format: mac}, [x]]
- [{type: string, format: uuid}, [x, 123e4567-e89b-12d3-a456-426614174000, 123e4567e89b12d3a456426614174000]]
- [{type: string, format: uuid4}, [123e4567-e89b-12d3-a456-426614174000, 123e4567-e89b-42d3-a456-426614174000]]
- [{type: string, format: date-time}, [x, '2026-11-24T20:19:00Z', '2026-11-24', '2026-11-24 20:19:00Z', '2026-11-24T20:19:00']]
- [{type: string, format: date}, [x, '2026-11-24', '2026-11-31']]
- [{type: string, format: duration}, [x, 1h, 3 days, '5', 1w, 2 weeks, 1d]]
- [{type: string, format: uri}, [x, 'http://a b', 'https://a.example', '/a', 'a:', ':a', 'mailto:a@b']]
- [{type: string, format: email}, [x, a@b, a@b.c, 'Ada <a@b.c>', a@, a..b@c.d]]
- [{type: string, format: hostname}, [a_b, a.b, -a, 'a.', a..b]]
- [{type: string, format: byte}, [YQ, YQ==, '!!', '']]
- [{type: string, format: hexcolor}, [x, '#fff', fff, '#ffff']]
- [{type: string, format: rgbcolor}, [x, 'rgb(1,2,3)', 'rgb(1, 2, 3)', 'rgb(1,2,256)']]
- [{type: string, format: isbn10}, [x, 0-306-40615-2]]
- [{type: string, format: isbn13}, [x, 978-0-306-40615-7]]
- [{type: string, format: creditcard}, [x, '4111111111111111', '4111 1111 1111 1111']]
- [{type: string, format: ssn}, [x, 123-45-6789, '123456789', '123 45 6789']]
- [{type: string, format: bsonobjectid}, [x, 507f1f77bcf86cd799439011]]
- [{type: string, format: password}, [x]]
";

const COMBINATIONS: &str = r"
- [{type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}, [{}, {a: x, b: x}, {a: x}]]
- [{type: object, properties: {a: {type: string}, b: {type: string}}, anyOf: [{required: [a]}, {required: [b]}]}, [{}]]
- [{type: string, allOf: [{minLength: 2}, {pattern: ^a}]}, [a, b, ab]]
- [{type: string, not: {enum: [x]}}, [x]]
";

const DEFAULTS: &str = r"
- [{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k, p], items: {type: object, required: [k], properties: {k: {type: string}, p: {type: integer, default: 5}, v: {type: string}}}}, [[{k: a}, {k: a}], [{v: x}], [{k: a, p: 1}, {k: a, p: 2}, {k: a, p: 1}]]]
- [{type: string, nullable: true}, [null]]
- [{type: array, items: {type: string}}, [[null]]]
- [{type: array, items: {type: string, nullable: true}}, [[null]]]
- [{type: object, properties: {a: {type: string, default: x}, o: {type: object, default: {}, properties: {i: {type: integer, default: 5}}}}}, [{}, {a: null, o: null}, {o: {}}]]
";

const RULES: &str = r#"
- [{type: integer, x-kubernetes-validations: [{rule: self > 0}]}, [0, x]]
- [{type: object, properties: {min: {type: integer}, max: {type: integer}}, x-kubernetes-validations: [{rule: self.min <= self.max, message: min is above max}]}, [{min: 3, max: 2}, {min: 3}, {min: x}]]
- [{type: integer, x-kubernetes-validations: [{rule: self < 5, messageExpression: "'got a big ' + 'one'"}]}, [7]]
- [{type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: has(self.a), message: a is needed, reason: FieldValueRequired, fieldPath: .a}]}, [{}]]
- [{type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: has(self.a), message: a is needed, reason: FieldValueForbidden}]}, [{}]]
- [{type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: has(self.a), message: a is needed, reason: FieldValueDuplicate}]}, [{}]]
- [{type: object, additionalProperties: {type: string, maxLength: 5, x-kubernetes-validations: [{rule: self != 'x'}]}, maxProperties: 5}, [{k.a/b: x}]]
- [{type: array, maxItems: 5, items: {type: object, properties: {a: {type: integer, x-kubernetes-validations: [{rule: self > 0}]}}}}, [[{a: 0}]]]
- [{type: object, properties: {a_b: {type: string}, in: {type: string}, c-d: {type: string}}, x-kubernetes-validations: [{rule: self.a_b == self.__in__ && self.c__dash__d == 'z'}]}, [{a_b: x, in: x, c-d: z}, {a_b: x, in: y, c-d: z}]]
- [{type: string, format: date-time, x-kubernetes-validations: [{rule: "self > timestamp('2026-01-01T00:00:00Z')"}]}, ['2025-11-24T00:00:00Z']]
- [{type: string, format: duration, x-kubernetes-validations: [{rule: "self <= duration('24h')"}]}, [1h30m, 25h, 3 days]]
- [{type: string, format: byte, x-kubernetes-validations: [{rule: size(self) == 2}]}, [YWI=, YQ==]]
- [{x-kubernetes-int-or-string: true, x-kubernetes-validations: [{rule: "type(self) == string ? self.endsWith('%') : self >= 0"}]}, [5, -5, 'x', '5%']]
- [{type: string, maxLength: 20, x-kubernetes-validations: [{rule: "self.matches('^a') && isURL('https://a') && quantity('1Gi').isGreaterThan(quantity('1Mi')) && ip('10.0.0.1').family() == 4"}]}, [a, b]]
- [{type: string, x-kubernetes-validations: [{rule: "oldSelf.hasValue() || self == 'first'", optionalOldSelf: true, message: must start as first}]}, [second, first]]
- [{type: number, x-kubernetes-validations: [{rule: self == 2.0}]}, [2, 3]]
- [{type: object, properties: {a: {type: integer, maximum: 5}}, x-kubernetes-validations: [{rule: self.a > 10, message: above ten}]}, [{a: 6}]]
- [{type: array, maxItems: 10, items: {type: string, maxLength: 10}, x-kubernetes-validations: [{rule: "self.all(x, x.startsWith('a'))"}]}, [[a, b]]]
"#;

/// Schemas, and values before and after.
const TRANSITIONS: &str = r"
- [{type: string, maxLength: 5, x-kubernetes-validations: [{rule: self == oldSelf, message: cannot be changed}]}, [[a, b], [a, a]]]
- [{type: array, maxItems: 5, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string, maxLength: 5}, v: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf, message: only up}]}}}}, [[[{k: a, v: 1}, {k: b, v: 2}], [{k: b, v: 1}]], [[{k: a, v: 1}], [{k: b, v: 0}, {k: a, v: 2}]]]]
- [{type: array, maxItems: 5, items: {type: integer}}, [[[5], [1]]]]
- [{type: integer, x-kubernetes-validations: [{rule: self >= oldSelf.orValue(10), optionalOldSelf: true, message: shrinks}]}, [[20, 19], [10, 11]]]
";

/// Schemas of one field each, and the values it is given.
const TABLES: [(&str, &str); 7] = [
    (
        "a scalar has its type, its range and its enumeration",
        SCALARS,
    ),
    (
        "an object has its fields, as many as it may, and loses unknown ones with a warning",
        OBJECTS,
    ),
    (
        "a list has as many items as it may, and a set or a map no two alike",
        LISTS,
    ),
    ("a format is checked if it is one that is checked", FORMATS),
    (
        "schemas are combined by all, any, one and not",
        COMBINATIONS,
    ),
    (
        "a default fills a gap, and null is one unless it may be there",
        DEFAULTS,
    ),
    (
        "a rule says what it was told to say where it was told to",
        RULES,
    ),
];

/// A definition with a field `f<n>` for each row's schema.
fn definition(rows: &[Value]) -> Value {
    let fields = rows.iter().enumerate();
    let fields: Value = fields
        .map(|(n, row)| (format!("f{n}"), row[0].clone()))
        .collect();
    things(json!({
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": fields}, "status": {"type": "object"}},
    }))
}

/// The spec that came of it, or all of the refusal.
fn spec(body: Value) -> Value {
    if body["kind"] == "Status" {
        body
    } else {
        body["spec"].clone()
    }
}

fn values(sentence: &str, table: &str) -> Sequence {
    let rows = yaml(table);
    let rows = rows.as_array().unwrap();
    let mut sequence = seq(sentence).defined(definition(rows));
    for (n, row) in rows.iter().enumerate() {
        for value in row[1].as_array().unwrap() {
            let spec_of_one = json!({format!("f{n}"): value});
            sequence = sequence
                .post(
                    "{things}?dryRun=All&fieldValidation=Warn",
                    thing("a", spec_of_one),
                )
                .shown(spec);
        }
    }
    sequence
}

fn transitions() -> Sequence {
    let rows = yaml(TRANSITIONS);
    let rows = rows.as_array().unwrap();
    let sentence = "a rule compares with what was there before";
    let mut sequence = seq(sentence).defined(definition(rows));
    for (n, row) in rows.iter().enumerate() {
        for (m, change) in row[1].as_array().unwrap().iter().enumerate() {
            let name = format!("t{n}-{m}");
            let [before, after] = [0, 1].map(|at| json!({format!("f{n}"): change[at]}));
            sequence = sequence
                .post("{things}", thing(&name, before))
                .shown(spec)
                .merge(format!("{{things}}/{name}"), json!({"spec": after}))
                .shown(spec);
        }
    }
    sequence
}

pub(super) fn sequences() -> Vec<Sequence> {
    let tables = TABLES
        .iter()
        .map(|(sentence, table)| values(sentence, table));
    tables.chain([transitions()]).collect()
}
