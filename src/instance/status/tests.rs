//! Status from pictures: what is true, since when, and that repeating changes nothing.

use jiff::Timestamp;

use super::super::plan::tests::{Picture, picture};
use super::*;
use crate::instance::plan::plan;

fn write(previous: &InstanceStatus, picture: &Picture, second: i64) -> InstanceStatus {
    let decided = plan(&picture.desired, &picture.observed);
    let now = Timestamp::from_second(second).unwrap();
    status(
        previous,
        &picture.desired,
        &picture.observed,
        &decided,
        Some(3),
        now,
    )
}

fn truth<'a>(status: &'a InstanceStatus, kind: &str) -> (&'a str, &'a str) {
    let found = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == kind)
        .unwrap();
    (&found.status, &found.reason)
}

#[test]
fn every_condition_is_there_from_the_first_visit() {
    let first = write(&InstanceStatus::default(), &picture("-"), 1);
    let kinds: Vec<_> = first.conditions.iter().map(|c| c.type_.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "Ready",
            "Stalled",
            "SecretsIssued",
            "ServerRunning",
            "AddressPublished",
            "Healthy"
        ]
    );
    assert_eq!(truth(&first, "Ready").0, "False");
}

#[test]
fn ready_says_where_and_on_what() {
    let ready = write(&InstanceStatus::default(), &picture("fcpskrdg"), 1);
    assert_eq!(truth(&ready, "Ready"), ("True", "Ready"));
    assert_eq!(ready.url.as_deref(), Some("https://ada.clawdet.example"));
    assert_eq!(ready.server.unwrap().ipv4.as_deref(), Some("203.0.113.7"));
    assert_eq!(ready.observed_generation, Some(3));
}

#[test]
fn writing_twice_writes_the_same_bytes_and_keeps_the_transition_time() {
    let first = write(&InstanceStatus::default(), &picture("fcpskrdg"), 1);
    let second = write(&first, &picture("fcpskrdg"), 500);
    assert_eq!(first, second);
}

#[test]
fn a_stall_is_true_when_bad_and_names_the_reason() {
    let stalled = write(&InstanceStatus::default(), &picture("fpk"), 1);
    assert_eq!(truth(&stalled, "Stalled"), ("True", "CustomerMissing"));
    assert_eq!(truth(&stalled, "Ready"), ("False", "CustomerMissing"));
}

#[test]
fn a_failed_visit_says_why_and_keeps_what_was_last_seen() {
    let ready = write(&InstanceStatus::default(), &picture("fcpskrdg"), 1);
    let now = Timestamp::from_second(500).unwrap();
    let reason = Reason::ProviderUnreachable;
    let failed = admitted(
        &ready,
        Truth::Unknown,
        reason,
        "failed to list",
        Some(4),
        now,
    );
    assert_eq!(truth(&failed, "Ready"), ("Unknown", "ProviderUnreachable"));
    assert_eq!(truth(&failed, "Stalled"), ("False", "AsDesired"));
    assert_eq!(truth(&failed, "ServerRunning"), ("True", "AsDesired"));
    assert_eq!(failed.server, ready.server);
    let again = admitted(
        &failed,
        Truth::Unknown,
        reason,
        "failed to list",
        Some(4),
        now,
    );
    assert_eq!(failed, again);
}

#[test]
fn every_condition_is_there_also_when_the_first_visit_fails() {
    let now = Timestamp::from_second(1).unwrap();
    let none = InstanceStatus::default();
    let failed = admitted(&none, Truth::False, Reason::InvalidSpec, "x", Some(1), now);
    assert_eq!(failed.conditions.len(), 6);
    assert_eq!(truth(&failed, "Stalled"), ("True", "InvalidSpec"));
    assert_eq!(truth(&failed, "Healthy"), ("Unknown", "Pending"));
}

#[test]
fn a_message_names_what_is_meant_and_what_to_do() {
    let told = |letters: &str| {
        let status = write(&InstanceStatus::default(), &picture(letters), 1);
        ready(Some(&status)).unwrap().1.to_owned()
    };
    assert_eq!(
        told("f"),
        "There is no Customer \"ada\" in this namespace. Create it and this goes on by itself."
    );
    assert_eq!(told("fcpkm"), "Ordering cx23 in nbg1 in project main.");
    assert_eq!(
        told("fcpkmsr"),
        "Publishing ada.clawdet.example at 203.0.113.7."
    );
    assert_eq!(told("fcpkmsrdg"), "https://ada.clawdet.example answers.");
    assert!(told("fcpkmNE").contains("cx23 in nbg1 or cx23 in hel1"));
    assert!(told("XfP").contains("Set it to Delete"));
}

#[test]
fn a_server_resized_by_hand_is_reported_and_stays_ready() {
    let mut seen = picture("fcpskrdg");
    seen.observed.servers[0].server_type = "cx53".into();
    let status = write(&InstanceStatus::default(), &seen, 1);
    assert_eq!(truth(&status, "Ready"), ("True", "Ready"));
    assert_eq!(truth(&status, "ServerRunning"), ("True", "ServerResized"));
}
