//! The sweep over small worlds: who is returned, who is kept, and why.

use super::*;
use crate::api::{ProjectName, ServerName};
use crate::provider::ServerPower;

const MINUTE: i64 = 60;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(minutes * MINUTE).unwrap()
}

fn id(id: i64) -> ServerId {
    ServerId {
        project: ProjectName::parse("main").unwrap(),
        id,
    }
}

fn server(number: i64, owner: Owner, created: i64) -> Server {
    Server {
        id: id(number),
        name: ServerName::observed(format!("test-{number}")),
        owner,
        labels_intact: true,
        power: ServerPower::Running,
        locked: false,
        protected: false,
        server_type: "cx23".into(),
        location: "nbg1".into(),
        ipv4: None,
        ipv6: None,
        created: at(created),
        hourly_price_microcents: 600_000,
    }
}

fn orphan(number: i64) -> Server {
    server(number, Owner::Ours(Uid::new(format!("gone-{number}"))), 0)
}

/// Looks every five minutes from `from` to `to` and gives the last sweep.
fn watch(servers: &[Server], instances: &[&str], from: i64, to: i64, dry_run: bool) -> Sweep {
    let instances: BTreeSet<Uid> = instances.iter().map(|uid| Uid::new(*uid)).collect();
    let mut sweep = Sweep::default();
    for now in (from..=to).step_by(5) {
        let first_seen = std::mem::take(&mut sweep.first_seen);
        sweep = plan(&Look {
            now: at(now),
            servers,
            instances: &instances,
            first_seen: &first_seen,
            returned_lately: 0,
            dry_run,
        });
    }
    sweep
}

#[test]
fn an_orphan_is_returned_only_after_it_was_seen_ten_minutes_apart() {
    let servers = [orphan(1)];
    assert!(watch(&servers, &[], 60, 60, false).give_back.is_empty());
    assert!(watch(&servers, &[], 60, 65, false).give_back.is_empty());
    let sweep = watch(&servers, &[], 60, 70, false);
    assert_eq!(sweep.give_back, [(id(1), Uid::new("gone-1"))]);
}

#[test]
fn a_young_server_is_left_alone_however_often_it_is_seen() {
    let young = [server(1, Owner::Ours(Uid::new("gone-1")), 60)];
    assert!(watch(&young, &[], 60, 70, false).give_back.is_empty());
    assert_eq!(watch(&young, &[], 60, 75, false).give_back.len(), 1);
}

#[test]
fn a_strangers_server_and_an_owned_one_are_never_touched() {
    let servers = [
        server(1, Owner::Stranger, 0),
        server(2, Owner::Ours(Uid::new("alive")), 0),
    ];
    assert_eq!(
        watch(&servers, &["alive"], 60, 600, false),
        Sweep::default()
    );
}

#[test]
fn an_orphan_that_found_its_owner_starts_anew() {
    let servers = [orphan(1)];
    let seen = watch(&servers, &[], 60, 65, false);
    let owned = plan(&Look {
        now: at(68),
        servers: &servers,
        instances: &BTreeSet::from([Uid::new("gone-1")]),
        first_seen: &seen.first_seen,
        returned_lately: 0,
        dry_run: false,
    });
    assert!(owned.first_seen.is_empty());
}

#[test]
fn the_brake_holds_and_says_so() {
    let servers: Vec<Server> = (1..=50).map(orphan).collect();
    let sweep = watch(&servers, &[], 60, 70, false);
    assert_eq!(sweep.give_back.len(), 3);
    assert_eq!(sweep.kept.len(), 47);
    assert!(sweep.kept.values().all(|why| *why == Reason::SweepBraked));
    assert_eq!((brake(0), brake(40), brake(41), brake(1000)), (2, 2, 3, 50));
}

#[test]
fn what_was_returned_lately_counts_against_the_brake() {
    let servers: Vec<Server> = (1..=3).map(orphan).collect();
    let seen = watch(&servers, &[], 60, 65, false);
    let look = |returned_lately| {
        let instances = BTreeSet::new();
        let look = Look {
            now: at(70),
            servers: &servers,
            instances: &instances,
            first_seen: &seen.first_seen,
            returned_lately,
            dry_run: false,
        };
        plan(&look).give_back.len()
    };
    assert_eq!((look(0), look(1), look(2), look(9)), (2, 1, 0, 0));
}

#[test]
fn a_dry_run_returns_nothing_and_tells_the_cost() {
    let servers = [orphan(1), orphan(2)];
    let sweep = watch(&servers, &[], 60, 600, true);
    assert!(sweep.give_back.is_empty());
    assert!(sweep.kept.values().all(|why| *why == Reason::SweepDryRun));
    assert_eq!(sweep.hourly_cost_microcents, 1_200_000);
}
