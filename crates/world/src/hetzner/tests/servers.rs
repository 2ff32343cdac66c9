//! Servers from their making to their end.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_server_comes_up_answers_and_goes_away() {
    let client = Client::new(Options::default());
    let made = client.post("/servers", new_server("one")).await;
    let id = made["server"]["id"].as_u64().unwrap();
    assert_eq!(made["server"]["status"], "initializing");
    assert_eq!(made["action"]["status"], "running");
    assert_eq!(made["next_actions"][0]["command"], "start_server");
    assert!(made["root_password"].is_string());
    assert!(made["server"].get("datacenter").is_none());

    pass(4).await;
    let action = &client
        .get(&format!("/actions/{}", made["action"]["id"]))
        .await["action"];
    assert_eq!(
        (action["status"].as_str(), action["progress"].as_i64()),
        (Some("running"), Some(50))
    );
    pass(4).await;
    let action = &client
        .get(&format!("/actions/{}", made["action"]["id"]))
        .await["action"];
    assert_eq!(
        (action["status"].as_str(), action["progress"].as_i64()),
        (Some("success"), Some(100))
    );
    assert!(action["finished"].is_string());
    assert_eq!(client.status(id).await, "running");

    let (status, gone) = client.ask("DELETE", &format!("/servers/{id}"), None).await;
    assert_eq!(
        (status, gone["action"]["command"].as_str()),
        (StatusCode::OK, Some("delete_server"))
    );
    assert_eq!(client.status(id).await, "deleting");
    assert_eq!(
        client
            .refused("DELETE", &format!("/servers/{id}"), None)
            .await,
        "locked"
    );
    pass(3).await;
    assert_eq!(
        client.refused("GET", &format!("/servers/{id}"), None).await,
        "not_found"
    );
    assert_eq!(
        client.get("/servers").await["meta"]["pagination"]["total_entries"],
        0
    );
    assert_eq!(
        client.get("/primary_ips").await["meta"]["pagination"]["total_entries"],
        0
    );
    assert_eq!(client.world.snapshot().living_servers().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_guest_answers_once_it_has_booted_and_not_after_its_power_is_cut() {
    let client = Client::new(Options::default());
    let id = client.server("one").await;
    let address =
        client.get(&format!("/servers/{id}")).await["server"]["public_net"]["ipv4"]["ip"].clone();
    let guests = client.world.guests();
    let knock = async || {
        let request = Request::get("/startupz").header("host", address.as_str().unwrap());
        let answer = guests
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        axum::body::to_bytes(answer.into_body(), 1024)
            .await
            .ok()
            .map(|body| serde_json::from_slice::<Value>(&body).unwrap())
    };
    pass(27).await;
    assert_eq!(
        knock().await,
        None,
        "the server runs, its gateway does not yet"
    );
    pass(1).await;
    assert_eq!(knock().await.unwrap()["status"], "started");
    assert!(client.world.power_off_by_hand(id).await);
    assert_eq!(knock().await, None);
    client
        .post(&format!("/servers/{id}/actions/poweron"), json!({}))
        .await;
    pass(22).await;
    assert_eq!(knock().await.unwrap()["ok"], true);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_free_again_only_when_its_server_is_gone() {
    let client = Client::new(Options::default());
    let id = client.server("one").await;
    assert_eq!(
        client
            .refused("POST", "/servers", Some(new_server("one")))
            .await,
        "uniqueness_error"
    );
    client.ask("DELETE", &format!("/servers/{id}"), None).await;
    assert_eq!(
        client
            .refused("POST", "/servers", Some(new_server("one")))
            .await,
        "uniqueness_error"
    );
    pass(3).await;
    assert_ne!(client.server("one").await, id);
}

#[tokio::test(start_paused = true)]
async fn a_project_holds_no_more_servers_than_its_limit_and_sees_only_its_own() {
    let mut options = at_once();
    options.projects[0].server_limit = 2;
    options.projects.push(Project {
        name: "second".to_owned(),
        token: "t".repeat(64),
        server_limit: 1,
    });
    let client = Client::new(options);
    client.server("one").await;
    client.server("two").await;
    let (status, refused) = client
        .ask("POST", "/servers", Some(new_server("three")))
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(refused["error"]["code"], "resource_limit_exceeded");
    assert_eq!(
        refused["error"]["details"]["limits"][0]["name"],
        "server_limit"
    );
    let second = Client {
        judge: client.judge.clone(),
        token: "t".repeat(64),
        router: client.router.clone(),
        world: client.world.clone(),
    };
    let other = second.server("one").await;
    assert_eq!(
        second.get("/servers").await["servers"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        client
            .refused("GET", &format!("/servers/{other}"), None)
            .await,
        "not_found"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_new_server_is_named_and_nothing_is_made() {
    let client = Client::new(at_once());
    for (field, value, code) in [
        ("name", json!("not a host"), "invalid_input"),
        ("server_type", json!("cx99"), "invalid_input"),
        ("server_type", json!("cx22"), "invalid_input"),
        ("image", json!("windows"), "invalid_input"),
        ("location", json!("moon"), "invalid_input"),
        ("location", json!("ash"), "invalid_input"),
        ("labels", json!({ "a b": "c" }), "invalid_input"),
        (
            "user_data",
            json!("x".repeat(32 * 1024 + 1)),
            "invalid_input",
        ),
        ("ssh_keys", json!(["nobody's"]), "invalid_input"),
        ("firewalls", json!([{ "firewall": 1 }]), "invalid_input"),
        (
            "public_net",
            json!({ "enable_ipv4": false, "enable_ipv6": false }),
            "invalid_input",
        ),
    ] {
        let mut wanted = new_server("one");
        wanted[field] = value;
        assert_eq!(
            client.refused("POST", "/servers", Some(wanted)).await,
            code,
            "{field}"
        );
    }
    let snapshot = client.world.snapshot();
    assert!(snapshot.servers.is_empty() && snapshot.primary_ips.is_empty());
    assert!(client.world.history().is_empty());
}

#[tokio::test(start_paused = true)]
async fn power_goes_off_and_on_and_a_locked_server_refuses() {
    let client = Client::new(Options::default());
    let id = client.server("one").await;
    let path = |action: &str| format!("/servers/{id}/actions/{action}");
    assert_eq!(
        client.refused("POST", &path("poweroff"), None).await,
        "locked"
    );
    pass(8).await;
    client.post(&path("poweroff"), json!({})).await;
    assert_eq!(client.status(id).await, "stopping");
    pass(2).await;
    assert_eq!(client.status(id).await, "off");
    client.post(&path("poweron"), json!({})).await;
    assert_eq!(client.status(id).await, "starting");
    pass(2).await;
    client.post(&path("shutdown"), json!({})).await;
    pass(1).await;
    assert_eq!(
        client.status(id).await,
        "running",
        "the action has ended, the server is not off yet"
    );
    pass(9).await;
    assert_eq!(client.status(id).await, "off");
}

#[tokio::test(start_paused = true)]
async fn a_type_changes_only_when_off_and_a_disk_never_shrinks() {
    let client = Client::new(at_once());
    let id = client.server("one").await;
    let change = format!("/servers/{id}/actions/change_type");
    let bigger = |upgrade: bool| json!({ "server_type": "cx33", "upgrade_disk": upgrade });
    assert_eq!(
        client.refused("POST", &change, Some(bigger(true))).await,
        "server_not_stopped"
    );
    client
        .post(&format!("/servers/{id}/actions/poweroff"), json!({}))
        .await;
    client.post(&change, bigger(true)).await;
    let server = client.get(&format!("/servers/{id}")).await["server"].clone();
    assert_eq!(
        (
            server["server_type"]["name"].as_str(),
            server["primary_disk_size"].as_i64()
        ),
        (Some("cx33"), Some(80))
    );
    assert_eq!(server["status"], "running");
    client
        .post(&format!("/servers/{id}/actions/poweroff"), json!({}))
        .await;
    let smaller = json!({ "server_type": "cx23", "upgrade_disk": false });
    assert_eq!(
        client.refused("POST", &change, Some(smaller)).await,
        "invalid_server_type"
    );
}

#[tokio::test(start_paused = true)]
async fn labels_are_replaced_whole_and_a_protected_server_stays() {
    let client = Client::new(at_once());
    let id = client.server("one").await;
    let path = format!("/servers/{id}");
    let (_, changed) = client
        .ask(
            "PUT",
            &path,
            Some(json!({ "labels": { "b": "2" }, "name": "two" })),
        )
        .await;
    assert_eq!(changed["server"]["labels"], json!({ "b": "2" }));
    assert_eq!(changed["server"]["name"], "two");
    client
        .post(
            &format!("{path}/actions/change_protection"),
            json!({ "delete": true, "rebuild": true }),
        )
        .await;
    assert_eq!(client.refused("DELETE", &path, None).await, "protected");
    client
        .post(
            &format!("{path}/actions/change_protection"),
            json!({ "delete": false, "rebuild": false }),
        )
        .await;
    assert_eq!(client.ask("DELETE", &path, None).await.0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn history_tells_who_lived_when_by_owner_label() {
    let client = Client::new(Options::default());
    let id = client.server("one").await;
    client.ask("DELETE", &format!("/servers/{id}"), None).await;
    let (history, now) = (client.world.history(), client.world.snapshot().now);
    let alive = |at| crate::alive(&history, crate::Kind::Server, "owner", at);
    assert_eq!(
        alive(now)["one"].len(),
        1,
        "a server that is being deleted still lives"
    );
    let later = now + jiff::SignedDuration::from_secs(3);
    assert!(alive(later).is_empty());
    let first = &history[0];
    assert_eq!(
        (first.caller.as_str(), first.endpoint.as_str()),
        ("main", "POST /v1/servers")
    );
    assert_eq!(first.outcome, crate::Outcome::Answered(201));
    assert_eq!(
        client.world.history_since(history.last().unwrap().sequence),
        []
    );
}
