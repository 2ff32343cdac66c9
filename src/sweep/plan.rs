//! Decides which things without an owner are returned now. Pure: no clock, no client, no memory.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::{Hostname, ProjectName, Reason, Uid};
use crate::provider::{Fleet, Owner, ServerId, SpareAddress, Zone};

/// An orphan is seen twice, at least so far apart.
pub const CONFIRMED_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Something younger may belong to an Instance whose creation we have not seen yet.
pub const AGE_FLOOR: SignedDuration = SignedDuration::from_mins(15);
/// The window of the brake.
pub const BRAKE_WINDOW: Duration = Duration::from_hours(1);
/// However few there are of a kind, so many may be returned in a window.
const BRAKE_FLOOR: usize = 2;

/// What can be left over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Record,
    Server,
    Address,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Record, Self::Server, Self::Address];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Server => "server",
            Self::Address => "address",
        }
    }
}

/// One thing at a provider, by what it takes to return it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    Record { host: Hostname, id: String },
    Server(ServerId),
    Address { project: ProjectName, id: i64 },
}

impl Thing {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Record { .. } => Kind::Record,
            Self::Server(_) => Kind::Server,
            Self::Address { .. } => Kind::Address,
        }
    }
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Record { host, id } => write!(f, "{host} ({id})"),
            Self::Server(id) => write!(f, "{id}"),
            Self::Address { project, id } => write!(f, "{project}/{id}"),
        }
    }
}

/// A thing that carries our mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    pub thing: Thing,
    pub owner: Uid,
    /// None when the provider does not tell.
    pub created: Option<Timestamp>,
    pub hourly_price_microcents: u64,
}

/// Everything that carries our mark and could be returned by itself. An address in use is its
/// server's business.
pub fn marked(fleet: &Fleet, zone: &Zone, addresses: &[SpareAddress]) -> Vec<Marked> {
    let servers = fleet.servers().filter_map(|server| {
        Some(Marked {
            thing: Thing::Server(server.id.clone()),
            owner: ours(&server.owner)?,
            created: Some(server.created),
            hourly_price_microcents: server.hourly_price_microcents,
        })
    });
    let records = zone.records().filter_map(|record| {
        Some(Marked {
            thing: Thing::Record {
                host: record.host.clone(),
                id: record.id.clone(),
            },
            owner: ours(&record.owner)?,
            created: None,
            hourly_price_microcents: 0,
        })
    });
    let spare = addresses.iter().filter(|address| !address.assigned);
    let addresses = spare.filter_map(|address| {
        Some(Marked {
            thing: Thing::Address {
                project: address.project.clone(),
                id: address.id,
            },
            owner: ours(&address.owner)?,
            created: Some(address.created),
            hourly_price_microcents: 0,
        })
    });
    servers.chain(records).chain(addresses).collect()
}

fn ours(owner: &Owner) -> Option<Uid> {
    match owner {
        Owner::Ours(uid) => Some(uid.clone()),
        Owner::Stranger => None,
    }
}

/// One look at the world: complete lists, the providers' first and the Instances read live after
/// them, so that an Instance made in between is among them.
pub struct Look<'a> {
    pub now: Timestamp,
    pub things: &'a [Marked],
    /// The uids of all Instances that exist, those being deleted too.
    pub instances: &'a BTreeSet<Uid>,
    /// When each orphan was first seen; what the previous look gave back.
    pub first_seen: &'a BTreeMap<Thing, Timestamp>,
    /// How many of each kind were returned within the window.
    pub returned_lately: &'a BTreeMap<Kind, usize>,
    pub dry_run: bool,
}

/// What to return, and what to remember.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// To be returned now, oldest orphan first, with the uid it must still be marked with.
    pub give_back: Vec<(Thing, Uid)>,
    /// Confirmed orphans that are kept for now, and why.
    pub kept: BTreeMap<Thing, Reason>,
    /// For the next look. Whoever has an owner again is forgotten.
    pub first_seen: BTreeMap<Thing, Timestamp>,
    /// What all orphans cost in an hour before tax, in millionths of a cent.
    pub hourly_cost_microcents: u64,
}

/// At most so many of a kind are returned within the window: a twentieth of those we have, or two.
pub fn brake(have: usize) -> usize {
    BRAKE_FLOOR.max(have.div_ceil(20))
}

pub fn plan(look: &Look<'_>) -> Sweep {
    let mut sweep = Sweep::default();
    let mut confirmed = Vec::new();
    let named = owners_of_records(look.things);
    for marked in look.things {
        if look.instances.contains(&marked.owner) {
            continue;
        }
        let seen = look.first_seen.get(&marked.thing);
        let first = seen.copied().unwrap_or(look.now);
        sweep.first_seen.insert(marked.thing.clone(), first);
        sweep.hourly_cost_microcents = sweep
            .hourly_cost_microcents
            .saturating_add(marked.hourly_price_microcents);
        let age = marked.created.map(|at| look.now.duration_since(at));
        let is_old = age.is_none_or(|age| age >= AGE_FLOOR);
        let is_confirmed = look.now.duration_since(first) >= CONFIRMED_AFTER;
        // The name goes first: it must never point at an address that is somebody else's by now.
        let is_named = marked.thing.kind() == Kind::Server && named.contains(&marked.owner);
        if is_old && is_confirmed && !is_named {
            confirmed.push((first, marked.thing.clone(), marked.owner.clone()));
        }
    }
    confirmed.sort();
    let mut allowed = allowances(look);
    for (_, thing, owner) in confirmed {
        let left = allowed.entry(thing.kind()).or_default();
        if look.dry_run {
            sweep.kept.insert(thing, Reason::SweepDryRun);
        } else if *left == 0 {
            sweep.kept.insert(thing, Reason::SweepBraked);
        } else {
            *left -= 1;
            sweep.give_back.push((thing, owner));
        }
    }
    sweep
}

fn owners_of_records(things: &[Marked]) -> BTreeSet<&Uid> {
    let records = things
        .iter()
        .filter(|marked| marked.thing.kind() == Kind::Record);
    records.map(|marked| &marked.owner).collect()
}

/// How many of each kind the brake still lets go.
fn allowances(look: &Look<'_>) -> BTreeMap<Kind, usize> {
    let mut have: BTreeMap<Kind, usize> = BTreeMap::new();
    for marked in look.things {
        *have.entry(marked.thing.kind()).or_default() += 1;
    }
    have.into_iter()
        .map(|(kind, have)| {
            let lately = look.returned_lately.get(&kind).copied().unwrap_or(0);
            (kind, brake(have).saturating_sub(lately))
        })
        .collect()
}

#[cfg(test)]
mod tests;
