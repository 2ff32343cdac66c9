//! All records of a zone and what may stand beside what: create, patch, replace, delete, and a batch of
//! them as one transaction. Nothing of HTTP.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::record::{Kind, Record, Wish};
use super::refusal::Refusal;
use crate::table::Table;

/// Operations in one batch on the Free plan, the strictest.
/// Source: Cloudflare's page on batch record changes.
pub(crate) const BATCH_LIMIT: usize = 200;

/// How long a lagging list may still show what is gone, or not yet show what is new.
const LAG: SignedDuration = SignedDuration::from_secs(10);

pub(crate) struct Zone {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) records: Table<String, Record>,
    /// Removed less than ten seconds ago, for lists that lag.
    lingering: Vec<(Timestamp, Record)>,
}

/// How far behind a list is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lag {
    pub(crate) shows_removed: bool,
    pub(crate) hides_new: bool,
}

/// The body of a batch request.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Batch {
    #[serde(default)]
    deletes: Vec<ById>,
    #[serde(default)]
    patches: Vec<WishById>,
    #[serde(default)]
    puts: Vec<WishById>,
    #[serde(default)]
    posts: Vec<Wish>,
}

#[derive(Debug, Deserialize)]
struct ById {
    id: String,
}

#[derive(Debug, Deserialize)]
struct WishById {
    id: String,
    #[serde(flatten)]
    wish: Wish,
}

/// What a batch did, in the order it is always done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) deletes: Vec<Record>,
    pub(crate) patches: Vec<Record>,
    pub(crate) puts: Vec<Record>,
    pub(crate) posts: Vec<Record>,
}

impl Zone {
    pub(crate) fn new(id: String, name: String, created: Timestamp) -> Self {
        Self {
            id,
            name,
            created,
            records: Table::new("cloudflare_records"),
            lingering: Vec::new(),
        }
    }

    pub(crate) fn get(&self, id: &str) -> Result<&Record, Refusal> {
        self.records
            .get(&id.to_owned())
            .ok_or(Refusal::NoSuchRecord)
    }

    /// The records as a list shows them now.
    pub(crate) fn listed(&self, lag: Lag, now: Timestamp) -> impl Iterator<Item = &Record> {
        let fresh = move |at: Timestamp| now.duration_since(at) < LAG;
        let there = self
            .records
            .values()
            .filter(move |record| !(lag.hides_new && fresh(record.created)));
        let gone = self
            .lingering
            .iter()
            .filter(move |(at, _)| lag.shows_removed && fresh(*at))
            .map(|(_, record)| record);
        there.chain(gone)
    }

    pub(crate) fn create(
        &mut self,
        id: String,
        wish: Wish,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        let record = Record::new(id, wish, &self.name, now)?;
        self.put_in(record)
    }

    pub(crate) fn patch(
        &mut self,
        id: &str,
        wish: Wish,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        let record = self.get(id)?.patched(wish, &self.name, now)?;
        self.put_in(record)
    }

    pub(crate) fn replace(
        &mut self,
        id: &str,
        wish: Wish,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        let record = self.get(id)?.replaced(wish, &self.name, now)?;
        self.put_in(record)
    }

    pub(crate) fn delete(&mut self, id: &str, now: Timestamp) -> Result<Record, Refusal> {
        let record = self
            .records
            .remove(&id.to_owned())
            .ok_or(Refusal::NoSuchRecord)?;
        self.lingering
            .retain(|(at, _)| now.duration_since(*at) < LAG);
        self.lingering.push((now, record.clone()));
        Ok(record)
    }

    /// Everything or nothing. Order: deletes, patches, puts, posts; the first error undoes all.
    pub(crate) fn batch(
        &mut self,
        batch: Batch,
        now: Timestamp,
        mut next_id: impl FnMut() -> String,
    ) -> Result<Done, Refusal> {
        let operations =
            batch.deletes.len() + batch.patches.len() + batch.puts.len() + batch.posts.len();
        if operations > BATCH_LIMIT {
            return Err(Refusal::Batch(operations, BATCH_LIMIT));
        }
        let mut before = Vec::with_capacity(operations);
        let outcome = self.run(batch, now, &mut next_id, &mut before);
        if outcome.is_err() {
            self.undo(before);
        }
        outcome
    }

    fn run(
        &mut self,
        batch: Batch,
        now: Timestamp,
        next_id: &mut dyn FnMut() -> String,
        before: &mut Vec<(String, Option<Record>)>,
    ) -> Result<Done, Refusal> {
        let mut done = Done::default();
        for ById { id } in batch.deletes {
            before.push((id.clone(), self.records.get(&id).cloned()));
            done.deletes.push(self.delete(&id, now)?);
        }
        for WishById { id, wish } in batch.patches {
            before.push((id.clone(), self.records.get(&id).cloned()));
            done.patches.push(self.patch(&id, wish, now)?);
        }
        for WishById { id, wish } in batch.puts {
            before.push((id.clone(), self.records.get(&id).cloned()));
            done.puts.push(self.replace(&id, wish, now)?);
        }
        for wish in batch.posts {
            let id = next_id();
            before.push((id.clone(), None));
            done.posts.push(self.create(id, wish, now)?);
        }
        Ok(done)
    }

    fn undo(&mut self, before: Vec<(String, Option<Record>)>) {
        for (id, record) in before.into_iter().rev() {
            self.lingering.retain(|(_, gone)| gone.id != id);
            match record {
                Some(record) => self.records.insert(id, record),
                None => self.records.remove(&id),
            };
        }
    }

    fn put_in(&mut self, record: Record) -> Result<Record, Refusal> {
        for other in self.records.values().filter(|other| other.id != record.id) {
            refuse_conflict(&record, other)?;
        }
        self.records.insert(record.id.clone(), record.clone());
        Ok(record)
    }
}

/// Two addresses for one host are legal (round robin): only the same content twice is not. A CNAME
/// stands alone.
fn refuse_conflict(new: &Record, other: &Record) -> Result<(), Refusal> {
    if new.name != other.name {
        return Ok(());
    }
    let is_address = |kind| matches!(kind, Kind::A | Kind::Aaaa);
    if new.kind == other.kind && new.content == other.content {
        let same = new.ttl == other.ttl && new.proxied == other.proxied;
        return Err(if same {
            Refusal::Identical
        } else {
            Refusal::Exists
        });
    }
    if new.kind == Kind::Cname && (is_address(other.kind) || other.kind == Kind::Cname) {
        return Err(Refusal::HostTaken);
    }
    if is_address(new.kind) && other.kind == Kind::Cname {
        return Err(Refusal::CnameTaken);
    }
    Ok(())
}
