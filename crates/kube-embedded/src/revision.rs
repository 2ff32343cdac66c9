//! A write of the server's own to an object that is there: decided anew if somebody else was faster,
//! noted in `managedFields` as Kubernetes' controllers are, and the object's last if it was waiting for it.

use serde_json::Value;

use crate::apply::{self, Writer};
use crate::cascade::Cascade;
use crate::cluster::Cluster;
use crate::deletion::{self, TRIES};
use crate::ledger::{Address, Write, WriteError};
use crate::status::Failure;
use crate::stored::Stored;

/// Which part of Kubernetes would have written this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Author {
    manager: &'static str,
    subresource: Option<&'static str>,
}

impl Author {
    pub(crate) const COLLECTOR: Self = Self {
        manager: "kube-controller-manager",
        subresource: None,
    };

    pub(crate) fn status(manager: &'static str) -> Self {
        Self::of(manager, "status")
    }

    pub(crate) fn of(manager: &'static str, subresource: &'static str) -> Self {
        Self {
            manager,
            subresource: Some(subresource),
        }
    }
}

/// Makes the object what `next` says of it; nothing happens to one that is gone, or stays the same.
pub(crate) async fn revise(
    cascade: &Cascade<'_>,
    address: &Address,
    author: Author,
    next: &(dyn Fn(&Stored) -> Value + Sync),
) -> Result<(), Failure> {
    for _ in 0..TRIES {
        let Some(old) = cascade.cluster.ledger.latest(address) else {
            return Ok(());
        };
        match attempt(cascade, address, &old, author, next(&old)).await {
            Ok(()) => return Ok(()),
            Err(WriteError::Changed) => {}
            Err(error @ (WriteError::Closed | WriteError::NotKept)) => {
                return Err(Failure::Internal(error.to_string()));
            }
        }
    }
    Err(Failure::Internal(
        "the object changes faster than it can be written".to_owned(),
    ))
}

/// Makes the object in this very state what `new` says.
pub(crate) async fn attempt(
    cascade: &Cascade<'_>,
    address: &Address,
    old: &Stored,
    author: Author,
    mut new: Value,
) -> Result<(), WriteError> {
    let before = old.value();
    if new == before {
        return Ok(());
    }
    if deletion::is_through(&new) {
        let write = Write::change(address.clone(), old, before, true);
        return cascade.write(write, Some(old)).await.map(drop);
    }
    track(cascade.cluster, address, author, &before, &mut new);
    let write = Write::change(address.clone(), old, new, false);
    cascade.write(write, Some(old)).await.map(drop)
}

fn track(cluster: &Cluster, address: &Address, author: Author, old: &Value, new: &mut Value) {
    let registry = cluster.registry();
    // Who owned nothing from the start is not asked later.
    if old["metadata"]["managedFields"].is_null() {
        return;
    }
    let version = new["apiVersion"].as_str().unwrap_or_default();
    if let Some(served) = registry.stored_in(&address.resource, version) {
        let writer = Writer {
            manager: author.manager,
            subresource: author.subresource,
            now: cluster.now(),
        };
        apply::track_update(Some(old), new, &writer, &served.schema);
    }
}
