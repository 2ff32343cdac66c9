//! Which objects name which others as their owners, and which owners wait for that to end, by the
//! owner's uid. What becomes of them, `garbage` says.

use std::collections::{BTreeSet, HashMap};

use super::Address;
use crate::stored::{ORPHAN, Stored};

/// Events own nothing and are owned by nothing, as in Kubernetes (`DefaultIgnoredResources` of its collector).
pub(crate) const UNCOLLECTED: &str = "events";

#[derive(Default)]
pub(super) struct Ownership {
    dependents: HashMap<Box<str>, BTreeSet<Address>>,
    /// Deleted with a policy that has to do with dependents.
    held: HashMap<Box<str>, Held>,
}

struct Held {
    address: Address,
    waits: bool,
}

impl Ownership {
    /// Takes note of a change; either state is none where the object begins or ends.
    pub(super) fn note(&mut self, address: &Address, old: Option<&Stored>, new: Option<&Stored>) {
        if &*address.resource == UNCOLLECTED {
            return;
        }
        for owner in old.into_iter().flat_map(Stored::owners) {
            self.remove(&owner.uid, address);
        }
        for owner in new.into_iter().flat_map(Stored::owners) {
            let dependents = self.dependents.entry(owner.uid.clone()).or_default();
            dependents.insert(address.clone());
        }
        if let Some(old) = old {
            self.held.remove(old.uid());
        }
        if let Some(new) = new.filter(|new| new.is_deleting()) {
            let waits = new.waits_for_dependents();
            if waits || new.has_finalizer(ORPHAN) {
                let address = address.clone();
                self.held.insert(new.uid().into(), Held { address, waits });
            }
        }
    }

    fn remove(&mut self, owner: &str, address: &Address) {
        if let Some(dependents) = self.dependents.get_mut(owner) {
            dependents.remove(address);
            if dependents.is_empty() {
                self.dependents.remove(owner);
            }
        }
    }

    /// In a fixed order.
    pub(super) fn dependents(&self, owner: &str) -> impl Iterator<Item = &Address> {
        self.dependents.get(owner).into_iter().flatten()
    }

    /// Where the object of that uid is, if it waits for its dependents to go.
    pub(super) fn waiting(&self, owner: &str) -> Option<&Address> {
        let held = self.held.get(owner).filter(|held| held.waits)?;
        Some(&held.address)
    }

    /// Everything deleted that waits for its dependents, or is to let go of them; in a fixed order.
    pub(super) fn held(&self) -> BTreeSet<Address> {
        self.held
            .values()
            .map(|held| held.address.clone())
            .collect()
    }

    /// Everything that names an owner.
    pub(super) fn owned(&self) -> BTreeSet<Address> {
        self.dependents.values().flatten().cloned().collect()
    }
}
