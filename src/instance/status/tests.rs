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
