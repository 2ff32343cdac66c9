//! What the process as a whole tells Prometheus: which build it is, what it uses, whether it leads, and
//! how it gets on with the providers. What one part counts is registered by that part.

use std::collections::HashMap;
use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{IntGaugeVec, Opts, PullingGauge, Registry};
use tokio::sync::watch;

use crate::provider::calls::Calls;

/// A registry with the process's own figures and its build.
pub fn registry() -> Result<Registry, prometheus::Error> {
    let registry = Registry::new();
    registry.register(Box::new(ProcessCollector::for_self()))?;
    let build = IntGaugeVec::new(
        Opts::new("clawdet_build_info", "1, labelled with the version."),
        &["version"],
    )?;
    build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    registry.register(Box::new(build))?;
    Ok(registry)
}

/// Shows whether this process leads.
pub fn show_leading(
    registry: &Registry,
    leads: watch::Receiver<bool>,
) -> Result<(), prometheus::Error> {
    let gauge = PullingGauge::new(
        "clawdet_election_leading_flag",
        "1 while this process leads, else 0; the sum over all processes should be 1.",
        Box::new(move || f64::from(u8::from(*leads.borrow()))),
    )?;
    registry.register(Box::new(gauge))
}

/// Shows how many payment events wait for a verdict; `read` gives the last count.
pub fn show_backlog(
    registry: &Registry,
    read: impl Fn() -> u64 + Send + Sync + 'static,
) -> Result<(), prometheus::Error> {
    let gauge = PullingGauge::new(
        "clawdet_payment_backlog_events",
        "Payment events without a final verdict at the last repair round.",
        Box::new(move || precise(read())),
    )?;
    registry.register(Box::new(gauge))
}

/// Shows the calls to providers by endpoint and outcome.
pub fn show_calls(registry: &Registry, calls: Arc<Calls>) -> Result<(), prometheus::Error> {
    let desc = describe(
        "clawdet_provider_calls_total",
        "Calls to providers, by provider, endpoint and outcome.",
        &["provider", "endpoint", "outcome"],
    )?;
    let read = move || {
        let counts = calls.counts().into_iter();
        let figure = |(call, count): (crate::provider::calls::Call, u64)| {
            let labels = [call.provider.as_str(), call.endpoint, call.outcome.as_str()];
            (labels.map(str::to_owned).to_vec(), count)
        };
        counts.map(figure).collect()
    };
    registry.register(Box::new(Pulled {
        desc,
        kind: MetricType::COUNTER,
        read: Box::new(read),
    }))
}

/// Shows how many calls could be sent at once now; `read` gives them by account, such as a project.
pub fn show_budgets(
    registry: &Registry,
    read: impl Fn() -> Vec<(String, u64)> + Send + Sync + 'static,
) -> Result<(), prometheus::Error> {
    let desc = describe(
        "clawdet_provider_budget_requests",
        "Requests that could be sent to a provider at once now, by account.",
        &["account"],
    )?;
    let read = move || {
        let accounts = read().into_iter();
        accounts
            .map(|(account, left)| (vec![account], left))
            .collect()
    };
    registry.register(Box::new(Pulled {
        desc,
        kind: MetricType::GAUGE,
        read: Box::new(read),
    }))
}

fn describe(name: &str, help: &str, labels: &[&str]) -> Result<Desc, prometheus::Error> {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    Desc::new(name.to_owned(), help.to_owned(), labels, HashMap::new())
}

type Read = dyn Fn() -> Vec<(Vec<String>, u64)> + Send + Sync;

/// Labelled figures that somebody else keeps, read when Prometheus asks.
struct Pulled {
    desc: Desc,
    kind: MetricType,
    read: Box<Read>,
}

impl Collector for Pulled {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let figures = (self.read)();
        let metrics = figures
            .iter()
            .map(|(labels, figure)| self.metric(labels, *figure));
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(self.kind);
        family.set_metric(metrics.collect());
        vec![family]
    }
}

impl Pulled {
    fn metric(&self, labels: &[String], figure: u64) -> Metric {
        let names = self.desc.variable_labels.iter();
        let pairs = names.zip(labels).map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.clone());
            pair.set_value(value.clone());
            pair
        });
        let mut metric = Metric::from_label(pairs.collect());
        let figure = precise(figure);
        if self.kind == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(figure);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(figure);
            metric.set_gauge(gauge);
        }
        metric
    }
}

#[allow(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn precise(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    #[test]
    fn what_others_keep_is_read_when_it_is_asked_for() {
        let registry = registry().unwrap();
        let (leads, leading) = watch::channel(false);
        show_leading(&registry, leading).unwrap();
        show_backlog(&registry, || 12).unwrap();
        show_budgets(&registry, || {
            vec![("main".into(), 3599), ("zone".into(), 7)]
        })
        .unwrap();
        let shown = || {
            let families = registry.gather();
            TextEncoder::new().encode_to_string(&families).unwrap()
        };
        assert!(shown().contains("clawdet_election_leading_flag 0"));
        leads.send_replace(true);
        let shown = shown();
        for line in [
            "clawdet_election_leading_flag 1",
            "clawdet_payment_backlog_events 12",
            "clawdet_provider_budget_requests{account=\"main\"} 3599",
            "clawdet_provider_budget_requests{account=\"zone\"} 7",
            "clawdet_build_info{version=\"",
            "process_resident_memory_bytes ",
        ] {
            assert!(shown.contains(line), "{line} is not in\n{shown}");
        }
    }
}
