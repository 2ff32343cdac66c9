//! Room: owners and what they own: policies of deletion, absent owners, references that are none.
//!
//! The real collector works behind the answers, so what it does is waited for and then compared.

use serde_json::{Value, json};

use super::sequence::{Sequence, seq};

fn named(name: &str, more: Value) -> Value {
    let mut metadata = json!({"name": name});
    let fields = more.as_object().cloned().unwrap_or_default();
    metadata.as_object_mut().unwrap().extend(fields);
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
}

/// A reference to the map `owner`, whose uid was kept under its name.
fn owner(name: &str, blocks: bool) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": name,
        "uid": format!("{{{name}}}"), "blockOwnerDeletion": blocks,
    })
}

fn owned(name: &str, owners: &[Value]) -> Value {
    named(name, json!({"ownerReferences": owners}))
}

fn held(name: &str, owners: &[Value]) -> Value {
    named(
        name,
        json!({"ownerReferences": owners, "finalizers": ["x.y/z"]}),
    )
}

fn free() -> Value {
    json!({"metadata": {"finalizers": null}})
}

fn is_going(_: u16, object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

fn policies() -> Vec<Sequence> {
    let pair = |sentence: &str| {
        seq(sentence)
            .post("{maps}", named("top", json!({})))
            .keep("top", "/metadata/uid")
            .post("{maps}", owned("a", &[owner("top", true)]))
    };
    vec![
        pair("what is owned goes with its owner")
            .delete("{maps}/top")
            .until_gone("{maps}/a")
            .get("{maps}"),
        pair("so it does in the background")
            .delete_with("{maps}/top", json!({"propagationPolicy": "Background"}))
            .until_gone("{maps}/a")
            .get("{maps}/top"),
        pair("in the foreground the owner waits for what blocks it")
            .post("{maps}", held("b", &[owner("top", true)]))
            .post("{maps}", held("c", &[owner("top", false)]))
            .delete_with("{maps}/top", json!({"propagationPolicy": "Foreground"}))
            .until_gone("{maps}/a")
            .until("{maps}/b", is_going)
            .until("{maps}/c", is_going)
            .get("{maps}")
            .merge("{maps}/b", free())
            .until_gone("{maps}/top")
            .get("{maps}")
            .merge("{maps}/c", free())
            .get("{maps}"),
        pair("orphans stay and forget their owner")
            .delete_with("{maps}/top", json!({"propagationPolicy": "Orphan"}))
            .until_gone("{maps}/top")
            .get("{maps}/a"),
        pair("so they do in the words of before")
            .delete("{maps}/top?orphanDependents=true")
            .until_gone("{maps}/top")
            .get("{maps}/a"),
        pair("an owner that is asked for again may let go")
            .post("{maps}", held("b", &[owner("top", true)]))
            .delete_with("{maps}/top", json!({"propagationPolicy": "Foreground"}))
            .until("{maps}/b", is_going)
            .delete_with("{maps}/top", json!({"propagationPolicy": "Background"}))
            .get("{maps}/top")
            .merge("{maps}/b", free()),
        pair("an owner goes when it is blocked no longer")
            .post("{maps}", held("b", &[owner("top", true)]))
            .delete_with("{maps}/top", json!({"propagationPolicy": "Foreground"}))
            .until("{maps}/b", is_going)
            .merge(
                "{maps}/b",
                json!({"metadata": {"ownerReferences": [owner("top", false)]}}),
            )
            .until_gone("{maps}/top")
            .merge("{maps}/b", free()),
        pair("a policy of an object that is held shows in its finalizers")
            .merge("{maps}/a", json!({"metadata": {"finalizers": ["x.y/z"]}}))
            .delete_with("{maps}/a", json!({"propagationPolicy": "Orphan"}))
            .shown(|object| object["metadata"]["finalizers"].clone())
            .until("{maps}/a", |_, object| {
                object["metadata"]["finalizers"] == json!(["x.y/z"])
            })
            .merge("{maps}/a", free())
            .get("{maps}"),
        seq("a dry run says what a policy would come to")
            .post("{maps}", named("a", json!({})))
            .delete_with(
                "{maps}/a",
                json!({"propagationPolicy": "Orphan", "dryRun": ["All"]}),
            )
            .get("{maps}/a"),
    ]
}

fn absent() -> Vec<Sequence> {
    vec![
        seq("who names only owners that are not there goes")
            .post(
                "{maps}",
                owned("a", &[json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "of-nobody"})]),
            )
            .until_gone("{maps}/a")
            .get("{maps}"),
        seq("an owner of the same name that is another is not there")
            .post("{maps}", named("top", json!({})))
            .keep("top", "/metadata/uid")
            .post(
                "{maps}",
                owned("a", &[json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "top", "uid": "of-an-earlier-one"})]),
            )
            .until_gone("{maps}/a")
            .get("{maps}"),
        seq("one living owner is enough, and the others are forgotten")
            .post("{maps}", named("top", json!({})))
            .keep("top", "/metadata/uid")
            .post("{maps}", named("other", json!({})))
            .keep("other", "/metadata/uid")
            .post(
                "{maps}",
                owned("a", &[owner("top", false), owner("other", true)]),
            )
            .delete("{maps}/top")
            .until("{maps}/a", |_, object| {
                object["metadata"]["ownerReferences"][1].is_null()
            })
            .get("{maps}/a")
            .delete("{maps}/other")
            .until_gone("{maps}/a"),
        seq("a secret is owned as well as a map")
            .post("{maps}", named("top", json!({})))
            .keep("top", "/metadata/uid")
            .post(
                "{secrets}",
                json!({"metadata": {"name": "s", "ownerReferences": [owner("top", true)]}}),
            )
            .delete("{maps}/top")
            .until_gone("{secrets}/s")
            .get("{secrets}"),
        seq("a circle goes although everybody in it waits")
            .post("{maps}", named("top", json!({})))
            .keep("top", "/metadata/uid")
            .post("{maps}", owned("a", &[owner("top", true)]))
            .keep("a", "/metadata/uid")
            .merge("{maps}/top", json!({"metadata": {"ownerReferences": [owner("a", true)]}}))
            .delete_with("{maps}/top", json!({"propagationPolicy": "Foreground"}))
            .shown(|object| object["metadata"]["finalizers"].clone())
            .until_gone("{maps}/top")
            .until_gone("{maps}/a"),
    ]
}

