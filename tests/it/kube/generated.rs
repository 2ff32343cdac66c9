//! Are made-up definitions and objects answered the same? What nobody thought of when the table was written.
//!
//! `CLAWDET_TEST_SEEDS` asks for more definitions; each comes with a dozen objects. They are the same ones
//! every time; one that is answered differently is made smaller and printed.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::Union;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Value, json};

use super::compare::report;
use super::run::run;
use super::sequence::{Sequence, seq, thing, things};
use super::servers::Asked;

const DEFINITIONS: u32 = 12;
/// A definition takes the time of that many of the lives that `CLAWDET_TEST_SEEDS` counts.
const LIVES: u32 = 80;
/// Each costs a definition on the real server.
const SHRINKS: u32 = 30;
const FIELDS: [&str; 4] = ["a", "b", "c", "d"];
const TEXTS: [&str; 8] = [
    "",
    "a",
    "abc",
    "10.0.0.1",
    "2020-01-01T00:00:00Z",
    "1h",
    "YQ==",
    "a@b.c",
];

const FORMATS: [&str; 8] = [
    "date-time",
    "date",
    "duration",
    "byte",
    "ipv4",
    "email",
    "uri",
    "made-up",
];

/// A schema of `spec`, and specs to try it with.
#[derive(Debug, Clone)]
struct Case {
    schema: Value,
    specs: Vec<Value>,
}

/// An object with these entries and, of the optional ones, those that were drawn.
fn schema_of(kind: &str, mut options: Vec<(&'static str, Value)>) -> Value {
    options.push(("type", json!(kind)));
    let options = options
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Value::Object(options.collect())
}

/// Any number of these keywords.
fn some_of(
    keywords: Vec<(&'static str, Value)>,
) -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let most = keywords.len().min(3);
    subsequence(keywords, 0..=most)
}

fn texts() -> impl Strategy<Value = Value> {
    let keywords = select(&FORMATS[..]).prop_flat_map(|format| {
        some_of(vec![
            ("minLength", json!(1)),
            ("maxLength", json!(2)),
            ("enum", json!(["a", "abc", ""])),
            ("pattern", json!("^[a-z]*$")),
            ("format", json!(format)),
            ("nullable", json!(true)),
            ("default", json!("a")),
        ])
    });
    keywords.prop_map(|keywords| schema_of("string", keywords))
}

fn numbers() -> impl Strategy<Value = Value> {
    let keywords = some_of(vec![
        ("minimum", json!(0)),
        ("maximum", json!(5)),
        ("exclusiveMaximum", json!(true)),
        ("exclusiveMinimum", json!(true)),
        ("multipleOf", json!(2)),
        ("enum", json!([1, 5])),
        ("nullable", json!(true)),
        ("default", json!(4)),
    ]);
    (select(&["integer", "number"][..]), keywords)
        .prop_map(|(kind, keywords)| schema_of(kind, keywords))
}

fn others() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"type": "boolean"}),
        json!({"type": "boolean", "default": true}),
        json!({"x-kubernetes-int-or-string": true}),
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        json!({"x-kubernetes-preserve-unknown-fields": true}),
        json!({"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}),
        json!({"type": "object", "additionalProperties": true, "maxProperties": 1}),
    ])
}

fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![3 => texts(), 2 => numbers(), 1 => others()];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let lists = some_of(vec![
            ("minItems", json!(1)),
            ("maxItems", json!(2)),
            ("nullable", json!(true)),
            ("x-kubernetes-list-type", json!("set")),
            ("default", json!([])),
        ]);
        let list = (lists, inner.clone()).prop_map(|(mut keywords, items)| {
            keywords.push(("items", items));
            schema_of("array", keywords)
        });
        prop_oneof![1 => list, 2 => objects(inner)]
    })
}

fn objects(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let required = subsequence(FIELDS.to_vec(), 0..=2);
    let keywords = some_of(vec![
        ("minProperties", json!(1)),
        ("maxProperties", json!(2)),
        ("nullable", json!(true)),
        ("default", json!({})),
        ("oneOf", json!([{"required": ["a"]}, {"required": ["b"]}])),
        ("anyOf", json!([{"required": ["a"]}, {"required": ["c"]}])),
        ("x-kubernetes-preserve-unknown-fields", json!(true)),
    ]);
    let properties = btree_map(select(&FIELDS[..]), inner, 1..=4);
    (required, keywords, properties).prop_map(|(required, mut keywords, properties)| {
        keywords.push(("properties", json!(properties)));
        if !required.is_empty() {
            keywords.push(("required", json!(required)));
        }
        schema_of("object", keywords)
    })
}

