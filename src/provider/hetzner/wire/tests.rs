//! What Hetzner's answers mean in our words, today's shapes and tomorrow's.

use serde_json::{Value, json};

use super::*;

fn installation() -> InstallationName {
    InstallationName::parse("prod").unwrap()
}

fn seen(change: &Value) -> Server {
    let mut body = json!({
        "id": 42, "name": "prod-u1", "status": "running", "created": "2026-11-24T08:00:00+00:00",
    });
    for (key, value) in change.as_object().unwrap() {
        body[key] = value.clone();
    }
    let body: ServerBody = serde_json::from_value(body).unwrap();
    body.seen(&ProjectName::parse("main").unwrap(), &installation())
}

fn marks(uid: &str) -> Value {
    json!({
        "clawdet.com/managed-by": "clawdet",
        "clawdet.com/installation": "prod",
        "clawdet.com/instance-uid": uid,
    })
}

#[test]
fn a_full_answer_is_understood() {
    let server = seen(&json!({
        "labels": marks("u1"),
        "locked": true,
        "protection": {"delete": true, "rebuild": true},
        "public_net": {
            "ipv4": {"id": 1, "ip": "203.0.113.7", "blocked": false, "dns_ptr": "x"},
            "ipv6": {"id": 2, "ip": "2001:db8:1:2::/64", "blocked": false, "dns_ptr": []},
        },
        "server_type": {"id": 9, "name": "cx23", "prices": [
            {"location": "fsn1", "price_hourly": {"net": "9.0", "gross": "9.0"}},
            {"location": "nbg1", "price_hourly": {"net": "0.0060000000", "gross": "0.00714"}},
        ]},
        "location": {"id": 2, "name": "nbg1"},
    }));
    assert_eq!(server.owner, Owner::Ours(Uid::new("u1")));
    assert!(server.labels_intact && server.locked && server.protected);
    assert_eq!(server.ipv4, Some("203.0.113.7".parse().unwrap()));
    assert_eq!(server.ipv6, Some("2001:db8:1:2::1".parse().unwrap()));
    assert_eq!((&*server.server_type, &*server.location), ("cx23", "nbg1"));
    assert_eq!(server.hourly_price_microcents, 600_000);
    assert_eq!(server.created, "2026-11-24T08:00:00Z".parse().unwrap());
}

#[test]
fn what_is_missing_or_null_or_new_is_no_error() {
    let server = seen(&json!({
        "status": "hibernating",
        "public_net": {"ipv4": null, "ipv6": null, "firewalls": []},
        "server_type": {"name": "cx99", "architecture": "riscv"},
        "novelty": {"deep": [1]},
    }));
    assert_eq!(server.power, ServerPower::Unknown);
    assert_eq!((server.ipv4, server.ipv6), (None, None));
    assert_eq!(server.hourly_price_microcents, 0);
    assert_eq!(server.owner, Owner::Stranger);
    let server = seen(&json!({
        "labels": null, "locked": null, "protection": null, "public_net": null, "location": null,
        "server_type": {"name": "cx99", "prices": {"nbg1": 5}},
    }));
    assert_eq!((server.locked, server.protected), (false, false));
}

#[test]
fn without_an_id_a_name_or_a_state_nothing_can_be_said() {
    for missing in ["id", "name", "status", "created"] {
        let mut body =
            json!({"id": 1, "name": "x", "status": "off", "created": "2026-11-24T08:00:00Z"});
        body.as_object_mut().unwrap().remove(missing);
        assert!(
            serde_json::from_value::<ServerBody>(body).is_err(),
            "{missing}"
        );
    }
}

#[test]
fn a_server_is_ours_by_installation_and_uid_together() {
    let check = |labels: Value, owner: Owner, intact: bool| {
        let server = seen(&json!({"labels": labels}));
        assert_eq!(
            (server.owner, server.labels_intact),
            (owner, intact),
            "{labels}"
        );
    };
    let ours = || Owner::Ours(Uid::new("u1"));
    check(marks("u1"), ours(), true);
    check(
        json!({"clawdet.com/installation": "prod", "clawdet.com/instance-uid": "u1"}),
        ours(),
        false,
    );
    check(
        json!({"clawdet.com/instance-uid": "u1"}),
        Owner::Stranger,
        false,
    );
    check(marks(""), Owner::Stranger, false);
    let mut other = marks("u1");
    other["clawdet.com/installation"] = json!("staging");
    check(other, Owner::Stranger, false);
    check(json!({}), Owner::Stranger, false);
}

#[test]
fn a_mark_of_somebody_else_forbids_putting_ours_on() {
    let check = |labels: Value, claimed: bool| {
        let labels: Labels = serde_json::from_value(labels).unwrap();
        let owner = Uid::new("u1");
        assert_eq!(
            is_claimed_by_another(&labels, &installation(), &owner),
            claimed
        );
    };
    check(json!({}), false);
    check(marks("u1"), false);
    check(marks("u2"), true);
    check(json!({"clawdet.com/installation": "staging"}), true);
    check(json!({"clawdet.com/instance-uid": "u2"}), true);
    check(json!({"team": "search"}), false);
}

#[test]
fn money_is_read_to_the_millionth_of_a_cent_without_floating_point() {
    let check = |text, expected| assert_eq!(microcents(text), expected, "{text}");
    check("0.0060000000", Some(600_000));
    check("0.00000001", Some(1));
    check("0.000000019", Some(1));
    check("12", Some(1_200_000_000));
    check("1.5", Some(150_000_000));
    check("-1", None);
    check("1e3", None);
    check("", None);
    check("99999999999999999999", None);
}

#[test]
fn an_address_is_spare_when_nobody_is_assigned_whatever_its_type_says() {
    let seen = |assignee: Value| {
        let body: AddressBody = serde_json::from_value(json!({
            "id": 5, "created": "2026-11-24T08:00:00Z", "assignee_id": assignee,
            "assignee_type": "unassigned", "labels": marks("u1"),
        }))
        .unwrap();
        body.seen(&ProjectName::parse("main").unwrap(), &installation())
    };
    assert!(!seen(Value::Null).assigned);
    assert!(seen(json!(42)).assigned);
    assert_eq!(seen(Value::Null).owner, Owner::Ours(Uid::new("u1")));
}
