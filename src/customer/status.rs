//! Says how a customer stands, what they have, and what happens next. Pure, and the same bytes when
//! nothing changed.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Settings;
use super::desired::Desired;
use super::plan::{Due, Observed, due};
use crate::api::condition::{Claim, Truth, conditions};
use crate::api::customer::NextAction;
use crate::api::{ConditionType, CustomerStatus, Reason, Standing};

/// As many names as the schema of `status.instances` takes.
const INSTANCES_SHOWN_MAX: usize = 256;

/// The status of a customer after a visit that saw `observed`.
pub fn status(
    previous: &CustomerStatus,
    settings: &Settings,
    desired: &Desired,
    observed: &Observed,
    generation: Option<i64>,
    now: Timestamp,
) -> CustomerStatus {
    let names = observed.instances.iter().map(|seen| seen.name.clone());
    CustomerStatus {
        observed_generation: generation,
        instances: names.take(INSTANCES_SHOWN_MAX).collect(),
        next_action: due(settings, desired, observed).map(next_action),
        conditions: conditions(
            &previous.conditions,
            &claims(desired.standing, observed),
            generation,
            now,
        ),
    }
}

fn next_action(due: Due) -> NextAction {
    let (action, at) = match due {
        Due::Suspend(at) => ("Suspend", at),
        Due::Delete(at) => ("Delete", at),
    };
    NextAction {
        action: action.to_owned(),
        at: Time(at),
    }
}

fn claims(standing: Standing, observed: &Observed) -> Vec<Claim> {
    let standing_reason = match standing {
        Standing::Active => Reason::Paid,
        Standing::PastDue => Reason::PaymentPastDue,
        Standing::Suspended => Reason::PaymentSuspended,
        Standing::Closed => Reason::SubscriptionEnded,
    };
    let pays = standing == Standing::Active;
    let all_ready = observed.instances.iter().all(|instance| instance.ready);
    let (ready, because) = match (pays, all_ready) {
        (true, true) => (true, Reason::Ready),
        (true, false) => (false, Reason::InstancesNotReady),
        (false, _) => (false, standing_reason),
    };
    let claim = |kind, is: bool, reason: Reason| Claim {
        kind,
        truth: Truth::from(is),
        reason,
        message: reason.sentence().to_owned(),
    };
    vec![
        claim(ConditionType::Ready, ready, because),
        claim(ConditionType::InGoodStanding, pays, standing_reason),
    ]
}
