//! Room: a kind in two versions with schemas of their own: what is kept, what is shown, and who owns it.

use serde_json::{Value, json};

use super::sequence::{APPLY, JSON_PATCH, MERGE, Sequence, seq, things};

const NEWER: &str = "/apis/{group}/v2/namespaces/{ns}/things";

/// `v1` knows `a` and `one`, `v2` knows `a` (three letters at most), `two` and `c`; `v1` is stored.
fn two_versions() -> Value {
    let schema = |properties: Value| {
        json!({"openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"type": "object", "properties": properties}},
        }})
    };
    let mut definition = things(json!({}));
    let mut newer = definition["spec"]["versions"][0].clone();
    definition["spec"]["versions"][0]["schema"] = schema(json!({
        "a": {"type": "string"}, "one": {"type": "string", "default": "d1"},
    }));
    newer["name"] = "v2".into();
    newer["storage"] = false.into();
    newer["schema"] = schema(json!({
        "a": {"type": "string", "maxLength": 3},
        "two": {"type": "string", "default": "d2"},
        "c": {"type": "string"},
    }));
    let versions = definition["spec"]["versions"].as_array_mut();
    versions.unwrap().push(newer);
    definition
}

fn thing(version: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": format!("{{group}}/{version}"), "kind": "Thing",
        "metadata": {"name": name}, "spec": spec,
    })
}

fn both(sentence: &str) -> Sequence {
    seq(sentence)
        .defined(two_versions())
        .until(NEWER, |status, _| status == 200)
}

fn newer(name: &str) -> String {
    format!("{NEWER}/{name}")
}

fn shown() -> Vec<Sequence> {
    vec![
        both("what one version does not know it does not show")
            .post(
                "{things}",
                thing("v1", "x", json!({"a": "1234", "c": "no"})),
            )
            .get(newer("x"))
            .post(NEWER, thing("v2", "y", json!({"a": "12", "c": "yes"})))
            .get("{things}/y")
            .get(newer("y"))
            .get(NEWER)
            .get("{things}"),
        both("each version has rules of its own")
            .post(NEWER, thing("v2", "x", json!({"a": "1234"})))
            .post("{things}", thing("v1", "x", json!({"a": "1234"})))
            .patch(MERGE, newer("x"), json!({"spec": {"c": "new"}}))
            .patch(MERGE, newer("x"), json!({"spec": {"a": "12345"}}))
            .patch(MERGE, newer("x"), json!({"spec": {"a": "ok"}}))
            .get("{things}/x"),
        both("a body of one version is not for the other")
            .post("{things}", thing("v2", "x", json!({})))
            .post(NEWER, thing("v1", "x", json!({})))
            .get("/apis/{group}/v3/namespaces/{ns}/things"),
        both("a watch shows its own version")
            .post("{things}", thing("v1", "x", json!({"a": "1"})))
            .get(format!("{NEWER}?watch=true&timeoutSeconds=1")),
    ]
}

fn owned() -> Vec<Sequence> {
    vec![
        both("owners of one version are asked in the other")
            .post("{things}", thing("v1", "x", json!({"a": "1"})))
            .patch(
                APPLY,
                newer("x?fieldManager=m"),
                thing("v2", "x", json!({"a": "2"})),
            )
            .patch(
                APPLY,
                newer("x?fieldManager=m&force=true"),
                thing("v2", "x", json!({"a": "2"})),
            )
            .get(newer("x")),
        both("what another version cannot hold changes no owners")
            .post("{things}", thing("v1", "x", json!({"a": "1"})))
            .patch(
                MERGE,
                newer("x?fieldManager=other"),
                json!({"spec": {"a": "2", "c": "new"}}),
            )
            .get("{things}/x"),
    ]
}

fn moved() -> Vec<Sequence> {
    let definition = "{definitions}/things.{group}";
    let swap = || {
        json!([
            {"op": "replace", "path": "/spec/versions/0/storage", "value": false},
            {"op": "replace", "path": "/spec/versions/1/storage", "value": true},
        ])
    };
    let stored = |object: Value| object["status"]["storedVersions"].clone();
    vec![
        both("versions that were stored are remembered until somebody says they are not")
            .post("{things}", thing("v1", "x", json!({"a": "1"})))
            .patch(JSON_PATCH, definition, swap())
            .shown(stored)
            .until("{things}/x", |status, _| status == 200)
            .get("{things}/x")
            .get(newer("x"))
            .patch(
                JSON_PATCH,
                definition,
                json!([{"op": "remove", "path": "/spec/versions/0"}]),
            )
            .merge(
                "{definitions}/things.{group}/status",
                json!({"status": {"storedVersions": ["v1"]}}),
            )
            .merge(
                "{definitions}/things.{group}/status",
                json!({"status": {"storedVersions": ["v2"]}}),
            )
            .shown(stored),
        both("a version that is served no longer is gone")
            .post("{things}", thing("v1", "x", json!({"a": "1"})))
            .patch(
                JSON_PATCH,
                definition,
                json!([{"op": "replace", "path": "/spec/versions/0/served", "value": false}]),
            )
            .shown(stored)
            .until_gone("{things}")
            .get("{things}/x")
            .get(newer("x"))
            .get("/apis/{group}")
            .patch(MERGE, newer("x"), json!({"spec": {"a": "2"}}))
            .get(newer("x")),
    ]
}

pub(super) fn sequences() -> Vec<Sequence> {
    [shown(), owned(), moved()].into_iter().flatten().collect()
}
