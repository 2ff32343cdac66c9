//! All records of all zones and what may stand beside what: create, patch, replace, delete, and a batch of
//! them as one transaction. Nothing of HTTP.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::record::{Kind, Record, Wish};
use super::refusal::Refusal;
use super::zone::{Place, is_within};
use crate::table::{Stored, Table};

/// How long a lagging list may still show what is gone, or not yet show what is new.
const LAG: SignedDuration = SignedDuration::from_secs(10);

pub(crate) struct Records {
    table: Table<String, Record>,
    /// The most that one zone holds.
    limit: usize,
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

impl Records {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            table: Table::new("cloudflare_records"),
            limit,
            lingering: Vec::new(),
        }
    }

    pub(super) fn table(&mut self) -> &mut dyn Stored {
        &mut self.table
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Record> {
        self.table.values()
    }

    pub(super) fn get(&self, id: &str, place: Place<'_>) -> Result<&Record, Refusal> {
        self.table
            .get(&id.to_owned())
            .filter(|record| place.holds(&record.name))
            .ok_or(Refusal::NoSuchRecord)
    }

    /// The records of a zone as a list shows them now.
    pub(super) fn listed<'r>(
        &'r self,
        place: Place<'r>,
        lag: Lag,
        now: Timestamp,
    ) -> impl Iterator<Item = &'r Record> {
        let fresh = move |at: Timestamp| now.duration_since(at) < LAG;
        let there = self
            .table
            .values()
            .filter(move |record| !(lag.hides_new && fresh(record.created)));
        let gone = self
            .lingering
            .iter()
            .filter(move |(at, _)| lag.shows_removed && fresh(*at))
            .map(|(_, record)| record);
        there
            .chain(gone)
            .filter(move |record| place.holds(&record.name))
    }

    pub(super) fn create(
        &mut self,
        id: String,
        wish: Wish,
        place: Place<'_>,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        let record = Record::new(id, wish, place, now)?;
        if self.is_full(place) {
            return Err(Refusal::Quota);
        }
        self.put_in(record)
    }

    fn is_full(&self, place: Place<'_>) -> bool {
        let inside = |record: &&Record| place.holds(&record.name);
        // Counting one zone's is only needed when all together are that many.
        self.table.len() >= self.limit && self.table.values().filter(inside).count() >= self.limit
    }

    pub(super) fn patch(
        &mut self,
        id: &str,
        wish: Wish,
        place: Place<'_>,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        let record = self.get(id, place)?.patched(wish, place, now)?;
        self.put_in(record)
    }

    pub(super) fn replace(
        &mut self,
        id: &str,
        wish: Wish,
        place: Place<'_>,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        let record = self.get(id, place)?.replaced(wish, place, now)?;
        self.put_in(record)
    }

    pub(super) fn delete(
        &mut self,
        id: &str,
        place: Place<'_>,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        self.get(id, place)?;
        self.remove(id, now)
    }

    /// Removes a record wherever it is.
    pub(super) fn remove(&mut self, id: &str, now: Timestamp) -> Result<Record, Refusal> {
        let record = self
            .table
            .remove(&id.to_owned())
            .ok_or(Refusal::NoSuchRecord)?;
        self.lingering
            .retain(|(at, _)| now.duration_since(*at) < LAG);
        self.lingering.push((now, record.clone()));
        Ok(record)
    }

    /// Removes what is left of a zone that goes.
    pub(super) fn forget_zone(&mut self, zone: &str, now: Timestamp) -> Vec<Record> {
        let inside = |record: &&Record| is_within(&record.name, zone);
        let ids: Vec<String> = self
            .table
            .values()
            .filter(inside)
            .map(|record| record.id.clone())
            .collect();
        ids.iter()
            .filter_map(|id| self.remove(id, now).ok())
            .collect()
    }

    /// Everything or nothing. Order: deletes, patches, puts, posts; the first error undoes all.
    pub(super) fn batch(
        &mut self,
        batch: Batch,
        place: Place<'_>,
        now: Timestamp,
        mut next_id: impl FnMut() -> String,
    ) -> Result<Done, Refusal> {
        let operations =
            batch.deletes.len() + batch.patches.len() + batch.puts.len() + batch.posts.len();
        let most = place.plan.batch_limit();
        if operations > most {
            return Err(Refusal::Batch(operations, most));
        }
        let mut before = Vec::with_capacity(operations);
        let outcome = self.run(batch, place, now, &mut next_id, &mut before);
        if outcome.is_err() {
            self.undo(before);
        }
        outcome
    }

    fn run(
        &mut self,
        batch: Batch,
        place: Place<'_>,
        now: Timestamp,
        next_id: &mut dyn FnMut() -> String,
        before: &mut Vec<(String, Option<Record>)>,
    ) -> Result<Done, Refusal> {
        let mut done = Done::default();
        for ById { id } in batch.deletes {
            before.push((id.clone(), self.table.get(&id).cloned()));
            done.deletes.push(self.delete(&id, place, now)?);
        }
        for WishById { id, wish } in batch.patches {
            before.push((id.clone(), self.table.get(&id).cloned()));
            done.patches.push(self.patch(&id, wish, place, now)?);
        }
        for WishById { id, wish } in batch.puts {
            before.push((id.clone(), self.table.get(&id).cloned()));
            done.puts.push(self.replace(&id, wish, place, now)?);
        }
        for wish in batch.posts {
            let id = next_id();
            before.push((id.clone(), None));
            done.posts.push(self.create(id, wish, place, now)?);
        }
        Ok(done)
    }

    fn undo(&mut self, before: Vec<(String, Option<Record>)>) {
        for (id, record) in before.into_iter().rev() {
            self.lingering.retain(|(_, gone)| gone.id != id);
            match record {
                Some(record) => self.table.insert(id, record),
                None => self.table.remove(&id),
            };
        }
    }

    fn put_in(&mut self, record: Record) -> Result<Record, Refusal> {
        for other in self.table.values().filter(|other| other.id != record.id) {
            refuse_conflict(&record, other)?;
        }
        self.table.insert(record.id.clone(), record.clone());
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
