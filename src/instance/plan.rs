//! Decides the next step for an instance. Pure: same inputs, same plan; no clock, no I/O.

use std::collections::BTreeSet;
use std::time::Duration;

use super::desired::{Desired, Life, Wanted};
use crate::api::{Hostname, Placement, Power, ProjectName, Reason, Standing};
use crate::mutant::{self, Mutant};
use crate::provider::{
    GuestState, Progress, Record, RecordChange, Server, ServerId, ServerPower, SpareAddress, Target,
};

/// What was seen, read anew on every visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// None: the Customer does not exist.
    pub standing: Option<Standing>,
    /// None: the Plan does not exist.
    pub offer: Option<Offer>,
    /// Another instance had the subdomain first.
    pub rival: bool,
    /// The configured projects, best first.
    pub projects: Vec<ProjectName>,
    /// What was refused lately, and is not asked for again until it expires.
    pub refused: Refused,
    pub secrets_issued: bool,
    /// Servers that carry our mark, our name, or the recorded id; from a complete list.
    pub servers: Vec<Server>,
    /// How the newest change of the first of them goes; read only while it is not settled.
    pub progress: Option<Progress>,
    /// How long ago this process asked it to shut down.
    pub shutting_down_for: Option<Duration>,
    /// Records at our host name, and records anywhere that carry our mark.
    pub records: Vec<Record>,
    /// Read only while the server runs.
    pub guest: Option<GuestState>,
    /// Addresses with our mark; read only when no server is left and we are deleting.
    pub spare_addresses: Vec<SpareAddress>,
    /// How long complete lists have shown nothing of ours.
    pub absent_for: Duration,
}

/// What the Plan offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub placement: Vec<Placement>,
    pub image: String,
}

/// Refusals that hold for everybody for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    pub no_capacity: BTreeSet<(ProjectName, Placement)>,
    pub limit_reached: BTreeSet<ProjectName>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    Done { because: Reason },
    Do { step: Step, because: Reason },
    Wait { because: Reason, recheck: Duration },
    Stalled { because: Reason },
}

impl Plan {
    pub fn reason(&self) -> Reason {
        match self {
            Self::Done { because }
            | Self::Do { because, .. }
            | Self::Wait { because, .. }
            | Self::Stalled { because } => *because,
        }
    }
}

/// One change, small enough that a crash before or after it is harmless, and complete enough that
/// `act` has nothing left to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    AddFinalizer,
    ClaimProject(ProjectName),
    IssueSecrets,
    CreateServer {
        project: ProjectName,
        placement: Placement,
        image: String,
    },
    RecordServer(ServerId),
    RecordLoss(ServerId),
    RestoreIdentity(ServerId),
    SetProtection(ServerId, bool),
    PowerOn(ServerId),
    ShutDown(ServerId),
    PowerOff(ServerId),
    ChangeRecords {
        host: Hostname,
        change: RecordChange,
    },
    ReturnServer(ServerId),
    ReleaseAddress(SpareAddress),
    DestroySecrets,
    RemoveFinalizer,
}

impl Step {
    /// The step as one word, for logs and Events.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AddFinalizer => "AddFinalizer",
            Self::ClaimProject(_) => "ClaimProject",
            Self::IssueSecrets => "IssueSecrets",
            Self::CreateServer { .. } => "CreateServer",
            Self::RecordServer(_) => "RecordServer",
            Self::RecordLoss(_) => "RecordLoss",
            Self::RestoreIdentity(_) => "RestoreIdentity",
            Self::SetProtection(..) => "SetProtection",
            Self::PowerOn(_) => "PowerOn",
            Self::ShutDown(_) => "ShutDown",
            Self::PowerOff(_) => "PowerOff",
            Self::ChangeRecords { .. } => "ChangeRecords",
            Self::ReturnServer(_) => "ReturnServer",
            Self::ReleaseAddress(_) => "ReleaseAddress",
            Self::DestroySecrets => "DestroySecrets",
            Self::RemoveFinalizer => "RemoveFinalizer",
        }
    }
}

