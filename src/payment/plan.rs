//! Decides what a payment event means. Pure: same inputs, same plan; no clock, no I/O.

use super::Settings;
use super::desired::{Desired, Topic};
use crate::api::{Reason, Standing};
use crate::intent::order::{Order, OrderFault, is_of};
use crate::provider::{Subscription, SubscriptionStatus};

/// What was seen, read anew on every visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub subject: Subject,
    /// The Customer named by the subscription, read before the subscription was.
    pub customer: Option<SeenCustomer>,
    /// The Instance named by the subscription's item exists.
    pub instance: bool,
    pub supply: Supply,
    /// The subscription's newest invoice is paid.
    pub invoice_paid: bool,
}

/// What the payment provider says of the event's subject now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Not asked: the event alone says that nothing follows.
    Unasked,
    Missing,
    /// A checkout that nobody has paid, or not yet.
    Unpaid,
    /// Not about a subscription.
    Unrelated,
    Subscription(Subscription),
}

/// Whether what the order names can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// The Plan does not exist.
    PlanUnknown,
    /// An instance claims the subdomain.
    SubdomainClaimed,
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenCustomer {
    pub standing: Standing,
    /// What they bought was made once.
    pub delivered: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Settled for good: applied, or ignored for a reason.
    Done {
        because: Reason,
    },
    Do {
        step: Step,
        because: Reason,
    },
    /// Only a person can mend the order.
    Stalled {
        fault: OrderFault,
    },
}

impl Plan {
    pub fn reason(&self) -> Reason {
        match self {
            Self::Done { because } | Self::Do { because, .. } => *because,
            Self::Stalled { .. } => Reason::OrderInvalid,
        }
    }
}

/// One change, harmless to repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    OpenCustomer(Order),
    SetStanding(Standing),
    OpenInstance(Order),
    RecordDelivery,
}

/// Reads top to bottom as the questions asked of an event; the first that is answered no ends it.
pub fn plan(settings: &Settings, desired: &Desired, observed: &Observed) -> Plan {
    if desired.topic == Topic::Other {
        return done(Reason::IgnoredKind);
    }
    if desired.live_mode != settings.live_mode {
        return done(Reason::ModeMismatch);
    }
    let subscription = match &observed.subject {
        Subject::Unasked | Subject::Missing => return done(Reason::SubjectMissing),
        Subject::Unpaid => return done(Reason::NotPaid),
        Subject::Unrelated => return done(Reason::NotOurs),
        Subject::Subscription(subscription) => subscription,
    };
    if !is_of(&settings.installation, &subscription.metadata) {
        return done(Reason::NotOurs);
    }
    if subscription.live_mode != settings.live_mode {
        return done(Reason::ModeMismatch);
    }
    match observed.customer {
        None => plan_purchase(subscription, observed),
        Some(customer) => plan_customer(subscription, customer, observed),
    }
}

/// Nobody bought this before, as far as the cluster knows.
fn plan_purchase(subscription: &Subscription, observed: &Observed) -> Plan {
    if standing_after(Standing::Active, subscription.status) == Standing::Closed {
        return done(Reason::SubscriptionEnded);
    }
    if !is_paid(subscription, observed) {
        return done(Reason::NotPaid);
    }
    match servable(subscription, observed) {
        Ok(order) => next(Step::OpenCustomer(order), Reason::CustomerMissing),
        Err(fault) => Plan::Stalled { fault },
    }
}

fn plan_customer(subscription: &Subscription, customer: SeenCustomer, observed: &Observed) -> Plan {
    let standing = standing_after(customer.standing, subscription.status);
    if standing != customer.standing {
        return next(Step::SetStanding(standing), reason_of(standing));
    }
    if customer.delivered {
        return done(Reason::Applied);
    }
    if observed.instance {
        return next(Step::RecordDelivery, Reason::Paid);
    }
    if standing == Standing::Closed {
        return done(Reason::SubscriptionEnded);
    }
    if !is_paid(subscription, observed) {
        return done(Reason::NotPaid);
    }
    match servable(subscription, observed) {
        Ok(order) => next(Step::OpenInstance(order), Reason::Paid),
        Err(fault) => Plan::Stalled { fault },
    }
}

/// Whether something may be made for it. A subscription can be active before its first payment has
/// arrived (bank debits take days), so its newest invoice has to be paid too.
fn is_paid(subscription: &Subscription, observed: &Observed) -> bool {
    match subscription.status {
        SubscriptionStatus::Trialing => true,
        SubscriptionStatus::Active => observed.invoice_paid,
        SubscriptionStatus::Incomplete
        | SubscriptionStatus::IncompleteExpired
        | SubscriptionStatus::PastDue
        | SubscriptionStatus::Unpaid
        | SubscriptionStatus::Canceled
        | SubscriptionStatus::Paused
        | SubscriptionStatus::Unknown => false,
    }
}

/// The order, if it can be served as it is.
fn servable(subscription: &Subscription, observed: &Observed) -> Result<Order, OrderFault> {
    let order = Order::parse(&subscription.metadata)?;
    match observed.supply {
        Supply::PlanUnknown => Err(OrderFault::UnknownPlan(order.plan)),
        Supply::SubdomainClaimed => Err(OrderFault::Taken(order.subdomain.to_string())),
        Supply::Free => Ok(order),
    }
}

/// Where a subscription's status moves a customer from where they stand.
///
/// A failed payment does not lift a suspension (the customer controller suspends when our own grace is
/// over, however long the payment provider goes on trying); a payment does. Closed is final.
pub fn standing_after(current: Standing, status: SubscriptionStatus) -> Standing {
    if current == Standing::Closed {
        return Standing::Closed;
    }
    match status {
        SubscriptionStatus::Active | SubscriptionStatus::Trialing => Standing::Active,
        SubscriptionStatus::PastDue if current == Standing::Suspended => Standing::Suspended,
        SubscriptionStatus::PastDue => Standing::PastDue,
        SubscriptionStatus::Unpaid | SubscriptionStatus::Paused => Standing::Suspended,
        SubscriptionStatus::Canceled | SubscriptionStatus::IncompleteExpired => Standing::Closed,
        SubscriptionStatus::Incomplete | SubscriptionStatus::Unknown => current,
    }
}

/// The word for a standing, as conditions and logs have it.
pub fn reason_of(standing: Standing) -> Reason {
    match standing {
        Standing::Active => Reason::Paid,
        Standing::PastDue => Reason::PaymentPastDue,
        Standing::Suspended => Reason::PaymentSuspended,
        Standing::Closed => Reason::SubscriptionEnded,
    }
}

fn done(because: Reason) -> Plan {
    Plan::Done { because }
}

fn next(step: Step, because: Reason) -> Plan {
    Plan::Do { step, because }
}

#[cfg(test)]
mod tests;
