//! Room: the scale of custom objects: shown, replaced, patched, refused, and whose it is.

use serde_json::{Value, json};

use super::sequence::{JSON_PATCH, STRATEGIC, Sequence, seq, thing, things};

fn scaled(selector: bool) -> Value {
    let mut definition = things(json!({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"replicas": {"type": "integer"}, "size": {"type": "string"}},
            },
            "status": {
                "type": "object",
                "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}},
            },
        },
    }));
    let mut scale =
        json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
    if selector {
        scale["labelSelectorPath"] = ".status.selector".into();
    }
    definition["spec"]["versions"][0]["subresources"] = json!({"status": {}, "scale": scale});
    definition
}

fn scale(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {"name": name, "namespace": "{ns}"}, "spec": spec,
    })
}

fn wants(replicas: i64) -> Value {
    scale("a", json!({"replicas": replicas}))
}

fn with(sentence: &str, spec: Value) -> Sequence {
    seq(sentence)
        .defined(scaled(true))
        .post("{things}", thing("a", spec))
}

fn shown() -> Vec<Sequence> {
    vec![
        with(
            "a scale shows what is wanted and what is there",
            json!({"replicas": 3}),
        )
        .get("{things}/a/scale")
        .merge(
            "{things}/a/status",
            json!({"status": {"replicas": 2, "selector": "x=y"}}),
        )
        .get("{things}/a/scale")
        .get("{things}/b/scale")
        .get("/apis/{group}/v1"),
        seq("without a selector's path there is none")
            .defined(scaled(false))
            .post("{things}", thing("a", json!({"replicas": 3})))
            .merge(
                "{things}/a/status",
                json!({"status": {"replicas": 2, "selector": "x=y"}}),
            )
            .get("{things}/a/scale"),
        with("where nothing is wanted there is no scale", json!({}))
            .get("{things}/a/scale")
            .merge(
                "{things}/a/scale",
                json!({"metadata": {"labels": {"x": "y"}}}),
            )
            .merge("{things}/a/scale", json!({"spec": {"replicas": 1}}))
            .get("{things}/a/scale"),
        seq("a kind without a scale has none")
            .defined(things(json!({"type": "object"})))
            .post("{things}", thing("a", json!({})))
            .get("{things}/a/scale"),
    ]
}

fn written() -> Vec<Sequence> {
    vec![
        with(
            "a scale that is put counts as a change of the spec",
            json!({"replicas": 3, "size": "m"}),
        )
        .put("{things}/a/scale", wants(4))
        .get("{things}/a")
        .put("{things}/a/scale", wants(4))
        .put("{things}/a/scale", scale("a", json!({})))
        .get("{things}/a")
        .put("{things}/a/scale?dryRun=All", wants(9))
        .get("{things}/a"),
        with("a scale is patched in two ways", json!({"replicas": 3}))
            .merge("{things}/a/scale", json!({"spec": {"replicas": 7}}))
            .patch(
                JSON_PATCH,
                "{things}/a/scale",
                json!([{"op": "replace", "path": "/spec/replicas", "value": 8}]),
            )
            .patch(
                JSON_PATCH,
                "{things}/a/scale",
                json!([{"op": "remove", "path": "/spec/nothing"}]),
            )
            .patch(
                STRATEGIC,
                "{things}/a/scale",
                json!({"spec": {"replicas": 9}}),
            )
            .get("{things}/a"),
        with(
            "a version that is said has to be the latest",
            json!({"replicas": 3}),
        )
        .put(
            "{things}/a/scale",
            json!({"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"replicas": 5}}),
        )
        .merge(
            "{things}/a/scale",
            json!({"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 5}}),
        )
        .get("{things}/a/scale")
        .put_back("{things}/a/scale", |scale| {
            scale["spec"]["replicas"] = 6.into();
        })
        .put_back("{things}/a/scale", |scale| {
            scale["metadata"]["uid"] = "another".into();
        }),
        with(
            "what is wanted is a number that can be",
            json!({"replicas": 3}),
        )
        .put("{things}/a/scale", wants(-5))
        .merge("{things}/a/scale", json!({"spec": {"replicas": -7}}))
        .post("{things}", thing("b", json!({"replicas": -3})))
        .post(
            "{things}",
            thing("b", json!({"replicas": 3_000_000_000_i64})),
        )
        .post("{things}", thing("b", json!({"replicas": "x"})))
        .merge("{things}/a/status", json!({"status": {"replicas": -1}}))
        .get("{things}/a"),
    ]
}

fn refused() -> Vec<Sequence> {
    vec![
        with("a body that is no scale is refused", json!({"replicas": 3}))
            .put("{things}/a/scale", scale("a", json!({"replicas": "5"})))
            .put("{things}/a/scale", scale("b", json!({"replicas": 5})))
            .put("{things}/a/scale", json!({"spec": {"replicas": 5}}))
            .put(
                "{things}/a/scale",
                json!({"metadata": {"name": "a", "namespace": "other"}, "spec": {"replicas": 5}}),
            )
            .put("{things}/a/scale", thing("a", json!({"replicas": 5})))
            .put("{things}/b/scale", scale("b", json!({"replicas": 5})))
            .merge("{things}/a/scale", json!({"spec": {"replicas": "x"}}))
            .shown(|answer| answer["reason"].clone())
            .merge("{things}/a/scale", json!({"metadata": {"name": "b"}}))
            .get("{things}/a/scale"),
        with(
            "nobody owns what is wanted until somebody said it",
            json!({}),
        )
        .put("{things}/a/scale?fieldManager=put", wants(4))
        .get("{things}/a")
        .apply("{things}/a/scale?fieldManager=me", wants(5))
        .get("{things}/a"),
        seq("who scales takes over from who said it before")
            .defined(scaled(true))
            .apply(
                "{things}/a?fieldManager=first",
                thing("a", json!({"replicas": 3})),
            )
            .apply("{things}/a/scale?fieldManager=me", wants(5))
            .merge(
                "{things}/a/scale?fieldManager=patch",
                json!({"spec": {"replicas": 6}}),
            )
            .get("{things}/a")
            .put("{things}/a/scale?fieldManager=put", wants(6))
            .get("{things}/a")
            .put("{things}/a/scale?fieldManager=put", wants(7))
            .get("{things}/a"),
    ]
}

pub(super) fn sequences() -> Vec<Sequence> {
    [shown(), written(), refused()]
        .into_iter()
        .flatten()
        .collect()
}