/// How often to look while a provider or the guest is at work.
pub const RECHECK: Duration = Duration::from_secs(5);
/// How often to look while the software starts.
const RECHECK_SOFTWARE: Duration = Duration::from_secs(3);
/// How often to look while nothing can be bought; refusals themselves are kept longer.
const RECHECK_CAPACITY: Duration = Duration::from_mins(1);
/// A server that ignores ACPI for so long is switched off.
const SHUTDOWN_PATIENCE: Duration = Duration::from_mins(1);
/// Longer than a provider's list may lag behind (10 s), so that two empty lists are proof.
pub const ABSENCE_PROOF: Duration = Duration::from_secs(12);

/// So much later than it could, an instance asks for its proof, and so long one list serves them all.
const PROOF_SHARED: Duration = Duration::from_secs(3);

/// Reads top to bottom as the life of an instance; the first thing that is wrong wins.
pub fn plan(desired: &Desired, observed: &Observed) -> Plan {
    match &desired.life {
        Life::Deleting => plan_removal(desired, observed),
        Life::Wanted(wanted) => plan_life(desired, wanted, observed),
    }
}

fn plan_life(desired: &Desired, wanted: &Wanted, observed: &Observed) -> Plan {
    if !desired.finalizer {
        return next(Step::AddFinalizer, Reason::Unprotected);
    }
    let Some(standing) = observed.standing else {
        return stalled(Reason::CustomerMissing);
    };
    let Some(offer) = &observed.offer else {
        return stalled(Reason::PlanMissing);
    };
    if observed.rival {
        return stalled(Reason::SubdomainTaken);
    }
    let (power, resting) = wanted_power(wanted.power, standing);
    if !observed.secrets_issued {
        return next(Step::IssueSecrets, Reason::SecretsMissing);
    }
    let ours: Vec<&Server> = ours(desired, observed).collect();
    if observed.servers.len() > ours.len() {
        return stalled(Reason::NameConflict);
    }
    if let Some(extra) = duplicate(desired, &ours) {
        return next(
            Step::ReturnServer(extra.id.clone()),
            Reason::ServerDuplicated,
        );
    }
    let Some(server) = ours.first() else {
        return match &desired.recorded {
            Some(lost) => next(Step::RecordLoss(lost.clone()), Reason::ServerLost),
            None if power == Power::Stopped => Plan::Done { because: resting },
            None => plan_purchase(desired, wanted, offer, observed),
        };
    };
    if desired.recorded.as_ref() != Some(&server.id) {
        return next(
            Step::RecordServer(server.id.clone()),
            Reason::ServerUnrecorded,
        );
    }
    if let Some(plan) = plan_server(desired, server, power, observed) {
        return plan;
    }
    if let Some(plan) = plan_address(&wanted.hostname, desired, server, observed) {
        return plan;
    }
    if power == Power::Stopped {
        return Plan::Done { because: resting };
    }
    match observed.guest {
        Some(GuestState::Started { .. }) => Plan::Done {
            because: Reason::Ready,
        },
        Some(GuestState::Silent) | None => wait(Reason::SoftwareStarting, RECHECK_SOFTWARE),
    }
}

/// The customer's standing outranks the spec; the reason says why a server rests.
fn wanted_power(asked: Power, standing: Standing) -> (Power, Reason) {
    match standing {
        Standing::Suspended => (Power::Stopped, Reason::CustomerSuspended),
        Standing::Closed => (Power::Stopped, Reason::CustomerClosed),
        Standing::Active | Standing::PastDue => (asked, Reason::Stopped),
    }
}

/// Ours by mark, or by the id we wrote down (somebody may have taken the labels off by hand).
fn ours<'a>(desired: &'a Desired, observed: &'a Observed) -> impl Iterator<Item = &'a Server> {
    observed.servers.iter().filter(|server| {
        let recorded = desired.recorded.as_ref() == Some(&server.id);
        let marked = server.owner.is(&desired.uid) && !mutant::is(Mutant::NoAdoption);
        marked || recorded
    })
}

/// The one that is not kept: the recorded one is, or else the oldest.
fn duplicate<'a>(desired: &Desired, ours: &[&'a Server]) -> Option<&'a Server> {
    if ours.len() < 2 {
        return None;
    }
    let kept = ours
        .iter()
        .find(|server| desired.recorded.as_ref() == Some(&server.id))
        .or_else(|| {
            ours.iter()
                .min_by_key(|server| (server.created, server.id.clone()))
        })?;
    ours.iter()
        .find(|server| server.id != kept.id && server.power != ServerPower::Deleting)
        .copied()
}

