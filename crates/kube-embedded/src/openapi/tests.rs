//! The documents `kubectl` reads.

use super::*;

fn widget() -> Resource {
    Resource {
        group: "a.example".into(),
        version: "v1".into(),
        kind: "Widget".into(),
        list_kind: "WidgetList".into(),
        plural: "widgets".into(),
        singular: "widget".into(),
        namespaced: true,
        status: true,
        ..Resource::default()
    }
}

fn builtin(group: &str, kind: &str, plural: &str) -> Resource {
    Resource {
        group: group.into(),
        version: "v1".into(),
        kind: kind.into(),
        list_kind: format!("{kind}List"),
        plural: plural.into(),
        ..Resource::default()
    }
}

/// Every reference of a document leads somewhere in it.
fn check_references(document: &Value) {
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            assert!(
                document
                    .pointer(reference.strip_prefix('#').unwrap())
                    .is_some_and(Value::is_object),
                "{reference}"
            );
        }
        match value {
            Value::Object(fields) => open.extend(fields.values()),
            Value::Array(entries) => open.extend(entries),
            _ => {}
        }
    }
}

#[test]
fn a_custom_kind_is_described_with_its_own_words() {
    let schema = json!({"type": "object", "description": "A widget.", "properties": {
        "spec": {"type": "object", "description": "What it should be.", "properties": {"size": {"type": "integer"}}},
        "metadata": {"type": "object"}}});
    let widget = widget();
    let document = group_document(&[Described {
        resource: &widget,
        schema: Some(&schema),
    }]);
    check_references(&document);
    let kind = &document["components"]["schemas"]["example.a.v1.Widget"];
    assert_eq!(kind["description"], "A widget.");
    assert_eq!(
        kind["properties"]["spec"]["description"],
        "What it should be."
    );
    assert_eq!(
        kind["properties"]["metadata"]["allOf"][0]["$ref"],
        "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    );
    assert_eq!(
        kind["x-kubernetes-group-version-kind"],
        json!([{"group": "a.example", "version": "v1", "kind": "Widget"}])
    );
    assert_eq!(
        document["components"]["schemas"]["example.a.v1.WidgetList"]["x-kubernetes-group-version-kind"]
            [0]["kind"],
        "WidgetList"
    );
    let patch =
        &document["paths"]["/apis/a.example/v1/namespaces/{namespace}/widgets/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Widget");
    assert!(
        patch["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .any(|parameter| parameter["name"] == "fieldValidation")
    );
    assert_eq!(
        patch["requestBody"]["content"].get("application/strategic-merge-patch+json"),
        None
    );
    assert!(
        document["paths"]
            .get("/apis/a.example/v1/namespaces/{namespace}/widgets/{name}/status")
            .is_some()
    );
}

#[test]
fn built_in_kinds_are_described_with_all_they_refer_to() {
    for (group, kind, plural) in [
        ("", "Secret", "secrets"),
        ("", "ConfigMap", "configmaps"),
        ("", "Event", "events"),
        ("", "Namespace", "namespaces"),
        ("", "ServiceAccount", "serviceaccounts"),
        ("events.k8s.io", "Event", "events"),
        ("coordination.k8s.io", "Lease", "leases"),
        (
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            "customresourcedefinitions",
        ),
    ] {
        let resource = builtin(group, kind, plural);
        let document = group_document(&[Described {
            resource: &resource,
            schema: None,
        }]);
        check_references(&document);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let kinds = |schema: &&Value| schema["x-kubernetes-group-version-kind"][0]["kind"] == kind;
        assert_eq!(schemas.values().filter(kinds).count(), 1, "{kind}");
        assert!(schemas.values().all(Value::is_object), "{kind}");
    }
}

#[test]
fn a_built_in_kind_takes_strategic_patches() {
    let secret = builtin("", "Secret", "secrets");
    let document = group_document(&[Described {
        resource: &secret,
        schema: None,
    }]);
    let patch = &document["paths"]["/api/v1/secrets/{name}"]["patch"];
    assert!(patch["requestBody"]["content"]["application/strategic-merge-patch+json"].is_object());
    let owners = &document["components"]["schemas"]["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]
        ["properties"]["ownerReferences"];
    assert_eq!(owners["x-kubernetes-patch-merge-key"], "uid");
}

#[test]
fn the_index_leads_to_each_document() {
    let index = index(&[
        ("api/v1".into(), "5".into()),
        ("apis/a.example/v1".into(), "6".into()),
    ]);
    assert_eq!(
        index["paths"]["apis/a.example/v1"]["serverRelativeURL"],
        "/openapi/v3/apis/a.example/v1?hash=6"
    );
}
