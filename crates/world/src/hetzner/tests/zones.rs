//! DNS zones and record sets.

use super::*;

const ZONE: &str = "/zones/example.com";

async fn client() -> Client {
    let client = Client::new(at_once());
    client
        .post(
            "/zones",
            json!({ "name": "example.com", "mode": "primary" }),
        )
        .await;
    client
}

fn records(values: &[&str]) -> Value {
    values
        .iter()
        .map(|value| json!({ "value": value }))
        .collect()
}

/// All sets as `name TYPE value,value`.
async fn sets(client: &Client) -> Vec<String> {
    let answer = client.get(&format!("{ZONE}/rrsets?per_page=100")).await;
    let line = |set: &Value| {
        let values: Vec<&str> = set["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["value"].as_str().unwrap())
            .collect();
        format!(
            "{} {} {}",
            set["name"].as_str().unwrap(),
            set["type"].as_str().unwrap(),
            values.join(",")
        )
    };
    let all = answer["rrsets"].as_array().unwrap();
    all.iter()
        .map(line)
        .filter(|line| !line.starts_with('@'))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_zone_has_its_soa_and_name_servers_and_its_name_is_taken() {
    let client = client().await;
    let zone = client.get(ZONE).await["zone"].clone();
    assert_eq!(
        (zone["record_count"].as_u64(), zone["ttl"].as_u64()),
        (Some(4), Some(3_600))
    );
    assert_eq!(
        client.get(&format!("/zones/{}", zone["id"])).await["zone"],
        zone
    );
    assert_eq!(
        client.get("/zones?mode=secondary").await["zones"],
        json!([])
    );
    let soa = client.get(&format!("{ZONE}/rrsets?type=SOA")).await["rrsets"].clone();
    assert_eq!(
        (soa.as_array().unwrap().len(), soa[0]["id"].as_str()),
        (1, Some("@/SOA"))
    );
    let again = json!({ "name": "example.com", "mode": "primary" });
    assert_eq!(
        client.refused("POST", "/zones", Some(again)).await,
        "uniqueness_error"
    );
    for wrong in [
        json!({ "name": "Example.net", "mode": "primary" }),
        json!({ "name": "example.net", "mode": "primary", "ttl": 59 }),
        json!({ "name": "example.net", "mode": "secondary" }),
        json!({ "name": "example.net", "mode": "primary", "primary_nameservers": [{ "address": "192.0.2.1" }] }),
        json!({ "name": "example.net", "mode": "primary", "zonefile": "www IN A here" }),
        json!({ "name": "example.net", "mode": "primary", "rrsets": [{ "name": "@", "type": "CNAME", "records": [{ "value": "a." }] }] }),
    ] {
        let said = wrong.to_string();
        assert_eq!(
            client.refused("POST", "/zones", Some(wrong)).await,
            "invalid_input",
            "{said}"
        );
    }
    client.ask("DELETE", ZONE, None).await;
    assert_eq!(client.refused("GET", ZONE, None).await, "not_found");
    client
        .post(
            "/zones",
            json!({ "name": "example.com", "mode": "primary" }),
        )
        .await;
    assert_eq!(sets(&client).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn records_are_added_replaced_and_taken_away_and_the_last_takes_its_set_along() {
    let client = client().await;
    let act = async |action: &str, values: &[&str]| {
        let path = format!("{ZONE}/rrsets/www/A/actions/{action}_records");
        client
            .ask("POST", &path, Some(json!({ "records": records(values) })))
            .await
            .0
    };
    let created = StatusCode::CREATED;
    assert_eq!(act("set", &["192.0.2.1"]).await, StatusCode::NOT_FOUND);
    assert_eq!(
        act("add", &["192.0.2.1"]).await,
        created,
        "adding makes the set"
    );
    assert_eq!(act("add", &["192.0.2.2"]).await, created);
    assert_eq!(sets(&client).await, ["www A 192.0.2.1,192.0.2.2"]);
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    assert_eq!(act("add", &["192.0.2.2"]).await, refused, "it is there");
    assert_eq!(
        act("remove", &["192.0.2.9"]).await,
        refused,
        "it is not there"
    );
    assert_eq!(
        act("set", &["192.0.2.3", "192.0.2.3"]).await,
        refused,
        "twice in one request"
    );
    assert_eq!(
        act("set", &["2001:db8::1"]).await,
        refused,
        "of another type"
    );
    assert_eq!(act("set", &[]).await, refused);
    assert_eq!(act("set", &["192.0.2.3"]).await, created);
    assert_eq!(act("set", &["192.0.2.3"]).await, created, "and again");
    assert_eq!(sets(&client).await, ["www A 192.0.2.3"]);
    assert_eq!(act("remove", &["192.0.2.3"]).await, created);
    assert_eq!(sets(&client).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_protected_set_changes_only_its_labels() {
    let client = client().await;
    let set = format!("{ZONE}/rrsets/www/A");
    let wanted = json!({ "name": "www", "type": "A", "records": records(&["192.0.2.1"]) });
    client.post(&format!("{ZONE}/rrsets"), wanted.clone()).await;
    assert_eq!(
        client
            .refused("POST", &format!("{ZONE}/rrsets"), Some(wanted))
            .await,
        "uniqueness_error"
    );
    let protect = format!("{set}/actions/change_protection");
    client.post(&protect, json!({ "change": true })).await;
    let body = json!({ "records": [{ "value": "192.0.2.1", "comment": "x" }] });
    for action in ["set", "add", "remove", "update"] {
        let path = format!("{set}/actions/{action}_records");
        let mut body = body.clone();
        if action == "add" {
            body["records"][0]["value"] = json!("192.0.2.2");
        }
        assert_eq!(
            client.refused("POST", &path, Some(body)).await,
            "protected",
            "{action}"
        );
    }
    let ttl = Some(json!({ "ttl": 60 }));
    assert_eq!(
        client
            .refused("POST", &format!("{set}/actions/change_ttl"), ttl)
            .await,
        "protected"
    );
    assert_eq!(client.refused("DELETE", &set, None).await, "protected");
    let import = Some(json!({ "zonefile": "" }));
    assert_eq!(
        client
            .refused("POST", &format!("{ZONE}/actions/import_zonefile"), import)
            .await,
        "protected"
    );
    let labels = json!({ "labels": { "owner": "ada" } });
    assert_eq!(
        client.ask("PUT", &set, Some(labels)).await.0,
        StatusCode::OK
    );
    client.post(&protect, json!({ "change": false })).await;
    assert_eq!(
        client.ask("DELETE", &set, None).await.0,
        StatusCode::CREATED
    );
}

#[tokio::test(start_paused = true)]
async fn names_and_types_that_exclude_each_other_are_refused() {
    let client = client().await;
    let new = |name: &str, kind: &str, value: &str| json!({ "name": name, "type": kind, "records": records(&[value]) });
    let path = format!("{ZONE}/rrsets");
    client.post(&path, new("www", "A", "192.0.2.1")).await;
    client.post(&path, new("alias", "CNAME", "www")).await;
    client.post(&path, new("@", "TXT", "\"v=spf1 -all\"")).await;
    client.post(&path, new("*", "A", "192.0.2.1")).await;
    for (name, kind, value) in [
        ("alias", "A", "192.0.2.1"),
        ("www", "CNAME", "alias"),
        ("@", "CNAME", "www"),
        ("@", "SOA", "a. b. 1 2 3 4 5"),
        ("WWW", "A", "192.0.2.1"),
        ("www.", "AAAA", "2001:db8::1"),
        ("txt", "TXT", "not quoted"),
        ("odd", "LOC", "here"),
    ] {
        assert_eq!(
            client
                .refused("POST", &path, Some(new(name, kind, value)))
                .await,
            "invalid_input",
            "{name} {kind}"
        );
    }
    let at = client.get(&format!("{path}/%40/TXT")).await;
    assert_eq!(at["rrset"]["name"], "@");
    assert_eq!(
        client
            .refused("GET", &format!("{path}/www/LOC"), None)
            .await,
        "not_found"
    );
}

#[tokio::test(start_paused = true)]
async fn a_zone_file_comes_out_as_it_went_in() {
    let client = client().await;
    let file = "$ORIGIN example.com.\n$TTL 300\n; all of it\n@ IN TXT \"a;b  c\" ; quoted\nwww 60 A 192.0.2.1\n\
                \tA 192.0.2.2\nMail.example.com. IN MX 10 mx.example.net.\n";
    let import = format!("{ZONE}/actions/import_zonefile");
    client.post(&import, json!({ "zonefile": file })).await;
    let expected = ["mail MX 10 mx.example.net.", "www A 192.0.2.1,192.0.2.2"];
    assert_eq!(sets(&client).await, expected);
    let www = client.get(&format!("{ZONE}/rrsets/www/A")).await;
    assert_eq!(www["rrset"]["ttl"], 60);
    let text =
        client.get(&format!("{ZONE}/rrsets/%40/TXT")).await["rrset"]["records"][0]["value"].clone();
    assert_eq!(text, "\"a;b  c\"");
    let out = client.get(&format!("{ZONE}/zonefile")).await["zonefile"].clone();
    client.post(&import, json!({ "zonefile": "" })).await;
    assert_eq!(sets(&client).await, Vec::<String>::new());
    client.post(&import, json!({ "zonefile": out })).await;
    assert_eq!(sets(&client).await, expected);
    for wrong in ["www IN A", "$INCLUDE x", "www IN A (", "nothing"] {
        assert_eq!(
            client
                .refused("POST", &import, Some(json!({ "zonefile": wrong })))
                .await,
            "invalid_input",
            "{wrong}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_zone_is_updating_until_its_action_has_ended() {
    let client = Client::new(Options::default());
    let made = client
        .post(
            "/zones",
            json!({ "name": "example.com", "mode": "primary" }),
        )
        .await;
    assert_eq!(
        (
            made["zone"]["status"].as_str(),
            made["action"]["status"].as_str()
        ),
        (Some("updating"), Some("running"))
    );
    pass(1).await;
    assert_eq!(client.get(ZONE).await["zone"]["status"], "ok");
    client.world.faults().plan(Fault::once(
        Api::Hetzner,
        FaultKind::ActionFails,
        "POST /v1/zones",
    ));
    let body = json!({ "records": records(&["192.0.2.1"]) });
    let begun = client
        .post(&format!("{ZONE}/rrsets/www/A/actions/add_records"), body)
        .await;
    pass(1).await;
    let action = client
        .get(&format!("/zones/actions/{}", begun["action"]["id"]))
        .await;
    assert_eq!(action["action"]["status"], "error");
    assert_eq!(sets(&client).await, Vec::<String>::new());
}