fn anything() -> BoxedStrategy<Value> {
    let leaf = select(vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(2),
        json!(5),
        json!(1.5),
        json!("a"),
        json!([]),
        json!({}),
        json!(["a", "a"]),
        json!({"a": 1}),
    ]);
    leaf.boxed()
}

/// Mostly what fits, sometimes anything.
fn values(schema: &Value) -> BoxedStrategy<Value> {
    let fitting = match schema["type"].as_str() {
        Some("string") => select(&TEXTS[..]).prop_map(Value::from).boxed(),
        Some("integer") => (-1..7_i64).prop_map(Value::from).boxed(),
        Some("number") => (-2..14_i32)
            .prop_map(|half| json!(f64::from(half) / 2.0))
            .boxed(),
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        Some("array") => vec(values(&schema["items"]), 0..=3)
            .prop_map(Value::from)
            .boxed(),
        Some("object") if schema["properties"].is_object() => fields(schema),
        Some("object") => btree_map(select(&FIELDS[..]), anything(), 0..=2)
            .prop_map(|fields| json!(fields))
            .boxed(),
        _ => anything(),
    };
    prop_oneof![6 => fitting, 1 => anything()].boxed()
}

/// Some of an object's fields, and now and then one it does not know.
fn fields(schema: &Value) -> BoxedStrategy<Value> {
    let known = schema["properties"].as_object().into_iter().flatten();
    let known: Vec<_> = known
        .map(|(name, schema)| {
            let name = name.clone();
            values(schema)
                .prop_map(move |value| (name.clone(), value))
                .boxed()
        })
        .collect();
    let unknown = anything()
        .prop_map(|value| ("unknown".to_owned(), value))
        .boxed();
    let weighted = known
        .into_iter()
        .map(|field| (4, field))
        .chain([(1, unknown)]);
    btree_map_of(Union::new_weighted(weighted.collect())).boxed()
}

fn btree_map_of(field: impl Strategy<Value = (String, Value)>) -> impl Strategy<Value = Value> {
    vec(field, 0..=4).prop_map(|fields| Value::Object(fields.into_iter().collect()))
}

fn cases() -> impl Strategy<Value = Case> {
    objects(schemas()).prop_flat_map(|schema| {
        let specs = vec(values(&schema), 12);
        (Just(schema), specs).prop_map(|(schema, specs)| Case { schema, specs })
    })
}

fn definition(case: &Case) -> Value {
    things(json!({"type": "object", "properties": {"spec": case.schema}}))
}

fn asked_of(case: &Case) -> Sequence {
    let sequence = seq("a made-up definition").defined(definition(case));
    let sequence = case.specs.iter().fold(sequence, |sequence, spec| {
        sequence.post("{things}?dryRun=All", thing("a", spec.clone()))
    });
    let [first, second] = [0, 1].map(|at| case.specs[at].clone());
    sequence
        .apply("{things}/b?fieldManager=one", thing("b", first))
        .apply(
            "{things}/b?fieldManager=two&force=true",
            thing("b", second.clone()),
        )
        .merge("{things}/b?fieldManager=three", json!({"spec": second}))
}

async fn check(case: &Case, number: usize, real: &Asked, ours: &[Asked; 2]) -> String {
    let tried =
        seq("a made-up definition is judged").post("{definitions}?dryRun=All", definition(case));
    let name = format!("judged-{number}");
    let judged = report(name.clone(), &tried, real, ours).await;
    let taken = run(real, &format!("{name}-again"), &tried).await;
    let refused = taken
        .seen
        .first()
        .is_none_or(|answer| answer["status"] != 201);
    if !judged.is_empty() || refused {
        return judged;
    }
    report(format!("made-up-{number}"), &asked_of(case), real, ours).await
}

fn how_many() -> u32 {
    let asked = std::env::var_os("CLAWDET_TEST_SEEDS");
    asked.map_or(DEFINITIONS, |asked| {
        let lives: u32 = asked.to_str().unwrap().parse().unwrap();
        lives / LIVES
    })
}

#[test]
fn made_up_definitions_and_objects_are_answered_the_same() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let test = "made_up_definitions_and_objects_are_answered_the_same";
    let Some(real) = runtime.block_on(Asked::real(test)) else {
        return;
    };
    let ours = runtime.block_on(async { [Asked::in_memory().await, Asked::on_sqlite().await] });
    let config = Config {
        cases: how_many(),
        max_shrink_iters: SHRINKS,
        failure_persistence: None,
        ..Config::default()
    };
    let chance = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, chance);
    let number = AtomicUsize::new(0);
    let outcome = runner.run(&cases(), |case| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let different = runtime.block_on(check(&case, number, &real, &ours));
        if different.is_empty() {
            return Ok(());
        }
        Err(TestCaseError::fail(different))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
