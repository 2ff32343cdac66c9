//! What is to become of an object, given what its owners and its dependents are. Decides, does nothing.

#[cfg(test)]
mod tests;

use crate::deletion::Propagation;
use crate::stored::{FOREGROUND, ORPHAN, Owner};

/// What an owner is to an object that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is there, and does not wait for the object.
    Solid,
    /// There is none of that name, or it is another by now.
    Absent,
    /// It is being deleted in the foreground.
    Waiting,
}

/// What names an object as its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dependents {
    None,
    Some,
    /// One of them is being deleted in the foreground, and may be waiting for this very object.
    Waiting,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    /// Its dependents are to name it no longer.
    LetsGo,
    /// That finalizer has done its work.
    IsReleased(&'static str),
    /// It no longer names the owners of these uids.
    Loses(Vec<Box<str>>),
    /// It no longer blocks its owners.
    Unblocks,
    Goes(Propagation),
}

/// Of an object that is being deleted. `policy` is what its finalizers name, `is_owner` says that
/// something names it, `is_blocked` that something that names it blocks it.
pub(super) fn of_deleted(policy: Option<Propagation>, is_owner: bool, is_blocked: bool) -> Fate {
    match policy {
        Some(Propagation::Orphan) if is_owner => Fate::LetsGo,
        Some(Propagation::Orphan) => Fate::IsReleased(ORPHAN),
        Some(Propagation::Foreground) if !is_blocked => Fate::IsReleased(FOREGROUND),
        Some(Propagation::Foreground | Propagation::Background) | None => Fate::Stays,
    }
}

/// Of an object that names owners, and is not being deleted.
pub(super) fn of_dependent(
    owners: &[(&Owner, State)],
    policy: Option<Propagation>,
    dependents: Dependents,
) -> Fate {
    let are = |state: State| owners.iter().any(|(_, is)| *is == state);
    if are(State::Solid) {
        let lost = owners.iter().filter(|(_, state)| *state != State::Solid);
        let lost: Vec<_> = lost.map(|(owner, _)| owner.uid.clone()).collect();
        return if lost.is_empty() {
            Fate::Stays
        } else {
            Fate::Loses(lost)
        };
    }
    let blocks = owners.iter().any(|(owner, _)| owner.blocks());
    match dependents {
        Dependents::Waiting if are(State::Waiting) && blocks => Fate::Unblocks,
        Dependents::Waiting | Dependents::Some if are(State::Waiting) => {
            Fate::Goes(Propagation::Foreground)
        }
        Dependents::Waiting | Dependents::Some | Dependents::None => {
            Fate::Goes(policy.unwrap_or(Propagation::Background))
        }
    }
}
