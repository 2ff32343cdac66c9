//! Takes one step. No decisions: if this file grows an `if` about money, it belongs in `plan`.

use kube::ResourceExt;

use super::Controller;
use super::observe::Observation;
use super::plan::{Step, Subject};
use crate::api::Customer;
use crate::api::customer::BillingIds;
use crate::intent::{IntentError, customer_name, instance_name};

pub(super) async fn act(
    here: &Controller,
    observed: &Observation,
    step: &Step,
) -> Result<(), IntentError> {
    // A plan has steps only for a subscription that was read.
    let Subject::Subscription(subscription) = &observed.seen.subject else {
        return Err(IntentError::Outdated);
    };
    let name = customer_name(&subscription.id);
    let instance = instance_name(&subscription.item);
    let now = here.clock.now();
    match (step, &observed.customer) {
        (Step::OpenCustomer(order), _) => {
            let billing = BillingIds {
                customer: subscription.customer.clone(),
                subscription: Some(subscription.id.clone()),
            };
            here.intent.open_customer(&name, order, &billing, now).await
        }
        (Step::SetStanding(standing), Some(customer)) => {
            here.intent.set_standing(customer, *standing, now).await
        }
        (Step::OpenInstance(order), Some(customer)) => {
            still_current(here, customer).await?;
            here.intent.open_instance(&instance, &name, order).await
        }
        (Step::RecordDelivery, Some(customer)) => {
            here.intent.record_delivery(customer, &instance).await
        }
        (Step::SetStanding(_) | Step::OpenInstance(_) | Step::RecordDelivery, None) => {
            Err(IntentError::Outdated)
        }
    }
}

/// Another visit may have made the instance and recorded it since, and a person deleted it.
async fn still_current(here: &Controller, seen: &Customer) -> Result<(), IntentError> {
    let live = here
        .api::<Customer>()
        .get_opt(&seen.name_any())
        .await
        .map_err(IntentError::Cluster)?;
    let same = live.is_some_and(|live| {
        live.uid() == seen.uid()
            && live.spec == seen.spec
            && live.annotations() == seen.annotations()
    });
    if same {
        Ok(())
    } else {
        Err(IntentError::Outdated)
    }
}
