//! Decides what a customer's standing leads to, and when. Pure: the time comes in.

use jiff::Timestamp;

use super::Settings;
use super::desired::Desired;
use crate::api::{Reason, Standing};

/// What was seen, read anew on every visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    pub instances: Vec<SeenInstance>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenInstance {
    pub name: String,
    pub ready: bool,
    /// Being deleted.
    pub leaving: bool,
    /// `deletionPolicy: Protect`: a person decides about it.
    pub protected: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    Done,
    Do {
        step: Step,
        because: Reason,
    },
    /// Something is due at a date.
    Wait {
        until: Timestamp,
    },
}

/// One change, harmless to repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Suspend,
    DeleteInstance(String),
}

/// What happens next by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Suspend(Timestamp),
    Delete(Timestamp),
}

/// Does what is due; before that, waits for it.
pub fn plan(settings: &Settings, desired: &Desired, observed: &Observed, now: Timestamp) -> Plan {
    match due(settings, desired, observed) {
        None => Plan::Done,
        Some(Due::Suspend(at) | Due::Delete(at)) if now < at => Plan::Wait { until: at },
        Some(Due::Suspend(_)) => Plan::Do {
            step: Step::Suspend,
            because: Reason::PaymentSuspended,
        },
        Some(Due::Delete(_)) => deletable(observed).map_or(Plan::Done, |instance| Plan::Do {
            step: Step::DeleteInstance(instance.name.clone()),
            because: Reason::SubscriptionEnded,
        }),
    }
}

/// The next thing that happens unless somebody acts, and when. A suspended customer's instances are kept
/// as long as the payment provider keeps the subscription; closed ones are deleted after a while.
pub fn due(settings: &Settings, desired: &Desired, observed: &Observed) -> Option<Due> {
    let since = desired.since?;
    match desired.standing {
        Standing::Active | Standing::Suspended => None,
        Standing::PastDue => Some(Due::Suspend(after(since, settings.grace))),
        Standing::Closed => deletable(observed).map(|_| Due::Delete(after(since, settings.keep))),
    }
}

fn deletable(observed: &Observed) -> Option<&SeenInstance> {
    observed
        .instances
        .iter()
        .find(|instance| !instance.leaving && !instance.protected)
}

fn after(since: Timestamp, span: jiff::SignedDuration) -> Timestamp {
    since.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
