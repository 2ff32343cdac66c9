//! The discovery documents of a small server.

use super::*;

fn resources() -> Vec<Resource> {
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let secret = Resource {
        version: "v1".into(),
        kind: "Secret".into(),
        list_kind: "SecretList".into(),
        plural: "secrets".into(),
        singular: "secret".into(),
        namespaced: true,
        verbs: words(&["get", "list", "watch"]),
        ..Resource::default()
    };
    let widget = Resource {
        group: "a.example".into(),
        version: "v1beta1".into(),
        kind: "Widget".into(),
        list_kind: "WidgetList".into(),
        plural: "widgets".into(),
        singular: "widget".into(),
        short_names: words(&["wd"]),
        categories: words(&["all"]),
        status: true,
        scale: true,
        verbs: words(&["get"]),
        ..Resource::default()
    };
    let newer = Resource {
        version: "v1".into(),
        ..widget.clone()
    };
    vec![secret, widget, newer]
}

#[test]
fn groups_name_their_versions_by_preference() {
    let list = group_list(&resources());
    let expected = json!({"name": "a.example", "preferredVersion": {"groupVersion": "a.example/v1", "version": "v1"},
        "versions": [{"groupVersion": "a.example/v1", "version": "v1"}, {"groupVersion": "a.example/v1beta1", "version": "v1beta1"}]});
    assert_eq!(list["groups"], json!([expected]));
    assert_eq!(
        group(&resources(), "a.example").unwrap()["kind"],
        "APIGroup"
    );
    assert_eq!(group(&resources(), "b.example"), None);
    assert_eq!(group(&resources(), ""), None);
}

#[test]
fn resources_are_listed_with_their_subresources() {
    let core = resource_list(&resources(), "", "v1").unwrap();
    assert_eq!(core["groupVersion"], "v1");
    assert_eq!(
        core["resources"],
        json!([{"name": "secrets", "singularName": "secret", "namespaced": true, "kind": "Secret", "verbs": ["get", "list", "watch"]}])
    );
    let custom = resource_list(&resources(), "a.example", "v1").unwrap();
    assert_eq!(custom["groupVersion"], "a.example/v1");
    assert_eq!(
        custom["resources"],
        json!([
            {"name": "widgets", "singularName": "widget", "namespaced": false, "kind": "Widget", "verbs": ["get"], "shortNames": ["wd"], "categories": ["all"]},
            {"name": "widgets/scale", "singularName": "", "namespaced": false, "kind": "Scale", "group": "autoscaling", "version": "v1", "verbs": ["get", "patch", "update"]},
            {"name": "widgets/status", "singularName": "", "namespaced": false, "kind": "Widget", "verbs": ["get", "patch", "update"]},
        ])
    );
    assert_eq!(resource_list(&resources(), "a.example", "v2"), None);
}

#[test]
fn the_aggregated_document_says_it_all_at_once() {
    let core = aggregated(&resources(), true);
    assert_eq!(core["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        core["items"][0]["versions"][0]["resources"][0]["scope"],
        "Namespaced"
    );
    let named = aggregated(&resources(), false);
    let item = &named["items"][0];
    assert_eq!(item["metadata"]["name"], "a.example");
    assert_eq!(item["versions"][0]["version"], "v1");
    assert_eq!(item["versions"][1]["version"], "v1beta1");
    assert_eq!(item["versions"][0]["freshness"], "Current");
    let widget = &item["versions"][0]["resources"][0];
    assert_eq!(
        widget["responseKind"],
        json!({"group": "a.example", "version": "v1", "kind": "Widget"})
    );
    assert_eq!(
        widget["subresources"][1],
        json!({"subresource": "status", "responseKind": {"group": "a.example", "version": "v1", "kind": "Widget"}, "verbs": ["get", "patch", "update"]})
    );
}
