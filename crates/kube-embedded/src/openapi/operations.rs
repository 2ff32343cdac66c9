//! The paths of a document: what clients look up there is which parameters and patches a kind takes.

use serde_json::{Map, Value, json};

use super::{Described, group_version_kind};

/// Adds the paths of a resource.
pub(super) fn add(described: &Described<'_>, schema: &str, paths: &mut Map<String, Value>) {
    let resource = described.resource;
    let root = if resource.group.is_empty() {
        "api"
    } else {
        "apis"
    };
    let scope = if resource.namespaced {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let start = format!("/{root}/{}", resource.group_version());
    let collection = format!("{start}{scope}/{}", resource.plural);
    let object = format!("{collection}/{{name}}");
    let operation = |action: &str| operation(described, schema, action);
    let on_object = json!({"get": operation("get"), "put": operation("put"), "patch": operation("patch"), "delete": operation("delete")});
    if resource.namespaced {
        paths.insert(
            format!("{start}/{}", resource.plural),
            json!({"get": operation("list")}),
        );
    }
    let on_collection = json!({"get": operation("list"), "post": operation("post"), "delete": operation("deletecollection")});
    paths.insert(collection, on_collection);
    if resource.status {
        let on_status =
            json!({"get": operation("get"), "put": operation("put"), "patch": operation("patch")});
        paths.insert(format!("{object}/status"), on_status);
    }
    paths.insert(object, on_object);
}

fn operation(described: &Described<'_>, schema: &str, action: &str) -> Value {
    let answer = json!({"description": "OK", "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}}});
    let mut operation = json!({
        "parameters": parameters(action),
        "responses": {"200": answer},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": group_version_kind(described.resource, &described.resource.kind),
    });
    let body = json!({"schema": {"$ref": format!("#/components/schemas/{schema}")}});
    match action {
        "post" | "put" => operation["requestBody"] = json!({"content": {"application/json": body}}),
        "patch" => operation["requestBody"] = json!({"content": patches(described)}),
        _ => {}
    }
    operation
}

/// The forms of patch a kind takes: strategic ones only where it is built in.
fn patches(described: &Described<'_>) -> Value {
    let mut forms = vec![
        "application/apply-patch+yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
    ];
    if described.schema.is_none() {
        forms.push("application/strategic-merge-patch+json");
    }
    let content: Map<String, Value> = forms
        .into_iter()
        .map(|form| (form.to_owned(), json!({"schema": {"type": "object"}})))
        .collect();
    Value::Object(content)
}

fn parameters(action: &str) -> Vec<Value> {
    let parameter = |(name, kind): &(&str, &str)| json!({"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": true}});
    let names: &[(&str, &str)] = match action {
        "list" => &[
            ("allowWatchBookmarks", "boolean"),
            ("continue", "string"),
            ("fieldSelector", "string"),
            ("labelSelector", "string"),
            ("limit", "integer"),
            ("resourceVersion", "string"),
            ("resourceVersionMatch", "string"),
            ("sendInitialEvents", "boolean"),
            ("timeoutSeconds", "integer"),
            ("watch", "boolean"),
        ],
        "post" | "put" => &[
            ("dryRun", "string"),
            ("fieldManager", "string"),
            ("fieldValidation", "string"),
        ],
        "patch" => &[
            ("dryRun", "string"),
            ("fieldManager", "string"),
            ("fieldValidation", "string"),
            ("force", "boolean"),
        ],
        "delete" => &[
            ("dryRun", "string"),
            ("gracePeriodSeconds", "integer"),
            ("propagationPolicy", "string"),
        ],
        "deletecollection" => &[
            ("dryRun", "string"),
            ("fieldSelector", "string"),
            ("labelSelector", "string"),
            ("propagationPolicy", "string"),
        ],
        _ => &[],
    };
    names.iter().map(parameter).collect()
}
