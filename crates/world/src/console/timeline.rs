//! What happened to whom, newest first: every change, and every call that met a fault or was refused. Which of it somebody
//! wants to see is decided here; how it looks is the page's business.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::kin::Kin;
use crate::call::Api;
use crate::calls::{Call, Struck};
use crate::history::{Change, Entry, Kind, Outcome};
use crate::world::World;

/// Rows shown at once.
const MOST_ROWS: usize = 120;
/// How far back the last changes of one API are looked for, and those of one life.
const MOST_ENTRIES: u64 = 5_000;
const MOST_OF_A_LIFE: u64 = 20_000;
const MOST_EVENTS: usize = 5_000;

/// What somebody wants to see; everything when nothing is said.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    /// The id of the thing to follow.
    #[serde(default)]
    pub(super) follow: String,
    /// Only this API, by its name.
    #[serde(default)]
    pub(super) api: String,
}

impl Wanted {
    fn includes(&self, api: Api) -> bool {
        self.api.is_empty() || self.api == api.name()
    }
}

/// The thing something happened to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Thing {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) name: String,
}

/// One line of the timeline.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Happening {
    /// Stays the same as long as the line is there.
    pub(super) key: String,
    pub(super) at: Timestamp,
    pub(super) api: Api,
    pub(super) thing: Option<Thing>,
    /// What happened, in a few words.
    pub(super) what: String,
    /// Whether it began, ended, or went on.
    pub(super) phase: &'static str,
    pub(super) endpoint: String,
    pub(super) caller: String,
    pub(super) request_id: String,
    pub(super) outcome: Option<Outcome>,
    pub(super) milliseconds: Option<u64>,
    pub(super) struck: Vec<Struck>,
}

/// The timeline and the calls as somebody wants to see them.
pub(super) struct Seen {
    pub(super) happenings: Vec<Happening>,
    pub(super) calls: Vec<Call>,
    /// What is followed, if it is known.
    pub(super) followed: Option<Thing>,
    /// How many things are one life with it.
    pub(super) family: usize,
}

pub(super) fn seen(world: &World, wanted: &Wanted) -> Seen {
    let most = if wanted.follow.is_empty() {
        MOST_ENTRIES
    } else {
        MOST_OF_A_LIFE
    };
    let entries = world.history_since(world.last_sequence().saturating_sub(most));
    let calls = world.calls();
    let family = (!wanted.follow.is_empty()).then(|| kin(world, &entries).of(&wanted.follow));
    let is_followed = |entry: &&Entry| entry.subject.id == wanted.follow;
    Seen {
        followed: entries.iter().rev().find(is_followed).map(thing),
        family: family.as_ref().map_or(0, BTreeSet::len),
        happenings: happenings(&entries, &calls, wanted, family.as_ref()),
        calls: newest(&calls, &entries, wanted, family.as_ref()),
    }
}

/// Everything that ties things together just now.
fn kin(world: &World, entries: &[Entry]) -> Kin {
    let mut kin = Kin::default();
    for entry in entries {
        kin.mention(entry);
    }
    let snapshot = world.snapshot();
    for server in &snapshot.servers {
        let address = server.ipv4.clone();
        kin.names(&server.id.to_string(), address);
    }
    for (event, named) in world.look(|_, state| state.stripe.event_kin(MOST_EVENTS)) {
        kin.names(&event, named);
    }
    kin
}

/// The last calls, or those that named one of the family or changed it.
fn newest(
    calls: &[Call],
    entries: &[Entry],
    wanted: &Wanted,
    family: Option<&BTreeSet<String>>,
) -> Vec<Call> {
    let changing: BTreeSet<&str> = entries
        .iter()
        .filter(|entry| family.is_some_and(|family| family.contains(&entry.subject.id)))
        .map(|entry| entry.request_id.as_str())
        .collect();
    let concerns = |call: &&Call| {
        let names = |family: &BTreeSet<String>| {
            call.target
                .as_ref()
                .is_some_and(|target| family.contains(target))
        };
        family.is_none_or(names) || changing.contains(call.request_id.as_str())
    };
    calls
        .iter()
        .rev()
        .filter(|call| wanted.includes(call.api))
        .filter(concerns)
        .take(MOST_ROWS)
        .cloned()
        .collect()
}

