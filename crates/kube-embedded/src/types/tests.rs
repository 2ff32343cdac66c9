//! The hand-written schemas against those generated from Kubernetes' own sources.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, Secret, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use schemars::JsonSchema;
use serde_json::json;

use super::*;

const REFERENCE: &str = "#/$defs/";

/// Newer than the generated schemas we compare with.
const NEWER: [&str; 3] = [
    "TokenRequestSpec.attestations",
    "CustomResourceDefinitionCondition.observedGeneration",
    "CustomResourceDefinitionStatus.observedGeneration",
];

/// Written differently on purpose: a schema or something else, which `OpenAPI` v3 cannot say in one type.
const UNTYPED: [&str; 5] = [
    "JSON",
    "JSONSchemaPropsOrArray",
    "JSONSchemaPropsOrBool",
    "JSONSchemaPropsOrStringArray",
    "FieldsV1",
];

fn generated<T: JsonSchema>() -> Value {
    serde_json::to_value(schemars::schema_for!(T)).unwrap()
}

fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The differences of one definition, and of all it refers to.
fn compare(
    ours: &str,
    theirs: &Value,
    all: &Value,
    seen: &mut Vec<String>,
    differences: &mut Vec<String>,
) {
    if seen.iter().any(|name| name == ours) || UNTYPED.contains(&short(ours)) {
        return;
    }
    seen.push(ours.to_owned());
    let Some(schema) = definitions().get(ours) else {
        differences.push(format!("{ours} is not defined"));
        return;
    };
    let empty = Map::new();
    let our_fields = schema["properties"].as_object().unwrap_or(&empty);
    let their_fields = theirs["properties"].as_object().unwrap_or(&empty);
    for name in our_fields
        .keys()
        .filter(|name| !their_fields.contains_key(*name))
    {
        let field = format!("{}.{name}", short(ours));
        if !NEWER.contains(&field.as_str()) {
            differences.push(format!("{field} is not theirs"));
        }
    }
    for (name, their_field) in their_fields {
        let field = format!("{}.{name}", short(ours));
        match our_fields.get(name) {
            Some(our_field) => {
                compare_field(&field, our_field, their_field, all, seen, differences);
            }
            None => differences.push(format!("{field} is missing")),
        }
    }
}

fn compare_field(
    field: &str,
    ours: &Value,
    theirs: &Value,
    all: &Value,
    seen: &mut Vec<String>,
    differences: &mut Vec<String>,
) {
    match (ours["$ref"].as_str(), theirs["$ref"].as_str()) {
        (Some(ours), Some(theirs)) => {
            let theirs = theirs.strip_prefix(REFERENCE).unwrap_or(theirs);
            if short(ours) != short(theirs) {
                differences.push(format!("{field} refers to {ours}, not {theirs}"));
            }
            compare(ours, &all["$defs"][theirs], all, seen, differences);
        }
        (None, None) => {
            if ours["type"] != theirs["type"] {
                differences.push(format!(
                    "{field} is {}, not {}",
                    ours["type"], theirs["type"]
                ));
            }
            for below in ["items", "additionalProperties"] {
                if theirs[below].is_object() {
                    compare_field(
                        &format!("{field}.{below}"),
                        &ours[below],
                        &theirs[below],
                        all,
                        seen,
                        differences,
                    );
                }
            }
        }
        (ours, theirs) => differences.push(format!("{field} refers to {ours:?}, not {theirs:?}")),
    }
}

fn check<T: JsonSchema>(group: &str, version: &str, kind: &str) {
    let all = generated::<T>();
    let mut differences = Vec::new();
    compare(
        &definition(group, version, kind).unwrap(),
        &all,
        &all,
        &mut Vec::new(),
        &mut differences,
    );
    assert_eq!(differences, [""; 0], "{kind}");
}

