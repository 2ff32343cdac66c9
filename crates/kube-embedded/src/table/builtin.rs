//! The columns of the built-in kinds. Source: what `kubectl get` prints of a real server.

use jiff::Timestamp;
use serde_json::Value;

use super::age;
use super::{CellKind, Column};

/// The columns of a built-in kind (`Secret`, `ConfigMap`, …); Name and Age for any other.
pub(crate) fn columns_of_builtin(kind: &str) -> Vec<Column> {
    let text = |name: &str, cell| Column::computed(name, CellKind::String, cell);
    let own = match kind {
        "Namespace" => vec![text("Status", |object, _| {
            object["status"]["phase"].clone()
        })],
        "Secret" => vec![
            text("Type", |object, _| object["type"].clone()),
            Column::computed("Data", CellKind::String, |object, _| {
                entries(&object["data"]).into()
            }),
        ],
        "ConfigMap" => vec![Column::computed("Data", CellKind::String, |object, _| {
            (entries(&object["data"]) + entries(&object["binaryData"])).into()
        })],
        "Lease" => vec![text("Holder", |object, _| {
            word(&object["spec"]["holderIdentity"]).into()
        })],
        "CustomResourceDefinition" => return definitions(),
        "Role" | "ClusterRole" => return roles(),
        "RoleBinding" | "ClusterRoleBinding" => return bindings(),
        "Event" => return events(),
        _ => Vec::new(),
    };
    [vec![Column::name_column()], own, vec![age_in_words()]].concat()
}

/// The age of a built-in object is text to the client, not a date.
fn age_in_words() -> Column {
    Column {
        kind: CellKind::String,
        ..Column::age_column()
    }
}

fn roles() -> Vec<Column> {
    let created = Column::computed("Created At", CellKind::Date, |role, _| {
        role["metadata"]["creationTimestamp"].clone()
    });
    vec![Column::name_column(), created]
}

fn bindings() -> Vec<Column> {
    let text = |name: &str, cell| Column::computed(name, CellKind::String, cell);
    vec![
        Column::name_column(),
        text("Role", |binding, _| {
            let role = &binding["roleRef"];
            format!("{}/{}", word(&role["kind"]), word(&role["name"])).into()
        }),
        age_in_words(),
        text("Users", |binding, _| subjects(binding, "User").into()).wide(),
        text("Groups", |binding, _| subjects(binding, "Group").into()).wide(),
        text("ServiceAccounts", |binding, _| {
            subjects(binding, "ServiceAccount").into()
        })
        .wide(),
    ]
}

/// The subjects of a kind; a service account with its namespace, as `namespace/name`.
fn subjects(binding: &Value, kind: &str) -> String {
    let subjects = binding["subjects"].as_array().into_iter().flatten();
    let names = subjects
        .filter(|subject| subject["kind"] == kind)
        .map(|subject| match kind {
            "ServiceAccount" => {
                format!("{}/{}", word(&subject["namespace"]), word(&subject["name"]))
            }
            _ => word(&subject["name"]).to_owned(),
        });
    names.collect::<Vec<String>>().join(", ")
}

fn definitions() -> Vec<Column> {
    let text = |name: &str, cell| Column::computed(name, CellKind::String, cell);
    vec![
        Column::name_column(),
        text("Scope", |crd, _| crd["spec"]["scope"].clone()),
        text("Versions", |crd, _| served_versions(crd).into()),
        Column::computed("Created At", CellKind::Date, |crd, _| {
            crd["metadata"]["creationTimestamp"].clone()
        }),
        text("Group", |crd, _| crd["spec"]["group"].clone()).wide(),
        text("Kind", |crd, _| crd["spec"]["names"]["kind"].clone()).wide(),
        text("ShortNames", |crd, _| {
            let names = crd["spec"]["names"]["shortNames"].as_array();
            let names: Vec<&str> = names
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            names.join(",").into()
        })
        .wide(),
        Column::computed("Established", CellKind::Boolean, |crd, _| {
            is_established(crd).into()
        })
        .wide(),
    ]
}