fn happenings(
    entries: &[Entry],
    calls: &[Call],
    wanted: &Wanted,
    family: Option<&BTreeSet<String>>,
) -> Vec<Happening> {
    let by_request: BTreeMap<&str, &Call> = calls
        .iter()
        .map(|call| (call.request_id.as_str(), call))
        .collect();
    let changed: BTreeSet<&str> = entries
        .iter()
        .map(|entry| entry.request_id.as_str())
        .collect();
    let is_ours =
        |id: Option<&String>| family.is_none_or(|family| id.is_some_and(|id| family.contains(id)));
    let changes = entries
        .iter()
        .rev()
        .filter(|entry| wanted.includes(shown_api(entry)) && is_ours(Some(&entry.subject.id)))
        .map(|entry| of_entry(entry, by_request.get(entry.request_id.as_str()).copied()))
        .take(MOST_ROWS);
    let others = calls
        .iter()
        .rev()
        .filter(|call| is_telling(call) && !changed.contains(call.request_id.as_str()))
        .filter(|call| wanted.includes(call.api) && is_ours(call.target.as_ref()))
        .map(|call| of_call(call, entries))
        .take(MOST_ROWS);
    let mut found: Vec<Happening> = changes.chain(others).collect();
    // Stable, so that changes of one moment stay in their order.
    found.sort_by_key(|happening| std::cmp::Reverse(happening.at));
    found.truncate(MOST_ROWS);
    found
}

/// A call that changed nothing and is worth a line all the same.
fn is_telling(call: &Call) -> bool {
    let refused = match call.outcome {
        Outcome::Answered(status) => status >= 400,
        Outcome::Lost => true,
    };
    refused || !call.struck.is_empty() || call.api == Api::Console
}

fn of_call(call: &Call, entries: &[Entry]) -> Happening {
    let target = call.target.as_ref();
    let named = |entry: &&Entry| target == Some(&entry.subject.id);
    let (what, thing) = if call.api == Api::Console {
        (call.endpoint.clone(), None)
    } else {
        let what = if call.struck.is_empty() {
            "refused"
        } else {
            "met a fault"
        };
        (what.to_owned(), entries.iter().rev().find(named).map(thing))
    };
    Happening {
        key: format!("call-{}", call.sequence),
        at: call.at,
        api: call.api,
        thing,
        what,
        phase: if call.api == Api::Console {
            "ordered"
        } else {
            "refused"
        },
        endpoint: call.endpoint.clone(),
        caller: call.api.name().to_owned(),
        request_id: call.request_id.clone(),
        outcome: (call.api != Api::Console).then_some(call.outcome),
        milliseconds: (call.api != Api::Console).then_some(call.milliseconds),
        struck: call.struck.clone(),
    }
}

fn of_entry(entry: &Entry, call: Option<&Call>) -> Happening {
    let (what, phase) = match &entry.change {
        Change::Created => ("created".to_owned(), "created"),
        Change::Removed => ("removed".to_owned(), "removed"),
        Change::Changed(what) => (what.clone(), "changed"),
    };
    // What is done by hand, or falls due, has no caller that sees an answer.
    let outcome =
        (entry.api != Api::Console).then(|| call.map_or(entry.outcome, |call| call.outcome));
    Happening {
        key: format!("change-{}", entry.sequence),
        at: entry.at,
        api: shown_api(entry),
        thing: Some(thing(entry)),
        what,
        phase,
        endpoint: entry.endpoint.clone(),
        caller: entry.caller.clone(),
        request_id: entry.request_id.clone(),
        outcome,
        milliseconds: call.map(|call| call.milliseconds),
        struck: call.map(|call| call.struck.clone()).unwrap_or_default(),
    }
}

/// What is neither a request nor a person's hand (a hosted page, a webhook, a renewal) is Stripe's.
fn shown_api(entry: &Entry) -> Api {
    if entry.api == Api::Console && entry.caller != "console" {
        Api::Stripe
    } else {
        entry.api
    }
}

fn thing(entry: &Entry) -> Thing {
    Thing {
        kind: word(entry.subject.kind),
        id: entry.subject.id.clone(),
        name: entry.subject.name.clone(),
    }
}

fn word(kind: Kind) -> String {
    let word = serde_json::to_value(kind).unwrap_or_default();
    word.as_str().unwrap_or_default().replace('_', " ")
}
