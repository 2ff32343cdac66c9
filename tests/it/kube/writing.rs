//! Room: creating, updating and patching.

use serde_json::{Value, json};

use super::sequence::{JSON_PATCH, MERGE, STRATEGIC, Sequence, map, seq, thing, things};

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {
                "size": {"type": "integer"}, "color": {"type": "string", "default": "red"},
                "deep": {"type": "object", "properties": {"a": {"type": "string"}}},
            }},
            "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
        },
    })
}

fn with_status() -> Value {
    let mut definition = things(schema());
    definition["spec"]["versions"][0]["subresources"] = json!({"status": {}});
    definition
}

fn creating() -> Vec<Sequence> {
    vec![
        seq("a name can be left to the server")
            .post("{maps}", json!({"metadata": {"generateName": "x-"}}))
            .keep("name", "/metadata/name")
            .get("{maps}/{name}")
            .post("{maps}", json!({"metadata": {}})),
        seq("a name is one the kind allows")
            .post("{maps}", map("A", json!({})))
            .post("{maps}", map("a..b", json!({})))
            .post("{maps}", map("a/b", json!({})))
            .post("{maps}", map(&"a".repeat(254), json!({})))
            .post(
                "/api/v1/namespaces",
                json!({"metadata": {"name": "a.b"}}),
            ),
        seq("a name is taken once")
            .post("{maps}", map("a", json!({})))
            .post("{maps}", map("a", json!({})))
            .post("{maps}?dryRun=All", map("a", json!({}))),
        seq("a body is for the path it is sent to")
            .post("{maps}", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}))
            .post("{maps}", json!({"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "a"}}))
            .post("{maps}", json!({"metadata": {"name": "a", "namespace": "elsewhere"}}))
            .post("/api/v1/namespaces/nowhere/configmaps", map("a", json!({})))
            .post("{maps}", json!({"metadata": {"name": "a", "resourceVersion": "5"}}))
            .post("{maps}", json!({"metadata": {"name": "a", "uid": "my-own", "generation": 7, "selfLink": "/x"}})),
        seq("a dry run changes nothing")
            .post("{maps}?dryRun=All", map("a", json!({"k": "v"})))
            .get("{maps}/a")
            .post("{maps}?dryRun=Some", map("a", json!({})))
            .post("{maps}", map("a", json!({"k": "v"})))
            .merge("{maps}/a?dryRun=All", json!({"data": {"k": "w"}}))
            .delete("{maps}/a?dryRun=All")
            .get("{maps}/a"),
        seq("metadata is checked")
            .post("{maps}", json!({"metadata": {"name": "a", "labels": {"a b": "c", "d": "e f", "x/y/z": ""}}}))
            .post("{maps}", json!({"metadata": {"name": "a", "annotations": {"a b": "c"}}}))
            .post("{maps}", json!({"metadata": {"name": "a", "finalizers": ["nobody"]}}))
            .post("{maps}", json!({"metadata": {"name": "a", "finalizers": ["a b/c"]}}))
            .post("{maps}", json!({"metadata": {"name": "a", "ownerReferences": [{"apiVersion": "v1", "kind": "", "name": "", "uid": ""}]}}))
            .post("{maps}", json!({"metadata": {"name": "a", "ownerReferences": [
                {"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "1", "controller": true},
                {"apiVersion": "v1", "kind": "Secret", "name": "e", "uid": "2", "controller": true},
            ]}}))
            .post("{maps}?fieldManager=a%0Ab", map("a", json!({})))
            .post(format!("{{maps}}?fieldManager={}", "m".repeat(129)), map("a", json!({}))),
    ]
}

fn fields() -> Vec<Sequence> {
    let odd =
        || json!({"metadata": {"name": "a", "odd": 1}, "data": {"k": "v"}, "other": {"x": 1}});
    let twice = r#"{"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"size": 1, "size": 2}}"#;
    let text = |text: &str| super::sequence::Body::Text(text.to_owned());
    vec![
        seq("an unknown field is refused, warned of or ignored, as asked")
            .post("{maps}?fieldValidation=Strict", odd())
            .post("{maps}?fieldValidation=Warn&dryRun=All", odd())
            .post("{maps}?fieldValidation=Ignore&dryRun=All", odd())
            .post("{maps}?dryRun=All", odd())
            .post("{maps}?fieldValidation=Odd", odd()),
        seq("an unknown field of a custom kind is, too")
            .defined(things(schema()))
            .post(
                "{things}?fieldValidation=Strict",
                thing("a", json!({"odd": 1, "deep": {"b": 2}})),
            )
            .post(
                "{things}?fieldValidation=Warn&dryRun=All",
                thing("a", json!({"odd": 1, "deep": {"b": 2}})),
            )
            .post(
                "{things}?fieldValidation=Ignore&dryRun=All",
                thing("a", json!({"odd": 1})),
            )
            .post(
                "{things}?fieldValidation=Warn",
                thing("a", json!({"odd": 1, "size": "x"})),
            )
            .post("{things}", thing("a", json!({})))
            .merge(
                "{things}/a?fieldValidation=Strict",
                json!({"spec": {"odd": 1}}),
            )
            .merge(
                "{things}/a?fieldValidation=Warn",
                json!({"spec": {"odd": 1}}),
            )
            .apply(
                "{things}/a?fieldManager=m&fieldValidation=Warn",
                thing("a", json!({"odd": 1})),
            )
            .apply(
                "{things}/a?fieldManager=m&fieldValidation=Strict",
                thing("a", json!({"odd": 1})),
            ),
        seq("a field said twice is refused or warned of")
            .defined(things(schema()))
            .ask("POST", "{things}?fieldValidation=Strict", text(twice))
            .ask(
                "POST",
                "{things}?fieldValidation=Warn&dryRun=All",
                text(twice),
            )
            .ask(
                "POST",
                "{things}?fieldValidation=Ignore&dryRun=All",
                text(twice),
            ),
    ]
}

fn updating() -> Vec<Sequence> {
    vec![
        seq("an update says which version it changes")
            .post("{maps}", map("a", json!({"k": "1"})))
            .keep("first", "/metadata/resourceVersion")
            .put_back("{maps}/a", |map| map["data"]["k"] = json!("2"))
            .put("{maps}/a", json!({"metadata": {"name": "a", "resourceVersion": "{first}"}}))
            .merge("{maps}/a", json!({"metadata": {"resourceVersion": "{first}"}, "data": {"k": "3"}}))
            .put("{maps}/a", map("a", json!({"k": "4"})))
            .put("{maps}/a", json!({"metadata": {"name": "a", "resourceVersion": "x"}})),
        seq("an update without change is none")
            .post("{maps}", map("a", json!({"k": "1"})))
            .put_back("{maps}/a", |_| {})
            .merge("{maps}/a", json!({})),
        seq("an update keeps what the server gave")
            .post("{maps}", map("a", json!({})))
            .put("{maps}/a", json!({"metadata": {"name": "a", "uid": "another"}}))
            .put("{maps}/b", map("a", json!({})))
            .put("{maps}/b", map("b", json!({})))
            .put("{maps}/c", json!({"metadata": {"name": "c", "uid": "another"}}))
            .put("{maps}/c", json!({"metadata": {"name": "c", "resourceVersion": "7"}}))
            .put("{maps}/a", json!({"metadata": {"name": "a", "creationTimestamp": "2020-01-01T00:00:00Z", "generation": 9}})),
        seq("a custom kind needs a version to be updated, and is not made by it")
            .defined(things(schema()))
            .put("{things}/a", thing("a", json!({})))
            .post("{things}", thing("a", json!({})))
            .put("{things}/a", thing("a", json!({"size": 1}))),
        seq("what is wrong is told of an update as of a creation")
            .defined(things(json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
                "size": {"type": "integer", "maximum": 5}, "text": {"type": "string", "enum": ["a"]}, "list": {"type": "array", "items": {"type": "integer"}},
                "map": {"type": "object", "additionalProperties": {"type": "integer"}}, "deep": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "minLength": 2}}},
            }}}})))
            .post("{things}", thing("a", json!({})))
            .merge("{things}/a", json!({"spec": {"size": "x"}}))
            .merge("{things}/a", json!({"spec": {"size": 6, "text": "b"}}))
            .merge("{things}/a", json!({"spec": {"list": [1, "x"]}}))
            .merge("{things}/a", json!({"spec": {"map": {"k": "x"}}}))
            .merge("{things}/a", json!({"spec": {"deep": {}}}))
            .merge("{things}/a", json!({"spec": {"deep": {"a": "b"}}}))
            .merge("{things}/a", json!({"spec": []})),
        seq("the generation counts changes of the spec")
            .defined(with_status())
            .post("{things}?fieldManager=m", thing("a", json!({"size": 1})))
            .put_back("{things}/a?fieldManager=m", |thing| thing["spec"]["size"] = json!(2))
            .merge("{things}/a", json!({"metadata": {"labels": {"a": "b"}}}))
            .merge("{things}/a", json!({"status": {"phase": "Up"}}))
            .merge("{things}/a/status", json!({"status": {"phase": "Up"}, "spec": {"size": 3}}))
            .get("{things}/a/status")
            .put_back("{things}/a/status", |thing| {
                thing["status"]["phase"] = json!("Down");
                thing["metadata"]["labels"] = json!({"c": "d"});
            })
            .merge("{things}/a/status", json!({"status": {"phase": 1}})),
        seq("without the subresource status is part of the object")
            .defined(things(schema()))
            .post("{things}", json!({
                "apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "a"}, "status": {"phase": "Up"},
            }))
            .merge("{things}/a", json!({"status": {"phase": "Down"}}))
            .merge("{things}/a/status", json!({"status": {"phase": "Up"}}))
            .get("{things}/a/status"),
    ]
}

