//! Room: watches: what happened since, what enters and leaves a selection, and how one begins and ends.

use serde_json::{Value, json};

use super::sequence::{Sequence, map, seq};

/// A watch that ends by itself.
const WATCH: &str = "{maps}?watch=true&timeoutSeconds=1";

fn begun(sentence: &str) -> Sequence {
    seq(sentence)
        .post("{maps}", map("a", json!({"k": "1"})))
        .get("{maps}")
        .keep("then", "/metadata/resourceVersion")
}

fn following() -> Vec<Sequence> {
    vec![
        begun("a watch tells everything since its version in order")
            .post("{maps}", map("b", json!({})))
            .merge("{maps}/a", json!({"data": {"k": "2"}}))
            .delete("{maps}/a")
            .post("{maps}", map("a", json!({})))
            .get(format!("{WATCH}&resourceVersion={{then}}")),
        begun("an object enters and leaves a selection as its labels change")
            .merge("{maps}/a", json!({"metadata": {"labels": {"on": "yes"}}}))
            .merge("{maps}/a", json!({"data": {"k": "2"}}))
            .merge("{maps}/a", json!({"metadata": {"labels": {"on": "no"}}}))
            .merge("{maps}/a", json!({"metadata": {"labels": {"on": "yes"}}}))
            .delete("{maps}/a")
            .get(format!(
                "{WATCH}&resourceVersion={{then}}&labelSelector=on%3Dyes"
            ))
            .get(format!(
                "{WATCH}&resourceVersion={{then}}&labelSelector=on%3Dnever"
            )),
        begun("a watch of one name sees that one")
            .post("{maps}", map("b", json!({})))
            .merge("{maps}/a", json!({"data": {"k": "2"}}))
            .get(format!(
                "{WATCH}&resourceVersion={{then}}&fieldSelector=metadata.name%3Da"
            ))
            .get("{maps}/a?watch=true&timeoutSeconds=1&resourceVersion={then}"),
        begun("a deletion in two steps is a change and a deletion")
            .merge("{maps}/a", json!({"metadata": {"finalizers": ["x.y/z"]}}))
            .delete("{maps}/a")
            .merge("{maps}/a", json!({"metadata": {"finalizers": null}}))
            .get(format!("{WATCH}&resourceVersion={{then}}")),
        begun("a watch shows objects as a list would")
            .merge("{maps}/a", json!({"data": {"k": "2"}}))
            .get(format!("{WATCH}&resourceVersion={{then}}"))
            .accept("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
            .get(format!("{WATCH}&resourceVersion={{then}}"))
            .accept("application/json;as=Table;g=meta.k8s.io;v=v1")
            .shown(|mut events| {
                events[0]["object"]["columnDefinitions"] = Value::Null;
                events
            }),
    ]
}

fn beginning() -> Vec<Sequence> {
    vec![
        begun("a watch without a version begins with what is there")
            .get(WATCH)
            .get(format!("{WATCH}&resourceVersion=0")),
        begun("a streamed list ends with a bookmark that says so")
            .get(format!("{WATCH}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"))
            .get(format!("{WATCH}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"))
            .get(format!("{WATCH}&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"))
            .get(format!("{WATCH}&sendInitialEvents=true"))
            .get(format!("{WATCH}&sendInitialEvents=true&resourceVersionMatch=Exact"))
            .get(format!("{WATCH}&resourceVersionMatch=NotOlderThan")),
        begun("a watch is refused when it makes no sense")
            .get(format!("{WATCH}&resourceVersion=x"))
            .get(format!("{WATCH}&labelSelector=a+b"))
            .get(format!("{WATCH}&fieldSelector=data.k%3D1"))
            .get("{maps}?watch=true&timeoutSeconds=x")
            .get("{maps}?watch=maybe&timeoutSeconds=1"),
    ]
}

pub(super) fn sequences() -> Vec<Sequence> {
    [following(), beginning()].into_iter().flatten().collect()
}
