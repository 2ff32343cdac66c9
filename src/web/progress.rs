//! How far a purchase has come, as a list a customer understands. Pure.

use crate::api::{ConditionType, Instance, Reason};

/// One line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) label: &'static str,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Done,
    /// The first that is not done.
    Active,
    Ahead,
}

impl Step {
    pub(super) fn class(&self) -> &'static str {
        match self.state {
            State::Done => "done",
            State::Active => "active",
            State::Ahead => "ahead",
        }
    }

    /// For those who do not see the mark.
    pub(super) fn spoken(&self) -> &'static str {
        match self.state {
            State::Done => "done",
            State::Active => "under way",
            State::Ahead => "not yet",
        }
    }
}

/// What the customer waits for, in the order it happens.
const PARTS: [(&str, ConditionType); 4] = [
    ("Secrets made", ConditionType::SecretsIssued),
    ("Server running", ConditionType::ServerRunning),
    ("Address published", ConditionType::AddressPublished),
    ("Assistant answering", ConditionType::Healthy),
];

/// The list after a look at the payment and at the instance it made, if it has.
pub(super) fn steps(paid: bool, instance: Option<&Instance>) -> Vec<Step> {
    let parts = PARTS.map(|(label, kind)| {
        let done = instance.is_some_and(|instance| holds(instance, kind));
        (label, done)
    });
    let facts = [
        ("Payment received", paid),
        ("Order booked", instance.is_some()),
    ];
    let mut is_first = true;
    facts
        .into_iter()
        .chain(parts)
        .map(|(label, done)| {
            let state = match (done, is_first) {
                (true, _) => State::Done,
                (false, true) => State::Active,
                (false, false) => State::Ahead,
            };
            is_first &= done;
            Step { label, state }
        })
        .collect()
}

/// Where the assistant answers, once everything holds.
pub(super) fn url(instance: &Instance) -> Option<&str> {
    let status = instance.status.as_ref()?;
    let url = status.url.as_deref()?;
    holds(instance, ConditionType::Ready).then_some(url)
}

/// The reason, when only a person can go on.
pub(super) fn stuck(instance: &Instance) -> Option<&'static str> {
    let stalled = condition(instance, ConditionType::Stalled)?;
    let reason = Reason::ALL
        .iter()
        .find(|reason| reason.as_str() == stalled.reason)?;
    (stalled.status == "True").then_some(reason.as_str())
}

fn holds(instance: &Instance, kind: ConditionType) -> bool {
    condition(instance, kind).is_some_and(|condition| condition.status == "True")
}

fn condition(instance: &Instance, kind: ConditionType) -> Option<&crate::api::Condition> {
    let status = instance.status.as_ref()?;
    status
        .conditions
        .iter()
        .find(|condition| condition.type_ == kind.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn instance(truths: &[(&str, &str, &str)]) -> Instance {
        let conditions: Vec<_> = truths
            .iter()
            .map(|(kind, status, reason)| {
                json!({"type": kind, "status": status, "reason": reason, "message": "",
                    "lastTransitionTime": "2026-01-01T00:00:00Z"})
            })
            .collect();
        serde_json::from_value(json!({"metadata": {"name": "i"},
            "spec": {"customerRef": "c", "subdomain": "ada", "plan": "basic"},
            "status": {"url": "https://ada.clawdet.example", "conditions": conditions}}))
        .unwrap()
    }

    fn check(paid: bool, instance: Option<&Instance>, expected: &str) {
        let said: String = steps(paid, instance)
            .iter()
            .map(|step| match step.state {
                State::Done => 'x',
                State::Active => '>',
                State::Ahead => '.',
            })
            .collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn the_first_step_that_is_not_done_is_under_way_and_the_rest_is_ahead() {
        check(false, None, ">.....");
        check(true, None, "x>....");
        check(true, Some(&instance(&[])), "xx>...");
        let running = [("SecretsIssued", "True", ""), ("ServerRunning", "True", "")];
        check(true, Some(&instance(&running)), "xxxx>.");
        let drifted = [("ServerRunning", "True", ""), ("Healthy", "True", "")];
        check(true, Some(&instance(&drifted)), "xx>x.x");
    }

    #[test]
    fn the_address_is_shown_only_when_it_answers() {
        let asleep = instance(&[("Ready", "False", "")]);
        assert_eq!(url(&asleep), None);
        let ready = instance(&[("Ready", "True", "")]);
        assert_eq!(url(&ready), Some("https://ada.clawdet.example"));
    }

    #[test]
    fn only_a_reason_we_know_is_shown() {
        let stalled = |reason| instance(&[("Stalled", "True", reason)]);
        assert_eq!(stuck(&stalled("SubdomainTaken")), Some("SubdomainTaken"));
        assert_eq!(stuck(&stalled("<b>")), None);
        assert_eq!(stuck(&instance(&[("Stalled", "False", "AsDesired")])), None);
    }
}
