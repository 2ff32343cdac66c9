//! Says what became of an event. Pure, and the same bytes when nothing changed.

use jiff::Timestamp;

use super::plan::{Observed, Plan, Subject};
use crate::api::condition::{Claim, Truth, conditions};
use crate::api::{ConditionType, PaymentEventStatus, Reason};
use crate::intent::{OrderFault, customer_name, instance_name};

/// The status of a ledger entry after a visit that saw `observed` and decided `plan`.
pub fn status(
    previous: &PaymentEventStatus,
    observed: &Observed,
    plan: &Plan,
    generation: Option<i64>,
    now: Timestamp,
) -> PaymentEventStatus {
    let subscription = match &observed.subject {
        Subject::Subscription(subscription) if observed.customer.is_some() => Some(subscription),
        Subject::Subscription(_)
        | Subject::Unasked
        | Subject::Missing
        | Subject::Unpaid
        | Subject::Unrelated => None,
    };
    let instance = subscription.filter(|_| observed.instance);
    PaymentEventStatus {
        customer: subscription.map(|subscription| customer_name(&subscription.id)),
        instance: instance.map(|subscription| instance_name(&subscription.item)),
        conditions: conditions(&previous.conditions, &claims(plan), generation, now),
    }
}

fn claims(plan: &Plan) -> Vec<Claim> {
    let because = plan.reason();
    let (applied, stalled) = match plan {
        Plan::Done { because } => (Truth::from(*because == Reason::Applied), false),
        Plan::Stalled { .. } => (Truth::False, true),
        Plan::Do { .. } => (Truth::Unknown, false),
    };
    let claim = |kind, truth, reason, message| Claim {
        kind,
        truth,
        reason,
        message,
    };
    let (stalled_because, stalled_message) = if stalled {
        (because, message(plan))
    } else {
        let fine = Reason::AsDesired;
        (fine, fine.sentence().to_owned())
    };
    vec![
        claim(ConditionType::Applied, applied, because, message(plan)),
        claim(
            ConditionType::Stalled,
            Truth::from(stalled),
            stalled_because,
            stalled_message,
        ),
    ]
}

/// What a plan means, as a sentence for a person.
pub fn message(plan: &Plan) -> String {
    match plan {
        Plan::Done { because } | Plan::Do { because, .. } => because.sentence().to_owned(),
        Plan::Stalled { fault } => fault_message(fault),
    }
}

/// What is wrong, and what a person can do about it.
fn fault_message(fault: &OrderFault) -> String {
    let remedy = match fault {
        OrderFault::NoPlan => "Write the plan into the subscription's metadata, or refund it.",
        OrderFault::UnknownPlan(_) => {
            "Make the plan, name another in the subscription's metadata, or refund it."
        }
        OrderFault::NoSubdomain | OrderFault::Subdomain(..) | OrderFault::Taken(_) => {
            "Agree on another address with the customer and write it into the subscription's metadata, or refund it."
        }
    };
    format!("Paid, but it cannot be served: {fault}. {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_with_what_to_do() {
        let said = fault_message(&OrderFault::UnknownPlan("gold".into()));
        assert_eq!(
            said,
            "Paid, but it cannot be served: there is no plan \"gold\". Make the plan, name another in the \
             subscription's metadata, or refund it."
        );
    }

    fn truths(plan: &Plan) -> [&'static str; 2] {
        let claims = claims(plan);
        [claims[0].truth.as_str(), claims[1].truth.as_str()]
    }

    #[test]
    fn applied_ignored_and_stalled_can_be_told_apart() {
        let done = |because| Plan::Done { because };
        assert_eq!(truths(&done(Reason::Applied)), ["True", "False"]);
        assert_eq!(truths(&done(Reason::NotPaid)), ["False", "False"]);
        let fault = OrderFault::NoPlan;
        assert_eq!(truths(&Plan::Stalled { fault }), ["False", "True"]);
    }
}
