//! Objects whose owners are of kinds nobody serves yet: they are looked at again when somebody does.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ledger::Address;
use crate::registry::Registry;
use crate::stored::Owner;

/// `apiVersion` and `kind` of an owner.
type Kind = (Box<str>, Box<str>);

/// By the kind they wait for; at most one entry for each reference there is.
#[derive(Default)]
pub(crate) struct Unresolved(Mutex<HashMap<Kind, BTreeSet<Address>>>);

impl Unresolved {
    pub(super) fn push(&self, owner: &Owner, dependent: &Address) {
        let kind = (owner.api_version.clone(), owner.kind.clone());
        let mut waiting = self.waiting();
        waiting.entry(kind).or_default().insert(dependent.clone());
    }

    /// What waited for a kind that is served now.
    pub(super) fn take(&self, registry: &Registry) -> Vec<Address> {
        let mut waiting = self.waiting();
        let served =
            waiting.extract_if(|(version, kind), _| registry.kind(version, kind).is_some());
        served.flat_map(|(_, dependents)| dependents).collect()
    }

    // A panic while it was held left at most an object that is looked at once too often.
    fn waiting(&self) -> MutexGuard<'_, HashMap<Kind, BTreeSet<Address>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
