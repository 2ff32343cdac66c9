//! Sequences of writes by several managers, and what is left: the object, and who owns which field.

mod updates;

use serde_json::json;

use super::*;

/// A type with a scalar, a map, a set, a list with keys, an atomic list and an atomic map.
fn types() -> Schema {
    let text = "
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer}
              color: {type: string}
              labels: {type: object, additionalProperties: {type: string}}
              set: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name, protocol]
                items:
                  type: object
                  required: [name]
                  properties: {name: {type: string}, protocol: {type: string, default: TCP}, port: {type: integer}, note: {type: string}}
              list: {type: array, items: {type: string}}
              ref: {type: object, x-kubernetes-map-type: atomic, properties: {a: {type: string}, b: {type: string}}}
              deep: {type: object, properties: {a: {type: string}, b: {type: string}}}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status: {type: object, properties: {phase: {type: string}, size: {type: integer}}}
    ";
    Schema::compile(&serde_yaml_ng::from_str(text).unwrap()).unwrap()
}

pub(super) fn by(manager: &str) -> Writer<'_> {
    Writer {
        manager,
        subresource: None,
        now: Timestamp::UNIX_EPOCH,
    }
}

pub(super) fn object(spec: &str) -> Value {
    let spec: Value = serde_yaml_ng::from_str(spec).unwrap();
    json!({"apiVersion": "a.example/v1", "kind": "A", "metadata": {"name": "a"}, "spec": spec})
}

/// One life of an object.
pub(super) struct Life {
    pub(super) types: Schema,
    pub(super) live: Option<Value>,
}

impl Life {
    pub(super) fn new() -> Self {
        Life {
            types: types(),
            live: None,
        }
    }

    pub(super) fn apply(&mut self, manager: &str, spec: &str) -> &mut Self {
        let applied = apply(
            self.live.as_ref(),
            &object(spec),
            &by(manager),
            false,
            &self.types,
        );
        self.live = Some(applied.unwrap());
        self
    }

    fn force(&mut self, manager: &str, spec: &str) -> &mut Self {
        let applied = apply(
            self.live.as_ref(),
            &object(spec),
            &by(manager),
            true,
            &self.types,
        );
        self.live = Some(applied.unwrap());
        self
    }

    fn refuse(&self, manager: &str, spec: &str) -> ApplyError {
        apply(
            self.live.as_ref(),
            &object(spec),
            &by(manager),
            false,
            &self.types,
        )
        .unwrap_err()
    }

    pub(super) fn update(&mut self, manager: &str, spec: &str) -> &mut Self {
        let mut new = object(spec);
        track_update(self.live.as_ref(), &mut new, &by(manager), &self.types);
        self.live = Some(new);
        self
    }

    pub(super) fn spec(&self, expected: &str) -> &Self {
        assert_eq!(
            self.live.as_ref().unwrap()["spec"],
            object(expected)["spec"]
        );
        self
    }

    /// The fields below `spec` a manager owns, without those that are only there because of others below them.
    pub(super) fn owns(&self, manager: &str, expected: &[&str]) -> &Self {
        let entries = entries::of(self.live.as_ref().unwrap());
        let paths: Vec<String> = entries
            .iter()
            .filter(|entry| entry.manager == manager)
            .flat_map(|entry| entry.fields.paths())
            .collect();
        let mut paths: Vec<&str> = paths
            .iter()
            .filter_map(|path| path.strip_prefix(".spec."))
            .collect();
        paths.sort_unstable();
        assert_eq!(paths, expected, "fields of {manager}");
        self
    }
}

#[test]
fn an_applier_owns_what_it_applied() {
    let mut life = Life::new();
    life.apply("a", "{size: 1, color: red}")
        .spec("{size: 1, color: red}")
        .owns("a", &["color", "size"]);
    let live = life.live.unwrap();
    assert_eq!(
        live["metadata"]["managedFields"],
        json!([{"manager": "a", "operation": "Apply", "apiVersion": "a.example/v1", "time": "1970-01-01T00:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:color": {}, "f:size": {}}}}])
    );
}

#[test]
fn a_field_given_up_by_its_only_owner_goes() {
    let mut life = Life::new();
    life.apply("a", "{size: 1, color: red}")
        .apply("a", "{size: 1}")
        .spec("{size: 1}")
        .owns("a", &["size"]);
    life.apply("a", "{deep: {a: x, b: y}}")
        .spec("{deep: {a: x, b: y}}");
    life.apply("a", "{deep: {b: y}}").spec("{deep: {b: y}}");
    // What loses its last field is null, as on the real server.
    life.apply("a", "{}").spec("null");
}