/// `v1(storage),v1beta1`
fn served_versions(crd: &Value) -> String {
    let versions = crd["spec"]["versions"].as_array().into_iter().flatten();
    let served = versions.filter(|version| version["served"] == true);
    let label = |version: &Value| {
        let storage = if version["storage"] == true {
            "(storage)"
        } else {
            ""
        };
        format!("{}{storage}", word(&version["name"]))
    };
    let mut labels: Vec<String> = served.map(label).collect();
    labels.sort();
    labels.join(",")
}

fn is_established(crd: &Value) -> bool {
    let conditions = crd["status"]["conditions"].as_array().into_iter().flatten();
    let mut established = conditions.filter(|condition| condition["type"] == "Established");
    established.any(|condition| condition["status"] == "True")
}

fn events() -> Vec<Column> {
    let text = |name: &str, cell| Column::computed(name, CellKind::String, cell);
    vec![
        text("Last Seen", |event, now| last_seen(event, now).into()),
        text("Type", |event, _| event["type"].clone()),
        text("Reason", |event, _| event["reason"].clone()),
        text("Object", |event, _| {
            let about = about(event);
            format!(
                "{}/{}",
                word(&about["kind"]).to_lowercase(),
                word(&about["name"])
            )
            .into()
        }),
        text("Subobject", |event, _| {
            word(&about(event)["fieldPath"]).into()
        })
        .wide(),
        text("Source", |event, _| source(event).into()).wide(),
        text("Message", |event, _| {
            either(event, "message", "note").trim().into()
        }),
        text("First Seen", |event, now| first_seen(event, now).into()).wide(),
        Column::computed("Count", CellKind::String, |event, _| count(event).into()).wide(),
        Column::name_column().wide(),
    ]
}

fn entries(map: &Value) -> usize {
    map.as_object().map_or(0, serde_json::Map::len)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A field that has one name in the core group and another in `events.k8s.io`.
fn either<'a>(event: &'a Value, core: &str, newer: &str) -> &'a str {
    let text = word(&event[core]);
    if text.is_empty() {
        word(&event[newer])
    } else {
        text
    }
}

fn about(event: &Value) -> &Value {
    if event["involvedObject"].is_object() {
        &event["involvedObject"]
    } else {
        &event["regarding"]
    }
}

fn count(event: &Value) -> i64 {
    let counts = [
        &event["series"]["count"],
        &event["count"],
        &event["deprecatedCount"],
    ];
    counts
        .iter()
        .find_map(|count| count.as_i64().filter(|count| *count > 0))
        .unwrap_or(1)
}

fn first_time(event: &Value) -> &str {
    let first = either(event, "firstTimestamp", "deprecatedFirstTimestamp");
    if first.is_empty() {
        word(&event["eventTime"])
    } else {
        first
    }
}

fn first_seen(event: &Value, now: Timestamp) -> String {
    age::since(Some(first_time(event)), now)
}

/// The last time of a series, else the last time, else the first.
fn last_seen(event: &Value, now: Timestamp) -> String {
    let series = word(&event["series"]["lastObservedTime"]);
    let last = either(event, "lastTimestamp", "deprecatedLastTimestamp");
    let latest = [series, last, first_time(event)];
    age::since(latest.into_iter().find(|time| !time.is_empty()), now)
}

fn source(event: &Value) -> String {
    let old = if event["source"].is_object() {
        &event["source"]
    } else {
        &event["deprecatedSource"]
    };
    let (component, host) = (word(&old["component"]), word(&old["host"]));
    let component = if component.is_empty() {
        either(event, "reportingComponent", "reportingController")
    } else {
        component
    };
    let host = if host.is_empty() {
        word(&event["reportingInstance"])
    } else {
        host
    };
    let parts: Vec<&str> = [component, host]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}
