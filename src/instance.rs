//! Keeps one instance true: its server runs, its name points there, its secrets exist; or all are gone.
//!
//! A table of contents: `observe` reads the world, [`plan`] decides, `act` takes one step, `status`
//! says what was seen. Nothing here asks what event woke it up.

use std::sync::Arc;
use std::time::Duration;

use kube::api::PostParams;
use kube::{Api, Client, Resource, ResourceExt};

use crate::api::condition::Truth;
use crate::api::{InstallationName, Instance, InstanceStatus, Reason, Uid};
use crate::catalog::Catalog;
use crate::cause::chain;
use crate::clock::Clock;
use crate::controller::{Outcome, Reconciler, VisitError};
use crate::events::Narrator;
use crate::provider::{Dns, Guests, ProviderError, Refusal, Secrets, Servers};

mod act;
pub mod desired;
mod message;
mod notes;
mod observe;
pub mod plan;
pub mod status;

use act::StepError;
use desired::{Desired, Life};
use plan::{Observed, Plan, RECHECK, Step};

/// One visit takes so many steps at most, then lets others have a turn.
const STEPS_PER_VISIT_MAX: usize = 8;
/// The object changed while it was looked at: the watch will show it at any moment.
const LOOK_AGAIN: Outcome = Outcome::Waiting(Duration::from_secs(1));
/// So many failed visits in a row are shown in the status; fewer mend themselves unseen.
const FAILURES_TOLD: u32 = 2;

pub struct Settings {
    pub namespace: String,
    pub installation: InstallationName,
    pub zone: String,
    /// Where a new server enrols.
    pub site_url: String,
    pub list_ages: ListAges,
}

/// How old a shared list may be.
#[derive(Clone, Copy, Debug)]
pub struct ListAges {
    /// For an instance that was as it should be at the last visit: whoever looks at the whole fleet once
    /// a resync wakes it when it is not, so this only bounds the time after looks that failed.
    pub settled: Duration,
    /// For any other.
    pub moving: Duration,
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
    narrator: Narrator,
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
        narrator: Narrator,
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
            narrator,
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
        let uid = object.uid();
        let mut object = Arc::unwrap_or_clone(object);
        let visited = self.visit(&mut object).await;
        let Some(uid) = uid.map(Uid::new) else {
            return visited;
        };
        match &visited {
            Ok(_) => self.notes.went_well(&uid),
            Err(error) => {
                if let Some(reason) = error.reason
                    && self.notes.went_wrong(&uid) >= FAILURES_TOLD
                {
                    // Only a refusal says the same each time; the log has the other causes.
                    let cause = match reason {
                        Reason::ProviderRefused => chain(error),
                        _ => error.to_string(),
                    };
                    self.admit(object, Truth::Unknown, reason, &cause).await?;
                }
            }
        }
        visited
    }
}

impl Controller {
    /// `object` follows what is written, so that whoever comes after writes on top of it.
    async fn visit(&self, object: &mut Instance) -> Result<Outcome, VisitError> {
        for _ in 0..STEPS_PER_VISIT_MAX {
            let parsed = Desired::parse(object, &self.settings.installation, &self.settings.zone);
            let desired = match parsed {
                Ok(desired) => desired,
                Err(error) => {
                    let cause = chain(&error);
                    self.admit(object.clone(), Truth::False, Reason::InvalidSpec, &cause)
                        .await?;
                    return Ok(Outcome::Stalled);
                }
            };
            let observed = observe::observe(self, &desired).await?;
            let plan = plan::plan(&desired, &observed);
            let is_settled = matches!(plan, Plan::Done { .. });
            self.notes.settle(&desired.uid, is_settled);
            let Some(written) = self.publish(object, &desired, &observed, &plan).await? else {
                return Ok(LOOK_AGAIN);
            };
            *object = written;
            let (step, because) = match plan {
                Plan::Done { .. } => return Ok(self.settled(&desired, &observed)),
                Plan::Wait { recheck, .. } => return Ok(Outcome::Waiting(recheck)),
                Plan::Stalled { .. } => return Ok(Outcome::Stalled),
                Plan::Do { step, because } => (step, because),
            };
            match self.take(object, &desired, &step, because).await? {
                Taken::Changed(changed) => *object = *changed,
                Taken::Unchanged => {}
                Taken::Over(outcome) => return Ok(outcome),
            }
        }
        Ok(Outcome::Stepped)
    }
}

