//! What was measured beside what it should be, for a person and for a program.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};
use world::Api;

use super::calls::Calls;
use super::course::{Figures, Phase, RESYNCS};

/// Servers in one page of the provider's list.
const SERVERS_PER_PAGE: u32 = 50;
/// Provider calls that a new server may cost in all.
const CALLS_PER_SERVER: f64 = 1.3;

pub(super) struct Report<'a> {
    figures: &'a Figures,
    rows: Vec<Row>,
}

struct Row {
    /// The key in the JSON.
    key: &'static str,
    what: String,
    value: f64,
    unit: &'static str,
    /// The most it may be; None for what is only told.
    goal: Option<f64>,
}

impl Row {
    fn told(key: &'static str, what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            key,
            what: what.into(),
            value,
            unit,
            goal: None,
        }
    }

    fn at_most(self, goal: f64) -> Self {
        Self {
            goal: Some(goal),
            ..self
        }
    }

    fn is_missed(&self) -> bool {
        self.goal.is_some_and(|goal| self.value > goal)
    }
}

impl<'a> Report<'a> {
    pub(super) fn of(figures: &'a Figures) -> Self {
        let mut rows = vec![];
        rows.extend(bought(figures));
        rows.extend(quiet(figures));
        rows.extend(returned(figures));
        rows.extend(memory(figures));
        Self { figures, rows }
    }

    /// The goals that were missed, as a person would say it.
    pub(super) fn missed(&self) -> Vec<String> {
        let missed = self.rows.iter().filter(|row| row.is_missed());
        missed
            .map(|row| {
                let goal = row.goal.map(figure).unwrap_or_default();
                format!("{}: {}, at most {goal}", row.what, figure(row.value))
            })
            .collect()
    }

    pub(super) fn table(&self) -> String {
        let width = |text: fn(&Row) -> String| {
            let longest = self.rows.iter().map(|row| text(row).chars().count()).max();
            longest.unwrap_or_default()
        };
        let (what, value) = (
            width(|row| row.what.clone()),
            width(|row| figure(row.value)),
        );
        let mut table = format!(
            "{} instances, one project, providers that answer at once\n\n",
            self.figures.instances
        );
        for row in &self.rows {
            let goal = row.goal.map_or_else(String::new, |goal| {
                let mark = if row.is_missed() { '✗' } else { '✓' };
                format!("{mark} ≤ {}", figure(goal))
            });
            let line = format!(
                "{:<what$}  {:>value$} {:<6} {goal}",
                row.what,
                figure(row.value),
                row.unit
            );
            // Writing to a String cannot fail.
            let _ = writeln!(table, "{}", line.trim_end());
        }
        table.push_str(&self.endpoints());
        table
    }

    /// Which calls they were.
    fn endpoints(&self) -> String {
        let figures = self.figures;
        let mut text = String::new();
        for (phase, calls) in [
            ("to buy", &figures.bought.calls),
            ("to start", &figures.met.calls),
            ("quiet, in all", &figures.quiet.calls),
            ("to return", &figures.returned.calls),
        ] {
            let _ = writeln!(text, "\ncalls {phase}:");
            for (api, endpoint, count) in calls.endpoints() {
                let _ = writeln!(text, "  {count:>8}  {} {endpoint}", api.name());
            }
        }
        text
    }

    /// Everything in one line.
    pub(super) fn json(&self) -> String {
        let figures = self.figures;
        let mut told = Map::new();
        for row in &self.rows {
            let mut said = json!({"value": row.value, "unit": row.unit});
            if let Some(goal) = row.goal {
                said["goal"] = json!(goal);
                said["met"] = json!(!row.is_missed());
            }
            told.insert(row.key.to_owned(), said);
        }
        json!({
            "bench": "fleet",
            "instances": figures.instances,
            "seed": figures.seed,
            "resync_seconds": figures.resync.as_secs(),
            "resyncs_watched": RESYNCS,
            "figures": told,
            "calls": {
                "buy": calls(&figures.bought.calls),
                "start": calls(&figures.met.calls),
                "quiet": calls(&figures.quiet.calls),
                "return": calls(&figures.returned.calls),
            },
            "met": self.rows.iter().all(|row| !row.is_missed()),
        })
        .to_string()
    }
}

fn bought(figures: &Figures) -> Vec<Row> {
    let Figures { bought, met, .. } = figures;
    let fleet = f64::from(figures.instances);
    let seconds = |wall: Duration| wall.as_secs_f64();
    vec![
        Row::told(
            "buy_wall",
            "time from the first order until all are Ready",
            seconds(bought.wall),
            "s",
        ),
        Row::told(
            "buy_calls",
            "provider calls for each new server",
            count(bought.calls.total()) / fleet,
            "",
        )
        .at_most(CALLS_PER_SERVER),
        Row::told(
            "buy_visits",
            "visits for each new server",
            count(bought.visits.total()) / fleet,
            "",
        ),
        Row::told(
            "buy_held",
            "visits that failed or waited for our own budget",
            count(bought.visits.failed + bought.visits.throttled),
            "",
        ),
        Row::told(
            "buy_processor",
            "processor time for each new server (simulators included)",
            bought.processor.as_secs_f64() * 1000.0 / fleet,
            "ms",
        ),
        Row::told(
            "start_wall",
            "time for a new operator to meet the whole fleet",
            seconds(met.wall),
            "s",
        ),
        Row::told(
            "start_calls",
            "provider calls of that start",
            count(met.calls.total()),
            "",
        ),
    ]
}

