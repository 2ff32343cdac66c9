//! The life of an instance as pictures: letters for what is seen, and the one thing to do about it.

use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::*;
use crate::api::{Hostname, InstallationName, ServerName, Subdomain, Uid};
use crate::provider::Owner;

pub(crate) struct Picture {
    pub(crate) desired: Desired,
    pub(crate) observed: Observed,
}

const HERE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 99);

fn uid() -> Uid {
    Uid::new("0b6a")
}

fn project(name: &str) -> ProjectName {
    ProjectName::parse(name).unwrap()
}

fn place(location: &str) -> Placement {
    Placement {
        server_type: "cx23".into(),
        location: location.into(),
    }
}

fn host() -> Hostname {
    Subdomain::parse("ada").unwrap().within("clawdet.example")
}

fn server(id: i64) -> Server {
    let installation = InstallationName::parse("test").unwrap();
    Server {
        id: ServerId {
            project: project("main"),
            id,
        },
        name: ServerName::derive(&installation, &uid()),
        owner: Owner::Ours(uid()),
        labels_intact: true,
        power: ServerPower::Running,
        locked: false,
        protected: false,
        server_type: "cx23".into(),
        location: "nbg1".into(),
        ipv4: Some(HERE),
        ipv6: None,
        created: Timestamp::UNIX_EPOCH,
        hourly_price_microcents: 0,
    }
}

fn record(id: &str, owner: Owner, address: Ipv4Addr) -> Record {
    Record {
        id: id.into(),
        host: host(),
        owner,
        target: Some(Target::V4(address)),
        proxied: false,
    }
}

fn fresh() -> Picture {
    let wanted = Wanted {
        hostname: host(),
        customer: "ada".into(),
        plan: "basic".into(),
        placement: None,
        power: Power::Running,
    };
    Picture {
        desired: Desired {
            uid: uid(),
            server_name: server(1).name,
            finalizer: false,
            project: None,
            recorded: None,
            protect: false,
            life: Life::Wanted(wanted),
        },
        observed: Observed {
            projects: vec![project("main"), project("spare")],
            ..Observed::default()
        },
    }
}

/// Reads a picture. `f` finalizer · `c` customer active · `p` plan · `k` secrets · `s` server 1 runs ·
/// `r` it is recorded · `d` record points at it · `g` guest started · `m` project claimed. Capitals are
/// what is wrong or unusual, in the order of the life.
pub(crate) fn picture(letters: &str) -> Picture {
    let mut picture = fresh();
    for letter in letters.chars() {
        draw(&mut picture, letter);
    }
    picture
}

fn draw(picture: &mut Picture, letter: char) {
    let Picture { desired, observed } = picture;
    let offer = || Offer {
        placement: vec![place("nbg1"), place("hel1")],
        image: "debian-12".into(),
    };
    match letter {
        '-' => {}
        'f' => desired.finalizer = true,
        'c' => observed.standing = Some(Standing::Active),
        'p' => observed.offer = Some(offer()),
        'k' => observed.secrets_issued = true,
        'm' => desired.project = Some(project("main")),
        's' => observed.servers.push(server(1)),
        'r' => desired.recorded = Some(server(1).id),
        'd' => observed.records.push(record("1", Owner::Ours(uid()), HERE)),
        'g' => observed.guest = Some(GuestState::Started { version: None }),
        _ => draw_trouble(desired, observed, letter),
    }
}

fn draw_trouble(desired: &mut Desired, observed: &mut Observed, letter: char) {
    let newest = observed.servers.last_mut();
    match letter {
        'X' => desired.life = Life::Deleting,
        'P' => desired.protect = true,
        'H' => observed.standing = Some(Standing::Suspended),
        'R' => observed.rival = true,
        'L' => drop(observed.refused.limit_reached.insert(project("main"))),
        'M' => drop(observed.refused.limit_reached.insert(project("spare"))),
        'N' => drop(
            observed
                .refused
                .no_capacity
                .insert((project("main"), place("nbg1"))),
        ),
        'E' => drop(
            observed
                .refused
                .no_capacity
                .insert((project("main"), place("hel1"))),
        ),
        'S' => observed.servers.push(server(2)),
        'F' => newest.unwrap().owner = Owner::Stranger,
        'O' => newest.unwrap().power = ServerPower::Off,
        'B' => newest.unwrap().power = ServerPower::Starting,
        'G' => newest.unwrap().power = ServerPower::Deleting,
        'K' => newest.unwrap().locked = true,
        'T' => newest.unwrap().protected = true,
        'W' => newest.unwrap().name = ServerName::observed("renamed"),
        'I' => newest.unwrap().labels_intact = false,
        'A' => observed.progress = Some(Progress::Failed { code: "x".into() }),
        'D' => observed
            .records
            .push(record("2", Owner::Ours(uid()), ELSEWHERE)),
        'Q' => observed
            .records
            .push(record("9", Owner::Stranger, ELSEWHERE)),
        'Z' => observed.absent_for = ABSENCE_PROOF,
        other => panic!("no such letter: {other}"),
    }
}

