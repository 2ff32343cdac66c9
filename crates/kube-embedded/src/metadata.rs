//! `metadata`: what a client may say in it, what only the server says, and what is wrong with it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cause::{Cause, Reason};

mod names;
pub(crate) use names::{NameRule, check_name, check_qualified};

/// All annotations of an object together; as in apimachinery's validation.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// What only the server says of a living object, and therefore never changes by a client's word.
const SERVERS_OWN: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
];

/// The time as the API writes it: whole seconds, UTC.
pub(crate) fn time(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Changes `metadata`; a client that sent none, or something else there, gets an empty one first.
pub(crate) fn edit(object: &mut Value, change: impl FnOnce(&mut Map<String, Value>)) {
    let mut metadata = match object.get_mut("metadata").map(Value::take) {
        Some(Value::Object(metadata)) => metadata,
        Some(_) | None => Map::new(),
    };
    change(&mut metadata);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("metadata".to_owned(), metadata.into());
    }
}

pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

/// Has it been asked to go?
pub(crate) fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

pub(crate) fn has_finalizers(object: &Value) -> bool {
    let finalizers = object["metadata"]["finalizers"].as_array();
    finalizers.is_some_and(|finalizers| !finalizers.is_empty())
}

/// The first metadata of a new object.
pub(crate) fn begin(object: &mut Value, uid: &str, now: Timestamp, has_generation: bool) {
    edit(object, |metadata| {
        let generation = metadata.remove("generation");
        for field in SERVERS_OWN {
            metadata.remove(field);
        }
        metadata.remove("resourceVersion");
        metadata.insert("uid".to_owned(), uid.into());
        metadata.insert("creationTimestamp".to_owned(), time(now).into());
        if has_generation {
            metadata.insert("generation".to_owned(), 1.into());
        } else if let Some(generation) = generation.filter(Value::is_i64) {
            // Who counts nothing keeps what was said.
            metadata.insert("generation".to_owned(), generation);
        }
        drop_empty(metadata);
    });
}

/// What an update may not touch comes from the old object.
pub(crate) fn carry_over(old: &Value, new: &mut Value) {
    let kept = ["name", "namespace", "resourceVersion", "generateName"];
    edit(new, |metadata| {
        for field in SERVERS_OWN.iter().chain(&kept) {
            match old["metadata"].get(*field) {
                Some(value) => metadata.insert((*field).to_owned(), value.clone()),
                None => metadata.remove(*field),
            };
        }
        if metadata
            .get("managedFields")
            .is_none_or(|managed| !can_be(managed))
        {
            metadata.remove("managedFields");
            if let Some(managed) = old["metadata"].get("managedFields") {
                metadata.insert("managedFields".to_owned(), managed.clone());
            }
        }
        drop_empty(metadata);
    });
}

/// Entries nobody can have made count as not said. One that is empty resets them all.
fn can_be(managed: &Value) -> bool {
    let entries = managed.as_array().into_iter().flatten();
    let mut entries =
        entries.filter(|entry| entry.as_object().is_some_and(|fields| !fields.is_empty()));
    entries.all(|entry| entry["operation"] == "Apply" || entry["operation"] == "Update")
}

/// Kubernetes does not keep nulls and empty collections here.
fn drop_empty(metadata: &mut Map<String, Value>) {
    for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
        let empty = match metadata.get(field) {
            Some(Value::Null) => true,
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(items)) => items.is_empty(),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => false,
        };
        if empty {
            metadata.remove(field);
        }
    }
    metadata.retain(|_, value| !value.is_null());
}

/// Marks the object as going, to be removed when its finalizers are.
pub(crate) fn mark_deleting(object: &mut Value, now: Timestamp) {
    edit(object, |metadata| {
        metadata.insert("deletionTimestamp".to_owned(), time(now).into());
        metadata.insert("deletionGracePeriodSeconds".to_owned(), 0.into());
        if let Some(generation) = metadata.get("generation").and_then(Value::as_i64) {
            metadata.insert("generation".to_owned(), (generation + 1).into());
        }
    });
}

/// Everything wrong with `metadata`, `old` being what it was.
pub(crate) fn check(object: &Value, old: Option<&Value>, rule: NameRule) -> Vec<Cause> {
    let metadata = &object["metadata"];
    let mut causes = Vec::new();
    if old.is_none() {
        causes.extend(check_name("metadata.name", &metadata["name"], rule));
    }
    check_labels(&metadata["labels"], &mut causes);
    check_annotations(&metadata["annotations"], &mut causes);
    check_finalizers(metadata, old, &mut causes);
    check_owners(&metadata["ownerReferences"], &mut causes);
    causes
}

