//! Keeps one instance true: its server runs, its name points there, its secrets exist; or all are gone.
//!
//! A table of contents: `observe` reads the world, [`plan`] decides, `act` takes one step, `status`
//! says what was seen. Nothing here asks what event woke it up.

use std::sync::Arc;
use std::time::Duration;

use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};

use crate::api::{InstallationName, Instance, Reason};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::controller::{Outcome, Reconciler, VisitError};
use crate::provider::{Dns, Guests, ProviderError, Refusal, Secrets, Servers};

mod act;
pub mod desired;
mod notes;
mod observe;
pub mod plan;
pub mod status;

use act::StepError;
use desired::Desired;
use plan::{Observed, Plan, RECHECK, Step};

/// One visit takes so many steps at most, then lets others have a turn.
const STEPS_PER_VISIT_MAX: usize = 8;

pub struct Settings {
    pub namespace: String,
    pub installation: InstallationName,
    pub zone: String,
    /// Where a new server enrols.
    pub site_url: String,
    /// How old a shared list may be.
    pub list_age: Duration,
}

/// The instance controller and all it needs.
pub struct Controller {
    pub settings: Settings,
    pub client: Client,
    pub clock: Clock,
    pub catalog: Catalog,
    pub servers: Arc<dyn Servers>,
    pub dns: Arc<dyn Dns>,
    pub secrets: Arc<dyn Secrets>,
    pub guests: Arc<dyn Guests>,
    notes: notes::Notes,
}

/// The outside world as the controller needs it.
pub struct Providers {
    pub servers: Arc<dyn Servers>,
    pub dns: Arc<dyn Dns>,
    pub secrets: Arc<dyn Secrets>,
    pub guests: Arc<dyn Guests>,
}

impl Controller {
    pub fn new(
        settings: Settings,
        client: Client,
        clock: Clock,
        catalog: Catalog,
        world: Providers,
    ) -> Self {
        let Providers {
            servers,
            dns,
            secrets,
            guests,
        } = world;
        let notes = notes::Notes::default();
        Self {
            settings,
            client,
            clock,
            catalog,
            servers,
            dns,
            secrets,
            guests,
            notes,
        }
    }

    fn api(&self) -> Api<Instance> {
        Api::namespaced(self.client.clone(), &self.settings.namespace)
    }
}

impl Reconciler for Controller {
    type Kind = Instance;
    const NAME: &'static str = "instance";

    async fn reconcile(&self, object: Arc<Instance>) -> Result<Outcome, VisitError> {
        let mut object = Arc::unwrap_or_clone(object);
        for _ in 0..STEPS_PER_VISIT_MAX {
            let desired = match Desired::parse(
                &object,
                &self.settings.installation,
                &self.settings.zone,
            ) {
                Ok(desired) => desired,
                Err(error) => {
                    tracing::warn!(instance = %object.name_any(), %error, "The spec cannot be understood");
                    return Ok(Outcome::Stalled);
                }
            };
            let observed = observe::observe(self, &desired).await?;
            let plan = plan::plan(&desired, &observed);
            object = self.publish(object, &desired, &observed, &plan).await?;
            let (step, because) = match plan {
                Plan::Done { .. } => return Ok(self.settled(&desired, &observed)),
                Plan::Wait { recheck, .. } => return Ok(Outcome::Waiting(recheck)),
                Plan::Stalled { .. } => return Ok(Outcome::Stalled),
                Plan::Do { step, because } => (step, because),
            };
            match self.take(&object, &desired, &step, because).await? {
                Taken::Changed(changed) => object = *changed,
                Taken::Unchanged => {}
                Taken::Over(outcome) => return Ok(outcome),
            }
        }
        Ok(Outcome::Stepped)
    }
}

/// What a step led to.
enum Taken {
    Changed(Box<Instance>),
    Unchanged,
    /// The visit ends here.
    Over(Outcome),
}

impl Controller {
    fn settled(&self, desired: &Desired, observed: &Observed) -> Outcome {
        for server in &observed.servers {
            self.notes.is_not_shutting_down(&server.id);
        }
        if !desired.finalizer {
            self.notes.forget(&desired.uid);
        }
        Outcome::Converged
    }

    /// Takes a step and turns a refusal into what it means for the next look.
    async fn take(
        &self,
        object: &Instance,
        desired: &Desired,
        step: &Step,
        because: Reason,
    ) -> Result<Taken, VisitError> {
        let instance = object.name_any();
        let taken = act::act(self, object, desired, step).await;
        // Whatever came of it, lists from before do not show it.
        self.notes.doubt(&desired.uid);
        match taken {
            Ok(changed) => {
                tracing::info!(%instance, ?step, %because, "Took a step");
                if matches!(step, Step::RemoveFinalizer) {
                    self.notes.forget(&desired.uid);
                    return Ok(Taken::Over(Outcome::Converged));
                }
                Ok(changed.map_or(Taken::Unchanged, |changed| {
                    Taken::Changed(Box::new(changed))
                }))
            }
            Err(StepError::Outdated) => Ok(Taken::Over(Outcome::Waiting(Duration::from_secs(1)))),
            Err(StepError::Provider(error)) => self.refused(step, error).map(Taken::Over),
            Err(error) => Err(VisitError {
                doing: "take a step",
                retry_after: None,
                cause: Box::new(error),
            }),
        }
    }

    fn refused(&self, step: &Step, error: ProviderError) -> Result<Outcome, VisitError> {
        match (error.refusal(), step) {
            (
                Some(Refusal::NoCapacity),
                Step::CreateServer {
                    project, placement, ..
                },
            ) => {
                self.notes.refuse(project, Some(placement));
                Ok(Outcome::Stepped)
            }
            (Some(Refusal::LimitReached), Step::CreateServer { project, .. }) => {
                self.notes.refuse(project, None);
                Ok(Outcome::Stepped)
            }
            (
                Some(
                    Refusal::Busy
                    | Refusal::NameTaken
                    | Refusal::AlreadyExists
                    | Refusal::NotFound
                    | Refusal::Stale
                    | Refusal::Protected,
                ),
                _,
            ) => Ok(Outcome::Waiting(RECHECK)),
            (
                Some(
                    Refusal::NoCapacity
                    | Refusal::LimitReached
                    | Refusal::Denied
                    | Refusal::Invalid,
                )
                | None,
                _,
            ) => Err(VisitError::provider("take a step")(error)),
        }
    }

    /// Writes the status if it differs; the resourceVersion makes it a compare-and-swap.
    async fn publish(
        &self,
        mut object: Instance,
        desired: &Desired,
        observed: &Observed,
        plan: &Plan,
    ) -> Result<Instance, VisitError> {
        let previous = object.status.clone().unwrap_or_default();
        let generation = object.metadata.generation;
        let now = self.clock.now();
        let status = status::status(&previous, desired, observed, plan, generation, now);
        if status == previous {
            return Ok(object);
        }
        object.status = Some(status);
        self.api()
            .replace_status(&object.name_any(), &PostParams::default(), &object)
            .await
            .map_err(VisitError::kube("write the status"))
    }
}

#[cfg(test)]
mod tests;
