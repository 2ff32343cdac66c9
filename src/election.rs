//! Who leads, by a Lease. Being leader saves work; it is never what keeps a server from being bought
//! twice: everything is safe with two leaders.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

pub mod plan;

use plan::{Hold, Move};

/// One candidate for one Lease.
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
    ttl: Duration,
    clock: Clock,
}

impl Candidate {
    /// `identity` must differ between processes; `ttl` is how long a dead leader holds the Lease.
    pub fn new(
        client: Client,
        namespace: &str,
        name: &str,
        identity: &str,
        ttl: Duration,
        clock: Clock,
    ) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            identity: identity.to_owned(),
            ttl,
            clock,
        }
    }

    /// Campaigns until `stop`, and then gives the Lease up so that the next one need not wait. Leads
    /// only while a renewal has lately worked: a leader that cannot reach the cluster steps down
    /// before its Lease runs out.
    pub async fn run(&self, leads: &watch::Sender<bool>, stop: CancellationToken) {
        let mut renewed: Option<Instant> = None;
        loop {
            let asked = Instant::now();
            // kube has no read time-out of its own.
            match tokio::time::timeout(self.ttl / 3, self.campaign()).await {
                Ok(Ok(held)) => renewed = held.then_some(asked),
                Ok(Err(error)) => tracing::warn!(%error, "The Lease could not be renewed"),
                Err(_) => tracing::warn!("The Lease was not renewed in time"),
            }
            let leading = renewed.is_some_and(|at| at.elapsed() < self.ttl * 2 / 3);
            leads.send_if_modified(|was| std::mem::replace(was, leading) != leading);
            tokio::select! {
                () = tokio::time::sleep(self.ttl / 3) => {}
                () = stop.cancelled() => break,
            }
        }
        leads.send_replace(false);
        if renewed.is_some() {
            let given_up = tokio::time::timeout(self.ttl / 3, self.give_up()).await;
            if !matches!(given_up, Ok(Ok(()))) {
                tracing::warn!(
                    "The Lease was not given up; the next leader waits until it runs out"
                );
            }
        }
    }

    /// One round; whether we hold the Lease after it. The resourceVersion makes it a compare-and-swap.
    pub async fn campaign(&self) -> Result<bool, kube::Error> {
        let found = self.api.get_opt(&self.name).await?;
        let spec = found.as_ref().and_then(|lease| lease.spec.as_ref());
        let hold = spec.map(hold);
        let now = self.clock.now();
        let taken = match plan::plan(hold.as_ref(), &self.identity, now) {
            Move::Follow => return Ok(false),
            Move::Renew => false,
            Move::Take => true,
        };
        let spec = spec_of(&self.identity, self.ttl, spec, now, taken);
        let done = self.put(found, spec).await;
        match done {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn put(&self, found: Option<Lease>, spec: LeaseSpec) -> Result<Lease, kube::Error> {
        let params = PostParams::default();
        if let Some(mut lease) = found {
            lease.spec = Some(spec);
            return self.api.replace(&self.name, &params, &lease).await;
        }
        let metadata = ObjectMeta {
            name: Some(self.name.clone()),
            ..ObjectMeta::default()
        };
        self.api
            .create(
                &params,
                &Lease {
                    metadata,
                    spec: Some(spec),
                },
            )
            .await
    }

    async fn give_up(&self) -> Result<(), kube::Error> {
        let Some(mut lease) = self.api.get_opt(&self.name).await? else {
            return Ok(());
        };
        if let Some(spec) = &mut lease.spec
            && spec.holder_identity.as_deref() == Some(&self.identity)
        {
            spec.holder_identity = None;
            self.api
                .replace(&self.name, &PostParams::default(), &lease)
                .await?;
        }
        Ok(())
    }
}

/// Does `work` whenever this process leads, until `stop`. Each term gets a token of its own, cancelled
/// when the term ends; the work then finishes or abandons what it is at, and may begin anew later.
pub async fn while_leading<F, W>(
    mut leads: watch::Receiver<bool>,
    stop: CancellationToken,
    mut work: F,
) where
    F: FnMut(CancellationToken) -> W,
    W: Future<Output = ()>,
{
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            elected = becomes(&mut leads, true) => {
                if !elected {
                    return;
                }
            }
        }
        let term = stop.child_token();
        let mut working = std::pin::pin!(work(term.clone()));
        tokio::select! {
            () = &mut working => return,
            _ = becomes(&mut leads, false) => {
                term.cancel();
                working.await;
            }
        }
        if stop.is_cancelled() {
            return;
        }
    }
}

/// Waits until leading is `wanted`; false when nobody campaigns any more.
async fn becomes(leads: &mut watch::Receiver<bool>, wanted: bool) -> bool {
    leads.wait_for(|leading| *leading == wanted).await.is_ok()
}

fn hold(spec: &LeaseSpec) -> Hold {
    Hold {
        holder: spec
            .holder_identity
            .clone()
            .filter(|holder| !holder.is_empty()),
        renewed: spec.renew_time.as_ref().map(|time| time.0),
        ttl: spec
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(Duration::ZERO, Duration::from_secs),
    }
}

/// The Lease as we want it: `taken` starts a new term.
fn spec_of(
    identity: &str,
    ttl: Duration,
    old: Option<&LeaseSpec>,
    now: jiff::Timestamp,
    taken: bool,
) -> LeaseSpec {
    let terms = old.and_then(|spec| spec.lease_transitions).unwrap_or(0);
    let since = old
        .and_then(|spec| spec.acquire_time.clone())
        .filter(|_| !taken);
    LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: Some(i32::try_from(ttl.as_secs()).unwrap_or(i32::MAX)),
        acquire_time: Some(since.unwrap_or(MicroTime(now))),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(terms.saturating_add(i32::from(taken && old.is_some()))),
        ..LeaseSpec::default()
    }
}

#[cfg(test)]
mod tests;
