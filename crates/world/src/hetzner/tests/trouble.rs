//! What goes wrong, and what is then true.

use super::*;

fn plan(client: &Client, kind: FaultKind, endpoint: &str) {
    assert!(
        client
            .world
            .faults()
            .plan(Fault::once(Api::Hetzner, kind, endpoint))
    );
}

async fn breaks(client: &Client, method: &str, path: &str, body: Option<Value>) -> bool {
    let response = client.send(method, path, body).await;
    let marked = response.extensions().get::<crate::Lost>().is_some();
    marked
        && axum::body::to_bytes(response.into_body(), 1024)
            .await
            .is_err()
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leaves_a_server_only_when_it_was_lost_after_the_commit() {
    let client = Client::new(at_once());
    plan(&client, FaultKind::LostBeforeCommit, "POST /v1/servers");
    assert!(breaks(&client, "POST", "/servers", Some(new_server("one"))).await);
    assert!(client.world.snapshot().servers.is_empty());
    plan(&client, FaultKind::LostAfterCommit, "POST /v1/servers");
    assert!(breaks(&client, "POST", "/servers", Some(new_server("one"))).await);
    assert_eq!(client.world.snapshot().living_servers().count(), 1);
    assert_eq!(client.world.history()[0].outcome, crate::Outcome::Lost);
    assert_eq!(
        client
            .refused("POST", "/servers", Some(new_server("one")))
            .await,
        "uniqueness_error"
    );
}

#[tokio::test(start_paused = true)]
async fn errors_and_throttling_are_injected_before_and_after_the_commit() {
    let client = Client::new(at_once());
    plan(&client, FaultKind::Throttled, "POST");
    assert_eq!(
        client
            .refused("POST", "/servers", Some(new_server("one")))
            .await,
        "rate_limit_exceeded"
    );
    plan(&client, FaultKind::ErrorBeforeCommit, "POST");
    assert!(
        client
            .ask("POST", "/servers", Some(new_server("one")))
            .await
            .0
            .is_server_error()
    );
    assert!(client.world.snapshot().servers.is_empty());
    plan(&client, FaultKind::ErrorAfterCommit, "POST");
    assert!(
        client
            .ask("POST", "/servers", Some(new_server("one")))
            .await
            .0
            .is_server_error()
    );
    assert_eq!(client.world.snapshot().living_servers().count(), 1);
    client.world.faults().down(Api::Hetzner, true);
    assert_eq!(
        client.ask("GET", "/servers", None).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    client.world.faults().down(Api::Hetzner, false);
    client.get("/servers").await;
}

#[tokio::test(start_paused = true)]
async fn a_stalled_answer_comes_after_two_minutes_and_it_happened() {
    let client = Client::new(at_once());
    plan(&client, FaultKind::StalledAfterCommit, "POST");
    let patience = tokio::time::timeout(
        Duration::from_mins(1),
        client.send("POST", "/servers", Some(new_server("one"))),
    );
    assert!(patience.await.is_err());
    assert_eq!(client.world.snapshot().living_servers().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_garbled_answer_has_a_good_status_over_half_a_body_and_it_happened() {
    let client = Client::new(at_once());
    plan(&client, FaultKind::GarbledAfterCommit, "POST /v1/servers");
    let (status, body) = client
        .ask("POST", "/servers", Some(new_server("one")))
        .await;
    assert_eq!((status, body), (StatusCode::CREATED, Value::Null));
    assert_eq!(client.world.snapshot().living_servers().count(), 1);
    assert_eq!(client.world.history()[0].outcome, crate::Outcome::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_location_without_room_refuses_and_others_do_not() {
    let client = Client::new(at_once());
    client.world.faults().exhaust("fsn1", None, true);
    assert_eq!(
        client
            .refused("POST", "/servers", Some(new_server("one")))
            .await,
        "resource_unavailable"
    );
    let mut elsewhere = new_server("one");
    elsewhere["location"] = json!("nbg1");
    client.post("/servers", elsewhere).await;
    client.world.faults().clear();
    client.server("two").await;
    plan(&client, FaultKind::NoCapacity, "POST /v1/servers");
    assert_eq!(
        client
            .refused("POST", "/servers", Some(new_server("three")))
            .await,
        "resource_unavailable"
    );
}

#[tokio::test(start_paused = true)]
async fn lists_may_linger_hide_and_fall_short() {
    let client = Client::new(at_once());
    let id = client.server("one").await;
    let total = async || {
        client.get("/servers").await["meta"]["pagination"]["total_entries"]
            .as_u64()
            .unwrap()
    };
    plan(&client, FaultKind::HiddenNew, "GET /v1/servers");
    assert_eq!(total().await, 0, "hidden while it is new");
    plan(&client, FaultKind::HiddenNew, "GET /v1/servers");
    assert_eq!(
        client.get("/servers?name=one").await["servers"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "never from its name"
    );
    client.world.faults().clear();
    plan(&client, FaultKind::ShortList, "GET /v1/servers");
    let short = client.get("/servers").await;
    assert_eq!(
        (
            short["servers"].as_array().unwrap().len(),
            short["meta"]["pagination"]["total_entries"].as_u64()
        ),
        (0, Some(1))
    );
    client.ask("DELETE", &format!("/servers/{id}"), None).await;
    client
        .world
        .faults()
        .chance(Api::Hetzner, FaultKind::LingeringList, 1.0);
    assert_eq!(total().await, 1, "lingers after it has gone");
    client
        .world
        .faults()
        .chance(Api::Hetzner, FaultKind::HiddenNew, 1.0);
    pass(10).await;
    assert_eq!(total().await, 0, "and never longer than ten seconds");
    client.world.faults().clear();
    client.server("two").await;
    client
        .world
        .faults()
        .chance(Api::Hetzner, FaultKind::HiddenNew, 1.0);
    pass(10).await;
    assert_eq!(total().await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_action_may_fail_after_the_server_exists_or_never_end() {
    let client = Client::new(Options::default());
    plan(&client, FaultKind::ActionFails, "POST /v1/servers");
    let made = client.post("/servers", new_server("one")).await;
    pass(8).await;
    let action = client
        .get(&format!("/actions/{}", made["action"]["id"]))
        .await["action"]
        .clone();
    assert_eq!(
        (action["status"].as_str(), action["error"]["code"].as_str()),
        (Some("error"), Some("action_failed"))
    );
    assert_eq!(
        client.status(made["server"]["id"].as_u64().unwrap()).await,
        "off"
    );

    plan(&client, FaultKind::ActionNeverEnds, "POST /v1/servers");
    let made = client.post("/servers", new_server("two")).await;
    pass(86_400).await;
    let action = client
        .get(&format!("/actions/{}", made["action"]["id"]))
        .await["action"]
        .clone();
    assert_eq!(action["status"], "running");
    let id = made["server"]["id"].as_u64().unwrap();
    assert_eq!(
        client
            .ask("DELETE", &format!("/servers/{id}"), None)
            .await
            .0,
        StatusCode::OK
    );
    pass(3).await;
    assert_eq!(
        client.refused("GET", &format!("/servers/{id}"), None).await,
        "not_found"
    );
}

#[tokio::test(start_paused = true)]
async fn locked_strikes_where_it_is_planned() {
    let client = Client::new(at_once());
    let id = client.server("one").await;
    plan(&client, FaultKind::Locked, "DELETE /v1/servers/{id}");
    let (status, refused) = client.ask("DELETE", &format!("/servers/{id}"), None).await;
    assert_eq!(
        (status, refused["error"]["code"].as_str()),
        (StatusCode::LOCKED, Some("locked"))
    );
    assert_eq!(
        client
            .ask("DELETE", &format!("/servers/{id}"), None)
            .await
            .0,
        StatusCode::OK
    );
}

/// Twenty creates under random trouble: what each answered, and the history of it all.
async fn fates(seed: u64) -> (Vec<u16>, Vec<crate::Entry>) {
    let client = Client::new(Options { seed, ..at_once() });
    for kind in [
        FaultKind::LostAfterCommit,
        FaultKind::ErrorBeforeCommit,
        FaultKind::NoCapacity,
    ] {
        client.world.faults().chance(Api::Hetzner, kind, 0.3);
    }
    let mut answered = Vec::new();
    for n in 0..20 {
        let response = client
            .send("POST", "/servers", Some(new_server(&format!("s{n}"))))
            .await;
        answered.push(response.status().as_u16());
    }
    (answered, client.world.history())
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_is_the_same_trouble_and_the_same_history() {
    let first = fates(7).await;
    assert_eq!(first, fates(7).await);
    assert_ne!(first.0, fates(8).await.0);
    assert!(first.0.iter().any(|status| *status >= 500) && first.0.contains(&201));
}

#[tokio::test(start_paused = true)]
async fn a_persons_hand_knows_no_protection_and_is_named_in_history() {
    let client = Client::new(at_once());
    let id = client.server("one").await;
    let protect = json!({ "delete": true, "rebuild": true });
    client
        .post(&format!("/servers/{id}/actions/change_protection"), protect)
        .await;
    let world = &client.world;
    assert!(world.rename_server_by_hand(id, "two".to_owned()).await);
    assert!(
        world
            .relabel_server_by_hand(id, std::collections::BTreeMap::new())
            .await
    );
    let server = client.get(&format!("/servers/{id}")).await["server"].clone();
    assert_eq!(
        (server["name"].as_str(), &server["labels"]),
        (Some("two"), &json!({}))
    );
    assert!(world.power_off_by_hand(id).await);
    assert_eq!(client.status(id).await, "off");
    assert!(world.delete_server_by_hand(id).await);
    assert_eq!(
        client.refused("GET", &format!("/servers/{id}"), None).await,
        "not_found"
    );
    assert!(!world.delete_server_by_hand(id).await, "it is gone");
    assert!(world.snapshot().primary_ips.is_empty());
    let history = world.history();
    let last: Vec<&crate::Entry> = history
        .iter()
        .rev()
        .take_while(|entry| entry.caller == "console")
        .collect();
    assert_eq!(
        last.iter()
            .filter(|entry| entry.change == crate::Change::Removed)
            .count(),
        3,
        "server and addresses"
    );
}
