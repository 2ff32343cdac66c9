//! What changed in the world, when, and who asked for it. Reads leave no trace here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use crate::call::Api;

/// What kind of thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Server,
    PrimaryIp,
    Firewall,
    SshKey,
    Image,
    Volume,
    Zone,
    RecordSet,
    Record,
    Customer,
    Product,
    Price,
    Session,
    Subscription,
    Invoice,
    Payment,
    Refund,
    Event,
    Webhook,
    Certificate,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    pub kind: Kind,
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Created,
    /// What about it, in one word or a short phrase.
    Changed(String),
    Removed,
}

/// What the caller saw of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The answer went out with this HTTP status.
    Answered(u16),
    /// It happened, and the answer was lost on the way.
    Lost,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// 1, 2, 3 … without gaps; entries that were forgotten leave theirs out at the front.
    pub sequence: u64,
    /// When it was accepted.
    pub at: Timestamp,
    /// When it takes effect: a server that is being deleted still lives until here.
    pub effective: Timestamp,
    pub api: Api,
    /// Method and path pattern, as `DELETE /v1/servers/{id}`.
    pub endpoint: String,
    /// A project's name, an API's name, or `console` for a person.
    pub caller: String,
    pub request_id: String,
    pub outcome: Outcome,
    pub subject: Subject,
    pub change: Change,
    /// The labels (or metadata) it has after the change.
    pub labels: BTreeMap<String, String>,
}

/// The last changes, oldest first.
pub(crate) struct History {
    entries: VecDeque<Entry>,
    limit: usize,
    next: u64,
}

impl History {
    pub(crate) fn new(limit: usize) -> History {
        History {
            entries: VecDeque::new(),
            limit,
            next: 1,
        }
    }

    pub(crate) fn push(&mut self, mut entry: Entry) {
        entry.sequence = self.next;
        self.next += 1;
        self.entries.push_back(entry);
        while self.entries.len() > self.limit {
            self.entries.pop_front();
        }
    }

    pub(crate) fn last(&self) -> u64 {
        self.next - 1
    }

    /// Those with a sequence beyond `sequence`.
    pub(crate) fn since(&self, sequence: u64) -> Vec<Entry> {
        let first = self
            .entries
            .front()
            .map_or(self.next, |entry| entry.sequence);
        let skipped = usize::try_from((sequence + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skipped).cloned().collect()
    }
}

/// Which things of a kind live at a moment, by the value of one of their labels; things without the label are left out.
#[must_use]
pub fn alive(
    entries: &[Entry],
    kind: Kind,
    label: &str,
    at: Timestamp,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut owners: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for entry in entries
        .iter()
        .filter(|entry| entry.subject.kind == kind && entry.effective <= at)
    {
        let owner = match entry.change {
            Change::Removed => None,
            Change::Created | Change::Changed(_) => entry.labels.get(label).map(String::as_str),
        };
        owners.insert(&entry.subject.id, owner);
    }
    let mut living: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (id, owner) in owners {
        if let Some(owner) = owner {
            living
                .entry(owner.to_owned())
                .or_default()
                .insert(id.to_owned());
        }
    }
    living
}