#[test]
fn a_field_owned_by_two_goes_with_the_last() {
    let mut life = Life::new();
    life.apply("a", "{size: 1, color: red}")
        .apply("b", "{size: 1}");
    life.owns("a", &["color", "size"]).owns("b", &["size"]);
    life.apply("a", "{color: red}")
        .spec("{size: 1, color: red}")
        .owns("a", &["color"]);
    life.apply("b", "{}").spec("{color: red}");
}

#[test]
fn changing_anothers_field_is_a_conflict() {
    let mut life = Life::new();
    life.apply("a", "{size: 1, color: red}");
    let refused = life.refuse("b", "{size: 2}");
    assert_eq!(
        refused.to_string(),
        "Apply failed with 1 conflict: conflict with \"a\": .spec.size"
    );
    let ApplyError::Conflict(conflicts) = refused else {
        panic!("not a conflict")
    };
    assert_eq!(
        conflicts[0].to_json(),
        json!({"reason": "FieldManagerConflict", "message": "conflict with \"a\"", "field": ".spec.size"})
    );
    assert_eq!(
        life.refuse("b", "{size: 2, color: blue}").to_string(),
        "Apply failed with 2 conflicts: conflicts with \"a\":\n- .spec.color\n- .spec.size"
    );
    life.update("kubectl", "{size: 5, color: red}");
    assert_eq!(
        life.refuse("a", "{size: 1, color: red}").to_string(),
        "Apply failed with 1 conflict: conflict with \"kubectl\" using a.example/v1: .spec.size"
    );
}

#[test]
fn force_takes_the_field_over() {
    let mut life = Life::new();
    life.apply("a", "{size: 1, color: red}")
        .force("b", "{size: 2}");
    life.spec("{size: 2, color: red}")
        .owns("a", &["color"])
        .owns("b", &["size"]);
    life.apply("a", "{color: red}")
        .spec("{size: 2, color: red}");
}

#[test]
fn the_same_value_applied_by_another_is_shared() {
    let mut life = Life::new();
    life.apply("a", "{size: 1}")
        .apply("b", "{size: 1}")
        .owns("a", &["size"])
        .owns("b", &["size"]);
    assert_eq!(
        life.refuse("b", "{size: 2}").to_string(),
        "Apply failed with 1 conflict: conflict with \"a\": .spec.size"
    );
}

#[test]
fn keys_of_a_map_have_owners_of_their_own() {
    let mut life = Life::new();
    life.apply("a", "{labels: {x: '1'}}")
        .apply("b", "{labels: {y: '2'}}");
    life.spec("{labels: {x: '1', y: '2'}}")
        .owns("a", &["labels.x"])
        .owns("b", &["labels.y"]);
    life.apply("a", "{}").spec("{labels: {y: '2'}}");
}

#[test]
fn entries_of_a_set_have_owners_of_their_own() {
    let mut life = Life::new();
    life.apply("a", "{set: [x, y]}").apply("b", "{set: [y, z]}");
    life.spec("{set: [x, y, z]}")
        .owns("a", &["set[=\"x\"]", "set[=\"y\"]"])
        .owns("b", &["set[=\"y\"]", "set[=\"z\"]"]);
    life.apply("a", "{set: [x]}").spec("{set: [x, y, z]}");
    life.apply("b", "{set: [z]}").spec("{set: [x, z]}");
}

#[test]
fn entries_of_a_keyed_list_are_merged_field_by_field() {
    let mut life = Life::new();
    life.apply("a", "{ports: [{name: web, port: 80}]}").apply(
        "b",
        "{ports: [{name: web, note: hi}, {name: api, port: 90}]}",
    );
    life.spec("{ports: [{name: web, port: 80, note: hi}, {name: api, port: 90}]}");
    life.owns(
        "a",
        &[
            "ports[name=\"web\",protocol=\"TCP\"]",
            "ports[name=\"web\",protocol=\"TCP\"].name",
            "ports[name=\"web\",protocol=\"TCP\"].port",
        ],
    );
    life.apply("b", "{}")
        .spec("{ports: [{name: web, port: 80}]}");
    assert_eq!(
        life.refuse("b", "{ports: [{name: web, protocol: TCP, port: 81}]}")
            .to_string(),
        "Apply failed with 1 conflict: conflict with \"a\": .spec.ports[name=\"web\",protocol=\"TCP\"].port"
    );
    life.apply("b", "{ports: [{name: web, protocol: UDP, port: 81}]}");
    life.spec("{ports: [{name: web, port: 80}, {name: web, protocol: UDP, port: 81}]}");
}

