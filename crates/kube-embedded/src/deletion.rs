//! What being deleted does to one object: it goes at once, or it is marked and its finalizers hold it.
//!
//! What goes along with it is not decided here but in `containers` and `garbage`. The rules are those of
//! k8s.io/apiserver/pkg/registry/generic/registry (`Store.Delete`) and, for namespaces and definitions,
//! of their own storage.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cascade::{Cascade, Task};
use crate::ledger::{Address, Write, WriteError};
use crate::registry::{DEFINITIONS, NAMESPACES};
use crate::status::Failure;
use crate::stored::{FOREGROUND, ORPHAN, Stored};
use crate::{definition, metadata};

/// Keeps a definition until the last of its objects is gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";
/// Nothing is an Event's to take along.
const EVENTS: &str = "events";
/// How often somebody else may be faster before we give up.
pub(crate) const TRIES: usize = 16;

/// What is to become of the objects that name the deleted one as an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Propagation {
    /// They go first.
    Foreground,
    /// They go after it.
    Background,
    /// They stay.
    Orphan,
}

/// What a deletion comes to.
pub(crate) enum Gone {
    Removed(Arc<Stored>),
    /// Marked; the finalizers are to come.
    Waiting(Arc<Stored>),
}

/// Deletes one object; None if it is not there. What follows is left to the cascade.
pub(crate) async fn delete(
    cascade: &Cascade<'_>,
    address: &Address,
    propagation: Option<Propagation>,
    may: &(dyn Fn(&Stored) -> Result<(), Failure> + Sync),
) -> Result<Option<Gone>, Failure> {
    for _ in 0..TRIES {
        let Some(old) = cascade.cluster.ledger.latest(address) else {
            return Ok(None);
        };
        may(&old)?;
        match attempt(cascade, address, &old, propagation).await {
            Ok(gone) => return Ok(Some(gone)),
            Err(WriteError::Changed) => {}
            Err(error @ (WriteError::Closed | WriteError::NotKept)) => {
                return Err(Failure::Internal(error.to_string()));
            }
        }
    }
    Err(Failure::Internal(
        "the object changes faster than it can be deleted".to_owned(),
    ))
}

/// Deletes the object in this very state.
pub(crate) async fn attempt(
    cascade: &Cascade<'_>,
    address: &Address,
    old: &Arc<Stored>,
    propagation: Option<Propagation>,
) -> Result<Gone, WriteError> {
    let before = old.value();
    let now = cascade.cluster.now();
    let Some(after) = marked(&address.resource, &before, propagation, now) else {
        let write = Write::change(address.clone(), old, before, true);
        return cascade.write(write, Some(old)).await.map(Gone::Removed);
    };
    if after == before {
        // Whoever asks again may find something left undone.
        cascade.push([Task::Review(address.clone())]);
        return Ok(Gone::Waiting(Arc::clone(old)));
    }
    let write = Write::change(address.clone(), old, after, false);
    cascade.write(write, Some(old)).await.map(Gone::Waiting)
}

/// The object as it waits for its end; None if it does not wait.
pub(crate) fn marked(
    resource: &str,
    object: &Value,
    propagation: Option<Propagation>,
    now: Timestamp,
) -> Option<Value> {
    let mut object = object.clone();
    let begins = !metadata::is_deleting(&object);
    match resource {
        NAMESPACES if begins => {
            set_finalizers(&mut object, propagation);
            metadata::set_deletion_time(&mut object, now);
            object["status"]["phase"] = "Terminating".into();
        }
        NAMESPACES if has_contents(&object) => {}
        DEFINITIONS if begins => {
            metadata::set_deletion_time(&mut object, now);
            add_finalizer(&mut object, CLEANUP);
            definition::terminate(&mut object, now);
        }
        _ => {
            let propagation = match resource {
                EVENTS => Some(Propagation::Background),
                _ => propagation,
            };
            set_finalizers(&mut object, propagation);
            if !metadata::has_finalizers(&object) {
                return None;
            }
            metadata::mark_deleting(&mut object, now);
        }
    }
    Some(object)
}

/// Makes the finalizers say what becomes of dependents; without a word about it they stay as they are.
fn set_finalizers(object: &mut Value, propagation: Option<Propagation>) {
    let Some(propagation) = propagation else {
        return;
    };
    let wanted = match propagation {
        Propagation::Foreground => Some(FOREGROUND),
        Propagation::Orphan => Some(ORPHAN),
        Propagation::Background => None,
    };
    let has = metadata::finalizers(&object["metadata"]);
    let said: Vec<_> = has
        .iter()
        .filter(|name| [FOREGROUND, ORPHAN].contains(name))
        .copied()
        .collect();
    if said.as_slice() == wanted.as_slice() {
        return;
    }
    let others = has.iter().filter(|name| !said.contains(name)).copied();
    let finalizers: Vec<Value> = others.chain(wanted).map(Value::from).collect();
    put_finalizers(object, &finalizers);
}

fn add_finalizer(object: &mut Value, name: &str) {
    let has = metadata::finalizers(&object["metadata"]);
    if has.contains(&name) {
        return;
    }
    let finalizers: Vec<_> = has.into_iter().chain([name]).map(Value::from).collect();
    put_finalizers(object, &finalizers);
}

/// The object without one of its finalizers.
pub(crate) fn without_finalizer(mut object: Value, name: &str) -> Value {
    let has = metadata::finalizers(&object["metadata"]).into_iter();
    let finalizers: Vec<_> = has.filter(|has| *has != name).map(Value::from).collect();
    put_finalizers(&mut object, &finalizers);
    object
}

fn put_finalizers(object: &mut Value, finalizers: &[Value]) {
    metadata::edit(object, |fields| {
        if finalizers.is_empty() {
            fields.remove("finalizers");
        } else {
            fields.insert("finalizers".to_owned(), json!(finalizers));
        }
    });
}

/// Is it a namespace whose contents are still somebody's to remove?
fn has_contents(object: &Value) -> bool {
    let is_namespace = object["kind"] == "Namespace" && object["apiVersion"] == "v1";
    let finalizers = object["spec"]["finalizers"].as_array();
    is_namespace && finalizers.is_some_and(|finalizers| !finalizers.is_empty())
}

/// Was it waiting for finalizers, and are there none left?
pub(crate) fn is_through(object: &Value) -> bool {
    metadata::is_deleting(object) && !metadata::has_finalizers(object) && !has_contents(object)
}
