//! How requests are refused: the words, codes and headers of Stripe's errors, and what an idempotency key remembers of them.

use axum::body::Body;
use http::{Request, StatusCode};

use super::{Shop, text};
use crate::call::Api;
use crate::faults::{Fault, FaultKind};

type Pairs = &'static [(&'static str, &'static str)];

fn keyed(shop: &Shop, path: &str, form: &[(&str, &str)], key: &str) -> Request<Body> {
    let mut request = shop.request("POST", path, form);
    let headers = request.headers_mut();
    headers.insert("idempotency-key", key.parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn errors_have_stripes_words_codes_and_links() {
    let shop = Shop::new();
    let cases: [(Pairs, &str, &str, &str); 6] = [
        (
            &[("limit", "0")],
            "parameter_invalid_integer",
            "limit",
            "This value must be greater than or equal to 1.",
        ),
        (
            &[("limit", "x")],
            "parameter_invalid_integer",
            "limit",
            "Invalid integer: x",
        ),
        (
            &[("emial", "a")],
            "parameter_unknown",
            "emial",
            "Received unknown parameter: emial",
        ),
        (
            &[("starting_after", "cus_no")],
            "resource_missing",
            "starting_after",
            "No such customer: 'cus_no'",
        ),
        (
            &[("expand[]", "data.nothing")],
            "",
            "expand[0]",
            "This property cannot be expanded (data.nothing).",
        ),
        (
            &[("expand[]", "a.b.c.d.e")],
            "",
            "expand[0]",
            "You cannot expand more than 4 levels of a property. Property: a.b.c.d.e",
        ),
    ];
    for (query, code, param, message) in cases {
        let (_, error) = shop.refused("GET", "/v1/customers", query).await;
        assert_eq!(error["message"], message);
        assert_eq!(error["param"], param, "{message}");
        assert_eq!(
            error["code"].as_str().unwrap_or_default(),
            code,
            "{message}"
        );
        assert!(text(&error["request_log_url"]).contains("/req_"), "{error}");
    }
    let (status, error) = shop
        .refused("POST", "/v1/refunds", &[("charge", "ch_no")])
        .await;
    assert_eq!(
        (status, &error["code"]),
        (StatusCode::BAD_REQUEST, &"resource_missing".into())
    );
    assert_eq!(
        error["doc_url"],
        "https://stripe.com/docs/error-codes/resource-missing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_a_wrong_and_a_publishable_key_are_told_apart() {
    let shop = Shop::new();
    let ask = async |key: Option<&str>| {
        let mut request = Request::get("/v1/customers");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let read = shop.send(request.body(Body::empty()).unwrap()).await;
        (read.status.as_u16(), text(&read.json()["error"]["message"]))
    };
    assert!(
        ask(None)
            .await
            .1
            .starts_with("You did not provide an API key.")
    );
    let (status, wrong) = ask(Some("sk_test_abcdefghijklmnopqrstuvwx")).await;
    assert_eq!(
        (status, wrong.ends_with("uvwx"), wrong.contains("abcdef")),
        (401, true, false)
    );
    assert_eq!(ask(Some("pk_test_x")).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_remembered_by_its_key_and_a_mistake_is_not() {
    let shop = Shop::new();
    let plan = |kind| {
        let faults = shop.world.faults();
        assert!(faults.plan(Fault::once(Api::Stripe, kind, "POST /v1/customers")));
    };
    plan(FaultKind::FailureRemembered);
    let send = async |form: &[(&str, &str)], key| {
        shop.send(keyed(&shop, "/v1/customers", form, key)).await
    };
    let failed = send(&[("name", "Ada")], "one").await;
    let again = send(&[("name", "Ada")], "one").await;
    assert_eq!((failed.status.as_u16(), again.status.as_u16()), (500, 500));
    assert_eq!(failed.text, again.text);
    assert_eq!(
        again.headers["original-request"],
        failed.headers["request-id"]
    );
    assert_ne!(again.headers["request-id"], failed.headers["request-id"]);
    assert_eq!(
        send(&[("nam", "Ada")], "two").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(send(&[("name", "Ada")], "two").await.status, StatusCode::OK);
    let elsewhere = keyed(&shop, "/v1/products", &[("name", "Ada")], "two");
    let error = shop.send(elsewhere).await.json()["error"].clone();
    assert_eq!(error["type"], "idempotency_error");
    assert!(text(&error["message"]).contains("('/v1/products' vs '/v1/customers')"));
    plan(FaultKind::Locked);
    let locked = send(&[("name", "Bob")], "three").await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(locked.json()["error"]["code"], "lock_timeout");
    assert_eq!(
        send(&[("name", "Bob")], "three").await.status,
        StatusCode::OK
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_first_request_is_under_way_is_refused_until_that_is_answered() {
    let shop = Shop::new();
    let fault = Fault::once(
        Api::Stripe,
        FaultKind::StalledAfterCommit,
        "POST /v1/customers",
    );
    assert!(shop.world.faults().plan(fault));
    let send = || shop.send(keyed(&shop, "/v1/customers", &[("name", "Ada")], "one"));
    let first = shop.world.stripe();
    let request = keyed(&shop, "/v1/customers", &[("name", "Ada")], "one");
    {
        let mut stalled = Box::pin(tower::ServiceExt::oneshot(first, request));
        assert!(futures::poll!(&mut stalled).is_pending());
        let busy = send().await;
        assert_eq!(busy.status, StatusCode::CONFLICT);
        assert_eq!(busy.json()["error"]["code"], "idempotency_key_in_use");
        assert_eq!(busy.headers["stripe-should-retry"], "true");
    }
    let replayed = send().await;
    assert_eq!(replayed.status, StatusCode::OK);
    assert_eq!(replayed.headers["idempotent-replayed"], "true");
}

#[tokio::test(start_paused = true)]
async fn metadata_has_limits_and_an_empty_value_clears_it() {
    let shop = Shop::new();
    let many: Vec<(String, &str)> = (0..51).map(|n| (format!("metadata[k{n}]"), "v")).collect();
    let many: Vec<(&str, &str)> = many
        .iter()
        .map(|(key, value)| (key.as_str(), *value))
        .collect();
    shop.refused("POST", "/v1/customers", &many).await;
    let customer = shop.ok("POST", "/v1/customers", &many[..50]).await;
    let path = format!("/v1/customers/{}", text(&customer["id"]));
    let long = format!("metadata[{}]", "k".repeat(41));
    let (_, error) = shop.refused("POST", &path, &[(&long, "v")]).await;
    assert!(text(&error["message"]).contains("41 characters"), "{error}");
    shop.refused("POST", &path, &[("metadata[one-more]", "v")])
        .await;
    let cleared = shop.ok("POST", &path, &[("metadata", "")]).await;
    assert_eq!(cleared["metadata"], serde_json::json!({}));
}