#[test]
fn the_applied_order_of_entries_wins() {
    for (live, applied, expected) in [
        ("[a, x, b]", "[b, a]", "[x, b, a]"),
        ("[a, b]", "[b, a]", "[b, a]"),
        ("[x, a]", "[a, c]", "[x, a, c]"),
        ("[a, x]", "[c, a]", "[c, a, x]"),
        ("[]", "[b, a]", "[b, a]"),
        ("[a, b, c]", "[c]", "[a, b, c]"),
        ("[a, b, c]", "[c, a]", "[b, c, a]"),
    ] {
        let mut life = Life::new();
        life.update("u", &format!("{{set: {live}}}"));
        life.force("a", &format!("{{set: {applied}}}"));
        life.spec(&format!("{{set: {expected}}}"));
    }
}

#[test]
fn atomic_lists_and_maps_are_owned_as_a_whole() {
    let mut life = Life::new();
    life.apply("a", "{list: [x], ref: {a: x}}")
        .owns("a", &["list", "ref"]);
    assert_eq!(
        life.refuse("b", "{list: [y], ref: {b: y}}").to_string(),
        "Apply failed with 2 conflicts: conflicts with \"a\":\n- .spec.list\n- .spec.ref"
    );
    life.force("b", "{list: [y], ref: {b: y}}")
        .spec("{list: [y], ref: {b: y}}")
        .owns("a", &[])
        .owns("b", &["list", "ref"]);
}

#[test]
fn what_the_type_does_not_describe_is_owned_key_by_key() {
    let mut life = Life::new();
    life.apply("a", "{free: {x: {y: 1}, l: [1]}}")
        .owns("a", &["free.l", "free.x", "free.x.y"]);
    life.apply("b", "{free: {z: 1}}")
        .spec("{free: {x: {y: 1}, l: [1], z: 1}}");
    life.apply("a", "{free: {l: [2]}}")
        .spec("{free: {l: [2], z: 1}}");
}

#[test]
fn empty_structures_are_owned_themselves() {
    let mut life = Life::new();
    life.apply("c", "{size: 1}");
    life.apply("a", "{deep: {}}")
        .owns("a", &["deep"])
        .spec("{size: 1, deep: {}}");
    life.apply("b", "{deep: {a: x}}")
        .apply("a", "{}")
        .spec("{size: 1, deep: {a: x}}");
    life.apply("b", "{}").spec("{size: 1}");
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let mut life = Life::new();
    life.apply("a", "{size: 1, ports: [{name: web, port: 80}]}");
    let before = life.live.clone().unwrap();
    let later = Writer {
        now: Timestamp::from_second(100).unwrap(),
        ..by("a")
    };
    let again = apply(
        Some(&before),
        &object("{size: 1, ports: [{name: web, port: 80}]}"),
        &later,
        false,
        &life.types,
    )
    .unwrap();
    assert_eq!(again, before);
    let changed = apply(
        Some(&before),
        &object("{size: 2, ports: [{name: web, port: 80}]}"),
        &later,
        false,
        &life.types,
    )
    .unwrap();
    assert_eq!(
        changed["metadata"]["managedFields"][0]["time"],
        "1970-01-01T00:01:40Z"
    );
}

#[test]
fn an_unowned_field_beside_a_given_up_one_stays_with_other_owners() {
    let mut life = Life::new();
    life.apply("a", "{deep: {a: x}}")
        .apply("b", "{deep: {b: y}}");
    life.live.as_mut().unwrap()["spec"]["size"] = json!(5);
    life.apply("a", "{}").spec("{deep: {b: y}, size: 5}");
}

#[test]
fn an_object_nobody_tracked_has_one_owner_for_what_was_before() {
    let mut life = Life::new();
    life.live = Some(object("{size: 1, color: red}"));
    assert_eq!(
        life.refuse("a", "{size: 2}").to_string(),
        "Apply failed with 1 conflict: conflict with \"before-first-apply\" using a.example/v1: .spec.size"
    );
    life.apply("a", "{size: 1}")
        .owns("before-first-apply", &["color", "size"])
        .owns("a", &["size"]);
}

#[test]
fn through_status_only_status_is_applied() {
    let mut life = Life::new();
    life.apply("a", "{size: 1}");
    let mut applied = object("{size: 9}");
    applied["status"] = json!({"phase": "Up"});
    applied["metadata"]["labels"] = json!({"x": "y"});
    let status = Writer {
        subresource: Some("status"),
        ..by("c")
    };
    let result = apply(life.live.as_ref(), &applied, &status, false, &life.types).unwrap();
    assert_eq!(result["spec"], json!({"size": 1}));
    assert_eq!(result["status"], json!({"phase": "Up"}));
    assert_eq!(result["metadata"].get("labels"), None);
    let entry = &result["metadata"]["managedFields"][1];
    assert_eq!(
        (&entry["manager"], &entry["subresource"]),
        (&json!("c"), &json!("status"))
    );
    assert_eq!(entry["fieldsV1"], json!({"f:status": {"f:phase": {}}}));
    let other = Writer {
        subresource: Some("status"),
        ..by("d")
    };
    applied["status"] = json!({"phase": "Down"});
    let refused = apply(Some(&result), &applied, &other, false, &life.types).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Apply failed with 1 conflict: conflict with \"c\" with subresource \"status\": .status.phase"
    );
}

