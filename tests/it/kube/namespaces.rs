//! Room: namespaces and definitions that are deleted with what is in them.

use serde_json::{Value, json};

use super::sequence::{Sequence, seq, thing, things};

const NAMESPACE: &str = "/api/v1/namespaces/{ns}";

fn held(name: &str, finalizers: &[&str]) -> Value {
    json!({"metadata": {"name": name, "finalizers": finalizers}})
}

fn free() -> Value {
    json!({"metadata": {"finalizers": null}})
}

fn says_what_remains(_: u16, namespace: &Value) -> bool {
    namespace["status"]["conditions"][4].is_object()
}

fn begun() -> Vec<Sequence> {
    vec![
        seq("a namespace begins active")
            .get(NAMESPACE)
            .get("/api/v1/namespaces?fieldSelector=metadata.name%3D{ns},status.phase%3DActive"),
        seq("some namespaces are there, and stay")
            .get("/api/v1/namespaces/default")
            .shown(|namespace| namespace["spec"].clone())
            .get("/api/v1/namespaces/kube-node-lease")
            .shown(|namespace| namespace["metadata"]["labels"].clone())
            .delete("/api/v1/namespaces/default")
            .delete("/api/v1/namespaces/kube-system")
            .delete("/api/v1/namespaces/kube-public?dryRun=All"),
        seq("a namespace's status is a part of its own")
            .put(
                "/api/v1/namespaces/{ns}/status",
                json!({"metadata": {"name": "{ns}", "labels": {"a": "b"}}, "status": {"phase": "Terminating"}}),
            )
            .merge(
                "/api/v1/namespaces/{ns}/status",
                json!({"metadata": {"labels": {"c": "d"}}, "spec": {"finalizers": ["x.y/z"]}}),
            )
            .get(NAMESPACE),
        seq("a namespace's finalizers are another")
            .put(
                "/api/v1/namespaces/{ns}/finalize",
                json!({"metadata": {"name": "{ns}"}, "spec": {"finalizers": ["kubernetes", "x.y/z"]}}),
            )
            .put(
                "/api/v1/namespaces/{ns}/finalize",
                json!({"metadata": {"name": "other"}, "spec": {"finalizers": ["kubernetes"]}}),
            )
            .put(
                "/api/v1/namespaces/{ns}/finalize",
                json!({"metadata": {"name": "{ns}"}, "spec": {"finalizers": ["odd"]}}),
            )
            .get("/api/v1/namespaces/{ns}/finalize")
            .shown(|answer| answer["code"].clone())
            .get(NAMESPACE),
    ]
}

fn ended() -> Vec<Sequence> {
    vec![
        seq("an empty namespace goes")
            .delete(NAMESPACE)
            .until_gone(NAMESPACE)
            .get(NAMESPACE)
            .post("{maps}", held("a", &[])),
        seq("a namespace says what it waits for, and takes nothing new")
            .post("{maps}", held("a", &["x.y/z", "x.y/w"]))
            .post("{maps}", held("b", &["x.y/z"]))
            .post("{secrets}", held("s", &["x.y/z"]))
            .post("{maps}", held("plain", &[]))
            .delete(NAMESPACE)
            .post("{maps}", held("late", &[]))
            .post("{maps}?dryRun=All", held("late", &[]))
            .until(NAMESPACE, says_what_remains)
            .get(NAMESPACE)
            .get("{maps}")
            .merge("{maps}/a", json!({"data": {"k": "v"}}))
            .merge("{maps}/a", free())
            .merge("{maps}/b", free())
            .merge("{secrets}/s", free())
            .until_gone(NAMESPACE),
        seq("a namespace's own finalizers are the last")
            .merge(NAMESPACE, json!({"metadata": {"finalizers": ["x.y/z"]}}))
            .delete_with(NAMESPACE, json!({"propagationPolicy": "Foreground"}))
            .shown(|namespace| namespace["status"].clone())
            .until(NAMESPACE, |_, namespace| {
                namespace["spec"]["finalizers"].is_null()
            })
            .get(NAMESPACE)
            .delete(NAMESPACE)
            .merge(NAMESPACE, free())
            .get(NAMESPACE),
        seq("a namespace is asked for by its uid")
            .get(NAMESPACE)
            .delete_with(NAMESPACE, json!({"preconditions": {"uid": "another"}}))
            .delete_with(
                NAMESPACE,
                json!({"preconditions": {"resourceVersion": "1"}}),
            )
            .get(NAMESPACE),
    ]
}

fn definitions() -> Vec<Sequence> {
    let definition = "{definitions}/things.{group}";
    let anything = || json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    vec![
        seq("a definition waits for the last of its objects, and takes nothing new")
            .defined(things(anything()))
            .post("{things}", thing("plain", json!({})))
            .post("{things}", thing("a", json!({})))
            .merge("{things}/a", json!({"metadata": {"finalizers": ["x.y/z"]}}))
            .delete(definition)
            .until(definition, |_, definition| {
                definition["status"]["conditions"][2]["reason"] == "InstanceDeletionInProgress"
            })
            .until_gone("{things}/plain")
            .get(definition)
            .post("{things}", thing("late", json!({})))
            .get("{things}")
            .merge("{things}/a", json!({"spec": {"k": "v"}}))
            .merge("{things}/a", free())
            .until_gone(definition)
            .get(definition),
        seq("a definition without objects goes")
            .defined(things(anything()))
            .delete(definition)
            .until_gone(definition)
            .until_gone("{things}"),
        seq("a definition is asked for by its uid")
            .defined(things(anything()))
            .get(definition)
            .shown(|definition| json!({"uid": definition["metadata"]["uid"]}))
            .delete_with(definition, json!({"preconditions": {"uid": "another"}}))
            .delete_with(
                definition,
                json!({"preconditions": {"resourceVersion": "1"}}),
            ),
    ]
}

pub(super) fn sequences() -> Vec<Sequence> {
    [begun(), ended(), definitions()]
        .into_iter()
        .flatten()
        .collect()
}
