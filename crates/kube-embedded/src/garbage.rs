//! The garbage collector: objects go with the last of their owners, and owners wait or let go, as
//! `metadata.ownerReferences` and the propagation policy of a deletion say.
//!
//! The rules are those of k8s.io/kubernetes/pkg/controller/garbagecollector. Its graph is the ledger's
//! index by the owner's uid, so a change costs what it touches and not what there is.

mod fate;
mod unresolved;

use std::sync::Arc;

use serde_json::Value;

use crate::cascade::{Cascade, Task};
use crate::cluster::Cluster;
use crate::deletion::{self, Propagation, TRIES};
use crate::ledger::{Address, UNCOLLECTED, WriteError};
use crate::metadata;
use crate::registry::DEFINITIONS;
use crate::revision::{self, Author};
use crate::status::Failure;
use crate::stored::{FOREGROUND, ORPHAN, Owner, Stored};

use fate::{Dependents, Fate, State};
pub(crate) use unresolved::Unresolved;

/// Whose fate a change decides anew: `old` and `new` are none where the object begins or ends.
pub(crate) fn consequences(
    cluster: &Cluster,
    address: &Address,
    old: Option<&Stored>,
    new: Option<&Stored>,
) -> Vec<Task> {
    if &*address.resource == UNCOLLECTED {
        return Vec::new();
    }
    let ledger = &cluster.ledger;
    let mut due = Vec::new();
    if &*address.resource == DEFINITIONS && new.is_some() {
        due.extend(cluster.unresolved.take(&cluster.registry()));
    }
    let owners = |of: Option<&Stored>| of.map(Stored::owners).unwrap_or_default().to_vec();
    let (before, after) = (owners(old), owners(new));
    let names = |owners: &[Owner], uid: &str| owners.iter().any(|owner| *owner.uid == *uid);
    if after.iter().any(|owner| !names(&before, &owner.uid)) {
        due.push(address.clone());
    }
    let blocks = |owner: &&Owner| owner.blocks();
    for owner in before.iter().filter(blocks) {
        let still = after.iter().filter(blocks).any(|new| new.uid == owner.uid);
        due.extend(ledger.waiting_owner(&owner.uid).filter(|_| !still));
    }
    let begins = |finalizer: &str| {
        let holds = |object: &Stored| object.is_deleting() && object.has_finalizer(finalizer);
        new.is_some_and(holds) && !old.is_some_and(holds)
    };
    match (old, new) {
        (Some(gone), None) => due.extend(ledger.dependents(gone.uid())),
        (_, Some(new)) if begins(FOREGROUND) => {
            due.extend(ledger.dependents(new.uid()));
            due.push(address.clone());
        }
        (_, Some(_)) if begins(ORPHAN) => due.push(address.clone()),
        (_, _) => {}
    }
    due.into_iter().map(Task::Review).collect()
}

/// Decides and does what is to become of one object.
pub(crate) async fn review(cascade: &Cascade<'_>, address: &Address) -> Result<(), Failure> {
    if &*address.resource == UNCOLLECTED {
        return Ok(());
    }
    for _ in 0..TRIES {
        let Some(object) = cascade.cluster.ledger.latest(address) else {
            return Ok(());
        };
        let fate = fate_of(cascade.cluster, address, &object);
        match fulfil(cascade, address, &object, fate).await {
            Ok(true) => return Ok(()),
            Ok(false) | Err(WriteError::Changed) => {}
            Err(error @ (WriteError::Closed | WriteError::NotKept)) => {
                return Err(Failure::Internal(error.to_string()));
            }
        }
    }
    Err(Failure::Internal(
        "the object changes faster than it can be collected".to_owned(),
    ))
}

fn fate_of(cluster: &Cluster, address: &Address, object: &Stored) -> Fate {
    let ledger = &cluster.ledger;
    let uid = object.uid();
    if object.is_deleting() {
        let is_owner = ledger.any_dependent(uid, &|_| true);
        let is_blocked = ledger.any_dependent(uid, &|dependent| blocks(dependent, uid));
        return fate::of_deleted(policy(object), is_owner, is_blocked);
    }
    if object.owners().is_empty() {
        return Fate::Stays;
    }
    let mut owners = Vec::new();
    for owner in object.owners() {
        let Some(state) = state_of(cluster, address, object, owner) else {
            return Fate::Stays;
        };
        owners.push((owner, state));
    }
    let dependents = if ledger.any_dependent(uid, &Stored::waits_for_dependents) {
        Dependents::Waiting
    } else if ledger.any_dependent(uid, &|_| true) {
        Dependents::Some
    } else {
        Dependents::None
    };
    fate::of_dependent(&owners, policy(object), dependents)
}

