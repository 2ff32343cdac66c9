//! The zone as a client sees it, request by request, on a world without sockets.

mod account;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Api, Fault, FaultKind, Options, World};

struct Client {
    world: World,
    zone: String,
}

impl Client {
    async fn new() -> Self {
        Self::on(World::new(Options::default())).await
    }

    async fn on(world: World) -> Self {
        let mut client = Self {
            world,
            zone: String::new(),
        };
        let (_, zones) = client
            .send("GET", "/zones?name=assistants.example", &Value::Null)
            .await;
        zones["result"][0]["id"]
            .as_str()
            .unwrap()
            .clone_into(&mut client.zone);
        client
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let token = &self.world.options().cloudflare_token;
        self.send_as(&format!("Bearer {token}"), method, path, body)
            .await
    }

    async fn send_as(
        &self,
        authorization: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("/client/v4{path}"))
            .header("authorization", authorization)
            .body(body)
            .unwrap();
        let response = self.world.cloudflare().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn records(&self, method: &str, below: &str, body: Value) -> (StatusCode, Value) {
        let path = format!("/zones/{}/dns_records{below}", self.zone);
        self.send(method, &path, &body).await
    }

    async fn refused(&self, method: &str, below: &str, body: Value) -> u64 {
        let (status, answer) = self.records(method, below, body).await;
        assert!(status.is_client_error(), "{answer}");
        assert_eq!(answer["success"], false);
        answer["errors"][0]["code"].as_u64().unwrap()
    }

    /// Name and content of every record, as the world knows them.
    fn there(&self) -> Vec<(String, String)> {
        self.world.look(|_, state| {
            let mut there: Vec<_> = state
                .cloudflare
                .record_rows()
                .into_iter()
                .map(|record| (record.name, record.content))
                .collect();
            there.sort();
            there
        })
    }
}

fn a(name: &str, content: &str) -> Value {
    json!({ "type": "A", "name": name, "content": content, "ttl": 60, "comment": "own=one;uid=1" })
}

#[tokio::test]
async fn a_record_can_be_made_found_changed_and_removed() {
    let client = Client::new().await;
    let (status, made) = client.records("POST", "", a("Ada", "127.64.0.1")).await;
    assert_eq!(status, StatusCode::OK);
    let id = made["result"]["id"].as_str().unwrap().to_owned();
    assert_eq!(made["result"]["name"], "ada.assistants.example");
    assert_eq!(made["result"]["comment"], "own=one;uid=1");

    let (_, found) = client
        .records("GET", "?name=ada.assistants.example", Value::Null)
        .await;
    assert_eq!(found["result"][0]["id"], json!(id));
    assert_eq!(found["result_info"]["total_count"], 1);

    let (_, patched) = client
        .records(
            "PATCH",
            &format!("/{id}"),
            json!({ "content": "127.64.0.2" }),
        )
        .await;
    assert_eq!(patched["result"]["content"], "127.64.0.2");
    assert_eq!(patched["result"]["comment"], "own=one;uid=1");
    let (_, put) = client
        .records(
            "PUT",
            &format!("/{id}"),
            json!({ "type": "A", "name": "ada", "content": "127.64.0.3" }),
        )
        .await;
    assert_eq!(put["result"]["comment"], Value::Null);

    let (_, removed) = client
        .records("DELETE", &format!("/{id}"), Value::Null)
        .await;
    assert_eq!(removed["result"]["id"], json!(id));
    assert_eq!(client.there(), []);
    assert_eq!(
        client
            .refused("DELETE", &format!("/{id}"), Value::Null)
            .await,
        81_044
    );
}