/// What was done is shown at once. That something we gave back is really gone, as what may have been
/// done, only a list begun from now on can tell; while an instance is being deleted, `observe` asks for
/// that list, once the server's own action has ended.
fn is_shown_by_new_lists_only(desired: &Desired, step: &Step) -> bool {
    match step {
        Step::ReturnServer(_) => desired.life != Life::Deleting,
        Step::ReleaseAddress(_) => true,
        Step::AddFinalizer
        | Step::ClaimProject(_)
        | Step::IssueSecrets
        | Step::CreateServer { .. }
        | Step::RecordServer(_)
        | Step::RecordLoss(_)
        | Step::RestoreIdentity(_)
        | Step::SetProtection(..)
        | Step::PowerOn(_)
        | Step::ShutDown(_)
        | Step::PowerOff(_)
        | Step::ChangeRecords { .. }
        | Step::DestroySecrets
        | Step::RemoveFinalizer => false,
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
        if taken.is_err() || is_shown_by_new_lists_only(desired, step) {
            self.notes.doubt(&desired.uid);
        }
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
            Err(StepError::Outdated) => Ok(Taken::Over(LOOK_AGAIN)),
            Err(StepError::Provider(error)) => self.refused(step, error).map(Taken::Over),
            Err(error) => Err(VisitError {
                doing: "take a step",
                retry_after: None,
                reason: None,
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

    /// Writes what was seen and decided.
    async fn publish(
        &self,
        object: &Instance,
        desired: &Desired,
        observed: &Observed,
        plan: &Plan,
    ) -> Result<Option<Instance>, VisitError> {
        let previous = object.status.clone().unwrap_or_default();
        let generation = object.metadata.generation;
        let now = self.clock.now();
        let status = status::status(&previous, desired, observed, plan, generation, now);
        let action = match plan {
            Plan::Do { step, .. } => step.name(),
            Plan::Done { .. } => "Settle",
            Plan::Wait { .. } => "Wait",
            Plan::Stalled { .. } => "Stall",
        };
        self.write(object, status, plan.reason(), action).await
    }

    /// Writes that the visit could not be finished, and why.
    async fn admit(
        &self,
        object: Instance,
        truth: Truth,
        reason: Reason,
        cause: &str,
    ) -> Result<Option<Instance>, VisitError> {
        let previous = object.status.clone().unwrap_or_default();
        let generation = object.metadata.generation;
        let now = self.clock.now();
        let status = status::admitted(&previous, truth, reason, cause, generation, now);
        self.write(&object, status, reason, "Visit").await
    }

    /// Writes the status if it differs (the resourceVersion makes it a compare-and-swap), and tells a
    /// change of the reason as an Event. None when the object changed meanwhile or is gone.
    async fn write(
        &self,
        object: &Instance,
        status: InstanceStatus,
        reason: Reason,
        action: &str,
    ) -> Result<Option<Instance>, VisitError> {
        let previous = object.status.as_ref();
        if previous == Some(&status) {
            return Ok(Some(object.clone()));
        }
        let is_news = status::ready(previous) != status::ready(Some(&status));
        let note =
            status::ready(Some(&status)).map_or_else(String::new, |(_, told)| told.to_owned());
        let mut object = object.clone();
        object.status = Some(status);
        let name = object.name_any();
        let params = PostParams::default();
        let written = match self.api().replace_status(&name, &params, &object).await {
            Ok(written) => written,
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
                return Ok(None);
            }
            Err(error) => return Err(VisitError::kube("write the status")(error)),
        };
        if is_news {
            let about = written.object_ref(&());
            self.narrator.tell(&about, reason, action, &note).await;
        }
        Ok(Some(written))
    }
}

#[cfg(test)]
mod tests;
