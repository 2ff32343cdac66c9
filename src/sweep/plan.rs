//! Decides which servers without an owner are returned now. Pure: no clock, no client, no memory.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::{Reason, Uid};
use crate::provider::{Owner, Server, ServerId};

/// An orphan is seen twice, at least so far apart.
pub const CONFIRMED_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// A younger server may belong to an Instance whose creation we have not seen yet.
pub const AGE_FLOOR: SignedDuration = SignedDuration::from_mins(15);
/// The window of the brake.
pub const BRAKE_WINDOW: Duration = Duration::from_hours(1);
/// However small the fleet, so many may be returned in a window.
const BRAKE_FLOOR: usize = 2;

/// One look at the world: both lists complete and read live, the servers first, so that an Instance
/// made in between is in the second list.
pub struct Look<'a> {
    pub now: Timestamp,
    pub servers: &'a [Server],
    /// The uids of all Instances that exist, those being deleted too.
    pub instances: &'a BTreeSet<Uid>,
    /// When each orphan was first seen; what the previous look gave back.
    pub first_seen: &'a BTreeMap<ServerId, Timestamp>,
    /// How many were returned within the window.
    pub returned_lately: usize,
    pub dry_run: bool,
}

/// What to return, and what to remember.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// To be returned now, oldest orphan first, with the uid the delete must find on the server.
    pub give_back: Vec<(ServerId, Uid)>,
    /// Confirmed orphans that are kept for now, and why.
    pub kept: BTreeMap<ServerId, Reason>,
    /// For the next look. Whoever has an owner again is forgotten.
    pub first_seen: BTreeMap<ServerId, Timestamp>,
    /// What all orphans cost in an hour before tax, in millionths of a cent.
    pub hourly_cost_microcents: u64,
}

/// At most so many servers are returned within the window: a twentieth of the fleet, or two.
pub fn brake(fleet: usize) -> usize {
    BRAKE_FLOOR.max(fleet.div_ceil(20))
}

pub fn plan(look: &Look<'_>) -> Sweep {
    let mut sweep = Sweep::default();
    let mut confirmed = Vec::new();
    for server in look.servers {
        let Owner::Ours(uid) = &server.owner else {
            continue;
        };
        if look.instances.contains(uid) {
            continue;
        }
        let first = look.first_seen.get(&server.id).copied().unwrap_or(look.now);
        sweep.first_seen.insert(server.id.clone(), first);
        sweep.hourly_cost_microcents = sweep
            .hourly_cost_microcents
            .saturating_add(server.hourly_price_microcents);
        let is_old = look.now.duration_since(server.created) >= AGE_FLOOR;
        let is_confirmed = look.now.duration_since(first) >= CONFIRMED_AFTER;
        if is_old && is_confirmed {
            confirmed.push((first, server.id.clone(), uid.clone()));
        }
    }
    confirmed.sort();
    let ours = look
        .servers
        .iter()
        .filter(|server| server.owner != Owner::Stranger)
        .count();
    let allowed = brake(ours).saturating_sub(look.returned_lately);
    for (place, (_, id, uid)) in confirmed.into_iter().enumerate() {
        if look.dry_run {
            sweep.kept.insert(id, Reason::SweepDryRun);
        } else if place >= allowed {
            sweep.kept.insert(id, Reason::SweepBraked);
        } else {
            sweep.give_back.push((id, uid));
        }
    }
    sweep
}

#[cfg(test)]
mod tests;
