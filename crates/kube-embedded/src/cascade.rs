//! One request's writes and everything that follows from them: what is deleted along, collected, or
//! finished. When each of these is due is decided here, what is done in `containers`, `garbage`,
//! `naming`, `furnish`, `access` and `expiry`.
//!
//! The request that causes something does it before it is answered: nothing runs behind anybody's back,
//! no clock is waited for, and whoever has an answer finds the world settled. What is due waits in a
//! queue and calls nothing itself, so a chain of owners may be as long as it likes. What a crash
//! interrupts is taken up at the next start.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::join_all;

use crate::cluster::Cluster;
use crate::deletion::{self, Propagation};
use crate::ledger::{Address, Write, WriteError};
use crate::status::Failure;
use crate::stored::Stored;
use crate::{access, containers, expiry, furnish, garbage, naming};

/// Tasks under way at once, where a journal can keep them in one commit.
const CONCURRENT: usize = 64;

/// Something that follows from a write.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    Delete(Address, Option<Propagation>),
    /// Look whether the object may stay as it is.
    Review(Address),
    /// Take the owner of that uid out of the dependent's references.
    Disown {
        dependent: Address,
        owner: Box<str>,
    },
    /// Give the definitions of that group the names they ask for.
    Name(String),
    /// Give that namespace the account it must have.
    Furnish(String),
    /// Give the roles that gather others' rules what these say now.
    Gather,
    /// Remove an Event, if that is still its version.
    Expire(Address, u64),
}

pub(crate) struct Cascade<'a> {
    pub(crate) cluster: &'a Arc<Cluster>,
    due: Mutex<Due>,
}

/// First in, first out, each thing once.
#[derive(Default)]
struct Due {
    queue: VecDeque<Task>,
    queued: HashSet<Task>,
}

impl Due {
    fn push(&mut self, task: Task) {
        if self.queued.insert(task.clone()) {
            self.queue.push_back(task);
        }
    }

    fn take(&mut self, limit: usize) -> Vec<Task> {
        let count = self.queue.len().min(limit);
        let tasks: Vec<_> = self.queue.drain(..count).collect();
        for task in &tasks {
            self.queued.remove(task);
        }
        tasks
    }
}

impl<'a> Cascade<'a> {
    pub(crate) fn new(cluster: &'a Arc<Cluster>) -> Self {
        Self {
            cluster,
            due: Mutex::default(),
        }
    }

    pub(crate) fn push(&self, tasks: impl IntoIterator<Item = Task>) {
        let mut due = self.due();
        for task in tasks {
            due.push(task);
        }
    }

    /// Writes, and notes what follows. `old` is what the write was decided upon.
    pub(crate) async fn write(
        &self,
        write: Write,
        old: Option<&Stored>,
    ) -> Result<Arc<Stored>, WriteError> {
        let (address, removes) = (write.address.clone(), write.removes);
        let kept = self.cluster.ledger.write(write).await?;
        let new = (!removes).then_some(&*kept);
        self.push(containers::consequences(self.cluster, &address, new));
        self.push(naming::consequences(&address));
        self.push(furnish::consequences(&address, new));
        self.push(access::consequences(&address));
        self.push(garbage::consequences(self.cluster, &address, old, new));
        if let Some(new) = new {
            self.push(expiry::due(self.cluster, &address, new));
        }
        Ok(kept)
    }

    /// Does what follows, and what follows from that, until nothing is due. The first thing that cannot
    /// be done ends it: the rest waits for the next start.
    pub(crate) async fn settle(&self) -> Result<(), Failure> {
        let waits = self.cluster.ledger.waits();
        loop {
            let tasks = self.due().take(if waits { CONCURRENT } else { 1 });
            if tasks.is_empty() {
                return Ok(());
            }
            let running = tasks.into_iter().map(|task| self.perform(task));
            for done in join_all(running).await {
                done?;
            }
        }
    }

    /// Settles for somebody whose own write is done, whatever becomes of its consequences.
    pub(crate) async fn settle_quietly(&self) {
        if let Err(failure) = self.settle().await {
            tracing::warn!(%failure, "what follows from a write waits for the next start");
        }
    }

    async fn perform(&self, task: Task) -> Result<(), Failure> {
        match task {
            Task::Delete(address, propagation) => {
                let gone = deletion::delete(self, &address, propagation, &|_| Ok(()));
                gone.await.map(drop)
            }
            Task::Review(address) => {
                containers::review(self, &address).await?;
                garbage::review(self, &address).await
            }
            Task::Disown { dependent, owner } => garbage::disown(self, &dependent, &owner).await,
            Task::Name(group) => naming::settle(self, &group).await,
            Task::Furnish(namespace) => furnish::account(self.cluster, &namespace).await,
            Task::Gather => {
                access::gather(self.cluster).await;
                Ok(())
            }
            Task::Expire(address, version) => {
                expiry::expire(self, address, version).await;
                Ok(())
            }
        }
    }

    // A panic while it was held left at most a task queued twice.
    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
