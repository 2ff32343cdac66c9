//! Volumes, the rescue system and metrics.

use super::*;

/// A volume in fsn1.
async fn volume(client: &Client, name: &str) -> u64 {
    let wanted = json!({ "name": name, "size": 10, "location": "fsn1" });
    client.post("/volumes", wanted).await["volume"]["id"]
        .as_u64()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_volume_outlives_its_server_and_moves_to_another() {
    let client = Client::new(Options::default());
    let id = volume(&client, "data").await;
    let path = format!("/volumes/{id}");
    assert_eq!(client.get(&path).await["volume"]["status"], "creating");
    let mut server = new_server("one");
    server["volumes"] = json!([id]);
    let one = client.post("/servers", server.clone()).await["server"].clone();
    assert_eq!(one["volumes"], json!([id]));
    assert_eq!(client.get(&path).await["volume"]["server"], one["id"]);
    server["name"] = json!("two");
    assert_eq!(
        client.refused("POST", "/servers", Some(server)).await,
        "volume_already_attached"
    );
    pass(8).await;
    client
        .ask("DELETE", &format!("/servers/{}", one["id"]), None)
        .await;
    assert_eq!(
        client.get(&path).await["volume"]["server"],
        one["id"],
        "until it is gone"
    );
    pass(3).await;
    assert_eq!(client.get(&path).await["volume"]["server"], Value::Null);
    let two = client.server("two").await;
    pass(8).await;
    client
        .post(&format!("{path}/actions/attach"), json!({ "server": two }))
        .await;
    assert_eq!(
        client.get(&format!("/servers/{two}")).await["server"]["volumes"],
        json!([id])
    );
    let more = json!({ "name": "more", "size": 10_240, "server": two, "automount": true, "format": "xfs" });
    let more = client.post("/volumes", more).await;
    assert_eq!(more["next_actions"][0]["command"], "attach_volume");
    client
        .post(&format!("{path}/actions/detach"), json!({}))
        .await;
    assert_eq!(
        client.get(&format!("/servers/{two}")).await["server"]["volumes"],
        json!([more["volume"]["id"]])
    );
}

#[tokio::test(start_paused = true)]
async fn a_volume_grows_and_never_shrinks_and_keeps_to_its_rules() {
    let client = Client::new(at_once());
    let path = format!("/volumes/{}", volume(&client, "data").await);
    let resize = format!("{path}/actions/resize");
    client.post(&resize, json!({ "size": 30 })).await;
    assert_eq!(client.get(&path).await["volume"]["size"], 30);
    for (action, body) in [
        ("resize", json!({ "size": 20 })),
        ("resize", json!({ "size": 10_241 })),
        ("detach", json!({})),
    ] {
        let path = format!("{path}/actions/{action}");
        assert_eq!(
            client.refused("POST", &path, Some(body)).await,
            "invalid_input",
            "{action}"
        );
    }
    for wanted in [
        json!({ "name": "x", "size": 9, "location": "fsn1" }),
        json!({ "name": "-x", "size": 10, "location": "fsn1" }),
        json!({ "name": "x", "size": 10 }),
        json!({ "name": "x", "size": 10, "location": "mars" }),
        json!({ "name": "x", "size": 10, "location": "fsn1", "automount": true }),
        json!({ "name": "x", "size": 10, "location": "fsn1", "format": "fat" }),
    ] {
        let said = wanted.to_string();
        assert_eq!(
            client.refused("POST", "/volumes", Some(wanted)).await,
            "invalid_input",
            "{said}"
        );
    }
    let mut far = new_server("far");
    far["location"] = json!("hel1");
    let far = client.post("/servers", far).await["server"]["id"].clone();
    let attach = json!({ "server": far });
    assert_eq!(
        client
            .refused("POST", &format!("{path}/actions/attach"), Some(attach))
            .await,
        "invalid_input"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_takes_sixteen_volumes() {
    let client = Client::new(at_once());
    let server = client.server("one").await;
    let wanted = |n: u64| json!({ "name": format!("v{n}"), "size": 10, "server": server });
    for n in 0..16 {
        client.post("/volumes", wanted(n)).await;
    }
    assert_eq!(
        client.refused("POST", "/volumes", Some(wanted(16))).await,
        "resource_limit_exceeded"
    );
    assert_eq!(
        client.get("/volumes?status=available").await["meta"]["pagination"]["total_entries"],
        16
    );
}

#[tokio::test(start_paused = true)]
async fn rescue_is_used_up_by_the_next_start_and_lapses_after_an_hour() {
    let client = Client::new(at_once());
    let id = client.server("one").await;
    let path = format!("/servers/{id}");
    let enabled = async || {
        client.get(&path).await["server"]["rescue_enabled"]
            .as_bool()
            .unwrap()
    };
    let enable = async || {
        let answer = client
            .post(&format!("{path}/actions/enable_rescue"), json!({}))
            .await;
        answer["root_password"].as_str().unwrap().to_owned()
    };
    let first = enable().await;
    assert!(enabled().await);
    client
        .post(&format!("{path}/actions/reboot"), json!({}))
        .await;
    assert!(!enabled().await, "it has started into it");
    assert_ne!(enable().await, first);
    pass(3_599).await;
    assert!(enabled().await);
    pass(1).await;
    assert!(!enabled().await, "an hour has passed");
    enable().await;
    client
        .post(&format!("{path}/actions/disable_rescue"), json!({}))
        .await;
    assert!(!enabled().await);
    let strange = json!({ "ssh_keys": [1] });
    assert_eq!(
        client
            .refused(
                "POST",
                &format!("{path}/actions/enable_rescue"),
                Some(strange)
            )
            .await,
        "invalid_input"
    );
    let old = json!({ "type": "freebsd64" });
    assert_eq!(
        client
            .refused("POST", &format!("{path}/actions/enable_rescue"), Some(old))
            .await,
        "invalid_input"
    );
}

#[tokio::test(start_paused = true)]
async fn a_servers_backups_go_with_it_and_its_snapshots_stay() {
    let client = Client::new(at_once());
    let id = client.server("one").await;
    let path = format!("/servers/{id}/actions");
    client
        .post(&format!("{path}/enable_backup"), json!({}))
        .await;
    for kind in ["backup", "snapshot"] {
        client
            .post(&format!("{path}/create_image"), json!({ "type": kind }))
            .await;
    }
    client.ask("DELETE", &format!("/servers/{id}"), None).await;
    let left = client.get("/images?type=backup&type=snapshot").await["images"].clone();
    assert_eq!(
        (left.as_array().unwrap().len(), left[0]["type"].as_str()),
        (1, Some("snapshot"))
    );
}

#[tokio::test(start_paused = true)]
async fn metrics_have_as_many_samples_as_period_and_step_say() {
    let client = Client::new(at_once());
    let id = client.server("one").await;
    let begun = client.world.snapshot().now;
    pass(86_400).await;
    let end = client.world.snapshot().now;
    let asked = async |rest: &str| {
        let path = format!("/servers/{id}/metrics?start={begun}&end={end}&{rest}");
        client.get(&path).await["metrics"].clone()
    };
    let samples = |metrics: &Value, series: &str| {
        metrics["time_series"][series]["values"]
            .as_array()
            .unwrap()
            .len()
    };
    let own = asked("type=cpu,disk").await;
    assert_eq!(own["time_series"].as_object().unwrap().len(), 5);
    assert_eq!(
        (own["step"].as_u64(), samples(&own, "cpu")),
        (Some(433), 200)
    );
    let stepped = asked("type=network&step=3600").await;
    assert_eq!(samples(&stepped, "network.0.pps.in"), 25);
    let fine = asked("type=cpu&step=1").await;
    assert!(
        (400..=500).contains(&samples(&fine, "cpu")),
        "{}",
        samples(&fine, "cpu")
    );
    assert_eq!(
        stepped,
        asked("type=network&step=3600").await,
        "the same every time"
    );
    let load: f64 = own["time_series"]["cpu"]["values"][0][1]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((0.0..100.0).contains(&load));
    for wrong in [
        format!("start={begun}&end={end}"),
        format!("start={end}&end={begun}&type=cpu"),
        format!("start={begun}&end={end}&type=heat"),
        format!("start={begun}&end={end}&type=cpu&step=0"),
        format!("start=yesterday&end={end}&type=cpu"),
    ] {
        let path = format!("/servers/{id}/metrics?{wrong}");
        assert_eq!(
            client.refused("GET", &path, None).await,
            "invalid_input",
            "{wrong}"
        );
    }
    pass(31 * 86_400).await;
    assert_eq!(
        samples(&asked("type=cpu").await, "cpu"),
        0,
        "they are kept for thirty days"
    );
}
