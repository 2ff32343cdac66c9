//! What an API server makes of `crds/`: it accepts them and enforces what they say; the real one, and
//! the embedded one in the same words.

use serde_json::{Value, json};

use super::apiserver::ApiServer;
use super::embedded::Embedded;
use super::kubectl::Kubectl;

/// Each check as a test on both servers.
macro_rules! on_both_servers {
    ($($check:ident)*) => {
        mod real {
            use super::ApiServer;
            $(#[tokio::test]
            async fn $check() {
                let name = stringify!($check);
                if let Some(server) = ApiServer::shared(name).await {
                    super::$check(&server.namespace(&name.replace('_', "-")));
                }
            })*
        }
        mod embedded {
            use super::Embedded;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $check() {
                let name = stringify!($check);
                if let Some(server) = Embedded::start(name).await {
                    super::$check(&server.namespace(&name.replace('_', "-")));
                }
            })*
        }
    };
}

on_both_servers! {
    they_are_accepted_with_what_their_rules_cost
    what_the_rules_refuse_is_refused_and_told_why
    what_must_not_change_is_kept
    what_was_left_out_is_filled_in_and_the_unknown_dropped
    the_columns_people_ask_for_are_shown
}

fn instance(name: &str, spec: &Value) -> Value {
    let mut whole = json!({"customerRef": "ada", "plan": "basic", "subdomain": "ada"});
    for (field, value) in spec.as_object().unwrap() {
        whole[field] = value.clone();
    }
    json!({"apiVersion": "clawdet.com/v1alpha1", "kind": "Instance", "metadata": {"name": name},
        "spec": whole})
}

fn customer(standing: &str) -> Value {
    json!({"apiVersion": "clawdet.com/v1alpha1", "kind": "Customer", "metadata": {"name": "ada"},
        "spec": {"displayName": "Ada", "plan": "basic", "standing": standing}})
}

/// What the server says against the object; empty when it takes it.
fn refusal(kubectl: &Kubectl, object: &Value) -> String {
    let said = kubectl.with_input(&["apply", "-f", "-"], &object.to_string());
    if said.ok { String::new() } else { said.err }
}

fn they_are_accepted_with_what_their_rules_cost(kubectl: &Kubectl) {
    let kinds = kubectl.ok(&["api-resources", "--api-group=clawdet.com", "-o", "name"]);
    let mut kinds: Vec<&str> = kinds.lines().collect();
    kinds.sort_unstable();
    let expected = ["customers", "instances", "paymentevents", "plans"];
    assert_eq!(kinds, expected.map(|kind| format!("{kind}.clawdet.com")));
    let structural =
        "jsonpath={.items[*].status.conditions[?(@.type=='NonStructuralSchema')].message}";
    assert_eq!(kubectl.ok(&["get", "crd", "-o", structural]), "");
    for short in ["cust", "inst", "pay", "clawdet"] {
        let said = kubectl.run(&["get", short]);
        assert!(
            said.err.contains("No resources found"),
            "{short}: {}",
            said.err
        );
    }
}

fn what_the_rules_refuse_is_refused_and_told_why(kubectl: &Kubectl) {
    let check = |spec: Value, expected: &str| {
        let said = refusal(kubectl, &instance("refused", &spec));
        assert!(said.contains(expected), "{spec}: {said}");
    };
    check(
        json!({"subdomain": "-ada"}),
        "must start and end with a letter or digit",
    );
    check(
        json!({"subdomain": "Ada"}),
        "may hold only a-z, 0-9 and '-'",
    );
    check(
        json!({"subdomain": "ab"}),
        "should be at least 3 chars long",
    );
    check(
        json!({"subdomain": "a".repeat(33)}),
        "may not be more than 32",
    );
    check(
        json!({"subdomain": "www"}),
        "this name is reserved; choose another",
    );
    check(json!({"subdomain": null}), "spec.subdomain: Required value");
    check(
        json!({"power": "Sleeping"}),
        "Unsupported value: \"Sleeping\"",
    );
    check(
        json!({"release": {"channel": "Stable", "version": "2026.9.6"}}),
        "give a channel or a version, not both",
    );
    check(
        json!({"placement": [{"serverType": "cx 23", "location": "nbg1"}]}),
        "spec.placement[0].serverType",
    );
    check(
        json!({"channels": [{"kind": "Telegram"}, {"kind": "Telegram"}]}),
        "Duplicate value",
    );
    assert_eq!(
        kubectl.ok(&["get", "inst", "-o", "name"]),
        "",
        "none came to be"
    );
}

