//! What the sweep tells Prometheus. Labels come from closed sets.

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use super::plan::{Kind, Sweep};
use crate::api::Reason;

/// Hours in a month, as the provider caps them.
const HOURS_A_MONTH: u64 = 730;
const MICROCENTS_A_CENT: u64 = 1_000_000;

/// Why an orphan can be kept.
const KEPT: [Reason; 2] = [Reason::SweepBraked, Reason::SweepDryRun];

#[derive(Clone)]
pub struct Counters {
    looks: IntCounterVec,
    orphans: IntGaugeVec,
    monthly_cents: IntGauge,
    kept: IntGaugeVec,
    removed: IntCounterVec,
}

/// What became of a look.
#[derive(Clone, Copy)]
pub(super) enum Looked {
    Done,
    /// Something could not be read, so nothing was decided.
    Failed,
}

impl Looked {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl Counters {
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let looks = IntCounterVec::new(
            Opts::new(
                "clawdet_sweep_looks_total",
                "Looks for what nobody owns, by outcome.",
            ),
            &["outcome"],
        )?;
        let orphans = IntGaugeVec::new(
            Opts::new(
                "clawdet_sweep_orphan_things",
                "Things with our mark and no owner at the last look, by kind.",
            ),
            &["kind"],
        )?;
        let monthly_cents = IntGauge::new(
            "clawdet_sweep_orphan_monthly_cents",
            "What the orphans cost in a month, before tax, in cents of the provider's currency.",
        )?;
        let kept = IntGaugeVec::new(
            Opts::new(
                "clawdet_sweep_kept_things",
                "Confirmed orphans kept at the last look, by reason.",
            ),
            &["reason"],
        )?;
        let removed = IntCounterVec::new(
            Opts::new(
                "clawdet_sweep_removed_total",
                "Orphans that were returned, by kind.",
            ),
            &["kind"],
        )?;
        registry.register(Box::new(looks.clone()))?;
        registry.register(Box::new(orphans.clone()))?;
        registry.register(Box::new(monthly_cents.clone()))?;
        registry.register(Box::new(kept.clone()))?;
        registry.register(Box::new(removed.clone()))?;
        let counters = Self {
            looks,
            orphans,
            monthly_cents,
            kept,
            removed,
        };
        counters.begin();
        Ok(counters)
    }

    /// Every series is there from the start, so that an alert on the first orphan sees a rise.
    fn begin(&self) {
        self.show(&Sweep::default());
        for looked in [Looked::Done, Looked::Failed] {
            self.looks.with_label_values(&[looked.as_str()]);
        }
        for kind in Kind::ALL {
            self.removed.with_label_values(&[kind.as_str()]);
        }
    }

    pub(super) fn looked(&self, looked: Looked) {
        self.looks.with_label_values(&[looked.as_str()]).inc();
    }

    pub(super) fn show(&self, sweep: &Sweep) {
        for kind in Kind::ALL {
            let found = sweep.first_seen.keys().filter(|thing| thing.kind() == kind);
            set(&self.orphans, kind.as_str(), found.count());
        }
        for reason in KEPT {
            let kept = sweep.kept.values().filter(|why| **why == reason);
            set(&self.kept, reason.as_str(), kept.count());
        }
        let monthly =
            sweep.hourly_cost_microcents.saturating_mul(HOURS_A_MONTH) / MICROCENTS_A_CENT;
        self.monthly_cents
            .set(i64::try_from(monthly).unwrap_or(i64::MAX));
    }

    pub(super) fn removed(&self, kind: Kind) {
        self.removed.with_label_values(&[kind.as_str()]).inc();
    }
}

fn set(gauge: &IntGaugeVec, label: &str, count: usize) {
    gauge
        .with_label_values(&[label])
        .set(i64::try_from(count).unwrap_or(i64::MAX));
}
