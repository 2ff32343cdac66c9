//! The writes by which a container's deletion goes on: its conditions, and the finalizer that is ours.

use std::sync::Arc;

use serde_json::{Value, json};

use super::conditions;
use crate::cascade::Cascade;
use crate::definition;
use crate::deletion::{self, CLEANUP};
use crate::ledger::Address;
use crate::registry::NAMESPACES;
use crate::revision::{self, Author};
use crate::status::Failure;
use crate::stored::Stored;

/// The finalizer in a namespace's spec that stands for its contents.
const CONTENTS: &str = "kubernetes";

/// Has everything that holds the namespace's contents let go?
pub(super) fn is_finalized(namespace: &Stored) -> bool {
    let finalizers = &namespace.value()["spec"]["finalizers"];
    finalizers.as_array().is_none_or(Vec::is_empty)
}

/// A definition's instances are being deleted from now on.
pub(super) async fn say_in_progress(
    cascade: &Cascade<'_>,
    address: &Address,
) -> Result<(), Failure> {
    let now = cascade.cluster.now();
    let author = Author::status("kube-apiserver");
    revision::revise(cascade, address, author, &|old| {
        definition::in_progress(old.value(), now)
    })
    .await
}

pub(super) async fn say_what_remains(
    cascade: &Cascade<'_>,
    address: &Address,
    contents: &[(Address, Arc<Stored>)],
) -> Result<(), Failure> {
    let now = cascade.cluster.now();
    let author = Author::status("kube-controller-manager");
    revision::revise(cascade, address, author, &|old| {
        let contents = contents
            .iter()
            .map(|(address, object)| (address, &**object));
        conditions::with_remaining(old.value(), contents, now)
    })
    .await
}

/// Takes our finalizer off a container that is empty; it goes if that was the last.
pub(super) async fn finish(cascade: &Cascade<'_>, address: &Address) -> Result<(), Failure> {
    let (author, is_namespace) = if &*address.resource == NAMESPACES {
        (Author::of("kube-controller-manager", "finalize"), true)
    } else {
        (Author::status("kube-apiserver"), false)
    };
    let now = cascade.cluster.now();
    revision::revise(cascade, address, author, &|old| {
        if is_namespace {
            without_contents(old.value())
        } else {
            let emptied = definition::emptied(old.value(), now);
            deletion::without_finalizer(emptied, CLEANUP)
        }
    })
    .await
}

fn without_contents(mut namespace: Value) -> Value {
    let others = match namespace["spec"]["finalizers"].take() {
        Value::Array(finalizers) => finalizers.into_iter(),
        _ => Vec::new().into_iter(),
    };
    let others: Vec<_> = others.filter(|finalizer| finalizer != CONTENTS).collect();
    namespace["spec"] = if others.is_empty() {
        json!({})
    } else {
        json!({ "finalizers": others })
    };
    namespace
}
