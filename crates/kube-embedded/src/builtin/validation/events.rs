//! What Events refuse. Those with an `eventTime` are of the newer kind and must say more.

use serde_json::Value;

use crate::cause::Cause;
use crate::convert;
use crate::metadata::{self, check_qualified};

/// Namespaces where Events about cluster-wide things may be.
const FOR_THE_CLUSTER: [&str; 3] = ["default", "kube-system", ""];

/// In which group's words an Event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    Core,
    Newer,
}

/// An Event read by the core group's names, whichever its words are.
struct Event<'a> {
    object: &'a Value,
    words: Words,
}

impl<'a> Event<'a> {
    fn field(&self, core: &str) -> &'a Value {
        match self.words {
            Words::Core => &self.object[core],
            Words::Newer => &self.object[convert::newer_word(core)],
        }
    }

    fn text(&self, core: &str) -> &'a str {
        self.field(core).as_str().unwrap_or_default()
    }

    fn has_time(&self) -> bool {
        !self.text("eventTime").is_empty()
    }
}

pub(super) fn check(object: &Value, old: Option<&Value>, words: Words) -> Vec<Cause> {
    let event = Event { object, words };
    let mut causes: Vec<Cause> = wrong_place(&event).into_iter().collect();
    if event.has_time() {
        causes.extend(says_who(&event));
    }
    if words == Words::Core {
        return causes;
    }
    match old {
        Some(old) => causes.extend(changed(&Event { object: old, words }, &event)),
        None => causes.extend(newly(&event)),
    }
    causes
}

/// An Event is kept beside what it is about.
fn wrong_place(event: &Event<'_>) -> Option<Cause> {
    let namespace = metadata::text(event.object, "namespace");
    let involved = event.field("involvedObject")["namespace"]
        .as_str()
        .unwrap_or_default();
    let fits = if involved.is_empty() {
        FOR_THE_CLUSTER.contains(&namespace)
    } else {
        namespace == involved || event.words == Words::Newer && event.has_time()
    };
    let words = "does not match event.namespace";
    (!fits).then(|| Cause::invalid("involvedObject.namespace", &involved.into(), words))
}

fn says_who(event: &Event<'_>) -> Vec<Cause> {
    let reporter = match event.words {
        Words::Core => "reportingComponent",
        Words::Newer => "reportingController",
    };
    let mut causes = Vec::new();
    let name = event.text("reportingComponent");
    if name.is_empty() {
        causes.push(Cause::required(reporter, ""));
    }
    causes.extend(check_qualified(reporter, name));
    for (field, limit) in [("reportingInstance", 128), ("action", 128), ("reason", 128)] {
        match event.text(field) {
            "" => causes.push(Cause::required(field, "")),
            text if text.len() > limit => causes.push(too_long(field, limit)),
            _ => {}
        }
    }
    if event.text("message").len() > 1024 {
        causes.push(too_long("message", 1024));
    }
    causes
}

fn too_long(field: &str, limit: usize) -> Cause {
    Cause::invalid(
        field,
        &"".into(),
        &format!("can have at most {limit} characters"),
    )
}

fn newly(event: &Event<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    if !event.has_time() {
        causes.push(Cause::required("eventTime", ""));
    }
    let kind = event.text("type");
    if !["Normal", "Warning"].contains(&kind) {
        let words = format!("has invalid value: {kind}");
        causes.push(Cause::invalid("type", &"".into(), &words));
    }
    let unset = ["firstTimestamp", "lastTimestamp", "count"];
    for field in unset
        .into_iter()
        .filter(|field| !event.field(field).is_null())
    {
        causes.push(Cause::invalid(field, &"".into(), "needs to be unset"));
    }
    let count = event.object["series"]["count"].as_i64();
    if event.object["series"].is_object() && count.unwrap_or(0) < 2 {
        causes.push(Cause::invalid(
            "series.count",
            &"".into(),
            "should be at least 2",
        ));
    }
    causes
}

/// Of an Event that is there only its series goes on.
fn changed(old: &Event<'_>, new: &Event<'_>) -> Vec<Cause> {
    let fixed = [
        "involvedObject",
        "reason",
        "message",
        "source",
        "firstTimestamp",
        "lastTimestamp",
        "count",
        "type",
        "eventTime",
        "action",
        "related",
        "reportingComponent",
        "reportingInstance",
    ];
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    };
    let differs = |field: &&str| {
        let (old, new) = (old.field(field), new.field(field));
        old != new && !(empty(old) && empty(new))
    };
    let changed = fixed.into_iter().filter(differs);
    changed
        .map(|field| Cause::invalid(field, new.field(field), "field is immutable"))
        .collect()
}
