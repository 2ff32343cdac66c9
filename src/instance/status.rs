//! Says what we saw. Pure, and the same bytes when nothing changed, so that writing it wakes nobody.

use jiff::Timestamp;

use super::desired::{Desired, Life};
use super::plan::{Observed, Plan};
use crate::api::condition::{Claim, Truth, conditions};
use crate::api::instance::ServerStatus;
use crate::api::{ConditionType, InstanceStatus, Reason};
use crate::provider::{GuestState, Server, ServerPower};

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
    let server = observed
        .servers
        .iter()
        .find(|server| server.owner.is(&desired.uid));
    let release = match &observed.guest {
        Some(GuestState::Started { version }) => {
            version.clone().or_else(|| previous.release.clone())
        }
        Some(GuestState::Silent) | None => previous.release.clone(),
    };
    InstanceStatus {
        observed_generation: generation,
        url: url(desired, ready, previous),
        server: server.map(server_status),
        release,
        progress: Some(progress(observed, plan)),
        last_backup: previous.last_backup.clone(),
        conditions: conditions(
            &previous.conditions,
            &claims(desired, observed, plan),
            generation,
            now,
        ),
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

/// How many of the four parts are as they should be, and what is next.
fn progress(observed: &Observed, plan: &Plan) -> String {
    let parts = [
        observed.secrets_issued,
        observed
            .servers
            .first()
            .is_some_and(|server| server.power == ServerPower::Running),
        !observed.records.is_empty(),
        matches!(observed.guest, Some(GuestState::Started { .. })),
    ];
    let done = parts.into_iter().filter(|done| *done).count();
    format!("{done}/4 {}", plan.reason())
}

fn claims(desired: &Desired, observed: &Observed, plan: &Plan) -> Vec<Claim> {
    let because = plan.reason();
    let ready = matches!(
        plan,
        Plan::Done {
            because: Reason::Ready
        }
    );
    let is_stalled = matches!(plan, Plan::Stalled { .. });
    let server = observed
        .servers
        .iter()
        .find(|server| server.owner.is(&desired.uid));
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
    let part = |kind, good: bool| claim(kind, good, if good { Reason::AsDesired } else { because });
    vec![
        claim(ConditionType::Ready, ready, because),
        claim(
            ConditionType::Stalled,
            is_stalled,
            if is_stalled {
                because
            } else {
                Reason::AsDesired
            },
        ),
        part(ConditionType::SecretsIssued, observed.secrets_issued),
        part(ConditionType::ServerRunning, runs),
        part(ConditionType::AddressPublished, published),
        part(ConditionType::Healthy, healthy),
    ]
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
