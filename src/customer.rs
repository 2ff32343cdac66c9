//! Keeps the promises a customer's standing makes: when arrears become a suspension, when a closed
//! account's instances are deleted, and each date before it comes.
//!
//! A table of contents like `instance`. The standing itself comes from payments; it is the instance's own
//! plan that stops a server.

mod act;
pub mod desired;
mod observe;
pub mod plan;
pub mod status;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::SignedDuration;
use kube::api::PostParams;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};

use crate::api::{Customer, Instance};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::controller::{Outcome, Reconciler, VisitError};
use crate::intent::{Intent, IntentError};

use desired::Desired;
use plan::Plan;

/// One visit takes so many steps at most, then lets others have a turn.
const STEPS_PER_VISIT_MAX: usize = 8;

/// Somebody else wrote the object while we looked at it.
const LOOK_AGAIN: Outcome = Outcome::Waiting(Duration::from_secs(1));

pub struct Settings {
    pub namespace: String,
    /// How long after a failed payment the instances still run.
    pub grace: SignedDuration,
    /// How long after the end of a subscription the instances, stopped, are kept.
    pub keep: SignedDuration,
}

/// The customer controller and all it needs.
pub struct Controller {
    pub settings: Settings,
    client: Client,
    clock: Clock,
    catalog: Catalog,
    intent: Intent,
}

impl Controller {
    pub fn new(settings: Settings, client: Client, clock: Clock, catalog: Catalog) -> Self {
        let intent = Intent::new(client.clone(), &settings.namespace);
        Self {
            settings,
            client,
            clock,
            catalog,
            intent,
        }
    }

    fn instances(&self) -> Api<Instance> {
        Api::namespaced(self.client.clone(), &self.settings.namespace)
    }
}

/// Customers to look at again because an instance of theirs changed.
pub fn wakes(client: &Client, namespace: &str) -> BoxStream<'static, ObjectRef<Customer>> {
    let api: Api<Instance> = Api::namespaced(client.clone(), namespace);
    let namespace = namespace.to_owned();
    watcher(api, watcher::Config::default())
        .default_backoff()
        .touched_objects()
        .filter_map(|changed| async { changed.ok() })
        .map(move |instance| ObjectRef::new(&instance.spec.customer_ref).within(&namespace))
        .boxed()
}

impl Reconciler for Controller {
    type Kind = Customer;
    const NAME: &'static str = "customer";

    async fn reconcile(&self, object: Arc<Customer>) -> Result<Outcome, VisitError> {
        if object.metadata.deletion_timestamp.is_some() {
            return Ok(Outcome::Converged);
        }
        let desired = Desired::parse(&object);
        for _ in 0..STEPS_PER_VISIT_MAX {
            let observed = observe::observe(self, &object.name_any()).await?;
            let now = self.clock.now();
            let plan = plan::plan(&self.settings, &desired, &observed.seen, now);
            let (step, because) = match &plan {
                Plan::Done => {
                    let then = Outcome::Converged;
                    return self.publish(&object, &desired, &observed, then).await;
                }
                Plan::Wait { until } => {
                    let then = Outcome::Waiting(wait(until.duration_since(now)));
                    return self.publish(&object, &desired, &observed, then).await;
                }
                Plan::Do { step, because } => (step, because),
            };
            match act::act(self, &object, &observed, step).await {
                Ok(()) => {
                    let customer = object.name_any();
                    tracing::info!(%customer, ?step, %because, "Took a step");
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
            if let plan::Step::Suspend = step {
                // The change of the spec wakes us with what is true then.
                return Ok(Outcome::Stepped);
            }
        }
        Ok(Outcome::Stepped)
    }
}

/// The rest until a date, and a look now and then before it.
fn wait(rest: SignedDuration) -> Duration {
    const LOOK_MAX: Duration = Duration::from_hours(1);
    Duration::try_from(rest)
        .unwrap_or_default()
        .clamp(Duration::from_secs(1), LOOK_MAX)
}

impl Controller {
    /// Writes the status if it differs, and ends the visit as `then` says; the resourceVersion makes it a
    /// compare-and-swap, and whoever loses it looks again.
    async fn publish(
        &self,
        object: &Customer,
        desired: &Desired,
        observed: &observe::Observation,
        then: Outcome,
    ) -> Result<Outcome, VisitError> {
        let previous = object.status.clone().unwrap_or_default();
        let status = status::status(
            &previous,
            &self.settings,
            desired,
            &observed.seen,
            object.metadata.generation,
            self.clock.now(),
        );
        if status == previous {
            return Ok(then);
        }
        let mut object = object.clone();
        object.status = Some(status);
        let written = Api::<Customer>::namespaced(self.client.clone(), &self.settings.namespace)
            .replace_status(&object.name_any(), &PostParams::default(), &object)
            .await;
        match written {
            Ok(_) => Ok(then),
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(LOOK_AGAIN),
            Err(error) => Err(VisitError::kube("write the status")(error)),
        }
    }
}
