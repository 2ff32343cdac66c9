//! What every request to the API has in common: keys, parameters, pages, idempotency, refunds.

use axum::body::Body;
use http::{Request, StatusCode};

use super::{Shop, text};

#[tokio::test(start_paused = true)]
async fn a_wrong_key_an_unknown_version_and_an_unknown_parameter_are_refused() {
    let shop = Shop::new();
    let stranger = Request::get("/v1/customers").header("authorization", "Bearer sk_test_x");
    let read = shop.send(stranger.body(Body::empty()).unwrap()).await;
    assert_eq!(read.status, StatusCode::UNAUTHORIZED);
    let mut old = shop.request("GET", "/v1/customers", &[]);
    old.headers_mut()
        .insert("stripe-version", "2020-01-01".parse().unwrap());
    assert_eq!(shop.send(old).await.status, StatusCode::BAD_REQUEST);
    let (_, error) = shop
        .refused("POST", "/v1/customers", &[("emial", "a@b.cd")])
        .await;
    assert_eq!(error["code"], "parameter_unknown");
    assert_eq!(error["param"], "emial");
    let (status, error) = shop.refused("GET", "/v1/subscriptions/sub_none", &[]).await;
    assert_eq!(
        (status, text(&error["code"])),
        (StatusCode::NOT_FOUND, "resource_missing".to_owned())
    );
    for (method, path) in [("GET", "/v1/nothing"), ("DELETE", "/v1/invoices")] {
        let (status, _) = shop.refused(method, path, &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_for_an_unknown_price_or_a_bad_url_is_refused() {
    let shop = Shop::new();
    let mut form = vec![
        ("mode", "subscription"),
        ("line_items[0][price]", "price_none"),
        ("success_url", "https://shop.test/done"),
    ];
    let (_, error) = shop.refused("POST", "/v1/checkout/sessions", &form).await;
    assert_eq!(error["code"], "resource_missing");
    form[1].1 = "price_basic_monthly";
    for url in [
        "done",
        "javascript:alert(1)",
        "https://shop.test/\nset-cookie:x",
    ] {
        form[2].1 = url;
        let (_, error) = shop.refused("POST", "/v1/checkout/sessions", &form).await;
        assert_eq!(error["param"], "success_url", "{url}");
    }
    form.pop();
    let (_, error) = shop.refused("POST", "/v1/checkout/sessions", &form).await;
    assert_eq!(error["code"], "parameter_missing");
}

#[tokio::test(start_paused = true)]
async fn one_idempotency_key_gives_one_object_and_takes_no_other_parameters() {
    let shop = Shop::new();
    let create = |name: &str| {
        let mut request = shop.request("POST", "/v1/customers", &[("name", name)]);
        request
            .headers_mut()
            .insert("idempotency-key", "order-1".parse().unwrap());
        request
    };
    let first = shop.send(create("Ada")).await;
    let again = shop.send(create("Ada")).await;
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = shop.send(create("Bob")).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
    assert_eq!(other.json()["error"]["type"], "idempotency_error");
    let all = shop.ok("GET", "/v1/customers", &[]).await;
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
    shop.after(super::DAY);
    let later = shop.send(create("Bob")).await;
    assert_eq!(later.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn lists_are_walked_from_the_newest_by_starting_after() {
    let shop = Shop::new();
    let mut made = Vec::new();
    for n in 0..45 {
        let name = format!("c{n}");
        made.push(text(
            &shop.ok("POST", "/v1/customers", &[("name", &name)]).await["id"],
        ));
    }
    made.reverse();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let after = seen.last().cloned().unwrap_or_default();
        let mut query = vec![("limit", "20")];
        if !seen.is_empty() {
            query.push(("starting_after", &after));
        }
        let page = shop.ok("GET", "/v1/customers", &query).await;
        seen.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|found| text(&found["id"])),
        );
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, made);
    let (_, error) = shop
        .refused("GET", "/v1/customers", &[("limit", "101")])
        .await;
    assert_eq!(error["param"], "limit");
}

#[tokio::test(start_paused = true)]
async fn a_payment_is_given_back_in_parts_and_never_more_than_was_paid() {
    let shop = Shop::new();
    let subscription = shop.sold().await;
    let invoice = text(&subscription["latest_invoice"]);
    let links = shop
        .ok("GET", "/v1/invoice_payments", &[("invoice", &invoice)])
        .await;
    let intent = text(&links["data"][0]["payment"]["payment_intent"]);
    let part = [("payment_intent", intent.as_str()), ("amount", "900")];
    shop.ok("POST", "/v1/refunds", &part).await;
    let (_, error) = shop
        .refused(
            "POST",
            "/v1/refunds",
            &[("payment_intent", &intent), ("amount", "1001")],
        )
        .await;
    assert!(text(&error["message"]).contains("greater than unrefunded"));
    let rest = shop
        .ok("POST", "/v1/refunds", &[("payment_intent", &intent)])
        .await;
    assert_eq!(rest["amount"], 1_000);
    let (_, error) = shop
        .refused("POST", "/v1/refunds", &[("payment_intent", &intent)])
        .await;
    assert_eq!(error["code"], "charge_already_refunded");
    let snapshot = shop.world.snapshot();
    assert_eq!(snapshot.subscriptions[0].paid_amount, 0);
    assert_eq!(snapshot.refunds.len(), 2);
    assert_eq!(
        snapshot.refunds[0].subscription.as_deref(),
        subscription["id"].as_str()
    );
}

#[tokio::test(start_paused = true)]
async fn prices_made_by_request_can_be_sold() {
    let shop = Shop::new();
    let product = shop.ok("POST", "/v1/products", &[("name", "Large")]).await;
    let form = [
        ("product", &*text(&product["id"])),
        ("currency", "eur"),
        ("unit_amount", "9900"),
        ("recurring[interval]", "month"),
        ("lookup_key", "large"),
    ];
    let price = shop.ok("POST", "/v1/prices", &form).await;
    let found = shop
        .ok("GET", "/v1/prices", &[("lookup_keys[]", "large")])
        .await;
    assert_eq!(found["data"][0]["id"], price["id"]);
    let (_, error) = shop.refused("POST", "/v1/prices", &form).await;
    assert_eq!(error["param"], "lookup_key");
}
