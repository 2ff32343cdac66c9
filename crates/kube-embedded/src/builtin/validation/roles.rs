//! What roles and bindings refuse: k8s.io/kubernetes/pkg/apis/rbac/validation.

use serde_json::{Value, json};

use crate::access::GROUP;
use crate::cause::Cause;
use crate::metadata::{NameRule, check_label_value, check_name, check_qualified};

pub(super) fn role(object: &Value) -> Vec<Cause> {
    rules(&object["rules"], true)
}

pub(super) fn cluster_role(object: &Value) -> Vec<Cause> {
    let mut causes = rules(&object["rules"], false);
    // What Kubernetes checks by annotation comes last.
    let is_last = |cause: &Cause| cause.field.rsplit('.').next() == Some("verbs");
    let verbs = causes.split_off(causes.partition_point(|cause| !is_last(cause)));
    let aggregation = &object["aggregationRule"];
    if aggregation.is_object() {
        causes.extend(selectors(&aggregation["clusterRoleSelectors"]));
    }
    causes.extend(verbs);
    causes
}

fn is_empty(list: &Value) -> bool {
    list.as_array().is_none_or(Vec::is_empty)
}

fn rules(rules: &Value, namespaced: bool) -> Vec<Cause> {
    let (mut causes, mut verbs) = (Vec::new(), Vec::new());
    for (at, rule) in rules.as_array().into_iter().flatten().enumerate() {
        let field = |name: &str| format!("rules[{at}].{name}");
        if is_empty(&rule["verbs"]) {
            verbs.push(Cause::required(field("verbs"), ""));
        }
        let urls = &rule["nonResourceURLs"];
        let no_groups = is_empty(&rule["apiGroups"]);
        let no_resources = is_empty(&rule["resources"]);
        if is_empty(urls) {
            if no_groups {
                let words = "resource rules must supply at least one api group";
                causes.push(Cause::required(field("apiGroups"), words));
            }
            if no_resources {
                let words = "resource rules must supply at least one resource";
                causes.push(Cause::required(field("resources"), words));
            }
            continue;
        }
        if namespaced {
            let words = "namespaced rules cannot apply to non-resource URLs";
            causes.push(Cause::invalid(field("nonResourceURLs"), urls, words));
        }
        if !no_groups || !no_resources || !is_empty(&rule["resourceNames"]) {
            let words = "rules cannot apply to both regular resources and non-resource URLs";
            causes.push(Cause::invalid(field("nonResourceURLs"), urls, words));
        }
    }
    causes.extend(verbs);
    causes
}

fn selectors(selectors: &Value) -> Vec<Cause> {
    let field = "aggregationRule.clusterRoleSelectors";
    if is_empty(selectors) {
        let words = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        return vec![Cause::required(field, words)];
    }
    let mut causes = Vec::new();
    for (at, one) in selectors.as_array().into_iter().flatten().enumerate() {
        let field = format!("{field}[{at}]");
        let found = selector(&field, one);
        if !found.is_empty() {
            causes.extend(found);
            let words = "invalid label selector.";
            causes.push(Cause::invalid(field, &Value::Null, words));
        }
    }
    causes
}

/// k8s.io/apimachinery/pkg/apis/meta/v1/validation: `ValidateLabelSelector`.
fn selector(field: &str, selector: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let labels = format!("{field}.matchLabels");
    for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
        causes.extend(check_qualified(&labels, key));
        causes.extend(check_label_value(
            &labels,
            value.as_str().unwrap_or_default(),
        ));
    }
    let expressions = selector["matchExpressions"]
        .as_array()
        .into_iter()
        .flatten();
    for (at, expression) in expressions.enumerate() {
        causes.extend(requirement(
            &format!("{field}.matchExpressions[{at}]"),
            expression,
        ));
    }
    causes
}

