//! Every operation there is, once around: each is asked for, and what is asked and answered is as Hetzner describes it.

use super::*;

#[tokio::test(start_paused = true)]
async fn every_operation_of_the_description_is_served_as_it_says() {
    let client = Client::new(at_once());
    catalogue(&client).await;
    key(&client).await;
    let server = client.server("one").await;
    server_actions(&client, server).await;
    image(&client, server).await;
    firewall(&client, server).await;
    volume(&client, server).await;
    primary_ip(&client, server).await;
    zone(&client).await;
    record_set(&client).await;
    client
        .ask("DELETE", &format!("/servers/{server}"), None)
        .await;
    client.ask("DELETE", "/zones/example.com", None).await;
    actions(&client).await;
    assert_eq!(client.judge.unasked(), Vec::<&str>::new());
}

async fn catalogue(client: &Client) {
    for list in ["locations", "server_types", "isos", "images", "pricing"] {
        client.get(&format!("/{list}")).await;
    }
    client.get("/locations/1").await;
    client.get("/server_types/114").await;
    for (path, code) in [
        ("/isos/1", "not_found"),
        ("/datacenters", "deprecated_api_endpoint"),
        ("/datacenters/1", "deprecated_api_endpoint"),
    ] {
        assert_eq!(client.refused("GET", path, None).await, code);
    }
}

/// Lists, shows and relabels what is at `path` below `list`.
async fn look(client: &Client, list: &str, path: &str) {
    client.get(list).await;
    client.get(path).await;
    let labels = json!({ "labels": { "seen": "yes" } });
    let (status, _) = client.ask("PUT", path, Some(labels)).await;
    assert_eq!(status, StatusCode::OK, "{path}");
    let chosen = client
        .get(&format!("{list}?label_selector=seen%3Dyes"))
        .await;
    assert_eq!(chosen["meta"]["pagination"]["total_entries"], 1, "{list}");
}

async fn act(client: &Client, path: &str, actions: &[(&str, Value)]) {
    for (action, body) in actions {
        client
            .post(&format!("{path}/actions/{action}"), body.clone())
            .await;
    }
}

async fn gone(client: &Client, path: &str) {
    let (status, body) = client.ask("DELETE", path, None).await;
    assert!(status.is_success(), "{path}: {body}");
}