/// What the object's finalizers say is to become of its dependents.
fn policy(object: &Stored) -> Option<Propagation> {
    if object.has_finalizer(ORPHAN) {
        return Some(Propagation::Orphan);
    }
    let waits = object.has_finalizer(FOREGROUND);
    waits.then_some(Propagation::Foreground)
}

fn blocks(dependent: &Stored, owner: &str) -> bool {
    let owners = dependent.owners().iter();
    owners
        .clone()
        .any(|named| *named.uid == *owner && named.blocks())
}

/// What an owner is to the object that names it; None if that cannot be known, and the object is left
/// alone: its kind is not served, or it is in a namespace and the object is in none.
fn state_of(cluster: &Cluster, address: &Address, object: &Stored, owner: &Owner) -> Option<State> {
    let registry = cluster.registry();
    let Some(served) = registry.kind(&owner.api_version, &owner.kind) else {
        cluster.unresolved.push(owner, address);
        return None;
    };
    let namespace = match (served.info.namespaced, object.namespace()) {
        (true, "") => return None,
        (true, namespace) => namespace,
        (false, _) => "",
    };
    let found = cluster.ledger.latest(&Address {
        resource: Arc::clone(&served.stored_as),
        key: format!("{namespace}/{}", owner.name).into(),
    });
    Some(match found {
        Some(found) if *found.uid() != *owner.uid => State::Absent,
        Some(found) if found.waits_for_dependents() => State::Waiting,
        Some(_) => State::Solid,
        None => State::Absent,
    })
}

/// Does it; false if the object is to be looked at again.
async fn fulfil(
    cascade: &Cascade<'_>,
    address: &Address,
    object: &Arc<Stored>,
    fate: Fate,
) -> Result<bool, WriteError> {
    let write = |new: Value| revision::attempt(cascade, address, object, Author::COLLECTOR, new);
    match fate {
        Fate::Stays => {}
        Fate::LetsGo => {
            let dependents = cascade.cluster.ledger.dependents(object.uid());
            cascade.push(dependents.into_iter().map(|dependent| Task::Disown {
                dependent,
                owner: object.uid().into(),
            }));
            // Again when nothing names it any more.
            cascade.push([Task::Review(address.clone())]);
        }
        Fate::IsReleased(finalizer) => {
            write(deletion::without_finalizer(object.value(), finalizer)).await?;
            return Ok(false);
        }
        Fate::Loses(owners) => write(without_owners(object.value(), &owners)).await?,
        Fate::Unblocks => {
            write(unblocking(object.value())).await?;
            return Ok(false);
        }
        Fate::Goes(propagation) => {
            deletion::attempt(cascade, address, object, Some(propagation)).await?;
        }
    }
    Ok(true)
}

/// Takes the owner of that uid out of the dependent's references.
pub(crate) async fn disown(
    cascade: &Cascade<'_>,
    dependent: &Address,
    owner: &str,
) -> Result<(), Failure> {
    revision::revise(cascade, dependent, Author::COLLECTOR, &|old| {
        without_owners(old.value(), &[owner.into()])
    })
    .await
}

fn without_owners(mut object: Value, uids: &[Box<str>]) -> Value {
    metadata::edit(&mut object, |fields| {
        let Some(owners) = fields
            .get_mut("ownerReferences")
            .and_then(Value::as_array_mut)
        else {
            return;
        };
        owners.retain(|owner| {
            let uid = owner["uid"].as_str().unwrap_or_default();
            !uids.iter().any(|gone| **gone == *uid)
        });
        if owners.is_empty() {
            fields.remove("ownerReferences");
        }
    });
    object
}

/// The object with no owner waiting for it.
fn unblocking(mut object: Value) -> Value {
    let owners = object["metadata"]["ownerReferences"].as_array_mut();
    for owner in owners.into_iter().flatten() {
        if owner["blockOwnerDeletion"] == true {
            owner["blockOwnerDeletion"] = false.into();
        }
    }
    object
}