#[test]
fn the_built_in_types_have_kubernetes_fields() {
    check::<ConfigMap>("", "v1", "ConfigMap");
    check::<Secret>("", "v1", "Secret");
    check::<ServiceAccount>("", "v1", "ServiceAccount");
    check::<Namespace>("", "v1", "Namespace");
    check::<Event>("", "v1", "Event");
    check::<k8s_openapi::api::events::v1::Event>("events.k8s.io", "v1", "Event");
    check::<Lease>("coordination.k8s.io", "v1", "Lease");
    check::<CustomResourceDefinition>("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
}

#[test]
fn the_types_about_access_have_kubernetes_fields() {
    use k8s_openapi::api::authentication::v1::{SelfSubjectReview, TokenRequest, TokenReview};
    use k8s_openapi::api::authorization::v1::{
        LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview,
        SubjectAccessReview,
    };
    use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
    let rbac = "rbac.authorization.k8s.io";
    check::<Role>(rbac, "v1", "Role");
    check::<ClusterRole>(rbac, "v1", "ClusterRole");
    check::<RoleBinding>(rbac, "v1", "RoleBinding");
    check::<ClusterRoleBinding>(rbac, "v1", "ClusterRoleBinding");
    let authentication = "authentication.k8s.io";
    check::<SelfSubjectReview>(authentication, "v1", "SelfSubjectReview");
    check::<TokenRequest>(authentication, "v1", "TokenRequest");
    check::<TokenReview>(authentication, "v1", "TokenReview");
    let authorization = "authorization.k8s.io";
    check::<SelfSubjectAccessReview>(authorization, "v1", "SelfSubjectAccessReview");
    check::<SelfSubjectRulesReview>(authorization, "v1", "SelfSubjectRulesReview");
    check::<SubjectAccessReview>(authorization, "v1", "SubjectAccessReview");
    check::<LocalSubjectAccessReview>(authorization, "v1", "LocalSubjectAccessReview");
}

#[test]
fn every_definition_is_read_and_compiles() {
    for text in DOCUMENTS {
        let document: Map<String, Value> = serde_yaml_ng::from_str(text).unwrap();
        for name in document.keys() {
            assert!(definitions().contains_key(name));
            Schema::builtin(name).unwrap();
        }
    }
    assert!(schema("", "v1", "Pod").is_none());
    assert!(schema("", "v2", "Secret").is_none());
    assert!(schema("apiextensions.k8s.io", "v1", "CustomResourceDefinition").is_some());
}

#[test]
fn a_definition_of_a_nested_kind_is_pruned_all_the_way_down() {
    let crd = schema("apiextensions.k8s.io", "v1", "CustomResourceDefinition").unwrap();
    let mut object = json!({"spec": {"odd": 1, "versions": [{"schema": {"openAPIV3Schema": {
        "type": "object", "properties": {"a": {"type": "string", "odd": 1, "default": {"any": "thing"}}}}}}]}});
    let dropped = crd.prune(&mut object);
    assert_eq!(
        dropped,
        [
            "spec.odd",
            "spec.versions[0].schema.openAPIV3Schema.properties.a.odd"
        ]
    );
    assert_eq!(
        object["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["a"]["default"],
        json!({"any": "thing"})
    );
}

#[test]
fn a_built_in_object_is_checked_by_type() {
    let secret = schema("", "v1", "Secret").unwrap();
    let said = |object: Value| {
        secret
            .validate(&object, None)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        said(json!({"metadata": {"name": "a"}, "data": {"a": "YQ=="}})),
        [""; 0]
    );
    assert_eq!(
        said(json!({"data": {"a": 1}})),
        ["data.a: Invalid value: \"integer\": data.a in body must be of type string: \"integer\""]
    );
    assert_eq!(
        said(json!({"metadata": {"labels": {"a": true}}})),
        [
            "metadata.labels.a: Invalid value: \"boolean\": metadata.labels.a in body must be of type string: \"boolean\""
        ]
    );
}
