//! What a namespace that is being deleted says about how far that is (its `status.conditions`).
//!
//! Types, reasons and messages are those of k8s.io/kubernetes/pkg/controller/namespace/deletion. Of its
//! five conditions the first three cannot fail here: there is no discovery to fail, and a deletion that
//! cannot be kept ends the request.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::ledger::Address;
use crate::metadata;
use crate::stored::Stored;

/// One condition as it is to be.
struct Condition {
    kind: &'static str,
    status: &'static str,
    reason: &'static str,
    message: String,
}

/// The namespace saying what is left of its contents.
pub(super) fn with_remaining<'c>(
    mut namespace: Value,
    contents: impl Iterator<Item = (&'c Address, &'c Stored)>,
    now: Timestamp,
) -> Value {
    let mut resources: BTreeMap<String, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<&str, usize> = BTreeMap::new();
    for (address, object) in contents {
        *resources.entry(resource(address)).or_default() += 1;
        for finalizer in object.finalizers() {
            *finalizers.entry(finalizer).or_default() += 1;
        }
    }
    let conditions = [
        fine(
            "NamespaceDeletionDiscoveryFailure",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        fine(
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        fine(
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        remaining(&resources),
        finalizing(&finalizers),
    ];
    let mut said = match namespace["status"]["conditions"].take() {
        Value::Array(said) => said,
        _ => Vec::new(),
    };
    for condition in conditions {
        put(&mut said, &condition, now);
    }
    namespace["status"]["conditions"] = said.into();
    namespace
}

/// `resource.group`; the core group leaves the dot.
fn resource(address: &Address) -> String {
    let (plural, group) = address
        .resource
        .split_once('.')
        .unwrap_or((&address.resource, ""));
    format!("{plural}.{group}")
}

fn fine(kind: &'static str, reason: &'static str, message: &str) -> Condition {
    Condition {
        kind,
        status: "False",
        reason,
        message: message.to_owned(),
    }
}

fn remaining(resources: &BTreeMap<String, usize>) -> Condition {
    let kind = "NamespaceContentRemaining";
    if resources.is_empty() {
        return fine(kind, "ContentRemoved", "All content successfully removed");
    }
    let counts = resources
        .iter()
        .map(|(resource, count)| format!("{resource} has {count} resource instances"));
    Condition {
        kind,
        status: "True",
        reason: "SomeResourcesRemain",
        message: format!("Some resources are remaining: {}", sorted(counts)),
    }
}

fn finalizing(finalizers: &BTreeMap<&str, usize>) -> Condition {
    let kind = "NamespaceFinalizersRemaining";
    if finalizers.is_empty() {
        return fine(
            kind,
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        );
    }
    let counts = finalizers
        .iter()
        .map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"));
    Condition {
        kind,
        status: "True",
        reason: "SomeFinalizersRemain",
        message: format!(
            "Some content in the namespace has finalizers remaining: {}",
            sorted(counts)
        ),
    }
}

fn sorted(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<_> = words.collect();
    words.sort();
    words.join(", ")
}

/// The time is that of the last change of the status, not of the words.
fn put(said: &mut Vec<Value>, condition: &Condition, now: Timestamp) {
    let old = said.iter_mut().find(|old| old["type"] == condition.kind);
    let since = match &old {
        Some(old) if old["status"] == condition.status => old["lastTransitionTime"].clone(),
        Some(_) | None => metadata::time(now).into(),
    };
    let new = json!({
        "type": condition.kind,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "lastTransitionTime": since,
    });
    match old {
        Some(old) => *old = new,
        None => said.push(new),
    }
}
