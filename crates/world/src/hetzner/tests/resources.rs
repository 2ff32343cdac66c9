//! Addresses, firewalls, keys and images.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_address_of_ones_own_outlives_the_server_and_must_be_unassigned_first() {
    let client = Client::new(at_once());
    let wanted =
        json!({ "name": "mine", "type": "ipv4", "location": "fsn1", "labels": { "a": "1" } });
    let made = client.post("/primary_ips", wanted.clone()).await["primary_ip"].clone();
    assert_eq!(
        (made["assignee_type"].as_str(), made["assignee_id"].as_u64()),
        (Some("unassigned"), None)
    );
    assert_eq!(
        client.refused("POST", "/primary_ips", Some(wanted)).await,
        "uniqueness_error"
    );
    let mut server = new_server("one");
    server["public_net"] = json!({ "ipv4": made["id"], "enable_ipv6": false });
    let server = client.post("/servers", server).await["server"].clone();
    assert_eq!(server["public_net"]["ipv4"]["ip"], made["ip"]);
    assert_eq!(server["public_net"]["ipv6"], Value::Null);
    let path = format!("/primary_ips/{}", made["id"]);
    assert_eq!(
        client.refused("DELETE", &path, None).await,
        "must_be_unassigned"
    );
    client
        .ask("DELETE", &format!("/servers/{}", server["id"]), None)
        .await;
    let left = client.get("/primary_ips").await["primary_ips"].clone();
    assert_eq!(
        (
            left.as_array().unwrap().len(),
            left[0]["assignee_type"].as_str()
        ),
        (1, Some("unassigned"))
    );
    assert_eq!(
        client.ask("DELETE", &path, None).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(client.refused("GET", &path, None).await, "not_found");
}

#[tokio::test(start_paused = true)]
async fn an_address_is_moved_only_between_servers_that_are_off() {
    let client = Client::new(at_once());
    let made = client
        .post(
            "/primary_ips",
            json!({ "name": "mine", "type": "ipv4", "location": "fsn1" }),
        )
        .await;
    let path = format!("/primary_ips/{}/actions", made["primary_ip"]["id"]);
    let mut server = new_server("one");
    server["public_net"] = json!({ "enable_ipv4": false });
    let id = client.post("/servers", server).await["server"]["id"].clone();
    let assign = json!({ "assignee_id": id, "assignee_type": "server" });
    assert_eq!(
        client
            .refused("POST", &format!("{path}/assign"), Some(assign.clone()))
            .await,
        "server_not_stopped"
    );
    client
        .post(&format!("/servers/{id}/actions/poweroff"), json!({}))
        .await;
    client.post(&format!("{path}/assign"), assign.clone()).await;
    assert_eq!(
        client
            .refused("POST", &format!("{path}/assign"), Some(assign))
            .await,
        "primary_ip_already_assigned"
    );
    let pointer = json!({ "ip": made["primary_ip"]["ip"], "dns_ptr": "a.assistants.example" });
    client
        .post(&format!("/servers/{id}/actions/change_dns_ptr"), pointer)
        .await;
    let shown = client.get(&format!("/servers/{id}")).await["server"]["public_net"]["ipv4"].clone();
    assert_eq!(shown["dns_ptr"], "a.assistants.example");
    client.post(&format!("{path}/unassign"), json!({})).await;
    assert_eq!(
        client.get(&format!("/servers/{id}")).await["server"]["public_net"]["ipv4"],
        Value::Null
    );
}

#[tokio::test(start_paused = true)]
async fn no_two_addresses_are_the_same() {
    let client = Client::new(at_once());
    for n in 0..600 {
        client.server(&format!("s{n}")).await;
    }
    let addresses: std::collections::BTreeSet<String> = client
        .world
        .snapshot()
        .primary_ips
        .into_iter()
        .map(|ip| ip.ip)
        .collect();
    assert_eq!(addresses.len(), 1_200);
    let in_range =
        |ip: &std::net::Ipv4Addr| ip.octets()[0] == 127 && (64..128).contains(&ip.octets()[1]);
    let ipv4: Vec<std::net::Ipv4Addr> = addresses.iter().filter_map(|ip| ip.parse().ok()).collect();
    assert_eq!(ipv4.len(), 600);
    assert!(
        ipv4.iter()
            .all(|ip| in_range(ip) && ip.octets()[3] != 0 && ip.octets()[3] != 255)
    );
}

