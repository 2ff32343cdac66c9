//! Payment events become customers and instances: an event is a doorbell, its subject is read again, and
//! what it means is applied through [`Intent`], at most once.
//!
//! A table of contents like `instance`: parse, observe, plan, act, status. What webhooks lost is found by
//! [`repair`].

mod act;
pub mod desired;
mod observe;
pub mod plan;
pub mod repair;
pub mod status;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kube::api::PostParams;
use kube::{Api, Client, Resource, ResourceExt};

use crate::api::{InstallationName, PaymentEvent};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::controller::{Outcome, Reconciler, VisitError};
use crate::events::Narrator;
use crate::intent::{Intent, IntentError};
use crate::provider::Billing;

use desired::Desired;
use plan::Plan;

/// The longest way: open the customer, open the instance, record the delivery, see that all is done.
const STEPS_PER_VISIT_MAX: usize = 6;

/// Somebody else wrote the object while we looked at it.
const LOOK_AGAIN: Outcome = Outcome::Waiting(Duration::from_secs(1));

pub struct Settings {
    pub namespace: String,
    pub installation: InstallationName,
    /// Whether real money is taken here; events of the other kind are not ours.
    pub live_mode: bool,
}

/// The payment controller and all it needs.
pub struct Controller {
    pub settings: Settings,
    client: Client,
    clock: Clock,
    catalog: Catalog,
    billing: Arc<dyn Billing>,
    intent: Intent,
    narrator: Narrator,
    /// Entries without a final verdict at the last repair round.
    backlog: AtomicU64,
}

impl Controller {
    pub fn new(
        settings: Settings,
        client: Client,
        clock: Clock,
        catalog: Catalog,
        billing: Arc<dyn Billing>,
        narrator: Narrator,
    ) -> Self {
        let intent = Intent::new(client.clone(), &settings.namespace);
        Self {
            settings,
            client,
            clock,
            catalog,
            billing,
            intent,
            narrator,
            backlog: AtomicU64::new(0),
        }
    }

    /// How many entries of the ledger had no final verdict when they were last counted.
    pub fn backlog(&self) -> u64 {
        self.backlog.load(Ordering::Relaxed)
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.settings.namespace)
    }
}

impl Reconciler for Controller {
    type Kind = PaymentEvent;
    const NAME: &'static str = "payment";

    async fn reconcile(&self, object: Arc<PaymentEvent>) -> Result<Outcome, VisitError> {
        let desired = Desired::parse(&object);
        if desired.settled {
            return Ok(Outcome::Converged);
        }
        for _ in 0..STEPS_PER_VISIT_MAX {
            let observed = observe::observe(self, &desired).await?;
            let plan = plan::plan(&self.settings, &desired, &observed.seen);
            let (step, because) = match &plan {
                Plan::Done { .. } => {
                    let then = Outcome::Converged;
                    return self.publish(&object, &observed, &plan, then).await;
                }
                Plan::Stalled { .. } => {
                    let then = Outcome::Stalled;
                    return self.publish(&object, &observed, &plan, then).await;
                }
                Plan::Do { step, because } => (step, because),
            };
            match act::act(self, &observed, step).await {
                Ok(()) => {
                    let event = object.name_any();
                    tracing::info!(%event, ?step, %because, "Took a step");
                }
                Err(IntentError::Outdated) => {
                    return Ok(LOOK_AGAIN);
                }
                Err(error) => {
                    return Err(VisitError {
                        doing: "take a step",
                        retry_after: None,
                        reason: None,
                        cause: Box::new(error),
                    });
                }
            }
        }
        Ok(Outcome::Stepped)
    }
}

impl Controller {
    /// Writes the status if it differs, and ends the visit as `then` says; the resourceVersion makes it a
    /// compare-and-swap, and whoever loses it looks again.
    async fn publish(
        &self,
        object: &PaymentEvent,
        observed: &observe::Observation,
        plan: &Plan,
        then: Outcome,
    ) -> Result<Outcome, VisitError> {
        let previous = object.status.clone().unwrap_or_default();
        let generation = object.metadata.generation;
        let seen = &observed.seen;
        let status = status::status(&previous, seen, plan, generation, self.clock.now());
        if status == previous {
            return Ok(then);
        }
        let mut object = object.clone();
        object.status = Some(status);
        let written = self
            .api::<PaymentEvent>()
            .replace_status(&object.name_any(), &PostParams::default(), &object)
            .await;
        match written {
            Ok(_) => {
                self.narrate(&object, plan).await;
                Ok(then)
            }
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(LOOK_AGAIN),
            Err(error) => Err(VisitError::kube("write the status")(error)),
        }
    }

    /// Only what a person should see; the ledger itself tells the rest.
    async fn narrate(&self, object: &PaymentEvent, plan: &Plan) {
        let because = plan.reason();
        if because.needs_attention() {
            let about = object.object_ref(&());
            let note = status::message(plan);
            self.narrator.tell(&about, because, "Apply", &note).await;
        }
    }
}

#[cfg(test)]
mod tests;