fn check(letters: &str, expected: &str) {
    let picture = picture(letters);
    let said = match plan(&picture.desired, &picture.observed) {
        Plan::Done { because } => format!("done because {because}"),
        Plan::Wait { because, .. } => format!("wait because {because}"),
        Plan::Stalled { because } => format!("stalled because {because}"),
        Plan::Do { step, because } => format!("{} because {because}", told(&step)),
    };
    assert_eq!(said, expected, "{letters}");
}

fn told(step: &Step) -> String {
    match step {
        Step::ClaimProject(project) => format!("ClaimProject {project}"),
        Step::CreateServer {
            project, placement, ..
        } => {
            format!("CreateServer {project} {}", placement.location)
        }
        Step::ReturnServer(id) => format!("ReturnServer {}", id.id),
        Step::RestoreIdentity(_) => "RestoreIdentity".into(),
        Step::ChangeRecords { change, .. } => format!(
            "ChangeRecords -{} ~{} +{}",
            change.delete.len(),
            change.update.len(),
            change.create.len()
        ),
        Step::SetProtection(_, on) => format!("SetProtection {on}"),
        other => format!("{other:?}")
            .split(['(', ' '])
            .next()
            .unwrap()
            .to_owned(),
    }
}

#[test]
fn a_life_from_nothing_to_ready() {
    check("-", "AddFinalizer because Unprotected");
    check("fcp", "IssueSecrets because SecretsMissing");
    check("fcpk", "ClaimProject main because ProjectUnclaimed");
    check("fcpkm", "CreateServer main nbg1 because ServerMissing");
    check("fcpkmsB", "RecordServer because ServerUnrecorded");
    check("fcpkmsrB", "wait because ServerStarting");
    check(
        "fcpkmsr",
        "ChangeRecords -0 ~0 +1 because AddressUnpublished",
    );
    check("fcpkmsrd", "wait because SoftwareStarting");
    check("fcpkmsrdg", "done because Ready");
}

#[test]
fn what_only_a_person_can_mend_stalls() {
    check("f", "stalled because CustomerMissing");
    check("fc", "stalled because PlanMissing");
    check("fcpR", "stalled because SubdomainTaken");
    check("fcpkmsF", "stalled because NameConflict");
    check("fcpkmsrQ", "stalled because AddressConflict");
}

#[test]
fn no_capacity_tries_the_next_place_and_a_full_project_the_next_project() {
    check("fcpkmN", "CreateServer main hel1 because ServerMissing");
    check("fcpkmNE", "wait because CapacityUnavailable");
    check("fcpkmL", "ClaimProject spare because ProjectUnclaimed");
    check("fcpkmLM", "wait because ProjectLimitReached");
}

#[test]
fn a_server_we_have_is_never_bought_again_and_a_lost_one_only_after_its_loss_is_written() {
    check("fcpkms", "RecordServer because ServerUnrecorded");
    check("fcpkmr", "RecordLoss because ServerLost");
    check("fcpkm", "CreateServer main nbg1 because ServerMissing");
    check(
        "fcpkmsrA",
        "ChangeRecords -0 ~0 +1 because AddressUnpublished",
    );
    check("fcpkmsrBA", "ReturnServer 1 because ServerFailed");
}

#[test]
fn of_two_servers_the_recorded_one_is_kept() {
    check("fcpkmsSr", "ReturnServer 2 because ServerDuplicated");
    check("fcpkmsS", "ReturnServer 2 because ServerDuplicated");
    check(
        "fcpkmsSGr",
        "ChangeRecords -0 ~0 +1 because AddressUnpublished",
    );
}

#[test]
fn what_a_hand_changed_is_put_back() {
    check("fcpkmsrI", "RestoreIdentity because ServerRelabelled");
    check("fcpkmsrF", "RestoreIdentity because ServerRelabelled");
    check("fcpkmsrW", "RestoreIdentity because ServerRenamed");
    check(
        "fcpkmsrT",
        "SetProtection false because ServerProtectionDrifted",
    );
    check("fcpkmsrO", "PowerOn because ServerOff");
    check("fcpkmsrK", "wait because ServerLocked");
    check(
        "fcpkmsrdD",
        "ChangeRecords -1 ~0 +0 because AddressDuplicated",
    );
    check("fcpkmsrD", "ChangeRecords -0 ~1 +0 because AddressDrifted");
}

#[test]
fn a_customer_who_does_not_pay_has_no_running_server_and_gets_none() {
    check("fHpkmsrd", "ShutDown because ServerStopping");
    check("fHpkmsrOd", "done because CustomerSuspended");
    check("fHpkm", "done because CustomerSuspended");
}

#[test]
fn removal_withdraws_the_name_before_the_server_and_ends_after_a_second_look() {
    check("fksrdX", "ChangeRecords -1 ~0 +0 because Deleting");
    check("fksrTX", "SetProtection false because Deleting");
    check("fksrX", "ReturnServer 1 because Deleting");
    check("fksrGX", "wait because Deleting");
    check("fkX", "DestroySecrets because Deleting");
    check("fX", "wait because ConfirmingAbsence");
    check("fZX", "RemoveFinalizer because Deleting");
    check("X", "done because Deleting");
}

#[test]
fn removal_waits_for_protection_and_leaves_strangers_alone() {
    check("fksrPX", "stalled because DeletionProtected");
    check("fsFZX", "RemoveFinalizer because Deleting");
    check("fQZX", "RemoveFinalizer because Deleting");
}
