//! Ownership after writes that are no applies.

use super::*;

#[test]
fn whoever_creates_owns_everything() {
    let mut life = Life::new();
    life.update(
        "m",
        "{size: 1, deep: {a: x}, set: [x], ports: [{name: web}]}",
    );
    assert_eq!(
        life.live.unwrap()["metadata"]["managedFields"],
        json!([{"manager": "m", "operation": "Update", "apiVersion": "a.example/v1", "time": "1970-01-01T00:00:00Z", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {
            ".": {}, "f:size": {}, "f:deep": {".": {}, "f:a": {}}, "f:set": {".": {}, "v:\"x\"": {}},
            "f:ports": {".": {}, "k:{\"name\":\"web\",\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}},
        }}}])
    );
}

#[test]
fn whoever_changes_a_field_takes_it_over() {
    let mut life = Life::new();
    life.apply("a", "{size: 1, color: red}")
        .update("m", "{size: 2, color: red}");
    life.owns("a", &["color"]).owns("m", &["size"]);
    life.update("n", "{size: 2, color: red, deep: {a: x}}")
        .owns("m", &["size"])
        .owns("n", &["deep", "deep.a"]);
}

#[test]
fn whoever_removes_a_field_ends_its_ownership() {
    let mut life = Life::new();
    life.apply("a", "{size: 1, color: red}")
        .update("m", "{color: red}")
        .owns("a", &["color"])
        .owns("m", &[]);
    let managers = life.live.as_ref().unwrap()["metadata"]["managedFields"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(managers, 1, "a manager of nothing is not kept");
}

#[test]
fn an_update_that_changes_nothing_leaves_no_trace() {
    let mut life = Life::new();
    life.update("m", "{size: 1}");
    let before = life.live.clone();
    life.update("n", "{size: 1}");
    assert_eq!(life.live, before);
}

#[test]
fn one_manager_has_one_entry_for_each_way_of_writing() {
    let mut life = Life::new();
    life.update("m", "{size: 1}")
        .update("m", "{size: 1, color: red}")
        .owns("m", &["color", "size"]);
    life.apply("m", "{size: 1}");
    let entries = life.live.unwrap()["metadata"]["managedFields"].clone();
    let operations: Vec<&Value> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["operation"])
        .collect();
    assert_eq!(operations, ["Apply", "Update"]);
}

#[test]
fn an_applier_cannot_give_up_what_it_lost() {
    let mut life = Life::new();
    life.apply("a", "{size: 1, color: red}")
        .update("m", "{size: 2, color: red}");
    life.apply("a", "{color: red}")
        .spec("{size: 2, color: red}");
}

#[test]
fn what_the_server_sets_is_owned_by_nobody() {
    let mut life = Life::new();
    life.update("m", "{size: 1}");
    let mut stamped = life.live.clone().unwrap();
    stamped["metadata"]["resourceVersion"] = "5".into();
    stamped["metadata"]["uid"] = "u".into();
    stamped["metadata"]["generation"] = 2.into();
    stamped["metadata"]["creationTimestamp"] = "2026-11-24T00:00:00Z".into();
    let entries = stamped["metadata"]["managedFields"].clone();
    track_update(life.live.as_ref(), &mut stamped, &by("n"), &life.types);
    assert_eq!(stamped["metadata"]["managedFields"], entries);
}

#[test]
fn sent_entries_count_unless_they_are_none() {
    let mut life = Life::new();
    life.apply("a", "{size: 1}");
    let live = life.live.clone().unwrap();
    let mut dropped = live.clone();
    dropped["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("managedFields");
    track_update(Some(&live), &mut dropped, &by("m"), &life.types);
    assert_eq!(
        dropped["metadata"]["managedFields"],
        live["metadata"]["managedFields"]
    );
    let mut unreadable = live.clone();
    unreadable["metadata"]["managedFields"] = json!([{"manager": "x", "operation": "Odd"}]);
    track_update(Some(&live), &mut unreadable, &by("m"), &life.types);
    assert_eq!(
        unreadable["metadata"]["managedFields"],
        live["metadata"]["managedFields"]
    );
    let mut reset = live.clone();
    reset["metadata"]["managedFields"] = json!([{}]);
    track_update(Some(&live), &mut reset, &by("m"), &life.types);
    assert_eq!(reset["metadata"].get("managedFields"), None);
}

#[test]
fn writes_through_status_have_an_entry_of_their_own() {
    let mut life = Life::new();
    life.update("m", "{size: 1}");
    let live = life.live.clone().unwrap();
    let mut new = live.clone();
    new["status"] = json!({"phase": "Up"});
    let status = Writer {
        subresource: Some("status"),
        ..by("m")
    };
    track_update(Some(&live), &mut new, &status, &life.types);
    let entries = new["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1]["subresource"], "status");
    assert_eq!(
        entries[1]["fieldsV1"],
        json!({"f:status": {".": {}, "f:phase": {}}})
    );
}

#[test]
fn the_oldest_of_many_updates_are_put_together() {
    let life = Life::new();
    let mut live: Option<Value> = None;
    for second in 0..15_i32 {
        let manager = format!("m{second}");
        let mut new = live.clone().unwrap_or_else(|| object("{labels: {}}"));
        new["spec"]["labels"][format!("k{second}")] = "v".into();
        let writer = Writer {
            now: Timestamp::from_second(second.into()).unwrap(),
            ..by(&manager)
        };
        track_update(live.as_ref(), &mut new, &writer, &life.types);
        live = Some(new);
    }
    let live = live.unwrap();
    let entries = entries::of(&live);
    assert_eq!(entries.len(), 10);
    assert_eq!(entries[0].manager, "ancient-changes");
    assert_eq!(entries[9].manager, "m14");
    let whole = entries
        .iter()
        .fold(Set::default(), |all, entry| all.union(&entry.fields));
    for second in 0..15 {
        assert!(whole.paths().contains(&format!(".spec.labels.k{second}")));
    }
}
