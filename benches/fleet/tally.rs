//! How far the fleet has come, kept by one watch: how many instances there are, and for what reason each
//! is not Ready. It asks nothing of the operator.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use clawdet::api::Instance;
use clawdet::instance::status;
use futures::StreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, ResourceExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::say;

const READY: &str = "Ready";
/// A fleet that does not change for so long is stuck.
const PATIENCE: Duration = Duration::from_mins(5);
/// Between two lines of progress.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// Instances by the reason of their Ready condition.
pub(super) type Reasons = BTreeMap<String, usize>;

pub(super) struct Tally {
    seen: watch::Receiver<Reasons>,
    _follower: JoinSet<()>,
}

impl Tally {
    pub(super) fn follow(instances: Api<Instance>) -> Self {
        let (told, seen) = watch::channel(Reasons::new());
        let mut follower = JoinSet::new();
        follower.spawn(async move {
            let mut by_name = BTreeMap::new();
            let mut events = std::pin::pin!(watcher(instances, Config::default()));
            while let Some(event) = events.next().await {
                if let Ok(event) = event {
                    told.send_modify(|reasons| note(&mut by_name, reasons, &event));
                }
            }
        });
        Self {
            seen,
            _follower: follower,
        }
    }

    /// Waits until so many are Ready and nothing else is there.
    pub(super) async fn until_ready(&mut self, wanted: usize) -> Result<()> {
        self.until("Ready", wanted, |reasons| {
            (
                reasons.get(READY).copied().unwrap_or(0),
                reasons.values().sum::<usize>() == wanted && reasons.len() == 1,
            )
        })
        .await
    }

    /// Waits until none is left.
    pub(super) async fn until_gone(&mut self, there: usize) -> Result<()> {
        self.until("gone", there, |reasons| {
            let left: usize = reasons.values().sum();
            (there.saturating_sub(left), left == 0)
        })
        .await
    }

    /// `look` says how many are there, and whether all are.
    async fn until(
        &mut self,
        what: &str,
        wanted: usize,
        look: impl Fn(&Reasons) -> (usize, bool),
    ) -> Result<()> {
        let begun = Instant::now();
        let mut told = begun;
        loop {
            let (reached, others) = {
                let reasons = self.seen.borrow_and_update();
                let (reached, all) = look(&reasons);
                if all && reached == wanted {
                    return Ok(());
                }
                (reached, others(&reasons))
            };
            if told.elapsed() >= TOLD_EVERY {
                told = Instant::now();
                let seconds = begun.elapsed().as_secs();
                say(&format!(
                    "{seconds:>4} s  {reached}/{wanted} {what}  {others}"
                ));
            }
            match tokio::time::timeout(PATIENCE, self.seen.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => bail!("the watch on the instances has ended"),
                Err(_) => bail!(
                    "nothing changes any more: {reached} of {wanted} are {what}; the others: {others}"
                ),
            }
        }
    }
}

fn note(by_name: &mut BTreeMap<String, String>, reasons: &mut Reasons, event: &Event<Instance>) {
    let (before, now) = match event {
        Event::Apply(instance) | Event::InitApply(instance) => {
            let reason = status::ready(instance.status.as_ref())
                .map_or("New", |(reason, _)| reason)
                .to_owned();
            (
                by_name.insert(instance.name_any(), reason.clone()),
                Some(reason),
            )
        }
        Event::Delete(instance) => (by_name.remove(&instance.name_any()), None),
        Event::Init | Event::InitDone => (None, None),
    };
    if let Some(before) = before
        && let Some(count) = reasons.get_mut(&before)
    {
        *count -= 1;
        if *count == 0 {
            reasons.remove(&before);
        }
    }
    if let Some(now) = now {
        *reasons.entry(now).or_default() += 1;
    }
}

fn others(reasons: &Reasons) -> String {
    let waiting = reasons.iter().filter(|(reason, _)| *reason != READY);
    let words: Vec<_> = waiting
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    words.join(", ")
}
