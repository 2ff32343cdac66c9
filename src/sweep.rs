//! What we pay for and nobody owns: returned, but never in haste. The loop around [`plan`]: looks,
//! asks it what to return, and returns that. It buys nothing and changes nothing that has an owner.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::TryFutureExt;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::api::{Instance, ProjectName, Reason, Uid};
use crate::clock::Clock;
use crate::controller::VisitError;
use crate::provider::{
    BegunAfter, Dns, Fleet, Priority, ProviderError, RecordChange, Refusal, ServerId, Servers,
    SpareAddress,
};

mod counters;
pub mod plan;

pub use counters::Counters;
use counters::Looked;
use plan::{BRAKE_WINDOW, Kind, Look, Marked, Sweep, Thing};

/// A list as old as this part of the period is good enough, so that the fleet is not listed twice at
/// once: the Instances are read live after it, and who returns a server reads its mark again.
const LIST_AGE_PART: u32 = 5;
/// Instances asked for in one page.
const PAGE_SIZE: u32 = 500;
/// More pages than this are taken for a list that never ends.
const PAGES_MAX: usize = 1000;

pub struct Settings {
    pub namespace: String,
    /// How often to look.
    pub every: Duration,
    /// Only say what would be returned.
    pub dry_run: bool,
}

/// The sweep and all it needs.
pub struct Sweeper {
    pub settings: Settings,
    pub client: Client,
    pub clock: Clock,
    pub servers: Arc<dyn Servers>,
    pub dns: Arc<dyn Dns>,
    pub counters: Counters,
}

/// What a leader remembers from look to look. Losing it costs ten minutes.
#[derive(Default)]
struct Memory {
    sweep: Sweep,
    /// What was returned, and when; oldest first.
    returned: VecDeque<(Instant, Kind)>,
}

/// What one look saw.
struct Seen {
    fleet: Arc<Fleet>,
    addresses: Vec<SpareAddress>,
    things: Vec<Marked>,
    instances: BTreeSet<Uid>,
}

