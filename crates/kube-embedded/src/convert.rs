//! The same object in another version: as it is stored, and as a client asks for it.
//!
//! Custom resources convert by changing `apiVersion` and dropping what the other version does not know
//! (strategy `None`). What is missing is filled in by the version an object is stored in. Events are kept in the
//! words of `v1` and shown in those of `events.k8s.io/v1` too: one object seen in both groups.

use serde_json::Value;

use crate::builtin::{self, Builtin};
use crate::registry::Served;

/// What a field of an Event is called: `events.k8s.io/v1`, then `v1`
/// (k8s.io/kubernetes/pkg/apis/events/v1/conversion.go).
const EVENT_WORDS: [(&str, &str); 7] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
];

/// What `events.k8s.io/v1` calls a field of `v1`.
pub(crate) fn newer_word(core: &str) -> &str {
    let renamed = EVENT_WORDS.iter().find(|(_, word)| *word == core);
    renamed.map_or(core, |(newer, _)| newer)
}

/// The object in the words it is stored in.
pub(crate) fn to_stored(served: &Served, object: &mut Value) {
    if served.builtin() == Some(Builtin::Event) {
        rename(object, EVENT_WORDS);
    }
    if let Some(Builtin::CoreEvent | Builtin::Event) = served.builtin() {
        builtin::complete_event(object);
    }
    if let Some(Builtin::Role | Builtin::ClusterRole) = served.builtin() {
        builtin::complete_role(object);
    }
    if served.api_version == served.stored_version {
        return;
    }
    object["apiVersion"] = served.stored_version.clone().into();
    if let Some(schema) = served.schema_of(&served.stored_version) {
        schema.prune(object);
        schema.default_in(object);
    }
}

/// A stored object in the words of `served`.
pub(crate) fn from_stored(served: &Served, object: &mut Value) {
    if object["apiVersion"].as_str() == Some(&served.api_version) {
        return;
    }
    if served.builtin() == Some(Builtin::Event) {
        rename(object, EVENT_WORDS.map(|(new, core)| (core, new)));
        if let Some(fields) = object.as_object_mut() {
            let reporter = ["reportingController", "reportingInstance"];
            fields.retain(|field, value| value != "" || !reporter.contains(&field.as_str()));
        }
    }
    let stored_in = object["apiVersion"].as_str().unwrap_or_default();
    if let Some(schema) = served.schema_of(stored_in) {
        schema.default_in(object);
    }
    object["apiVersion"] = served.api_version.clone().into();
    if served.builtin().is_none() {
        served.schema.prune(object);
    }
}

fn rename(object: &mut Value, words: [(&str, &str); 7]) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    for (from, to) in words {
        if let Some(value) = fields.remove(from) {
            fields.insert(to.to_owned(), value);
        }
    }
}
