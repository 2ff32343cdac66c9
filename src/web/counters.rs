//! What the site counts. Labels come from closed sets: routes, statuses, outcomes.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use super::webhook::Outcome;

#[derive(Clone)]
pub(super) struct Counters {
    requests: IntCounterVec,
    seconds: HistogramVec,
    webhooks: IntCounterVec,
}

impl Counters {
    pub(super) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let requests = IntCounterVec::new(
            Opts::new(
                "clawdet_web_requests_total",
                "Requests by route and status.",
            ),
            &["route", "status"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new(
                "clawdet_web_request_seconds",
                "How long requests took, by route.",
            ),
            &["route"],
        )?;
        let webhooks = IntCounterVec::new(
            Opts::new(
                "clawdet_web_webhooks_total",
                "Webhooks of the payment provider by what became of them.",
            ),
            &["outcome"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(webhooks.clone()))?;
        // All outcomes are there from the start, so that an alert on the first one can see a rise.
        for outcome in Outcome::ALL {
            webhooks.with_label_values(&[outcome.as_str()]);
        }
        Ok(Self {
            requests,
            seconds,
            webhooks,
        })
    }

    pub(super) fn request(&self, route: &str, status: http::StatusCode, took: Duration) {
        self.requests
            .with_label_values(&[route, status.as_str()])
            .inc();
        self.seconds
            .with_label_values(&[route])
            .observe(took.as_secs_f64());
    }

    pub(super) fn webhook(&self, outcome: Outcome) {
        self.webhooks.with_label_values(&[outcome.as_str()]).inc();
    }
}