fn what_must_not_change_is_kept(kubectl: &Kubectl) {
    assert_eq!(refusal(kubectl, &instance("ada", &json!({}))), "");
    let said = refusal(kubectl, &instance("ada", &json!({"subdomain": "grace"})));
    assert!(said.contains("a subdomain cannot be changed"), "{said}");
    let said = refusal(kubectl, &instance("ada", &json!({"customerRef": "grace"})));
    assert!(
        said.contains("cannot be given to another customer"),
        "{said}"
    );
    assert_eq!(
        refusal(kubectl, &instance("ada", &json!({"power": "Stopped"}))),
        ""
    );
    for standing in ["Active", "Suspended", "Active", "Closed"] {
        assert_eq!(refusal(kubectl, &customer(standing)), "", "{standing}");
    }
    let said = refusal(kubectl, &customer("Active"));
    assert!(said.contains("a closed account stays closed"), "{said}");
}

fn what_was_left_out_is_filled_in_and_the_unknown_dropped(kubectl: &Kubectl) {
    let given = json!({"channels": [{"kind": "Telegram"}], "backups": {}, "colour": "red"});
    let words = ["create", "--validate=ignore", "-o", "json", "-f", "-"];
    let stored = kubectl.ok_with_input(&words, &instance("ada", &given).to_string());
    let stored: Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(
        stored["spec"],
        json!({"customerRef": "ada", "plan": "basic", "subdomain": "ada", "power": "Running",
            "deletionPolicy": "Delete", "channels": [{"kind": "Telegram", "enabled": true}],
            "backups": {"enabled": true, "keep": 7}})
    );
    let strict = kubectl.with_input(
        &["create", "-f", "-"],
        &instance("strict", &given).to_string(),
    );
    assert!(
        strict.err.contains("unknown field \"spec.colour\""),
        "{}",
        strict.err
    );
}

fn the_columns_people_ask_for_are_shown(kubectl: &Kubectl) {
    assert_eq!(refusal(kubectl, &instance("ada", &json!({}))), "");
    assert_eq!(refusal(kubectl, &customer("Active")), "");
    let status = json!({"status": {"url": "https://ada.example", "progress": "5/5 Ready",
        "server": {"project": "main", "id": 42, "name": "dev-1", "serverType": "cx23",
            "location": "nbg1", "ipv4": "127.64.0.1"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "Converged", "message": "m",
            "lastTransitionTime": "2026-01-01T00:00:00Z"}]}});
    let patch = status.to_string();
    kubectl.ok(&[
        "patch",
        "inst",
        "ada",
        "--subresource=status",
        "--type=merge",
        "-p",
        &patch,
    ]);
    let table = kubectl.ok(&["get", "inst", "-o", "wide"]);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|row| row.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows[0],
        [
            "NAME", "READY", "REASON", "URL", "POWER", "CUSTOMER", "PLAN", "SERVER", "ADDRESS",
            "LOCATION", "PROGRESS", "AGE"
        ]
    );
    assert_eq!(
        rows[1][..10],
        [
            "ada",
            "True",
            "Converged",
            "https://ada.example",
            "Running",
            "ada",
            "basic",
            "42",
            "127.64.0.1",
            "nbg1"
        ]
    );
    let narrow = kubectl.ok(&["get", "inst"]);
    assert!(
        !narrow.contains("ADDRESS") && narrow.contains("POWER"),
        "{narrow}"
    );
    let customers = kubectl.ok(&["get", "cust"]);
    assert!(
        customers.contains("STANDING") && customers.contains("Active"),
        "{customers}"
    );
}