fn patching() -> Vec<Sequence> {
    let text = |text: &str| super::sequence::Body::Text(text.to_owned());
    let owner = |name: &str| json!({"apiVersion": "v1", "kind": "Secret", "name": name, "uid": format!("{{{name}}}")});
    vec![
        seq("a JSON patch is done whole or not at all")
            .post("{maps}", map("a", json!({"k": "v"})))
            .patch(JSON_PATCH, "{maps}/a", json!([
                {"op": "test", "path": "/data/k", "value": "v"},
                {"op": "replace", "path": "/data/k", "value": "w"},
                {"op": "add", "path": "/data/l", "value": "x"},
                {"op": "copy", "from": "/data/l", "path": "/data/m"},
                {"op": "move", "from": "/data/m", "path": "/data/n"},
            ]))
            .patch(JSON_PATCH, "{maps}/a", json!([{"op": "remove", "path": "/data/zzz"}]))
            .patch(JSON_PATCH, "{maps}/a", json!([{"op": "test", "path": "/metadata/name", "value": "no"}]))
            .patch(JSON_PATCH, "{maps}/a", json!([{"op": "shuffle", "path": "/data"}]))
            .patch(JSON_PATCH, "{maps}/a", json!({"op": "remove"}))
            .patch(JSON_PATCH, "{maps}/a", json!([{"op": "replace", "path": "/data/q", "value": "x"}]))
            .patch(JSON_PATCH, "{maps}/a", json!([{"op": "add", "path": "/metadata/name", "value": "b"}]))
            .patch(JSON_PATCH, "{maps}/b", json!([])),
        seq("a merge patch replaces, and null takes away")
            .post("{maps}", map("a", json!({"k": "v", "l": "w"})))
            .merge("{maps}/a", json!({"data": {"k": null, "m": "x"}}))
            .merge("{maps}/a", json!({"data": null}))
            .merge("{maps}/a", json!([]))
            .merge("{maps}/a", json!({"data": {"k": 1}}))
            .merge("{maps}/a", json!({"metadata": {"name": "b"}}))
            .merge("{maps}/a", json!({"metadata": {"namespace": "b"}}))
            .merge("{maps}/a", json!({"kind": "Secret"}))
            .merge("{maps}/b", json!({}))
            .ask("PATCH", "{maps}/a", text("{")).with("content-type", MERGE),
        seq("a strategic patch merges lists by their keys")
            .post("{secrets}", json!({"metadata": {"name": "s"}}))
            .keep("s", "/metadata/uid")
            .post("{secrets}", json!({"metadata": {"name": "t"}}))
            .keep("t", "/metadata/uid")
            .post("{maps}", map("a", json!({"k": "v"})))
            .patch(STRATEGIC, "{maps}/a", json!({"metadata": {"finalizers": ["x.y/z"]}}))
            .patch(STRATEGIC, "{maps}/a", json!({"metadata": {"finalizers": ["x.y/a"]}}))
            .patch(STRATEGIC, "{maps}/a", json!({"metadata": {
                "$deleteFromPrimitiveList/finalizers": ["x.y/z"], "labels": {"$patch": "replace", "l": "m"},
            }}))
            .patch(STRATEGIC, "{maps}/a", json!({"metadata": {"ownerReferences": [owner("s"), owner("t")]}}))
            .patch(STRATEGIC, "{maps}/a", json!({"metadata": {"ownerReferences": [{"$patch": "delete", "uid": "{s}"}]}}))
            .patch(STRATEGIC, "{maps}/a", json!({"metadata": {"ownerReferences": [{"name": "x"}]}}))
            .patch(STRATEGIC, "{maps}/a", json!({"data": {"$patch": "delete"}})),
        seq("a patch comes in a form the kind takes")
            .defined(things(schema()))
            .post("{things}", thing("a", json!({})))
            .patch(STRATEGIC, "{things}/a", json!({}))
            .patch("application/json", "{things}/a", json!({}))
            .patch("text/plain", "{maps}/a", json!({})),
    ]
}

pub(super) fn sequences() -> Vec<Sequence> {
    [creating(), fields(), updating(), patching()]
        .into_iter()
        .flatten()
        .collect()
}