impl Sweeper {
    /// Runs for one term, until `stop`. A look that fails returns nothing and is made up for by the next.
    pub async fn run(&self, stop: CancellationToken) {
        let mut memory = Memory::default();
        let mut ticks = tokio::time::interval(self.settings.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            // Dropped at any await: whatever was asked for has happened or not, and is seen next time.
            tokio::select! {
                () = self.sweep(&mut memory) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn sweep(&self, memory: &mut Memory) {
        let seen = match self.look().await {
            Ok(seen) => seen,
            Err(error) => {
                let cause = crate::cause::chain(&error);
                tracing::warn!(%cause, "The sweep could not look and returns nothing");
                self.counters.looked(Looked::Failed);
                return;
            }
        };
        let returned_lately = memory.returned_lately();
        let sweep = plan::plan(&Look {
            now: self.clock.now(),
            things: &seen.things,
            instances: &seen.instances,
            first_seen: &memory.sweep.first_seen,
            returned_lately: &returned_lately,
            dry_run: self.settings.dry_run,
        });
        self.report(&sweep, &memory.sweep);
        for (thing, owner) in &sweep.give_back {
            self.give_back(&seen, thing, owner, memory).await;
        }
        memory.sweep = sweep;
    }

    /// All or nothing: an incomplete look justifies no deletion.
    async fn look(&self) -> Result<Seen, VisitError> {
        let asked = Instant::now().checked_sub(self.settings.every / LIST_AGE_PART);
        let asked = BegunAfter(asked.unwrap_or_else(Instant::now));
        let servers = self.servers.fleet(Priority::Resync, asked);
        let zone = self.dns.zone(Priority::Resync, asked);
        let addresses = self.servers.spare_addresses(Priority::Resync, asked);
        let (fleet, zone, addresses) = futures::try_join!(
            servers.map_err(VisitError::provider("list the servers")),
            zone.map_err(VisitError::provider("list the records")),
            addresses.map_err(VisitError::provider("list the addresses")),
        )?;
        let instances = self.instances().await?;
        let things = plan::marked(&fleet, &zone, &addresses);
        Ok(Seen {
            fleet,
            addresses,
            things,
            instances,
        })
    }

    /// The uids of all Instances, read live and to the end; their specs need not be understood.
    async fn instances(&self) -> Result<BTreeSet<Uid>, VisitError> {
        let kind = ApiResource::erase::<Instance>(&());
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &self.settings.namespace, &kind);
        let mut uids = BTreeSet::new();
        let mut page = ListParams::default().limit(PAGE_SIZE);
        for _ in 0..PAGES_MAX {
            let list = api
                .list(&page)
                .await
                .map_err(VisitError::kube("list the Instances"))?;
            for object in list.items {
                let uid = object
                    .metadata
                    .uid
                    .ok_or_else(|| unreadable("has no uid"))?;
                uids.insert(Uid::new(uid));
            }
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok(uids),
            }
        }
        Err(unreadable("is one of a list that does not end"))
    }

    /// Says what was decided: each orphan once, when its fate is new.
    fn report(&self, sweep: &Sweep, before: &Sweep) {
        for (thing, reason) in &sweep.kept {
            if before.kept.get(thing) != Some(reason) {
                let kind = thing.kind().as_str();
                tracing::warn!(kind, %thing, %reason, "An orphan is kept for now");
            }
        }
        self.counters.looked(Looked::Done);
        self.counters.show(sweep);
    }

    async fn give_back(&self, seen: &Seen, thing: &Thing, owner: &Uid, memory: &mut Memory) {
        let kind = thing.kind();
        let done = match thing {
            Thing::Record { host, id } => {
                let change = RecordChange {
                    delete: vec![id.clone()],
                    ..RecordChange::default()
                };
                self.dns
                    .change(Priority::Delete, host, owner, &change)
                    .await
            }
            Thing::Server(id) => self.return_server(&seen.fleet, id, owner).await,
            Thing::Address { project, id } => self.release(seen, project, *id).await,
        };
        let done = match done {
            // Somebody was faster.
            Err(error) if error.refusal() == Some(Refusal::NotFound) => return,
            done => done,
        };
        if may_have_happened(&done) {
            memory.returned.push_back((Instant::now(), kind));
        }
        let name = kind.as_str();
        match done {
            Ok(()) => {
                self.counters.removed(kind);
                let reason = Reason::OrphanRemoved;
                tracing::warn!(kind = name, %thing, %owner, %reason, "An orphan was returned");
            }
            Err(error) => {
                let cause = crate::cause::chain(&error);
                tracing::warn!(kind = name, %thing, %owner, %cause, "An orphan was not returned");
            }
        }
    }

    async fn return_server(
        &self,
        fleet: &Fleet,
        id: &ServerId,
        owner: &Uid,
    ) -> Result<(), ProviderError> {
        if fleet.get(id).is_some_and(|server| server.protected) {
            // Read again first: the protection of what is not ours any more is not ours to take.
            let now = self.servers.get(Priority::Delete, id).await?;
            if now.is_some_and(|server| server.owner.is(owner)) {
                self.servers.set_protection(id, false).await?;
            }
        }
        self.servers.delete(id, owner).await
    }

    async fn release(
        &self,
        seen: &Seen,
        project: &ProjectName,
        id: i64,
    ) -> Result<(), ProviderError> {
        let is_it = |address: &&SpareAddress| address.id == id && &address.project == project;
        match seen.addresses.iter().find(is_it) {
            Some(address) => self.servers.release_address(address).await,
            None => Ok(()),
        }
    }
}

impl Memory {
    fn returned_lately(&mut self) -> BTreeMap<Kind, usize> {
        while let Some((at, _)) = self.returned.front()
            && at.elapsed() >= BRAKE_WINDOW
        {
            self.returned.pop_front();
        }
        let mut lately = BTreeMap::new();
        for (_, kind) in &self.returned {
            *lately.entry(*kind).or_default() += 1;
        }
        lately
    }
}

/// Whether a deletion counts against the brake.
fn may_have_happened(done: &Result<(), ProviderError>) -> bool {
    match done {
        Ok(()) | Err(ProviderError::Unknown(_)) => true,
        Err(
            ProviderError::Throttled { .. }
            | ProviderError::Unreachable(_)
            | ProviderError::Refused { .. },
        ) => false,
    }
}

fn unreadable(what: &'static str) -> VisitError {
    VisitError {
        doing: "list the Instances",
        retry_after: None,
        reason: None,
        cause: format!("an Instance {what}").into(),
    }
}

#[cfg(test)]
mod tests;
