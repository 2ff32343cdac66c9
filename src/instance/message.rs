//! What a reason means for this one instance, in a sentence or two for a person: what, why, what to do.
//! Pure; without secrets, counters and timestamps, so that saying it twice says the same.

use super::desired::{Desired, Life, Wanted};
use super::plan::{Observed, Plan, Step};
use crate::api::{Placement, ProjectName, Reason};
use crate::provider::Server;

pub(super) fn message(desired: &Desired, observed: &Observed, plan: &Plan) -> String {
    let because = plan.reason();
    let said = match (&desired.life, plan) {
        (Life::Wanted(wanted), Plan::Stalled { .. }) => stalled(wanted, desired, because),
        (Life::Wanted(wanted), Plan::Done { .. }) => done(wanted, because),
        (Life::Wanted(_), Plan::Do { step, .. }) => doing(observed, step),
        (Life::Wanted(wanted), Plan::Wait { .. }) => waiting(wanted, observed, because),
        (Life::Deleting, _) => removing(observed, plan),
    };
    said.unwrap_or_else(|| because.sentence().to_owned())
}

fn stalled(wanted: &Wanted, desired: &Desired, because: Reason) -> Option<String> {
    let Wanted {
        hostname,
        customer,
        plan,
        ..
    } = wanted;
    let said = match because {
        Reason::CustomerMissing => format!(
            "There is no Customer {customer:?} in this namespace. Create it and this goes on by itself."
        ),
        Reason::PlanMissing => format!(
            "There is no Plan {plan:?} in this namespace. Create it, or name another in spec.plan."
        ),
        Reason::SubdomainTaken => format!(
            "Another Instance had {hostname} first. Delete this one and make it anew with another subdomain."
        ),
        Reason::NameConflict => format!(
            "A server named {} carries somebody else's labels, so it is not touched. Rename or delete it at the provider and this goes on by itself.",
            desired.server_name
        ),
        Reason::AddressConflict => format!(
            "The zone has a record for {hostname} that is not ours, so it is not touched. Remove it and this goes on by itself."
        ),
        _ => return None,
    };
    Some(said)
}

fn done(wanted: &Wanted, because: Reason) -> Option<String> {
    (because == Reason::Ready).then(|| format!("https://{} answers.", wanted.hostname))
}

fn doing(observed: &Observed, step: &Step) -> Option<String> {
    let said = match step {
        Step::ClaimProject(project) => format!("The server will be bought in project {project}."),
        Step::CreateServer {
            project, placement, ..
        } => format!("Ordering {} in project {project}.", place(placement)),
        Step::RecordServer(id) => {
            format!("Server {id} is ours and its identity is being written down.")
        }
        Step::RecordLoss(id) => {
            format!("Server {id} is gone; that is written down before another is bought.")
        }
        Step::ReturnServer(id) => format!("Returning server {id}."),
        Step::PowerOn(id) => format!("Server {id} is off and is switched on."),
        Step::ChangeRecords { host, .. } => {
            let at = observed
                .servers
                .first()
                .map_or_else(String::new, |server| format!(" at {}", addresses(server)));
            format!("Publishing {host}{at}.")
        }
        Step::AddFinalizer
        | Step::IssueSecrets
        | Step::RestoreIdentity(_)
        | Step::SetProtection(..)
        | Step::ShutDown(_)
        | Step::PowerOff(_)
        | Step::ReleaseAddress(_)
        | Step::DestroySecrets
        | Step::RemoveFinalizer => return None,
    };
    Some(said)
}

fn waiting(wanted: &Wanted, observed: &Observed, because: Reason) -> Option<String> {
    let server = observed.servers.first();
    let said = match because {
        Reason::ServerStarting => {
            let server = server?;
            format!(
                "Server {} ({} in {}) is being built or started.",
                server.id, server.server_type, server.location
            )
        }
        Reason::SoftwareStarting => format!(
            "The server runs and {} points to it; waiting for the assistant to answer.",
            wanted.hostname
        ),
        Reason::CapacityUnavailable => {
            let offered = observed.offer.as_ref().map(|offer| &offer.placement);
            let places: Vec<String> = wanted
                .placement
                .as_ref()
                .or(offered)?
                .iter()
                .map(place)
                .collect();
            format!(
                "No capacity now for {}. Each is asked for again within minutes; another place in the Plan helps sooner.",
                places.join(" or ")
            )
        }
        Reason::ProjectLimitReached => {
            let projects: Vec<&str> = observed.projects.iter().map(ProjectName::as_str).collect();
            format!(
                "The server limit is reached in {}. Ask the provider for more, or configure another project.",
                projects.join(" and ")
            )
        }
        _ => return None,
    };
    Some(said)
}

fn removing(observed: &Observed, plan: &Plan) -> Option<String> {
    let said = match plan {
        Plan::Stalled {
            because: Reason::DeletionProtected,
        } => {
            "spec.deletionPolicy is Protect. Set it to Delete and the deletion goes on.".to_owned()
        }
        Plan::Do {
            step: Step::ChangeRecords { host, .. },
            ..
        } => format!("Withdrawing the records of {host}."),
        Plan::Do {
            step: Step::ReturnServer(id),
            ..
        } => format!("Returning server {id}."),
        Plan::Do {
            step: Step::DestroySecrets,
            ..
        } => "Destroying its secrets.".to_owned(),
        Plan::Wait {
            because: Reason::Deleting,
            ..
        } => format!(
            "Waiting until server {} is gone.",
            observed.servers.first()?.id
        ),
        Plan::Done { .. } | Plan::Do { .. } | Plan::Wait { .. } | Plan::Stalled { .. } => {
            return None;
        }
    };
    Some(said)
}

fn place(placement: &Placement) -> String {
    format!("{} in {}", placement.server_type, placement.location)
}

fn addresses(server: &Server) -> String {
    let v4 = server.ipv4.map(|address| address.to_string());
    let v6 = server.ipv6.map(|address| address.to_string());
    let all: Vec<String> = v4.into_iter().chain(v6).collect();
    all.join(" and ")
}