fn requirement(field: &str, expression: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let values = format!("{field}.values");
    let text = |name: &str| expression[name].as_str().unwrap_or_default();
    let none = is_empty(&expression["values"]);
    match text("operator") {
        "In" | "NotIn" if none => {
            let words = "must be specified when `operator` is 'In' or 'NotIn'";
            causes.push(Cause::required(values, words));
        }
        "Exists" | "DoesNotExist" if !none => {
            let words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            causes.push(Cause::forbidden(values, words));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => {
            let words = "not a valid selector operator";
            causes.push(Cause::invalid(
                format!("{field}.operator"),
                &other.into(),
                words,
            ));
        }
    }
    causes.extend(check_qualified(&format!("{field}.key"), text("key")));
    for (at, value) in expression["values"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let field = format!("{field}.values[{at}]");
        causes.extend(check_label_value(
            &field,
            value.as_str().unwrap_or_default(),
        ));
    }
    causes
}

pub(super) fn binding(object: &Value, old: Option<&Value>, namespaced: bool) -> Vec<Cause> {
    let role = &object["roleRef"];
    let text = |field: &str| role[field].as_str().unwrap_or_default();
    let kinds: &[&str] = if namespaced {
        &["Role", "ClusterRole"]
    } else {
        &["ClusterRole"]
    };
    let (mut causes, mut missing) = (Vec::new(), Vec::new());
    if text("apiGroup") != GROUP {
        let value = text("apiGroup").into();
        causes.push(Cause::not_supported("roleRef.apiGroup", &value, &[GROUP]));
    }
    if !kinds.contains(&text("kind")) {
        causes.push(Cause::not_supported(
            "roleRef.kind",
            &text("kind").into(),
            kinds,
        ));
    }
    if text("name").is_empty() {
        missing.push(Cause::required("roleRef.name", ""));
    } else {
        causes.extend(check_name(
            "roleRef.name",
            &role["name"],
            NameRule::PathSegment,
        ));
    }
    for (at, one) in object["subjects"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let field = format!("subjects[{at}]");
        if one["name"].as_str().unwrap_or_default().is_empty() {
            missing.push(Cause::required(format!("{field}.name"), ""));
        }
        causes.extend(subject(&field, one, namespaced));
    }
    causes.extend(missing);
    causes.extend(old.and_then(|old| other_role(role, &old["roleRef"])));
    causes
}

fn subject(field: &str, subject: &Value, namespaced: bool) -> Vec<Cause> {
    let text = |name: &str| subject[name].as_str().unwrap_or_default();
    let mut causes = Vec::new();
    let mut in_group = |group: &str| {
        if text("apiGroup") != group {
            let (field, value) = (format!("{field}.apiGroup"), text("apiGroup").into());
            causes.push(Cause::not_supported(field, &value, &[group]));
        }
    };
    match text("kind") {
        "User" | "Group" => in_group(GROUP),
        "ServiceAccount" => {
            in_group("");
            if !text("name").is_empty() {
                let name = check_name(
                    &format!("{field}.name"),
                    &subject["name"],
                    NameRule::Subdomain,
                );
                causes.splice(0..0, name);
            }
            if !namespaced && text("namespace").is_empty() {
                causes.push(Cause::required(format!("{field}.namespace"), ""));
            }
        }
        other => {
            let kinds = ["ServiceAccount", "User", "Group"];
            causes.push(Cause::not_supported(
                format!("{field}.kind"),
                &other.into(),
                &kinds,
            ));
        }
    }
    causes
}

/// What a binding gives never changes; the value is shown in the words of Go's struct.
fn other_role(role: &Value, old: &Value) -> Option<Cause> {
    let text = |field: &str| role[field].as_str().unwrap_or_default();
    let shown = json!({
        "APIGroup": text("apiGroup"), "Kind": text("kind"), "Name": text("name"),
    });
    (role != old).then(|| Cause::invalid("roleRef", &shown, "field is immutable"))
}
