//! Patches and what they make of an object.

use serde_json::json;

use super::*;
use crate::schema::Schema;

fn json_gives(object: &Value, patch: &Value, expected: &Value) {
    let mut target = object.clone();
    json(&mut target, patch).unwrap();
    assert_eq!(&target, expected, "{patch}");
}

fn json_fails(object: &Value, patch: &Value, unprocessable: bool) {
    let mut target = object.clone();
    let error = json(&mut target, patch).unwrap_err();
    assert_eq!(error.is_unprocessable(), unprocessable, "{patch}: {error}");
    assert_eq!(&target, object, "a failed patch changes nothing");
}

#[test]
fn json_patches_apply_in_order() {
    let object = json!({"a": {"b": 1}, "l": [1, 2]});
    json_gives(&object, &json!([]), &object);
    json_gives(
        &object,
        &json!([{"op": "add", "path": "/a/c", "value": 2}]),
        &json!({"a": {"b": 1, "c": 2}, "l": [1, 2]}),
    );
    json_gives(
        &object,
        &json!([{"op": "add", "path": "/l/-", "value": 3}]),
        &json!({"a": {"b": 1}, "l": [1, 2, 3]}),
    );
    json_gives(
        &object,
        &json!([{"op": "add", "path": "/l/0", "value": 0}]),
        &json!({"a": {"b": 1}, "l": [0, 1, 2]}),
    );
    json_gives(
        &object,
        &json!([{"op": "remove", "path": "/a"}]),
        &json!({"l": [1, 2]}),
    );
    json_gives(
        &object,
        &json!([{"op": "replace", "path": "/a/b", "value": null}]),
        &json!({"a": {"b": null}, "l": [1, 2]}),
    );
    json_gives(
        &object,
        &json!([{"op": "move", "from": "/a/b", "path": "/c"}]),
        &json!({"a": {}, "l": [1, 2], "c": 1}),
    );
    json_gives(
        &object,
        &json!([{"op": "copy", "from": "/a", "path": "/c"}]),
        &json!({"a": {"b": 1}, "l": [1, 2], "c": {"b": 1}}),
    );
    json_gives(
        &json!({"a/b": 1, "c~d": 2}),
        &json!([{"op": "remove", "path": "/a~1b"}, {"op": "remove", "path": "/c~0d"}]),
        &json!({}),
    );
}

#[test]
fn a_test_for_null_holds_where_nothing_is() {
    let object = json!({"metadata": {"name": "a"}});
    let patch = json!([
        {"op": "test", "path": "/metadata/finalizers", "value": null},
        {"op": "add", "path": "/metadata/finalizers", "value": ["x"]},
    ]);
    json_gives(
        &object,
        &patch,
        &json!({"metadata": {"name": "a", "finalizers": ["x"]}}),
    );
    json_fails(&json!({"metadata": {"finalizers": ["y"]}}), &patch, true);
}

#[test]
fn a_json_patch_applies_whole_or_not_at_all() {
    let object = json!({"a": 1});
    json_fails(
        &object,
        &json!([{"op": "add", "path": "/b", "value": 1}, {"op": "test", "path": "/a", "value": 2}]),
        true,
    );
    json_fails(
        &object,
        &json!([{"op": "remove", "path": "/missing"}]),
        true,
    );
    json_fails(
        &object,
        &json!([{"op": "replace", "path": "/x/missing", "value": 1}]),
        true,
    );
    json_gives(
        &object,
        &json!([{"op": "replace", "path": "/missing", "value": 1}]),
        &json!({"a": 1, "missing": 1}),
    );
    json_fails(
        &object,
        &json!([{"op": "add", "path": "/x/y", "value": 1}]),
        true,
    );
    json_fails(
        &object,
        &json!([{"op": "test", "path": "/missing", "value": 1}]),
        true,
    );
    json_fails(&object, &json!({"a": 2}), false);
    json_fails(&object, &json!([{"op": "shuffle", "path": "/a"}]), true);
    json_fails(&object, &json!([{"path": "/a"}]), true);
}

#[test]
fn a_patch_cannot_grow_without_limit() {
    let one = json!({"op": "test", "path": "/a", "value": 1});
    json_fails(
        &json!({"a": 1}),
        &Value::Array(vec![one; OPERATION_LIMIT + 1]),
        false,
    );
    let double = json!({"op": "copy", "from": "/l", "path": "/l/-"});
    json_fails(
        &json!({"l": ["x".repeat(1000)]}),
        &Value::Array(vec![double; 40]),
        true,
    );
}

