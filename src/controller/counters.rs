//! How often the controllers visited, with which outcome, and how long it took: told to Prometheus by a
//! reconciler around a reconciler. It changes no outcome.

use std::sync::Arc;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use tokio::time::Instant;

use super::{Outcome, Reconciler, VisitError};

/// Seconds; a visit waits for a few provider calls at most.
const BUCKETS: [f64; 10] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Every word an outcome can be counted under.
const OUTCOMES: [&str; 6] = [
    "converged",
    "stepped",
    "waiting",
    "stalled",
    "throttled",
    "failed",
];

/// Shared by all controllers of a process.
#[derive(Clone)]
pub struct Counters {
    visits: IntCounterVec,
    seconds: HistogramVec,
}

impl Counters {
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let visits = IntCounterVec::new(
            Opts::new(
                "clawdet_controller_visits_total",
                "Visits to objects, by controller and outcome.",
            ),
            &["controller", "outcome"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new(
                "clawdet_controller_visit_seconds",
                "How long visits took, by controller.",
            )
            .buckets(BUCKETS.to_vec()),
            &["controller"],
        )?;
        registry.register(Box::new(visits.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self { visits, seconds })
    }
}

/// A reconciler whose visits are counted.
pub struct Counted<R> {
    inner: Arc<R>,
    counters: Counters,
}

impl<R: Reconciler> Counted<R> {
    pub fn new(inner: Arc<R>, counters: Counters) -> Self {
        // Every series is there from the start, so that an alert on the first failure sees a rise.
        for outcome in OUTCOMES {
            counters.visits.with_label_values(&[R::NAME, outcome]);
        }
        Self { inner, counters }
    }
}

impl<R: Reconciler> Reconciler for Counted<R> {
    type Kind = R::Kind;
    const NAME: &'static str = R::NAME;

    async fn reconcile(&self, object: Arc<R::Kind>) -> Result<Outcome, VisitError> {
        let begun = Instant::now();
        let outcome = self.inner.reconcile(object).await;
        let visits = &self.counters.visits;
        visits.with_label_values(&[R::NAME, word(&outcome)]).inc();
        let seconds = self.counters.seconds.with_label_values(&[R::NAME]);
        seconds.observe(begun.elapsed().as_secs_f64());
        outcome
    }
}

fn word(outcome: &Result<Outcome, VisitError>) -> &'static str {
    match outcome {
        Ok(Outcome::Converged) => "converged",
        Ok(Outcome::Stepped) => "stepped",
        Ok(Outcome::Waiting(_)) => "waiting",
        Ok(Outcome::Stalled) => "stalled",
        Err(error) if error.retry_after.is_some() => "throttled",
        Err(_) => "failed",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use prometheus::TextEncoder;

    use super::*;
    use crate::api::Plan;
    use crate::provider::ProviderError;

    /// Takes a second and ends as told, last first.
    struct Scripted(Mutex<Vec<Result<Outcome, VisitError>>>);

    impl Reconciler for Scripted {
        type Kind = Plan;
        const NAME: &'static str = "scripted";

        async fn reconcile(&self, _: Arc<Plan>) -> Result<Outcome, VisitError> {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.0.lock().unwrap().pop().unwrap()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_visit_is_counted_under_its_outcome_and_timed() {
        let registry = Registry::new();
        let throttled = ProviderError::Throttled {
            retry_after: Duration::from_secs(1),
        };
        let script = vec![
            Ok(Outcome::Converged),
            Ok(Outcome::Converged),
            Err(VisitError::provider("ask")(throttled)),
            Err(VisitError::provider("ask")(ProviderError::Unknown(
                "lost".into(),
            ))),
        ];
        let visits = script.len();
        let counted = Counted::new(
            Arc::new(Scripted(Mutex::new(script))),
            Counters::register(&registry).unwrap(),
        );
        let plan: Plan = serde_json::from_value(serde_json::json!({
            "apiVersion": "clawdet.com/v1alpha1", "kind": "Plan", "metadata": {"name": "basic"},
            "spec": {"displayName": "Basic", "prices": [], "placement": []}}))
        .unwrap();
        let plan = Arc::new(plan);
        for _ in 0..visits {
            let _ = counted.reconcile(Arc::clone(&plan)).await;
        }
        let shown = TextEncoder::new()
            .encode_to_string(&registry.gather())
            .unwrap();
        for (outcome, count) in [
            ("converged", 2),
            ("throttled", 1),
            ("failed", 1),
            ("stalled", 0),
        ] {
            let line = format!(
                "clawdet_controller_visits_total{{controller=\"scripted\",outcome=\"{outcome}\"}} {count}"
            );
            assert!(shown.contains(&line), "{line} is not in\n{shown}");
        }
        assert!(shown.contains("clawdet_controller_visit_seconds_sum{controller=\"scripted\"} 4"));
    }
}