fn plan_purchase(desired: &Desired, wanted: &Wanted, offer: &Offer, observed: &Observed) -> Plan {
    let refused = &observed.refused;
    let open = |project: &ProjectName| !refused.limit_reached.contains(project);
    let Some(project) = desired.project.as_ref().filter(|claimed| open(claimed)) else {
        // The name is unique within a project only, so another project is claimed only after the
        // claimed one has said no, and never after an answer was lost.
        return match observed.projects.iter().find(|project| open(project)) {
            Some(project) => next(
                Step::ClaimProject(project.clone()),
                Reason::ProjectUnclaimed,
            ),
            None => wait(Reason::ProjectLimitReached, RECHECK_CAPACITY),
        };
    };
    let places = wanted.placement.as_ref().unwrap_or(&offer.placement);
    let place = places.iter().find(|place| {
        !refused
            .no_capacity
            .contains(&(project.clone(), (*place).clone()))
    });
    match place {
        Some(place) => next(
            Step::CreateServer {
                project: project.clone(),
                placement: place.clone(),
                image: offer.image.clone(),
            },
            Reason::ServerMissing,
        ),
        None => wait(Reason::CapacityUnavailable, RECHECK_CAPACITY),
    }
}

/// The server itself: identity first, then power. None when it is as it should be.
fn plan_server(
    desired: &Desired,
    server: &Server,
    power: Power,
    observed: &Observed,
) -> Option<Plan> {
    let id = || server.id.clone();
    if let Some(Progress::Failed { .. }) = observed.progress
        && !matches!(server.power, ServerPower::Running | ServerPower::Off)
    {
        return Some(next(Step::ReturnServer(id()), Reason::ServerFailed));
    }
    if server.power == ServerPower::Starting {
        // Locked too, for as long as it is being built.
        return Some(wait(Reason::ServerStarting, RECHECK));
    }
    if server.locked {
        return Some(wait(Reason::ServerLocked, RECHECK));
    }
    if !server.owner.is(&desired.uid) || !server.labels_intact {
        return Some(next(Step::RestoreIdentity(id()), Reason::ServerRelabelled));
    }
    if server.name != desired.server_name {
        return Some(next(Step::RestoreIdentity(id()), Reason::ServerRenamed));
    }
    if server.protected != desired.protect {
        return Some(next(
            Step::SetProtection(id(), desired.protect),
            Reason::ServerProtectionDrifted,
        ));
    }
    let working = matches!(observed.progress, Some(Progress::Running { .. }));
    match (server.power, power) {
        (ServerPower::Running, Power::Running) | (ServerPower::Off, Power::Stopped) => None,
        (ServerPower::Deleting, _) => Some(wait(Reason::ServerLost, RECHECK)),
        (ServerPower::Unknown, _) => Some(wait(Reason::ServerLocked, RECHECK)),
        (ServerPower::Off, Power::Running) if working => {
            Some(wait(Reason::ServerStarting, RECHECK))
        }
        (ServerPower::Off, Power::Running) => Some(next(Step::PowerOn(id()), Reason::ServerOff)),
        (ServerPower::Stopping, _) => Some(wait(Reason::ServerStopping, RECHECK)),
        (ServerPower::Starting, _) => Some(wait(Reason::ServerStarting, RECHECK)),
        (ServerPower::Running, Power::Stopped) => Some(match observed.shutting_down_for {
            None => next(Step::ShutDown(id()), Reason::ServerStopping),
            Some(asked) if asked < SHUTDOWN_PATIENCE => wait(Reason::ServerStopping, RECHECK),
            Some(_) => next(Step::PowerOff(id()), Reason::ServerStopping),
        }),
    }
}