/// What no reference may be.
fn references() -> Vec<Sequence> {
    let one = |change: Value| {
        let mut reference =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "top", "uid": "u"});
        let fields = change.as_object().cloned().unwrap_or_default();
        reference.as_object_mut().unwrap().extend(fields);
        reference
    };
    let controller = |name: &str| one(json!({"name": name, "uid": name, "controller": true}));
    vec![
        seq("a reference says everything, and nothing twice")
            .post("{maps}", owned("a", &[json!({})]))
            .post("{maps}", owned("a", &[one(json!({"apiVersion": "a/b/c"}))]))
            .post("{maps}", owned("a", &[one(json!({"kind": ""}))]))
            .post("{maps}", owned("a", &[one(json!({"name": ""}))]))
            .post("{maps}", owned("a", &[one(json!({"uid": ""}))]))
            .post("{maps}", owned("a", &[one(json!({"kind": "Event"}))]))
            .post("{maps}", owned("a", &[controller("x"), controller("y")])),
        seq("two ways to end at once are none")
            .post(
                "{maps}",
                named("a", json!({"finalizers": ["orphan", "foregroundDeletion"]})),
            )
            .post("{maps}", named("a", json!({})))
            .delete("{maps}/a?propagationPolicy=Foo")
            .delete("{maps}/a?propagationPolicy=Orphan&orphanDependents=false")
            .delete_with("{maps}/a", json!({"propagationPolicy": 7}))
            .delete_with("{maps}/a", json!({"orphanDependents": "yes"}))
            .get("{maps}/a"),
        seq("with a body the query says nothing")
            .post("{maps}", named("a", json!({})))
            .delete_with("{maps}/a?propagationPolicy=Foo&dryRun=All", json!({}))
            .get("{maps}/a"),
    ]
}

pub(super) fn sequences() -> Vec<Sequence> {
    [policies(), absent(), references()]
        .into_iter()
        .flatten()
        .collect()
}
