//! What this process remembers between visits: doubts, refusals, and when it asked for something.
//!
//! Never a fact about the world. Losing all of it (a restart) costs a repeated question, nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::ListAges;
use super::plan::{ABSENCE_PROOF, Refused};
use crate::api::{Placement, ProjectName, Uid};
use crate::provider::{BegunAfter, ServerId};

/// A refusal for want of capacity or limit is not questioned for so long.
const REFUSAL_KEPT: Duration = Duration::from_mins(5);

/// Longer than a purchase takes.
const SETTLING: Duration = Duration::from_mins(10);

#[derive(Default)]
pub(super) struct Notes(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Lists begun before this moment do not show what we did (or may have done) for this instance.
    doubts: BTreeMap<Uid, Instant>,
    shutdowns: BTreeMap<ServerId, Instant>,
    absent_since: BTreeMap<Uid, Instant>,
    failures: BTreeMap<Uid, u32>,
    /// Nothing was left to do at the last visit.
    settled: BTreeSet<Uid>,
    refusals: BTreeMap<(ProjectName, Option<Placement>), Instant>,
}

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on only lists begun after this moment count for this instance.
    pub(super) fn doubt(&self, uid: &Uid) {
        self.lock().doubts.insert(uid.clone(), Instant::now());
    }

    /// Nothing is left to do for it, or something is again.
    pub(super) fn settle(&self, uid: &Uid, is_settled: bool) {
        let settled = &mut self.lock().settled;
        if is_settled {
            settled.insert(uid.clone());
        } else {
            settled.remove(uid);
        }
    }

    /// How fresh a list must be for this instance: at most as old as its state allows, newer than any
    /// doubt, and, once enough time has passed since a list first showed nothing, one that can be the
    /// proof.
    pub(super) fn fresh(&self, uid: &Uid, ages: ListAges) -> BegunAfter {
        let now = Instant::now();
        let inner = self.lock();
        let age = if inner.settled.contains(uid) {
            ages.settled
        } else {
            ages.moving
        };
        let doubt = inner.doubts.get(uid).copied();
        let absent = inner.absent_since.get(uid);
        let proof = absent.map(|since| *since + ABSENCE_PROOF);
        let proof = proof.filter(|proof| *proof <= now);
        let asked = now.checked_sub(age).max(doubt).max(proof);
        BegunAfter(asked.unwrap_or(now))
    }

    /// Whether something was lately done or tried for this instance: somebody waits for it.
    pub(super) fn is_unsettled(&self, uid: &Uid) -> bool {
        let inner = self.lock();
        let doubt = inner.doubts.get(uid);
        inner.failures.contains_key(uid) || doubt.is_some_and(|at| at.elapsed() < SETTLING)
    }

    pub(super) fn refuse(&self, project: &ProjectName, placement: Option<&Placement>) {
        let until = Instant::now() + REFUSAL_KEPT;
        self.lock()
            .refusals
            .insert((project.clone(), placement.cloned()), until);
    }

    pub(super) fn refused(&self) -> Refused {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.refusals.retain(|_, until| *until > now);
        let mut refused = Refused::default();
        for (project, placement) in inner.refusals.keys() {
            match placement {
                Some(place) => drop(refused.no_capacity.insert((project.clone(), place.clone()))),
                None => drop(refused.limit_reached.insert(project.clone())),
            }
        }
        refused
    }

    pub(super) fn asked_to_shut_down(&self, server: &ServerId) {
        self.lock()
            .shutdowns
            .entry(server.clone())
            .or_insert_with(Instant::now);
    }

    pub(super) fn is_not_shutting_down(&self, server: &ServerId) {
        self.lock().shutdowns.remove(server);
    }

    pub(super) fn shutting_down_for(&self, server: &ServerId) -> Option<Duration> {
        self.lock().shutdowns.get(server).map(Instant::elapsed)
    }

    /// How long complete lists have shown nothing, counting from the beginning of the first of them
    /// to the beginning of this one.
    pub(super) fn absent(&self, uid: &Uid, begun: Instant) -> Duration {
        let mut inner = self.lock();
        let since = *inner.absent_since.entry(uid.clone()).or_insert(begun);
        begun.saturating_duration_since(since)
    }

    pub(super) fn is_present(&self, uid: &Uid) {
        self.lock().absent_since.remove(uid);
    }

    /// Another visit failed; how many in a row.
    pub(super) fn went_wrong(&self, uid: &Uid) -> u32 {
        let mut inner = self.lock();
        let failed = inner.failures.entry(uid.clone()).or_insert(0);
        *failed = failed.saturating_add(1);
        *failed
    }

    pub(super) fn went_well(&self, uid: &Uid) {
        self.lock().failures.remove(uid);
    }

    /// The instance is gone, and so is all we noted of it.
    pub(super) fn forget(&self, uid: &Uid) {
        let mut inner = self.lock();
        inner.doubts.remove(uid);
        inner.absent_since.remove(uid);
        inner.failures.remove(uid);
        inner.settled.remove(uid);
    }
}
