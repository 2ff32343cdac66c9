//! The sweep over small worlds: who is returned, who is kept, and why.

use super::*;
use crate::api::{ProjectName, ServerName};
use crate::provider::{Record, Server, ServerPower};

const MINUTE: i64 = 60;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(minutes * MINUTE).unwrap()
}

fn main_project() -> ProjectName {
    ProjectName::parse("main").unwrap()
}

fn id(id: i64) -> ServerId {
    ServerId {
        project: main_project(),
        id,
    }
}

fn server(number: i64, owner: &str, created: i64) -> Marked {
    Marked {
        thing: Thing::Server(id(number)),
        owner: Uid::new(owner),
        created: Some(at(created)),
        hourly_price_microcents: 600_000,
    }
}

fn orphan(number: i64) -> Marked {
    server(number, &format!("gone-{number}"), 0)
}

fn record(number: i64) -> Marked {
    Marked {
        thing: Thing::Record {
            host: Hostname::observed("ada.clawdet.example"),
            id: number.to_string(),
        },
        owner: Uid::new(format!("named-{number}")),
        created: None,
        hourly_price_microcents: 0,
    }
}

/// Looks every five minutes from `from` to `to` and gives the last sweep.
fn watch(things: &[Marked], instances: &[&str], from: i64, to: i64, dry_run: bool) -> Sweep {
    let instances: BTreeSet<Uid> = instances.iter().map(|uid| Uid::new(*uid)).collect();
    let mut sweep = Sweep::default();
    for now in (from..=to).step_by(5) {
        let first_seen = std::mem::take(&mut sweep.first_seen);
        sweep = plan(&Look {
            now: at(now),
            things,
            instances: &instances,
            first_seen: &first_seen,
            returned_lately: &BTreeMap::new(),
            dry_run,
        });
    }
    sweep
}

fn returned(sweep: &Sweep) -> Vec<Kind> {
    sweep
        .give_back
        .iter()
        .map(|(thing, _)| thing.kind())
        .collect()
}

#[test]
fn an_orphan_is_returned_only_after_it_was_seen_ten_minutes_apart() {
    let things = [orphan(1)];
    assert!(watch(&things, &[], 60, 60, false).give_back.is_empty());
    assert!(watch(&things, &[], 60, 65, false).give_back.is_empty());
    let sweep = watch(&things, &[], 60, 70, false);
    assert_eq!(
        sweep.give_back,
        [(Thing::Server(id(1)), Uid::new("gone-1"))]
    );
}

#[test]
fn a_young_server_is_left_alone_however_often_it_is_seen() {
    let young = [server(1, "gone-1", 60)];
    assert!(watch(&young, &[], 60, 70, false).give_back.is_empty());
    assert_eq!(watch(&young, &[], 60, 75, false).give_back.len(), 1);
}

#[test]
fn a_name_is_withdrawn_before_the_server_it_points_at() {
    let mut name = record(1);
    name.owner = Uid::new("gone-1");
    let both = [orphan(1), name];
    let sweep = watch(&both, &[], 60, 70, false);
    assert_eq!(returned(&sweep), [Kind::Record]);
    let sweep = watch(&both[..1], &[], 60, 70, false);
    assert_eq!(returned(&sweep), [Kind::Server]);
}

#[test]
fn an_owned_thing_is_never_touched() {
    let owned = [server(1, "alive", 0)];
    assert_eq!(watch(&owned, &["alive"], 60, 600, false), Sweep::default());
}

#[test]
fn an_orphan_that_found_its_owner_starts_anew() {
    let things = [orphan(1)];
    let seen = watch(&things, &[], 60, 65, false);
    let owned = plan(&Look {
        now: at(68),
        things: &things,
        instances: &BTreeSet::from([Uid::new("gone-1")]),
        first_seen: &seen.first_seen,
        returned_lately: &BTreeMap::new(),
        dry_run: false,
    });
    assert!(owned.first_seen.is_empty());
}

#[test]
fn the_brake_holds_and_says_so() {
    let things: Vec<Marked> = (1..=50).map(orphan).collect();
    let sweep = watch(&things, &[], 60, 70, false);
    assert_eq!(sweep.give_back.len(), 3);
    assert_eq!(sweep.kept.len(), 47);
    assert!(sweep.kept.values().all(|why| *why == Reason::SweepBraked));
    assert_eq!((brake(0), brake(40), brake(41), brake(1000)), (2, 2, 3, 50));
}

#[test]
fn each_kind_has_a_brake_of_its_own() {
    let mut things: Vec<Marked> = (1..=3).map(orphan).collect();
    things.extend((1..=3).map(record));
    let sweep = watch(&things, &[], 60, 70, false);
    assert_eq!(
        returned(&sweep),
        [Kind::Record, Kind::Record, Kind::Server, Kind::Server]
    );
}

#[test]
fn what_was_returned_lately_counts_against_the_brake_of_its_kind() {
    let things: Vec<Marked> = (1..=3).map(orphan).collect();
    let seen = watch(&things, &[], 60, 65, false);
    let look = |kind, lately| {
        let look = Look {
            now: at(70),
            things: &things,
            instances: &BTreeSet::new(),
            first_seen: &seen.first_seen,
            returned_lately: &BTreeMap::from([(kind, lately)]),
            dry_run: false,
        };
        plan(&look).give_back.len()
    };
    let of_servers = [0, 1, 2, 9].map(|lately| look(Kind::Server, lately));
    assert_eq!(of_servers, [2, 1, 0, 0]);
    assert_eq!(look(Kind::Record, 9), 2);
}

#[test]
fn a_dry_run_returns_nothing_and_tells_the_cost() {
    let things = [orphan(1), orphan(2)];
    let sweep = watch(&things, &[], 60, 600, true);
    assert!(sweep.give_back.is_empty());
    assert!(sweep.kept.values().all(|why| *why == Reason::SweepDryRun));
    assert_eq!(sweep.hourly_cost_microcents, 1_200_000);
}

#[test]
fn only_what_carries_our_mark_is_looked_at_and_no_address_in_use() {
    let begun = tokio::time::Instant::now();
    let server = |number, owner| Server {
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
        created: at(0),
        hourly_price_microcents: 1,
    };
    let ours = || Owner::Ours(Uid::new("u"));
    let record = |id: &str, owner| Record {
        id: id.into(),
        host: Hostname::observed("ada.clawdet.example"),
        owner,
        target: None,
        proxied: false,
    };
    let address = |id, owner, assigned| SpareAddress {
        project: main_project(),
        id,
        owner,
        assigned,
        created: at(0),
    };
    let fleet = Fleet::new([server(1, ours()), server(2, Owner::Stranger)], begun);
    let zone = Zone::new([record("3", ours()), record("4", Owner::Stranger)], begun);
    let addresses = [
        address(5, ours(), false),
        address(6, ours(), true),
        address(7, Owner::Stranger, false),
    ];
    let found: Vec<String> = marked(&fleet, &zone, &addresses)
        .iter()
        .map(|marked| marked.thing.to_string())
        .collect();
    assert_eq!(found, ["main/1", "ada.clawdet.example (3)", "main/5"]);
}