#[test]
fn merge_patches_replace_lists_and_drop_nulls() {
    for (object, patch, expected) in [
        (json!({"a": 1}), json!({"b": 2}), json!({"a": 1, "b": 2})),
        (
            json!({"a": {"b": 1, "c": 2}}),
            json!({"a": {"b": null}}),
            json!({"a": {"c": 2}}),
        ),
        (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
        (
            json!({"a": 1}),
            json!({"a": {"b": {"c": null, "d": 1}}}),
            json!({"a": {"b": {"d": 1}}}),
        ),
        (json!({"a": {"b": 1}}), json!({"a": 5}), json!({"a": 5})),
        (json!({}), json!({"a": null}), json!({})),
    ] {
        let mut target = object.clone();
        merge(&mut target, &patch).unwrap();
        assert_eq!(target, expected, "{object} + {patch}");
    }
    assert!(merge(&mut json!({}), &json!([])).is_err());
}

fn strategic_gives(object: &Value, patch: &Value, expected: &Value) {
    let types = Schema::builtin("io.k8s.api.core.v1.ServiceAccount").unwrap();
    let mut target = object.clone();
    strategic(&mut target, patch, &types).unwrap();
    assert_eq!(&target, expected, "{object} + {patch}");
}

#[test]
fn a_strategic_patch_merges_lists_by_their_keys() {
    let owners = |uids: &[&str]| json!({"metadata": {"ownerReferences": uids.iter().map(|uid| json!({"uid": uid, "name": "n"})).collect::<Vec<_>>()}});
    strategic_gives(
        &owners(&["a", "b"]),
        &json!({"metadata": {"ownerReferences": [{"uid": "c", "name": "n"}]}}),
        &owners(&["c", "a", "b"]),
    );
    strategic_gives(
        &owners(&["a", "b"]),
        &json!({"metadata": {"ownerReferences": [{"uid": "a", "$patch": "delete"}]}}),
        &owners(&["b"]),
    );
    strategic_gives(
        &owners(&["a", "b"]),
        &json!({"metadata": {"ownerReferences": [{"$patch": "replace"}, {"uid": "c", "name": "n"}]}}),
        &owners(&["c"]),
    );
    strategic_gives(
        &owners(&["a"]),
        &json!({"metadata": {"ownerReferences": [{"uid": "a", "controller": true}]}}),
        &json!({"metadata": {"ownerReferences": [{"uid": "a", "name": "n", "controller": true}]}}),
    );
    strategic_gives(
        &owners(&["a", "b", "c"]),
        &json!({"metadata": {"$setElementOrder/ownerReferences": [{"uid": "c"}, {"uid": "a"}]}}),
        &owners(&["c", "b", "a"]),
    );
}

#[test]
fn a_strategic_patch_adds_to_and_takes_from_lists_of_scalars() {
    let with = |names: &[&str]| json!({"metadata": {"finalizers": names}});
    strategic_gives(&with(&["a"]), &with(&["b", "a"]), &with(&["b", "a"]));
    strategic_gives(&with(&["a", "b"]), &with(&["b"]), &with(&["a", "b"]));
    strategic_gives(
        &with(&["a", "b"]),
        &json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}),
        &with(&["b"]),
    );
    strategic_gives(
        &with(&["a", "b"]),
        &json!({"metadata": {"$setElementOrder/finalizers": ["c", "b"], "$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}}),
        &with(&["c", "b"]),
    );
}

#[test]
fn a_strategic_patch_merges_maps_and_obeys_directives() {
    let object = json!({"metadata": {"labels": {"a": "1", "b": "2"}}});
    strategic_gives(
        &object,
        &json!({"metadata": {"labels": {"a": null, "c": "3"}}}),
        &json!({"metadata": {"labels": {"b": "2", "c": "3"}}}),
    );
    strategic_gives(
        &object,
        &json!({"metadata": {"labels": {"$patch": "replace", "c": "3"}}}),
        &json!({"metadata": {"labels": {"c": "3"}}}),
    );
    strategic_gives(
        &object,
        &json!({"metadata": {"labels": {"$patch": "delete"}}}),
        &json!({"metadata": {"labels": {}}}),
    );
    strategic_gives(
        &object,
        &json!({"metadata": {"labels": {"$retainKeys": ["b"]}}}),
        &json!({"metadata": {"labels": {"b": "2"}}}),
    );
}

#[test]
fn a_strategic_patch_that_makes_no_sense_is_refused() {
    let types = Schema::builtin("io.k8s.api.core.v1.ServiceAccount").unwrap();
    for patch in [
        json!([]),
        json!({"metadata": {"$patch": "shuffle"}}),
        json!({"metadata": {"ownerReferences": [{"name": "n"}]}}),
        json!({"metadata": {"ownerReferences": ["x"]}}),
        json!({"metadata": {"$retainKeys": "a"}}),
    ] {
        let before = json!({"metadata": {"name": "a", "ownerReferences": []}});
        let mut target = before.clone();
        assert!(
            matches!(
                strategic(&mut target, &patch, &types),
                Err(PatchError::Malformed(_) | PatchError::NoMergeKey { .. })
            ),
            "{patch}"
        );
        assert_eq!(target, before);
    }
}

#[test]
fn a_directive_with_nothing_to_act_on_leaves_nothing() {
    let object = json!({"metadata": {"name": "a"}});
    for change in [
        json!({"labels": {"$patch": "replace", "l": "m"}}),
        json!({"labels": {"$patch": "delete"}}),
        json!({"labels": null}),
    ] {
        strategic_gives(&object, &json!({"metadata": change}), &object);
    }
    strategic_gives(
        &object,
        &json!({"metadata": {"labels": {"a": null, "b": "1"}}}),
        &json!({"metadata": {"name": "a", "labels": {"b": "1"}}}),
    );
    let gone = json!({"metadata": {"ownerReferences": [{"$patch": "delete", "uid": "x"}]}});
    strategic_gives(
        &object,
        &gone,
        &json!({"metadata": {"name": "a", "ownerReferences": []}}),
    );
}