#[tokio::test(start_paused = true)]
async fn a_firewall_cannot_go_while_a_server_has_it() {
    let client = Client::new(at_once());
    let rules = json!([{ "direction": "in", "protocol": "tcp", "port": "443", "source_ips": ["0.0.0.0/0", "::/0"] }]);
    let made = client
        .post("/firewalls", json!({ "name": "web", "rules": rules }))
        .await["firewall"]
        .clone();
    let path = format!("/firewalls/{}", made["id"]);
    let mut server = new_server("one");
    server["firewalls"] = json!([{ "firewall": made["id"] }]);
    let server = client.post("/servers", server).await["server"].clone();
    assert_eq!(
        server["public_net"]["firewalls"],
        json!([{ "id": made["id"], "status": "applied" }])
    );
    assert_eq!(
        client.get(&path).await["firewall"]["applied_to"][0]["server"]["id"],
        server["id"]
    );
    assert_eq!(
        client.refused("DELETE", &path, None).await,
        "resource_in_use"
    );
    let off = json!({ "remove_from": [{ "type": "server", "server": { "id": server["id"] } }] });
    client
        .post(&format!("{path}/actions/remove_from_resources"), off)
        .await;
    let by_label = json!({ "apply_to": [{ "type": "label_selector", "label_selector": { "selector": "owner=one" } }] });
    client
        .post(
            &format!("{path}/actions/apply_to_resources"),
            by_label.clone(),
        )
        .await;
    assert_eq!(
        client.get(&path).await["firewall"]["applied_to"][0]["applied_to_resources"][0]["server"]["id"],
        server["id"]
    );
    assert_eq!(
        client
            .refused(
                "POST",
                &format!("{path}/actions/apply_to_resources"),
                Some(by_label)
            )
            .await,
        "firewall_already_applied"
    );
    let wrong = json!({ "rules": [{ "direction": "in", "protocol": "icmp", "port": "1", "source_ips": ["::/0"] }] });
    assert_eq!(
        client
            .refused("POST", &format!("{path}/actions/set_rules"), Some(wrong))
            .await,
        "invalid_input"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_made_with_a_key_has_no_password() {
    let client = Client::new(at_once());
    let key =
        json!({ "name": "ops", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ0b3A= ops" });
    let made = client.post("/ssh_keys", key.clone()).await["ssh_key"].clone();
    assert_eq!(
        made["fingerprint"],
        "58:02:1b:f1:15:bb:cd:b3:59:e9:33:f5:6d:33:94:91"
    );
    assert_eq!(
        client.refused("POST", "/ssh_keys", Some(key)).await,
        "uniqueness_error"
    );
    assert_eq!(
        client
            .refused(
                "POST",
                "/ssh_keys",
                Some(json!({ "name": "x", "public_key": "hello" }))
            )
            .await,
        "invalid_input"
    );
    for by in [
        json!("ops"),
        made["id"].clone(),
        json!(made["id"].to_string()),
    ] {
        let mut server = new_server(&format!("s{}", by.to_string().len()));
        server["ssh_keys"] = json!([by]);
        assert_eq!(
            client.post("/servers", server).await["root_password"],
            Value::Null
        );
    }
    assert_eq!(
        client
            .ask("DELETE", &format!("/ssh_keys/{}", made["id"]), None)
            .await
            .0,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_survives_its_server_and_makes_another() {
    let client = Client::new(at_once());
    let id = client.server("one").await;
    let wanted = json!({ "type": "snapshot", "description": "last", "labels": { "owner": "one" } });
    let image = client
        .post(&format!("/servers/{id}/actions/create_image"), wanted)
        .await["image"]["id"]
        .clone();
    client.ask("DELETE", &format!("/servers/{id}"), None).await;
    let listed = client
        .get("/images?type=snapshot&label_selector=owner%3Done")
        .await["images"]
        .clone();
    assert_eq!(
        (&listed[0]["id"], listed[0]["status"].as_str()),
        (&image, Some("available"))
    );
    let mut again = new_server("two");
    again["image"] = image.clone();
    assert_eq!(
        client.post("/servers", again).await["server"]["image"]["id"],
        image
    );
    let backup = json!({ "type": "backup" });
    let two = client.get("/servers").await["servers"][0]["id"].clone();
    assert_eq!(
        client
            .refused(
                "POST",
                &format!("/servers/{two}/actions/create_image"),
                Some(backup.clone())
            )
            .await,
        "invalid_input"
    );
    client
        .post(&format!("/servers/{two}/actions/enable_backup"), json!({}))
        .await;
    for _ in 0..9 {
        client
            .post(
                &format!("/servers/{two}/actions/create_image"),
                backup.clone(),
            )
            .await;
    }
    assert_eq!(
        client.get("/images?type=backup").await["images"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
}
