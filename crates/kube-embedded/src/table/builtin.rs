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
        "ServiceAccount" => vec![Column::computed(
            "Secrets",
            CellKind::String,
            |object, _| object["secrets"].as_array().map_or(0, Vec::len).into(),
        )],
        "Lease" => vec![text("Holder", |object, _| {
            word(&object["spec"]["holderIdentity"]).into()
        })],
        "CustomResourceDefinition" => return vec![Column::name_column(), created_at()],
        "Event" => return events(),
        _ => Vec::new(),
    };
    [vec![Column::name_column()], own, vec![Column::age_column()]].concat()
}

fn created_at() -> Column {
    Column::computed("Created At", CellKind::Date, |object, _| {
        object["metadata"]["creationTimestamp"].clone()
    })
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

/// `5s`, or `5s (x3 over 2m)` for a repeated event.
fn last_seen(event: &Value, now: Timestamp) -> String {
    let first = first_seen(event, now);
    let series = word(&event["series"]["lastObservedTime"]);
    let last = either(event, "lastTimestamp", "deprecatedLastTimestamp");
    if !series.is_empty() {
        return format!(
            "{} (x{} over {first})",
            age::since(Some(series), now),
            count(event)
        );
    }
    if count(event) > 1 {
        return format!(
            "{} (x{} over {first})",
            age::since(Some(last), now),
            count(event)
        );
    }
    if last.is_empty() {
        first
    } else {
        age::since(Some(last), now)
    }
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
