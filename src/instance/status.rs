//! Says what we saw. Pure, and the same bytes when nothing changed, so that writing it wakes nobody.

use jiff::Timestamp;

use super::desired::{Desired, Life};
use super::message::message;
use super::plan::{Observed, Plan};
use crate::api::condition::{Claim, Truth, conditions};
use crate::api::instance::ServerStatus;
use crate::api::{ConditionType, InstanceStatus, Reason};
use crate::provider::{GuestState, Server, ServerPower};

/// What the schema takes in a condition's message.
const MESSAGE_BYTES_MAX: usize = 1024;

/// The parts of an instance, in the order in which they come to be.
const PARTS: [ConditionType; 4] = [
    ConditionType::SecretsIssued,
    ConditionType::ServerRunning,
    ConditionType::AddressPublished,
    ConditionType::Healthy,
];

/// The status of an instance after a visit that saw `observed` and decided `plan`.
pub fn status(
    previous: &InstanceStatus,
    desired: &Desired,
    observed: &Observed,
    plan: &Plan,
    generation: Option<i64>,
    now: Timestamp,
) -> InstanceStatus {
    let ready = matches!(
        plan,
        Plan::Done {
            because: Reason::Ready
        }
    );
    let server = own_server(desired, observed);
    let release = match &observed.guest {
        Some(GuestState::Started { version }) => {
            version.clone().or_else(|| previous.release.clone())
        }
        Some(GuestState::Silent) | None => previous.release.clone(),
    };
    let parts = parts(desired, observed, plan);
    let mut all = claims(desired, observed, plan);
    all.extend_from_slice(&parts);
    InstanceStatus {
        observed_generation: generation,
        url: url(desired, ready, previous),
        server: server.map(server_status),
        release,
        progress: Some(progress(&parts, plan)),
        last_backup: previous.last_backup.clone(),
        conditions: conditions(&previous.conditions, &all, generation, now),
    }
}

fn url(desired: &Desired, ready: bool, previous: &InstanceStatus) -> Option<String> {
    match &desired.life {
        Life::Wanted(wanted) if ready => Some(format!("https://{}", wanted.hostname)),
        Life::Wanted(_) => previous.url.clone(),
        Life::Deleting => None,
    }
}

fn server_status(server: &Server) -> ServerStatus {
    ServerStatus {
        project: server.id.project.to_string(),
        id: server.id.id,
        name: server.name.to_string(),
        server_type: server.server_type.clone(),
        location: server.location.clone(),
        ipv4: server.ipv4.map(|address| address.to_string()),
        ipv6: server.ipv6.map(|address| address.to_string()),
    }
}

/// How many of the parts are as they should be, and what is next.
fn progress(parts: &[Claim], plan: &Plan) -> String {
    let done = parts
        .iter()
        .filter(|claim| claim.truth == Truth::True)
        .count();
    format!("{done}/{} {}", parts.len(), plan.reason())
}

fn claims(desired: &Desired, observed: &Observed, plan: &Plan) -> Vec<Claim> {
    let because = plan.reason();
    let is_ready = matches!(
        plan,
        Plan::Done {
            because: Reason::Ready
        }
    );
    let is_stalled = matches!(plan, Plan::Stalled { .. });
    let told = |kind, is, reason| Claim {
        message: message(desired, observed, plan),
        ..claim(kind, is, reason)
    };
    let stalled = if is_stalled {
        told(ConditionType::Stalled, true, because)
    } else {
        claim(ConditionType::Stalled, false, Reason::AsDesired)
    };
    vec![told(ConditionType::Ready, is_ready, because), stalled]
}

fn parts(desired: &Desired, observed: &Observed, plan: &Plan) -> [Claim; 4] {
    let because = plan.reason();
    let server = own_server(desired, observed);
    let runs = server.is_some_and(|server| server.power == ServerPower::Running);
    let published = server.is_some()
        && observed
            .records
            .iter()
            .any(|record| record.owner.is(&desired.uid))
        && !matches!(
            because,
            Reason::AddressDrifted | Reason::AddressDuplicated | Reason::AddressConflict
        );
    let healthy = matches!(observed.guest, Some(GuestState::Started { .. }));
    let good = [observed.secrets_issued, runs, published, healthy];
    std::array::from_fn(|part| {
        let (kind, is) = (PARTS[part], good[part]);
        let resized = kind == ConditionType::ServerRunning && is_resized(desired, observed);
        let reason = match (is, resized) {
            (true, true) => Reason::ServerResized,
            (true, false) => Reason::AsDesired,
            (false, _) => because,
        };
        claim(kind, is, reason)
    })
}

/// Whether the server is of a type that nobody ordered: a person resized it, or the offer changed.
fn is_resized(desired: &Desired, observed: &Observed) -> bool {
    let Life::Wanted(wanted) = &desired.life else {
        return false;
    };
    let offered = observed.offer.as_ref().map(|offer| &offer.placement);
    let Some(places) = wanted.placement.as_ref().or(offered) else {
        return false;
    };
    own_server(desired, observed).is_some_and(|server| {
        !server.server_type.is_empty()
            && places
                .iter()
                .all(|place| place.server_type != server.server_type)
    })
}

fn own_server<'a>(desired: &Desired, observed: &'a Observed) -> Option<&'a Server> {
    observed
        .servers
        .iter()
        .find(|server| server.owner.is(&desired.uid))
}

/// The status of an instance that could not be visited to the end: Ready says so, and everything else
/// stays as it was last seen.
pub fn admitted(
    previous: &InstanceStatus,
    truth: Truth,
    reason: Reason,
    cause: &str,
    generation: Option<i64>,
    now: Timestamp,
) -> InstanceStatus {
    let message = format!("{} ({cause})", reason.sentence());
    let stalled = truth == Truth::False;
    let told = [
        Claim {
            kind: ConditionType::Ready,
            truth,
            reason,
            message: message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)].to_owned(),
        },
        claim(
            ConditionType::Stalled,
            stalled,
            if stalled { reason } else { Reason::AsDesired },
        ),
    ];
    let mut told = conditions(&previous.conditions, &told, generation, now);
    let kept = previous.conditions.iter().filter(|old| {
        ![ConditionType::Ready, ConditionType::Stalled]
            .iter()
            .any(|kind| kind.as_str() == old.type_)
    });
    told.extend(kept.cloned());
    if previous.conditions.is_empty() {
        let unseen = PARTS.map(|kind| Claim {
            truth: Truth::Unknown,
            ..claim(kind, false, Reason::Pending)
        });
        told.extend(conditions(&[], &unseen, generation, now));
    }
    InstanceStatus {
        conditions: told,
        ..previous.clone()
    }
}

/// What the status says of Ready: reason and message.
pub fn ready(status: Option<&InstanceStatus>) -> Option<(&str, &str)> {
    status?
        .conditions
        .iter()
        .find(|condition| condition.type_ == ConditionType::Ready.as_str())
        .map(|condition| (condition.reason.as_str(), condition.message.as_str()))
}

fn claim(kind: ConditionType, is: bool, reason: Reason) -> Claim {
    Claim {
        kind,
        truth: Truth::from(is),
        reason,
        message: reason.sentence().to_owned(),
    }
}

#[cfg(test)]
mod tests;