fn check_labels(labels: &Value, causes: &mut Vec<Cause>) {
    for (key, value) in labels.as_object().into_iter().flatten() {
        causes.extend(check_qualified("metadata.labels", key));
        let value = value.as_str().unwrap_or_default();
        causes.extend(names::check_label_value("metadata.labels", value));
    }
}

fn check_annotations(annotations: &Value, causes: &mut Vec<Cause>) {
    let mut total = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        causes.extend(check_qualified("metadata.annotations", &key.to_lowercase()));
        total += key.len() + value.as_str().map_or(0, str::len);
    }
    if total > ANNOTATIONS_LIMIT {
        causes.push(Cause::too_long(
            "metadata.annotations",
            ANNOTATIONS_LIMIT as u64,
        ));
    }
}

/// The core group's own rule on finalizers: a name without a domain is one of a few.
pub(crate) fn check_core_finalizers(object: &Value) -> Vec<Cause> {
    let standard = |name: &str| ["kubernetes", "orphan", "foregroundDeletion"].contains(&name);
    let named = finalizers(&object["metadata"]).into_iter().enumerate();
    let odd = named.filter(|(_, name)| !name.contains('/') && !standard(name));
    odd.map(|(at, name)| {
        let field = format!("metadata.finalizers[{at}]");
        let words = "name is neither a standard finalizer name nor is it fully qualified";
        Cause::invalid(field, &name.into(), words)
    })
    .collect()
}

/// What is said about finalizers that are new and nobody's in particular.
pub(crate) fn finalizer_warnings(object: &Value, old: Option<&Value>) -> Vec<String> {
    let before = old
        .map(|old| finalizers(&old["metadata"]))
        .unwrap_or_default();
    let new = finalizers(&object["metadata"]).into_iter();
    let unqualified = new.filter(|name| !name.contains('/') && !before.contains(name));
    unqualified
        .map(|name| {
            format!(
                "metadata.finalizers: {name:?}: prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
            )
        })
        .collect()
}

fn finalizers(metadata: &Value) -> Vec<&str> {
    let list = metadata["finalizers"].as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

fn check_finalizers(metadata: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let named = finalizers(metadata);
    for finalizer in &named {
        causes.extend(check_qualified("metadata.finalizers", finalizer));
    }
    let Some(old) = old.filter(|old| is_deleting(old)) else {
        return;
    };
    let before = finalizers(&old["metadata"]);
    let added: Vec<_> = named
        .iter()
        .filter(|new| !before.contains(new))
        .map(|name| format!("{name:?}"))
        .collect();
    if !added.is_empty() {
        causes.push(Cause::forbidden(
            "metadata.finalizers",
            &format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            ),
        ));
    }
}

fn check_owners(owners: &Value, causes: &mut Vec<Cause>) {
    let mut controllers = Vec::new();
    for (at, owner) in owners.as_array().into_iter().flatten().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner[field].as_str().unwrap_or_default().is_empty() {
                let field = format!("metadata.ownerReferences[{at}].{field}");
                causes.push(Cause::required(field, "must not be empty"));
            }
        }
        let word = |field: &str| owner[field].as_str().unwrap_or_default();
        let kind = word("kind");
        if word("apiVersion") == "v1" && kind == "Event" {
            let words = format!(
                "Invalid value: {}: /v1, Kind=Event is disallowed from being an owner",
                as_go(owner)
            );
            let field = format!("metadata.ownerReferences[{at}]");
            causes.push(Cause::new(Reason::Invalid, field, words));
        }
        if owner["controller"] == true {
            controllers.push(format!("{kind}/{}", word("name")));
        }
    }
    if let [first, second, ..] = controllers.as_slice() {
        let shown: Vec<String> = owners.as_array().into_iter().flatten().map(as_go).collect();
        let words = format!(
            "Invalid value: [{}]: Only one reference can have Controller set to true. Found \"true\" in references for {first} and {second}",
            shown.join(",")
        );
        let field = "metadata.ownerReferences";
        causes.push(Cause::new(Reason::Invalid, field, words));
    }
}

/// A reference to an owner as Go prints it: its fields in their order.
fn as_go(owner: &Value) -> String {
    let fields = [
        "apiVersion",
        "kind",
        "name",
        "uid",
        "controller",
        "blockOwnerDeletion",
    ];
    let said = fields.iter().filter_map(|field| {
        let value = owner.get(*field).filter(|value| !value.is_null())?;
        Some(format!("{field:?}:{value}"))
    });
    format!("{{{}}}", said.collect::<Vec<_>>().join(","))
}