fn quiet(figures: &Figures) -> Vec<Row> {
    let Phase {
        calls,
        visits,
        wall,
        processor,
        ..
    } = &figures.quiet;
    let resyncs = f64::from(RESYNCS);
    // The sweep's own question, which is no part of a resync.
    let sweep = calls.at(Api::Hetzner, "GET /v1/primary_ips");
    let pages = figures.instances.div_ceil(SERVERS_PER_PAGE);
    vec![
        Row::told(
            "quiet_hetzner",
            "Hetzner calls in a quiet resync",
            count(calls.of(Api::Hetzner) - sweep) / resyncs,
            "",
        )
        .at_most(f64::from(pages)),
        Row::told(
            "quiet_sweep",
            "the sweep's look for left-over addresses",
            count(sweep) / resyncs,
            "",
        ),
        Row::told(
            "quiet_cloudflare",
            "Cloudflare calls in a quiet resync",
            count(calls.of(Api::Cloudflare)) / resyncs,
            "",
        ),
        Row::told(
            "quiet_stripe",
            "Stripe calls in a quiet resync",
            count(calls.of(Api::Stripe)) / resyncs,
            "",
        ),
        Row::told(
            "quiet_visits",
            "visits for each instance in a quiet resync",
            count(visits.total()) / resyncs / f64::from(figures.instances),
            "",
        ),
        Row::told(
            "quiet_processor",
            format!(
                "processor time for each visit of a quiet fleet, resync {} s",
                figures.resync.as_secs()
            ),
            processor.as_secs_f64() * 1000.0 / count(visits.total()).max(1.0),
            "ms",
        ),
        Row::told(
            "quiet_core",
            "of a core, all the while (simulators included)",
            100.0 * processor.as_secs_f64() / wall.as_secs_f64(),
            "%",
        ),
    ]
}

fn returned(figures: &Figures) -> Vec<Row> {
    let left = figures.left;
    let things = left.instances + left.servers + left.addresses + left.records;
    let throttled = [
        &figures.bought,
        &figures.met,
        &figures.quiet,
        &figures.returned,
    ]
    .iter()
    .map(|phase| phase.calls.throttled)
    .sum();
    vec![
        Row::told(
            "return_wall",
            "time until all are gone",
            figures.returned.wall.as_secs_f64(),
            "s",
        ),
        Row::told(
            "return_calls",
            "provider calls for each returned server",
            count(figures.returned.calls.total()) / f64::from(figures.instances),
            "",
        ),
        Row::told(
            "left",
            "servers, addresses, records and instances left over",
            count(things as u64),
            "",
        )
        .at_most(0.0),
        Row::told(
            "throttled",
            "answers of 429 from any provider, in all",
            count(throttled),
            "",
        )
        .at_most(0.0),
    ]
}

/// The process holds the simulated providers and the cluster too, so all of it is an upper bound.
fn memory(figures: &Figures) -> Vec<Row> {
    let base = figures.baseline.resident;
    let above = |bytes: u64| mebibytes(bytes.saturating_sub(base));
    vec![
        Row::told(
            "memory_baseline",
            "memory before the operator and the fleet (resident)",
            mebibytes(base),
            "MiB",
        ),
        Row::told(
            "memory_ready",
            "above that once all are Ready (cluster and simulators included)",
            above(figures.bought.memory.resident),
            "MiB",
        ),
        Row::told(
            "memory_quiet",
            "above that after the quiet resyncs",
            above(figures.quiet.memory.resident),
            "MiB",
        ),
        Row::told(
            "memory_peak",
            "the most above that, ever",
            above(figures.returned.memory.peak),
            "MiB",
        ),
    ]
}

fn calls(calls: &Calls) -> Value {
    let named = calls.endpoints();
    named
        .map(|(api, endpoint, count)| (format!("{} {endpoint}", api.name()), json!(count)))
        .collect::<Map<_, _>>()
        .into()
}

/// Whole when it is whole, else with as many places as say something.
fn figure(value: f64) -> String {
    if value.fract().abs() < 1e-9 {
        format!("{value:.0}")
    } else if value < 10.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.1}")
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts far below what an f64 holds exactly"
)]
fn count(count: u64) -> f64 {
    count as f64
}

fn mebibytes(bytes: u64) -> f64 {
    count(bytes) / f64::from(1 << 20)
}
