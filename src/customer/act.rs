//! Takes one step. No decisions.

use kube::ResourceExt;

use super::Controller;
use super::observe::Observation;
use super::plan::Step;
use crate::api::{Customer, Standing};
use crate::intent::IntentError;

pub(super) async fn act(
    here: &Controller,
    object: &Customer,
    observed: &Observation,
    step: &Step,
) -> Result<(), IntentError> {
    match step {
        Step::Suspend => {
            let now = here.clock.now();
            here.intent
                .set_standing(object, Standing::Suspended, now)
                .await
        }
        Step::DeleteInstance(name) => {
            let mut instances = observed.instances.iter();
            let instance = instances
                .find(|instance| &instance.name_any() == name)
                .ok_or(IntentError::Outdated)?;
            here.intent.close_instance(instance).await
        }
    }
}