#[tokio::test]
async fn the_same_record_twice_is_refused_but_a_second_address_is_not() {
    let client = Client::new().await;
    client.records("POST", "", a("ada", "127.64.0.1")).await;
    assert_eq!(
        client.refused("POST", "", a("ada", "127.64.0.1")).await,
        81_058
    );
    let other_ttl = json!({ "type": "A", "name": "ada", "content": "127.64.0.1", "ttl": 300 });
    assert_eq!(client.refused("POST", "", other_ttl).await, 81_057);
    let (status, _) = client.records("POST", "", a("ada", "127.64.0.2")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(client.there().len(), 2);
}

#[tokio::test]
async fn a_cname_stands_alone() {
    let client = Client::new().await;
    let cname = json!({ "type": "CNAME", "name": "ada", "content": "elsewhere.example" });
    client.records("POST", "", a("ada", "127.64.0.1")).await;
    assert_eq!(client.refused("POST", "", cname).await, 81_053);
    let cname = json!({ "type": "CNAME", "name": "bob", "content": "elsewhere.example" });
    client.records("POST", "", cname).await;
    assert_eq!(
        client.refused("POST", "", a("bob", "127.64.0.2")).await,
        81_054
    );
}

#[tokio::test]
async fn a_batch_is_done_whole_in_its_own_order_or_not_at_all() {
    let client = Client::new().await;
    let (_, made) = client.records("POST", "", a("ada", "127.64.0.1")).await;
    let id = made["result"]["id"].clone();
    // The post is identical to what the delete removes: only the fixed order lets it pass.
    let batch = json!({ "posts": [a("ada", "127.64.0.1"), a("bob", "127.64.0.2")], "deletes": [{ "id": id }] });
    let (status, done) = client.records("POST", "/batch", batch).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(done["result"]["deletes"][0]["id"], id);
    assert_eq!(done["result"]["posts"][1]["name"], "bob.assistants.example");

    let before = client.there();
    let kept = done["result"]["posts"][0]["id"].clone();
    let bad = json!({
        "deletes": [{ "id": kept }],
        "posts": [a("eve", "127.64.0.4"), a("bob", "127.64.0.2")],
    });
    assert_eq!(client.refused("POST", "/batch", bad).await, 81_058);
    assert_eq!(client.there(), before);
    let many: Vec<_> = (0..201)
        .map(|n| a(&format!("n{n}"), "127.64.0.9"))
        .collect();
    assert_eq!(
        client
            .refused("POST", "/batch", json!({ "posts": many }))
            .await,
        9_400
    );
}

#[tokio::test]
async fn bad_values_are_refused_with_cloudflares_codes() {
    let client = Client::new().await;
    for (body, code) in [
        (
            json!({ "type": "A", "name": "a", "content": "nonsense" }),
            9_005,
        ),
        (
            json!({ "type": "AAAA", "name": "a", "content": "127.64.0.1" }),
            9_006,
        ),
        (
            json!({ "type": "A", "name": "-a", "content": "127.64.0.1" }),
            9_000,
        ),
        (
            json!({ "type": "A", "name": "a", "content": "127.64.0.1", "ttl": 59 }),
            9_021,
        ),
        (
            json!({ "type": "TXT", "name": "a", "content": "x", "proxied": true }),
            9_004,
        ),
        (
            json!({ "type": "A", "name": "a", "content": "127.64.0.1", "comment": "c".repeat(101) }),
            9_313,
        ),
        (
            json!({ "type": "A", "name": "a", "content": "127.64.0.1", "tags": ["x:y"] }),
            9_300,
        ),
    ] {
        assert_eq!(client.refused("POST", "", body).await, code);
    }
    assert_eq!(client.there(), []);
}

#[tokio::test]
async fn lists_come_in_pages_and_follow_their_filters() {
    let client = Client::new().await;
    for n in 0..7 {
        client
            .records("POST", "", a(&format!("n{n}"), &format!("127.64.0.{n}")))
            .await;
    }
    client
        .records(
            "POST",
            "",
            json!({ "type": "TXT", "name": "n0", "content": "hello" }),
        )
        .await;
    let (_, page) = client
        .records("GET", "?type=A&per_page=3&page=3", Value::Null)
        .await;
    assert_eq!(page["result"].as_array().unwrap().len(), 1);
    assert_eq!(page["result_info"]["total_pages"], 3);
    let (_, ours) = client
        .records("GET", "?comment.startswith=own%3Done", Value::Null)
        .await;
    assert_eq!(ours["result_info"]["total_count"], 7);
    let (_, bare) = client.records("GET", "?comment.absent=", Value::Null).await;
    assert_eq!(bare["result"][0]["type"], "TXT");
    assert_eq!(
        client.refused("GET", "?per_page=0", Value::Null).await,
        1_004
    );
}

#[tokio::test]
async fn a_stranger_and_an_unknown_zone_are_turned_away() {
    let client = Client::new().await;
    let request = Request::get("/client/v4/zones")
        .body(Body::empty())
        .unwrap();
    let response = client.world.cloudflare().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let request = Request::get("/client/v4/zones")
        .header("authorization", format!("Bearer {}", "w".repeat(40)));
    let response = client
        .world
        .cloudflare()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let (status, _) = client
        .send("GET", "/zones/0123/dns_records", &Value::Null)
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_lagging_list_shows_the_removed_and_hides_the_new_for_ten_seconds() {
    let client = Client::new().await;
    let (_, made) = client.records("POST", "", a("ada", "127.64.0.1")).await;
    let id = made["result"]["id"].as_str().unwrap().to_owned();
    let faults = client.world.faults();
    let list = "GET /client/v4/zones/{zone}/dns_records";
    let total = async || {
        client.records("GET", "", Value::Null).await.1["result_info"]["total_count"].clone()
    };
    faults.plan(Fault::once(Api::Cloudflare, FaultKind::HiddenNew, list));
    assert_eq!(total().await, 0);
    assert_eq!(total().await, 1);
    client
        .records("DELETE", &format!("/{id}"), Value::Null)
        .await;
    faults.plan(Fault::once(Api::Cloudflare, FaultKind::LingeringList, list));
    assert_eq!(total().await, 1);
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    faults.plan(Fault::once(Api::Cloudflare, FaultKind::LingeringList, list));
    assert_eq!(total().await, 0);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_everybody_waits_five_minutes() {
    let client = Client::new().await;
    for _ in 0..limit_left(&client) {
        client
            .send("GET", "/user/tokens/verify", &Value::Null)
            .await;
    }
    let (status, answer) = client.send("GET", "/zones", &Value::Null).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer["errors"][0]["code"], 971);
    tokio::time::advance(std::time::Duration::from_secs(301)).await;
    let (status, _) = client.send("GET", "/zones", &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
}

fn limit_left(client: &Client) -> u32 {
    client.world.look(|now, state| {
        let now = client.world.clock().stamp(now);
        state.cloudflare.requests_left(now)
    })
}