#[test]
fn labels_annotations_and_owners_merge() {
    let types = types();
    let with = |metadata: Value| {
        let mut object = object("{}");
        object["metadata"] = metadata;
        object
    };
    let owner = |uid: &str| json!({"apiVersion": "v1", "kind": "B", "name": "b", "uid": uid});
    let one = with(
        json!({"name": "a", "labels": {"x": "1"}, "finalizers": ["f"], "ownerReferences": [owner("1")]}),
    );
    let two = with(
        json!({"name": "a", "labels": {"y": "2"}, "finalizers": ["g"], "ownerReferences": [owner("2")]}),
    );
    let live = apply(None, &one, &by("a"), false, &types).unwrap();
    let live = apply(Some(&live), &two, &by("b"), false, &types).unwrap();
    assert_eq!(live["metadata"]["labels"], json!({"x": "1", "y": "2"}));
    assert_eq!(live["metadata"]["finalizers"], json!(["f", "g"]));
    assert_eq!(
        live["metadata"]["ownerReferences"],
        json!([owner("1"), owner("2")])
    );
    let owned = &live["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"];
    assert_eq!(
        *owned,
        json!({"f:labels": {"f:x": {}}, "f:finalizers": {"v:\"f\"": {}}, "f:ownerReferences": {"k:{\"uid\":\"1\"}": {}}})
    );
    let live = apply(
        Some(&live),
        &with(json!({"name": "a"})),
        &by("a"),
        false,
        &types,
    )
    .unwrap();
    assert_eq!(live["metadata"]["finalizers"], json!(["g"]));
    assert_eq!(live["metadata"]["ownerReferences"], json!([owner("2")]));
}

#[test]
fn a_configuration_that_cannot_be_typed_is_refused() {
    let life = Life::new();
    let starts = |spec: &str, problem: &str| {
        let words = life.refuse("a", spec).to_string();
        assert_eq!(
            words,
            format!("failed to create typed patch object (/a; a.example/v1, Kind=A): {problem}")
        );
    };
    starts("{odd: 1}", ".spec.odd: field not declared in schema");
    starts(
        "{size: big}",
        ".spec.size: expected numeric (int or float), got string",
    );
    starts(
        "{color: 1}",
        ".spec.color: expected string, got &value.valueUnstructured{Value:1}",
    );
    starts("{deep: []}", ".spec.deep: expected map, got &{[]}");
    starts(
        "{set: [x, x]}",
        ".spec.set: duplicate entries for key [=\"x\"]",
    );
    starts(
        "{ports: [{name: a}, {name: a, protocol: TCP}]}",
        ".spec.ports: duplicate entries for key [name=\"a\",protocol=\"TCP\"]",
    );
    let mut owned = object("{}");
    owned["metadata"]["managedFields"] = json!([{"manager": "x"}]);
    let refused = apply(None, &owned, &by("a"), false, &life.types).unwrap_err();
    assert_eq!(refused.to_string(), "metadata.managedFields must be nil");
}

#[test]
fn an_applier_who_changes_nothing_has_no_time() {
    let mut life = Life::new();
    life.apply("a", "{size: 1}").apply("b", "{size: 1}");
    let entries = life.live.unwrap()["metadata"]["managedFields"].clone();
    assert_eq!(entries[0]["manager"], "b");
    assert_eq!(entries[0].get("time"), None);
    assert_eq!(entries[1]["time"], "1970-01-01T00:00:00Z");
}

#[test]
fn a_number_is_the_same_however_it_is_written() {
    let mut life = Life::new();
    life.apply("a", "{free: {x: 1}}")
        .apply("b", "{free: {x: 1.0}}")
        .owns("b", &["free.x"]);
}

#[test]
fn an_entry_is_told_by_the_keys_it_has() {
    let types: Value = serde_yaml_ng::from_str("{type: object, properties: {spec: {type: object, properties: {l: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a, b], items: {type: object, properties: {a: {type: string}, b: {type: string}, c: {type: string}}}}}}}}").unwrap();
    let mut life = Life {
        types: Schema::compile(&types).unwrap(),
        live: None,
    };
    life.apply("m", "{l: [{a: x, c: '1'}, {a: x, b: y}]}")
        .apply("n", "{l: [{a: x, c: '1'}]}");
    life.spec("{l: [{a: x, c: '1'}, {a: x, b: y}]}");
    let refused = life.refuse("n", "{l: [{c: x}]}").to_string();
    assert!(refused.ends_with("element 0: associative list with keys has an element that omits all key fields [\"a\" \"b\"] (and doesn't have default values for any key fields)"), "{refused}");
}
