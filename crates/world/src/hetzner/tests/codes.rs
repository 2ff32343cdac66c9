//! Every error code that this API gives, each with a request that leads to it and its HTTP status.

use std::collections::BTreeSet;

use super::*;

/// What must be there before anything is refused: ids by name.
struct Scene {
    client: Client,
    server: u64,
    off: u64,
    key: Value,
    firewall: Value,
    by_label: Value,
    volume: Value,
    small: Value,
    address: Value,
    six: Value,
    elsewhere: Value,
}

async fn scene() -> Scene {
    let client = Client::new(at_once());
    let id = async |path: &str, kind: &str, body: Value| {
        client.post(path, body).await[kind]["id"].clone()
    };
    let key =
        json!({ "name": "ops", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ0b3A= ops" });
    let key = id("/ssh_keys", "ssh_key", key).await;
    let server = client.server("one").await;
    let off = client.server("off").await;
    client
        .post(&format!("/servers/{off}/actions/poweroff"), json!({}))
        .await;
    let on = json!([{ "type": "server", "server": { "id": server } }]);
    let firewall = id(
        "/firewalls",
        "firewall",
        json!({ "name": "web", "apply_to": on }),
    )
    .await;
    let label =
        json!([{ "type": "label_selector", "label_selector": { "selector": "owner=one" } }]);
    let by_label = id(
        "/firewalls",
        "firewall",
        json!({ "name": "all", "apply_to": label }),
    )
    .await;
    let volume = json!({ "name": "data", "size": 10, "server": server });
    let volume = id("/volumes", "volume", volume).await;
    let small = json!({ "name": "free", "size": 10, "location": "fsn1" });
    let small = id("/volumes", "volume", small).await;
    let ip = |name: &str, family: &str, at: &str| json!({ "name": name, "type": family, "location": at });
    let address = id("/primary_ips", "primary_ip", ip("a", "ipv4", "fsn1")).await;
    let six = id("/primary_ips", "primary_ip", ip("b", "ipv6", "fsn1")).await;
    let elsewhere = id("/primary_ips", "primary_ip", ip("c", "ipv4", "hel1")).await;
    client
        .post(
            "/zones",
            json!({ "name": "example.com", "mode": "primary" }),
        )
        .await;
    client
        .post("/zones", json!({ "name": "example.org", "mode": "secondary", "primary_nameservers": [{ "address": "192.0.2.53" }] }))
        .await;
    Scene {
        client,
        server,
        off,
        key,
        firewall,
        by_label,
        volume,
        small,
        address,
        six,
        elsewhere,
    }
}

type Line = (&'static str, u16, &'static str, String, Value);

fn on_server(id: &impl std::fmt::Display) -> Value {
    json!([{ "type": "server", "server": { "id": id.to_string().parse::<u64>().unwrap() } }])
}

#[allow(clippy::too_many_lines, reason = "one table")]
fn lines(at: &Scene) -> Vec<Line> {
    let Scene { server, off, .. } = at;
    let post = |code, status, path: String, body| (code, status, "POST", path, body);
    let new = |field: &str, value: Value| {
        let mut body = new_server("fresh");
        body[field] = value;
        body
    };
    let give = |id: &Value| new("public_net", json!({ "ipv4": id }));
    let assign = |server: u64| json!({ "assignee_id": server, "assignee_type": "server" });
    let held = |family: &str| json!({ "name": "x", "type": family, "assignee_id": off, "assignee_type": "server" });
    let again = json!({ "name": "data", "size": 10, "location": "fsn1" });
    let twice = [
        on_server(off).as_array().unwrap().clone(),
        on_server(off).as_array().unwrap().clone(),
    ]
    .concat();
    let smaller = json!({ "server_type": "cax11", "upgrade_disk": false });
    vec![
        ("not_found", 404, "GET", "/servers/1".into(), Value::Null),
        (
            "deprecated_api_endpoint",
            410,
            "GET",
            "/actions".into(),
            Value::Null,
        ),
        post(
            "invalid_input",
            422,
            "/servers".into(),
            new("name", json!("a b")),
        ),
        post("uniqueness_error", 409, "/volumes".into(), again),
        post(
            "server_not_stopped",
            422,
            format!("/servers/{server}/actions/change_type"),
            json!({ "server_type": "cx33", "upgrade_disk": true }),
        ),
        post(
            "invalid_server_type",
            422,
            format!("/servers/{off}/actions/change_type"),
            smaller,
        ),
        post(
            "primary_ip_version_mismatch",
            422,
            "/servers".into(),
            give(&at.six),
        ),
        post(
            "primary_ip_datacenter_mismatch",
            422,
            "/servers".into(),
            give(&at.elsewhere),
        ),
        post("server_has_ipv4", 422, "/primary_ips".into(), held("ipv4")),
        post("server_has_ipv6", 422, "/primary_ips".into(), held("ipv6")),
        post(
            "server_not_stopped",
            422,
            format!("/primary_ips/{}/actions/assign", at.address),
            assign(*server),
        ),
        post(
            "server_already_added",
            422,
            format!("/firewalls/{}/actions/apply_to_resources", at.firewall),
            json!({ "apply_to": twice }),
        ),
        post(
            "firewall_already_applied",
            422,
            format!("/firewalls/{}/actions/apply_to_resources", at.firewall),
            json!({ "apply_to": on_server(server) }),
        ),
        post(
            "firewall_resource_not_found",
            404,
            format!("/firewalls/{}/actions/apply_to_resources", at.firewall),
            json!({ "apply_to": on_server(&1) }),
        ),
        post(
            "firewall_managed_by_label_selector",
            422,
            format!("/firewalls/{}/actions/remove_from_resources", at.by_label),
            json!({ "remove_from": on_server(server) }),
        ),
        (
            "resource_in_use",
            422,
            "DELETE",
            format!("/firewalls/{}", at.firewall),
            Value::Null,
        ),
        (
            "resource_in_use",
            422,
            "DELETE",
            format!("/volumes/{}", at.volume),
            Value::Null,
        ),
        post(
            "volume_already_attached",
            422,
            format!("/volumes/{}/actions/attach", at.volume),
            json!({ "server": off }),
        ),
        post(
            "incorrect_zone_mode",
            422,
            "/zones/example.com/actions/change_primary_nameservers".into(),
            json!({ "primary_nameservers": [{ "address": "192.0.2.53" }] }),
        ),
        post(
            "incorrect_zone_mode",
            422,
            "/zones/example.org/actions/change_ttl".into(),
            json!({ "ttl": 60 }),
        ),
        (
            "incorrect_zone_mode",
            422,
            "GET",
            "/zones/example.org/rrsets".into(),
            Value::Null,
        ),
        (
            "incorrect_zone_mode",
            422,
            "GET",
            "/zones/example.org/zonefile".into(),
            Value::Null,
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_rule_has_its_code_and_its_status() {
    let at = scene().await;
    for (code, status, method, path, body) in lines(&at) {
        let body = (!body.is_null()).then_some(body);
        let (answered, refused) = at.client.ask(method, &path, body).await;
        assert_eq!(
            (refused["error"]["code"].as_str(), answered.as_u16()),
            (Some(code), status),
            "{method} {path}: {refused}"
        );
    }
}

async fn refuse(client: &Client, method: &str, path: &str, body: Value) -> (u16, String) {
    let (status, body) = client.ask(method, path, Some(body)).await;
    (
        status.as_u16(),
        body["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

#[tokio::test(start_paused = true)]
async fn what_is_held_protected_or_assigned_says_so() {
    let at = scene().await;
    let client = &at.client;
    let protect = json!({ "delete": true });
    for (kind, id) in [("volumes", &at.small), ("primary_ips", &at.address)] {
        client
            .post(
                &format!("/{kind}/{id}/actions/change_protection"),
                protect.clone(),
            )
            .await;
        assert_eq!(
            refuse(client, "DELETE", &format!("/{kind}/{id}"), json!({})).await,
            (423, "protected".into())
        );
    }
    client
        .post("/zones/example.com/actions/change_protection", protect)
        .await;
    assert_eq!(
        refuse(client, "DELETE", "/zones/example.com", json!({})).await,
        (423, "protected".into())
    );
    let mut server = new_server("owner");
    server["public_net"] = json!({ "ipv4": at.address });
    server["ssh_keys"] = json!([at.key]);
    client.post("/servers", server.clone()).await;
    server["name"] = json!("other");
    assert_eq!(
        refuse(client, "POST", "/servers", server).await,
        (422, "primary_ip_assigned".into())
    );
    let path = format!("/primary_ips/{}", at.address);
    assert_eq!(
        refuse(client, "DELETE", &path, json!({})).await,
        (422, "must_be_unassigned".into())
    );
    let assign = json!({ "assignee_id": at.off, "assignee_type": "server" });
    assert_eq!(
        refuse(client, "POST", &format!("{path}/actions/assign"), assign).await,
        (422, "primary_ip_already_assigned".into())
    );
}

#[tokio::test(start_paused = true)]
async fn what_lies_with_hetzner_comes_by_a_fault() {
    let at = scene().await;
    let client = &at.client;
    let faults = client.world.faults();
    let plan = |kind| assert!(faults.plan(Fault::once(Api::Hetzner, kind, "")));
    plan(FaultKind::Locked);
    assert_eq!(
        refuse(
            client,
            "DELETE",
            &format!("/servers/{}", at.server),
            json!({})
        )
        .await,
        (423, "locked".into())
    );
    plan(FaultKind::NoCapacity);
    assert_eq!(
        refuse(client, "POST", "/servers", new_server("x")).await,
        (412, "resource_unavailable".into())
    );
    faults.exhaust("hel1", Some("volume"), true);
    let volume = json!({ "name": "x", "size": 10, "location": "hel1" });
    assert_eq!(
        refuse(client, "POST", "/volumes", volume).await,
        (422, "no_space_left_in_location".into())
    );
    plan(FaultKind::Throttled);
    assert_eq!(
        refuse(client, "GET", "/servers", json!({})).await,
        (429, "rate_limit_exceeded".into())
    );
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        plan(FaultKind::Refused);
        seen.insert(refuse(client, "POST", "/servers", new_server("y")).await);
    }
    let expected = [
        (403, "forbidden"),
        (409, "conflict"),
        (422, "unsupported_error"),
        (423, "resource_locked"),
        (500, "unknown_error"),
        (502, "bad_gateway"),
        (403, "maintenance"),
        (422, "service_error"),
        (504, "timeout"),
    ];
    let expected = expected.map(|(status, code)| (status, code.to_owned()));
    assert_eq!(seen, BTreeSet::from(expected));
    assert_eq!(
        client.world.snapshot().living_servers().count(),
        2,
        "nothing happened"
    );
}

#[tokio::test(start_paused = true)]
async fn who_may_not_and_what_cannot_be_read_is_refused_first() {
    let mut client = Client::new(at_once());
    let torn =
        Request::post("/v1/servers").header("authorization", format!("Bearer {}", client.token));
    let torn = client.deliver(torn.body(Body::from("{")).unwrap()).await;
    assert_eq!(torn.status(), StatusCode::BAD_REQUEST);
    client.token = client.world.options().projects[0].read_only_token();
    client.get("/servers").await;
    assert_eq!(
        refuse(&client, "POST", "/servers", new_server("x")).await,
        (401, "token_readonly".into())
    );
    client.token = "x".repeat(64);
    assert_eq!(
        refuse(&client, "GET", "/servers", json!({})).await,
        (401, "unauthorized".into())
    );
    let mut options = at_once();
    options.projects[0].server_limit = 0;
    let client = Client::new(options);
    assert_eq!(
        refuse(&client, "POST", "/servers", new_server("x")).await,
        (403, "resource_limit_exceeded".into())
    );
    client
        .world
        .faults()
        .plan(Fault::once(Api::Hetzner, FaultKind::ErrorBeforeCommit, ""));
    let (status, _) = client.ask("GET", "/servers", None).await;
    assert!(status.is_server_error());
}
