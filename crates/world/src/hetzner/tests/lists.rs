//! Pages, filters, order, rate and what the answers bear.

use super::*;

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_that_add_up() {
    let client = Client::new(at_once());
    for n in 0..7 {
        client.server(&format!("s{n}")).await;
    }
    let mut seen = Vec::new();
    let mut page = Some(1);
    while let Some(number) = page {
        let answer = client
            .get(&format!("/servers?per_page=3&page={number}"))
            .await;
        seen.extend(
            answer["servers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|server| server["id"].as_u64().unwrap()),
        );
        let pagination = &answer["meta"]["pagination"];
        assert_eq!(
            (
                pagination["last_page"].as_u64(),
                pagination["total_entries"].as_u64()
            ),
            (Some(3), Some(7))
        );
        page = pagination["next_page"].as_u64();
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted());
    assert_eq!(
        client.get("/servers?per_page=500").await["meta"]["pagination"]["per_page"],
        50
    );
    assert_eq!(client.get("/servers?page=9").await["servers"], json!([]));
    assert_eq!(
        client.refused("GET", "/servers?page=0", None).await,
        "invalid_input"
    );
    let link = client
        .send("GET", "/servers?per_page=3&page=2", None)
        .await
        .headers()["link"]
        .clone();
    assert!(
        link.to_str()
            .unwrap()
            .contains("</v1/servers?page=3&per_page=3>; rel=\"next\""),
        "{link:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_is_chosen_by_name_label_and_status_and_ordered() {
    let client = Client::new(at_once());
    for name in ["a", "b", "c"] {
        client.server(name).await;
    }
    let names = async |query: &str| {
        let answer = client.get(&format!("/servers?{query}")).await;
        let servers = answer["servers"].as_array().unwrap().clone();
        servers
            .iter()
            .map(|server| server["name"].as_str().unwrap().to_owned())
            .collect::<String>()
    };
    assert_eq!(names("name=b").await, "b");
    assert_eq!(names("label_selector=owner%20in%20(a,c)").await, "ac");
    assert_eq!(
        names("label_selector=owner!%3Da&sort=name:desc").await,
        "cb"
    );
    assert_eq!(names("status=off").await, "");
    assert_eq!(names("status=off&status=running").await, "abc");
    assert_eq!(
        client.refused("GET", "/servers?status=asleep", None).await,
        "invalid_input"
    );
    assert_eq!(
        client
            .refused("GET", "/servers?label_selector=%3D", None)
            .await,
        "invalid_input"
    );
    assert_eq!(
        client.refused("GET", "/servers?sort=colour", None).await,
        "invalid_input"
    );
}

#[tokio::test(start_paused = true)]
async fn actions_are_read_in_batches_and_unknown_ids_are_left_out() {
    let client = Client::new(at_once());
    let one = client.post("/servers", new_server("one")).await["action"]["id"].clone();
    let two = client.post("/servers", new_server("two")).await["action"]["id"].clone();
    let answer = client
        .get(&format!("/actions?id={one}&id={two}&id=1"))
        .await;
    let ids: Vec<&Value> = answer["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| &action["id"])
        .collect();
    assert_eq!(ids, [&one, &two]);
    let server =
        client.get(&format!("/actions/{one}")).await["action"]["resources"][0]["id"].clone();
    for path in [
        format!("/servers/{server}/actions"),
        format!("/servers/actions?id={one}"),
    ] {
        assert_eq!(client.get(&path).await["actions"][0]["id"], one, "{path}");
    }
    let (status, gone) = client.ask("GET", "/actions", None).await;
    assert_eq!(
        (status, gone["error"]["code"].as_str()),
        (StatusCode::GONE, Some("deprecated_api_endpoint"))
    );
    assert_eq!(
        client.ask("GET", "/datacenters", None).await.0,
        StatusCode::GONE
    );
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_an_hours_requests_and_one_more_each_second() {
    let client = Client::new(at_once());
    let first = client.send("GET", "/locations", None).await;
    assert_eq!(first.headers()["ratelimit-limit"], "3600");
    assert_eq!(first.headers()["ratelimit-remaining"], "3599");
    assert!(first.headers().contains_key("x-correlation-id"));
    let reset: i64 = first.headers()["ratelimit-reset"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(reset, client.world.snapshot().now.as_second() + 1);
    for _ in 0..3_599 {
        client.get("/locations").await;
    }
    let (status, refused) = client
        .ask("POST", "/servers", Some(new_server("one")))
        .await;
    assert_eq!(
        (status, refused["error"]["code"].as_str()),
        (StatusCode::TOO_MANY_REQUESTS, Some("rate_limit_exceeded"))
    );
    assert!(client.world.snapshot().servers.is_empty());
    let throttled = client.world.snapshot().throttled;
    assert_eq!(
        throttled.into_iter().collect::<Vec<_>>(),
        [(Api::Hetzner, 1)]
    );
    pass(1).await;
    client.get("/locations").await;
    assert_eq!(client.world.snapshot().rate_budget["main"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_strange_token_opens_nothing() {
    let mut client = Client::new(at_once());
    client.token = "x".repeat(64);
    assert_eq!(
        client.refused("GET", "/servers", None).await,
        "unauthorized"
    );
    assert_eq!(
        client
            .refused("POST", "/servers", Some(new_server("one")))
            .await,
        "unauthorized"
    );
    assert!(client.world.snapshot().servers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn server_types_tell_where_there_is_room() {
    let client = Client::new(at_once());
    client.world.faults().exhaust("fsn1", Some("cx23"), true);
    let answer = client.get("/server_types?name=cx23").await;
    let locations = answer["server_types"][0]["locations"]
        .as_array()
        .unwrap()
        .clone();
    let available =
        |name: &str| locations.iter().find(|one| one["name"] == name).unwrap()["available"].clone();
    assert_eq!(
        (available("fsn1"), available("nbg1")),
        (json!(false), json!(true))
    );
    assert!(
        client.get("/pricing").await["pricing"]["server_types"]
            .as_array()
            .unwrap()
            .len()
            > 5
    );
    assert_eq!(
        client
            .get("/images?name=ubuntu-24.04&architecture=arm")
            .await["images"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