async fn key(client: &Client) {
    let key =
        json!({ "name": "ops", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ0b3A= ops" });
    let id = client.post("/ssh_keys", key).await["ssh_key"]["id"].clone();
    look(client, "/ssh_keys", &format!("/ssh_keys/{id}")).await;
    gone(client, &format!("/ssh_keys/{id}")).await;
}

async fn server_actions(client: &Client, server: u64) {
    let path = format!("/servers/{server}");
    look(client, "/servers", &path).await;
    let period = "start=2026-01-01T00:00:00Z&end=2026-01-01T01:00:00Z";
    client
        .get(&format!("{path}/metrics?type=cpu&{period}"))
        .await;
    let none = || json!({});
    let unprotected = json!({ "delete": false, "rebuild": false });
    let to_bigger = json!({ "server_type": "cx33", "upgrade_disk": false });
    let ip = client.get(&path).await["server"]["public_net"]["ipv4"]["ip"].clone();
    let pointer = json!({ "ip": ip, "dns_ptr": "one.example.com" });
    act(
        client,
        &path,
        &[
            ("enable_backup", none()),
            ("create_image", json!({ "type": "backup" })),
            ("disable_backup", none()),
            (
                "enable_rescue",
                json!({ "type": "linux64", "ssh_keys": [] }),
            ),
            ("disable_rescue", none()),
            ("reset_password", none()),
            ("request_console", none()),
            ("change_protection", unprotected),
            ("change_dns_ptr", pointer),
            ("reboot", none()),
            ("reset", none()),
            (
                "rebuild",
                json!({ "image": "debian-13", "user_data": "#cloud-config\n" }),
            ),
            ("shutdown", none()),
            ("poweroff", none()),
            ("change_type", to_bigger),
            ("poweron", none()),
        ],
    )
    .await;
}

async fn image(client: &Client, server: u64) {
    let wanted =
        json!({ "type": "snapshot", "description": "before the tour", "labels": { "a": "b" } });
    let made = client
        .post(&format!("/servers/{server}/actions/create_image"), wanted)
        .await;
    let path = format!("/images/{}", made["image"]["id"]);
    look(client, "/images", &path).await;
    act(
        client,
        &path,
        &[("change_protection", json!({ "delete": true }))],
    )
    .await;
    assert_eq!(client.refused("DELETE", &path, None).await, "protected");
    act(
        client,
        &path,
        &[("change_protection", json!({ "delete": false }))],
    )
    .await;
    gone(client, &path).await;
}

async fn firewall(client: &Client, server: u64) {
    let rule = json!({ "direction": "in", "protocol": "icmp", "source_ips": ["::/0"], "description": "ping" });
    let wanted = json!({ "name": "web", "rules": [rule], "labels": { "a": "b" } });
    let path = format!(
        "/firewalls/{}",
        client.post("/firewalls", wanted).await["firewall"]["id"]
    );
    let on = json!([{ "type": "server", "server": { "id": server } }]);
    look(client, "/firewalls", &path).await;
    act(
        client,
        &path,
        &[
            ("set_rules", json!({ "rules": [] })),
            ("apply_to_resources", json!({ "apply_to": on })),
            ("remove_from_resources", json!({ "remove_from": on })),
        ],
    )
    .await;
    gone(client, &path).await;
}

async fn volume(client: &Client, server: u64) {
    let wanted =
        json!({ "name": "data", "size": 10, "location": "fsn1", "format": "ext4", "labels": {} });
    let path = format!(
        "/volumes/{}",
        client.post("/volumes", wanted).await["volume"]["id"]
    );
    look(client, "/volumes", &path).await;
    act(
        client,
        &path,
        &[
            ("attach", json!({ "server": server, "automount": true })),
            ("resize", json!({ "size": 20 })),
            ("detach", json!({})),
            ("change_protection", json!({ "delete": false })),
        ],
    )
    .await;
    gone(client, &path).await;
}

async fn primary_ip(client: &Client, server: u64) {
    act(
        client,
        &format!("/servers/{server}"),
        &[("poweroff", json!({}))],
    )
    .await;
    let held =
        client.get(&format!("/servers/{server}")).await["server"]["public_net"]["ipv4"]["id"]
            .clone();
    act(
        client,
        &format!("/primary_ips/{held}"),
        &[("unassign", json!({}))],
    )
    .await;
    let wanted = json!({ "name": "mine", "type": "ipv4", "location": "fsn1", "auto_delete": true });
    let made = client.post("/primary_ips", wanted).await["primary_ip"].clone();
    let path = format!("/primary_ips/{}", made["id"]);
    look(client, "/primary_ips", &path).await;
    act(
        client,
        &path,
        &[
            (
                "change_dns_ptr",
                json!({ "ip": made["ip"], "dns_ptr": null }),
            ),
            ("change_protection", json!({ "delete": false })),
            (
                "assign",
                json!({ "assignee_id": server, "assignee_type": "server" }),
            ),
            ("unassign", json!({})),
        ],
    )
    .await;
    gone(client, &path).await;
}

async fn zone(client: &Client) {
    let wanted =
        json!({ "name": "example.com", "mode": "primary", "ttl": 300, "labels": { "a": "b" } });
    client.post("/zones", wanted).await;
    look(client, "/zones", "/zones/example.com").await;
    let file = "www 60 IN A 192.0.2.1\n";
    act(
        client,
        "/zones/example.com",
        &[
            ("change_ttl", json!({ "ttl": 600 })),
            ("change_protection", json!({ "delete": false })),
            ("import_zonefile", json!({ "zonefile": file })),
        ],
    )
    .await;
    let text = client.get("/zones/example.com/zonefile").await["zonefile"].clone();
    assert!(text.as_str().unwrap().contains(file), "{text}");
    let from = json!([{ "address": "192.0.2.53", "port": 53, "tsig_algorithm": "hmac-sha256", "tsig_key": "c2VjcmV0" }]);
    let wanted = json!({ "name": "example.org", "mode": "secondary", "primary_nameservers": from });
    client.post("/zones", wanted).await;
    let elsewhere = json!({ "primary_nameservers": [{ "address": "2001:db8::53" }] });
    act(
        client,
        "/zones/example.org",
        &[("change_primary_nameservers", elsewhere)],
    )
    .await;
}

async fn record_set(client: &Client) {
    let sets = "/zones/example.com/rrsets";
    let record = |value: &str| json!([{ "value": value, "comment": "tour" }]);
    let wanted = json!({ "name": "api", "type": "A", "ttl": 60, "records": record("192.0.2.1") });
    client.post(sets, wanted).await;
    let set = format!("{sets}/api/A");
    look(client, sets, &set).await;
    let (one, two) = (record("192.0.2.1"), record("192.0.2.2"));
    act(
        client,
        &set,
        &[
            ("add_records", json!({ "records": two, "ttl": null })),
            ("remove_records", json!({ "records": one })),
            ("set_records", json!({ "records": one })),
            ("change_ttl", json!({ "ttl": null })),
            ("change_protection", json!({ "change": false })),
        ],
    )
    .await;
    let comment = json!({ "records": [{ "value": "192.0.2.1", "comment": "new" }] });
    let (status, _) = client
        .ask(
            "POST",
            &format!("{set}/actions/update_records"),
            Some(comment),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "as the description says");
    assert_eq!(
        client.get(&set).await["rrset"]["records"][0]["comment"],
        "new"
    );
    gone(client, &set).await;
}

/// The actions of each kind, all four ways; what they are about may be gone by now.
async fn actions(client: &Client) {
    let org = client.get("/zones/example.org").await["zone"]["id"].clone();
    for kind in [
        "servers",
        "images",
        "firewalls",
        "volumes",
        "primary_ips",
        "zones",
    ] {
        let all = client.get(&format!("/{kind}/actions?sort=id:desc")).await;
        let action = all["actions"][0].clone();
        let (id, of) = (&action["id"], kind.strip_suffix('s').unwrap());
        let resources = action["resources"].as_array().unwrap();
        let about = resources.iter().find(|one| one["type"] == of).unwrap()["id"].clone();
        let about = if kind == "zones" { org.clone() } else { about };
        let own = client
            .get(&format!("/{kind}/{about}/actions?status=success"))
            .await;
        let one = own["actions"][0]["id"].clone();
        client.get(&format!("/{kind}/{about}/actions/{one}")).await;
        client.get(&format!("/{kind}/actions/{id}")).await;
        client.get(&format!("/actions/{id}")).await;
        client.get(&format!("/actions?id={id}")).await;
        let other = if kind == "servers" {
            "images"
        } else {
            "servers"
        };
        let (status, _) = client
            .ask("GET", &format!("/{other}/{about}/actions/{one}"), None)
            .await;
        assert_eq!(
            status,
            StatusCode::NOT_FOUND,
            "an action of another resource"
        );
    }
}
