//! Events are forgotten an hour after they were last written, as Kubernetes forgets them.
//!
//! Nothing runs in the background: whoever writes an Event clears away some that are due.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::cascade::{Cascade, Task};
use crate::cluster::Cluster;
use crate::containers::address_in;
use crate::ledger::{Address, Write};
use crate::stored::Stored;

/// Where Events are kept, as the ledger names it.
const EVENTS: &str = "events";
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Cleared away by one write at most: more than one, so that the heap shrinks.
const AT_ONCE: usize = 8;

/// What is due when, the oldest first.
#[derive(Default)]
pub(crate) struct Expiry(Mutex<VecDeque<Due>>);

struct Due {
    at: Timestamp,
    address: Address,
    /// If it has been written since, it is not due.
    version: u64,
}

impl Expiry {
    fn push(&self, address: &Address, version: u64, now: Timestamp) {
        // A clock at the end of time expires nothing.
        let Ok(at) = now.checked_add(KEPT_FOR) else {
            return;
        };
        let due = Due {
            at,
            address: address.clone(),
            version,
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(due);
    }

    fn take(&self, now: Timestamp) -> Vec<Due> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = queue
            .iter()
            .take(AT_ONCE)
            .take_while(|due| due.at <= now)
            .count();
        queue.drain(..due).collect()
    }
}

/// Takes note of a write, and says which Events are due; of other objects there is nothing to note.
pub(crate) fn due(cluster: &Cluster, address: &Address, object: &Stored) -> Vec<Task> {
    if &*address.resource != EVENTS {
        return Vec::new();
    }
    let now = cluster.now();
    cluster.expiry.push(address, object.version(), now);
    let due = cluster.expiry.take(now).into_iter();
    due.map(|due| Task::Expire(due.address, due.version))
        .collect()
}

/// Removes an Event, unless it has been written since.
pub(crate) async fn expire(cascade: &Cascade<'_>, address: Address, version: u64) {
    let Some(event) = cascade.cluster.ledger.latest(&address) else {
        return;
    };
    if event.version() == version {
        let write = Write::change(address, &event, event.value(), true);
        // Changed meanwhile, or not kept: it is noted again with its next write, or at the next start.
        let _ = cascade.write(write, Some(&event)).await;
    }
}

/// The Events of an earlier process begin their hour anew.
pub(crate) fn start(cluster: &Cluster) {
    let now = cluster.now();
    let resource = EVENTS.into();
    for event in cluster.ledger.all(EVENTS) {
        let address = address_in(&resource, &event);
        cluster.expiry.push(&address, event.version(), now);
    }
}
