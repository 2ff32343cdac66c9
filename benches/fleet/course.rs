//! The life of a fleet, phase by phase, and what each took: bought, met by an operator that knows nothing,
//! left alone, returned. What the figures should be is in `report`.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clawdet::api::Instance;
use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::json;
use tokio::time::Instant;
use world::Api;

use super::calls::Calls;
use super::process::{Memory, processor_time};
use super::stage::{Running, Stage, Tempo};
use super::tally::Tally;
use super::{Asked, say};

/// Requests to the cluster at once, as from a few busy people.
const HANDS: usize = 16;
/// So many resyncs are watched.
pub(super) const RESYNCS: u32 = 3;
/// Between two looks is when no provider was called for so long.
const STILL: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_mins(10);

/// All that was measured.
pub(super) struct Figures {
    pub instances: u32,
    pub seed: u64,
    pub resync: Duration,
    pub bought: Phase,
    /// From an operator's start until it has found every instance as it should be.
    pub met: Phase,
    /// Over [`RESYNCS`] resyncs.
    pub quiet: Phase,
    pub returned: Phase,
    pub left: Left,
    /// Before the operator and the fleet.
    pub baseline: Memory,
}

/// What one phase took.
pub(super) struct Phase {
    pub calls: Calls,
    pub wall: Duration,
    pub processor: Duration,
    /// At its end.
    pub memory: Memory,
    pub visits: Visits,
}

/// How visits to instances ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Visits {
    pub converged: u64,
    pub stepped: u64,
    pub waiting: u64,
    pub throttled: u64,
    pub failed: u64,
}

/// What should not be there at the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    pub instances: usize,
    pub servers: usize,
    pub addresses: usize,
    pub records: usize,
}

pub(super) async fn run(asked: &Asked) -> Result<Figures> {
    let resync = Duration::from_secs(asked.resync);
    let fleet = usize::try_from(asked.instances)?;
    let stage = Stage::new(asked.seed, asked.instances).await?;
    let mut tally = Tally::follow(stage.instances());
    let baseline = Memory::now()?;

    say(&format!("buying {fleet} servers"));
    let operator = stage.start(Tempo::DELIVERED)?;
    let meter = Meter::begin(&stage, &operator)?;
    order(&stage, asked.instances).await?;
    tally.until_ready(fleet).await?;
    let bought = meter.end(&stage, &operator)?;
    operator.stop().await?;

    say("starting an operator that knows nothing");
    let operator = stage.start(Tempo { resync })?;
    let meter = Meter::begin(&stage, &operator)?;
    until_visited(&operator, u64::from(asked.instances)).await?;
    let met = meter.end(&stage, &operator)?;

    let seconds = (resync * RESYNCS).as_secs();
    say(&format!("leaving the fleet alone for {seconds} s"));
    until_still(&stage).await?;
    let meter = Meter::begin(&stage, &operator)?;
    tokio::time::sleep(resync * RESYNCS).await;
    until_still(&stage).await?;
    let quiet = meter.end(&stage, &operator)?;
    operator.stop().await?;

    say(&format!("returning {fleet} servers"));
    let operator = stage.start(Tempo::DELIVERED)?;
    let meter = Meter::begin(&stage, &operator)?;
    cancel(&stage, asked.instances).await?;
    tally.until_gone(fleet).await?;
    let returned = meter.end(&stage, &operator)?;
    operator.stop().await?;
    Ok(Figures {
        instances: asked.instances,
        seed: asked.seed,
        resync,
        bought,
        met,
        quiet,
        returned,
        left: left(&stage).await?,
        baseline,
    })
}

/// Where a phase begins.
struct Meter {
    begun: Instant,
    calls: Calls,
    processor: Duration,
    visits: Visits,
}

impl Meter {
    fn begin(stage: &Stage, operator: &Running) -> Result<Self> {
        Ok(Self {
            calls: Calls::so_far(&stage.world),
            processor: processor_time()?,
            visits: Visits::so_far(operator)?,
            begun: Instant::now(),
        })
    }

    fn end(self, stage: &Stage, operator: &Running) -> Result<Phase> {
        Ok(Phase {
            wall: self.begun.elapsed(),
            processor: processor_time()?.saturating_sub(self.processor),
            calls: Calls::so_far(&stage.world).since(&self.calls),
            memory: Memory::now()?,
            visits: Visits::so_far(operator)?.since(self.visits),
        })
    }
}

impl Visits {
    fn so_far(operator: &Running) -> Result<Self> {
        Ok(Self {
            converged: operator.visits("converged")?,
            stepped: operator.visits("stepped")?,
            waiting: operator.visits("waiting")?,
            throttled: operator.visits("throttled")?,
            failed: operator.visits("failed")?,
        })
    }

    fn since(self, before: Self) -> Self {
        Self {
            converged: self.converged - before.converged,
            stepped: self.stepped - before.stepped,
            waiting: self.waiting - before.waiting,
            throttled: self.throttled - before.throttled,
            failed: self.failed - before.failed,
        }
    }

    pub(super) fn total(self) -> u64 {
        self.converged + self.stepped + self.waiting + self.throttled + self.failed
    }
}

fn name(number: u32) -> String {
    format!("fleet-{number:05}")
}

async fn order(stage: &Stage, fleet: u32) -> Result<()> {
    let instances = stage.instances();
    let orders = (0..fleet).map(|number| {
        let instances = instances.clone();
        async move {
            let name = name(number);
            let instance: Instance = serde_json::from_value(json!({
                "apiVersion": "clawdet.com/v1alpha1",
                "kind": "Instance",
                "metadata": {"name": name},
                "spec": {"customerRef": "ada", "subdomain": name, "plan": "basic"},
            }))?;
            let created = instances.create(&PostParams::default(), &instance).await;
            created.map(drop).context("create an Instance")
        }
    });
    stream::iter(orders)
        .buffer_unordered(HANDS)
        .try_collect()
        .await
}

async fn cancel(stage: &Stage, fleet: u32) -> Result<()> {
    let instances = stage.instances();
    let orders = (0..fleet).map(|number| {
        let instances = instances.clone();
        async move {
            let deleted = instances
                .delete(&name(number), &DeleteParams::default())
                .await;
            deleted.map(drop).context("delete an Instance")
        }
    });
    stream::iter(orders)
        .buffer_unordered(HANDS)
        .try_collect()
        .await
}

/// Every visit of a settled fleet ends well, and none is due a second time so soon.
async fn until_visited(operator: &Running, fleet: u64) -> Result<()> {
    let begun = Instant::now();
    while operator.visits("converged")? < fleet {
        if begun.elapsed() > PATIENCE {
            bail!("the operator did not visit every instance");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Waits for the pause between two looks at the providers.
async fn until_still(stage: &Stage) -> Result<()> {
    let begun = Instant::now();
    let called = || {
        let calls = Calls::so_far(&stage.world);
        calls.of(Api::Hetzner) + calls.of(Api::Cloudflare)
    };
    let (mut last, mut since) = (called(), begun);
    while since.elapsed() < STILL {
        if begun.elapsed() > PATIENCE {
            bail!("the providers are never left alone");
        }
        tokio::time::sleep(LOOK_EVERY).await;
        let now = called();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    Ok(())
}

async fn left(stage: &Stage) -> Result<Left> {
    let instances = stage.instances().list(&ListParams::default()).await;
    let snapshot = stage.world.snapshot();
    Ok(Left {
        instances: instances.context("list the Instances")?.items.len(),
        servers: snapshot.living_servers().count(),
        addresses: snapshot.primary_ips.len(),
        records: snapshot.records.len(),
    })
}