/// The records at our host name. None when they say exactly the server's addresses.
fn plan_address(
    host: &Hostname,
    desired: &Desired,
    server: &Server,
    observed: &Observed,
) -> Option<Plan> {
    let here = || {
        observed
            .records
            .iter()
            .filter(|record| &record.host == host)
    };
    if here().any(|record| !record.owner.is(&desired.uid)) {
        return Some(stalled(Reason::AddressConflict));
    }
    let mut change = RecordChange::default();
    let mut because = None;
    let targets = [server.ipv4.map(Target::V4), server.ipv6.map(Target::V6)];
    for (family, target) in [is_v4 as fn(Target) -> bool, is_v6]
        .into_iter()
        .zip(targets)
    {
        let mut same = here().filter(|record| record.target.is_some_and(family));
        match (same.next(), target) {
            (None, None) => {}
            (None, Some(target)) => {
                change.create.push(target);
                because.get_or_insert(Reason::AddressUnpublished);
            }
            (Some(kept), Some(target)) if kept.target == Some(target) => {}
            (Some(kept), Some(target)) => {
                change.update.push((kept.id.clone(), target));
                because.get_or_insert(Reason::AddressDrifted);
            }
            (Some(stale), None) => {
                change.delete.push(stale.id.clone());
                because.get_or_insert(Reason::AddressDrifted);
            }
        }
        for extra in same {
            change.delete.push(extra.id.clone());
            because.get_or_insert(Reason::AddressDuplicated);
        }
    }
    because.map(|because| {
        next(
            Step::ChangeRecords {
                host: host.clone(),
                change,
            },
            because,
        )
    })
}

fn is_v4(target: Target) -> bool {
    matches!(target, Target::V4(_))
}

fn is_v6(target: Target) -> bool {
    matches!(target, Target::V6(_))
}

/// Undoes in the opposite order, so that a name never points at a server we no longer hold.
fn plan_removal(desired: &Desired, observed: &Observed) -> Plan {
    if !desired.finalizer {
        return Plan::Done {
            because: Reason::Deleting,
        };
    }
    if desired.protect {
        return stalled(Reason::DeletionProtected);
    }
    if let Some((host, change)) = withdrawal(desired, observed) {
        return next(Step::ChangeRecords { host, change }, Reason::Deleting);
    }
    if let Some(server) = ours(desired, observed).next() {
        if server.power == ServerPower::Deleting || server.locked {
            return wait(Reason::Deleting, RECHECK);
        }
        if !server.owner.is(&desired.uid) {
            return next(
                Step::RestoreIdentity(server.id.clone()),
                Reason::ServerRelabelled,
            );
        }
        if server.protected {
            return next(
                Step::SetProtection(server.id.clone(), false),
                Reason::Deleting,
            );
        }
        return next(Step::ReturnServer(server.id.clone()), Reason::Deleting);
    }
    if let Some(address) = observed.spare_addresses.first() {
        if address.assigned {
            return wait(Reason::AddressLeftOver, RECHECK);
        }
        return next(
            Step::ReleaseAddress(address.clone()),
            Reason::AddressLeftOver,
        );
    }
    if observed.secrets_issued {
        return next(Step::DestroySecrets, Reason::Deleting);
    }
    match ABSENCE_PROOF.checked_sub(observed.absent_for) {
        Some(rest) if !rest.is_zero() => wait(Reason::ConfirmingAbsence, rest + PROOF_SHARED),
        Some(_) | None => next(Step::RemoveFinalizer, Reason::Deleting),
    }
}

/// Every record of ours, at whatever name, one host at a time.
fn withdrawal(desired: &Desired, observed: &Observed) -> Option<(Hostname, RecordChange)> {
    let mut records = observed
        .records
        .iter()
        .filter(|record| record.owner.is(&desired.uid));
    let first = records.next()?;
    let delete = std::iter::once(first)
        .chain(records.filter(|record| record.host == first.host))
        .map(|record| record.id.clone())
        .collect();
    let change = RecordChange {
        delete,
        ..RecordChange::default()
    };
    Some((first.host.clone(), change))
}

fn next(step: Step, because: Reason) -> Plan {
    Plan::Do { step, because }
}

fn wait(because: Reason, recheck: Duration) -> Plan {
    Plan::Wait { because, recheck }
}

fn stalled(because: Reason) -> Plan {
    Plan::Stalled { because }
}

#[cfg(test)]
pub(crate) mod tests;
