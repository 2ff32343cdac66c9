//! What a ledger entry points at, parsed once. Nothing else the event says is believed.

use crate::api::{ConditionType, PaymentEvent};

/// A `type` of our own: the sweep saw a subscription that no event speaks of any more.
pub const SWEPT: &str = "clawdet.subscription.swept";

/// A ledger entry as the plan sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    pub topic: Topic,
    pub subject: String,
    pub live_mode: bool,
    /// Applied or ignored before: it takes effect once.
    pub settled: bool,
}

/// Which of the payment provider's objects to read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Session,
    Subscription,
    Invoice,
    /// A kind that changes nothing here.
    Other,
}

impl Desired {
    pub fn parse(entry: &PaymentEvent) -> Self {
        Self {
            topic: Topic::of(&entry.spec.kind),
            subject: entry.spec.subject.clone(),
            live_mode: entry.spec.live_mode,
            settled: is_settled(entry),
        }
    }
}

/// The kinds of event that matter here; all others are kept when they come and ignored.
/// Source: <https://docs.stripe.com/api/events/types>
pub const KINDS: &[(&str, Topic)] = &[
    ("checkout.session.completed", Topic::Session),
    ("checkout.session.async_payment_succeeded", Topic::Session),
    ("checkout.session.async_payment_failed", Topic::Session),
    ("checkout.session.expired", Topic::Session),
    ("customer.subscription.created", Topic::Subscription),
    ("customer.subscription.updated", Topic::Subscription),
    ("customer.subscription.deleted", Topic::Subscription),
    ("customer.subscription.paused", Topic::Subscription),
    ("customer.subscription.resumed", Topic::Subscription),
    ("invoice.paid", Topic::Invoice),
    ("invoice.payment_failed", Topic::Invoice),
    ("invoice.payment_action_required", Topic::Invoice),
];

impl Topic {
    pub fn of(kind: &str) -> Self {
        if kind == SWEPT {
            return Self::Subscription;
        }
        KINDS
            .iter()
            .find(|(known, _)| *known == kind)
            .map_or(Self::Other, |(_, topic)| *topic)
    }
}

/// Whether a verdict was written that nothing can change: applied, or ignored for good. An order that a
/// person has to mend is stalled, and open.
pub fn is_settled(entry: &PaymentEvent) -> bool {
    let conditions = entry
        .status
        .as_ref()
        .map_or(&[][..], |status| &status.conditions);
    let says = |kind: ConditionType, truth: &str| {
        conditions
            .iter()
            .any(|condition| condition.type_ == kind.as_str() && condition.status == truth)
    };
    says(ConditionType::Applied, "True")
        || (says(ConditionType::Applied, "False") && says(ConditionType::Stalled, "False"))
}
