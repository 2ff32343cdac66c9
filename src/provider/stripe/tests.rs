//! What is sent to Stripe, and what its answers mean, over a small router that answers as Stripe does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, Request as Asked, State};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use serde_json::json;

use super::*;
use crate::api::plan::Interval;
use crate::provider::SubscriptionStatus;

const SECRET: &str = "sk_test_not_real";

fn stripe(router: Router) -> Stripe {
    let transport = Transport::in_process(router, Duration::from_secs(5));
    let key = SecretString::from(SECRET);
    Stripe::new(transport, "https://api.stripe.test/", &key, vec![]).unwrap()
}

/// Answers everything with the same status and body.
fn always(status: u16, body: &'static str) -> Stripe {
    let answer = move || async move { (StatusCode::from_u16(status).unwrap(), body) };
    stripe(Router::new().fallback(any(answer)))
}

fn order() -> CheckoutOrder {
    CheckoutOrder {
        price: "price_basic_monthly".into(),
        metadata: [("subdomain".to_owned(), "ada".to_owned())].into(),
        success_url: "https://x.example/done?session_id={CHECKOUT_SESSION_ID}".into(),
        cancel_url: "https://x.example/cancelled".into(),
        idempotency_key: "order-1".into(),
    }
}

#[tokio::test]
async fn a_checkout_is_a_form_with_bracketed_names_a_pinned_version_and_an_idempotency_key() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let router = Router::new().fallback(any(move |request: Asked| async move {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 9999).await.unwrap();
        keep.lock().unwrap().push((head, body));
        r#"{"id":"cs_1","url":"https://pay.example/cs_1"}"#
    }));
    let url = stripe(router).start_checkout(&order()).await.unwrap();
    assert_eq!(url, "https://pay.example/cs_1");
    let seen = seen.lock().unwrap();
    let (head, body) = &seen[0];
    assert_eq!(head.uri, "https://api.stripe.test/v1/checkout/sessions");
    assert_eq!(head.headers["stripe-version"], API_VERSION);
    assert_eq!(head.headers["idempotency-key"], "order-1");
    assert_eq!(
        head.headers["authorization"],
        format!("Bearer {SECRET}").as_str()
    );
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(body).unwrap();
    let field = |name: &str| {
        let found = fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(field("mode"), Some("subscription"));
    assert_eq!(field("line_items[0][price]"), Some("price_basic_monthly"));
    assert_eq!(field("metadata[subdomain]"), Some("ada"));
    assert_eq!(field("subscription_data[metadata][subdomain]"), Some("ada"));
    assert!(
        field("success_url")
            .unwrap()
            .ends_with("{CHECKOUT_SESSION_ID}")
    );
}

async fn check_refusal(status: u16, expected: Refusal) {
    let body = r#"{"error":{"type":"x","code":"some_code","message":"because"}}"#;
    let error = always(status, body)
        .start_checkout(&order())
        .await
        .unwrap_err();
    assert_eq!(error.refusal(), Some(expected), "{status}");
    assert!(error.to_string().ends_with("some_code: because"), "{error}");
}

#[tokio::test]
async fn refusals_are_sorted_by_remedy() {
    check_refusal(400, Refusal::Invalid).await;
    check_refusal(402, Refusal::Invalid).await;
    check_refusal(401, Refusal::Denied).await;
    check_refusal(403, Refusal::Denied).await;
    check_refusal(404, Refusal::NotFound).await;
    check_refusal(409, Refusal::Busy).await;
    let throttled = always(429, "").subscription("sub_1").await;
    assert!(matches!(throttled, Err(ProviderError::Throttled { .. })));
}

#[tokio::test]
async fn a_lost_answer_is_unknown_for_an_order_and_unreachable_for_a_read() {
    for (status, body) in [(500, ""), (503, "<html>"), (200, "{\"id\":")] {
        let world = always(status, body);
        let ordered = world.start_checkout(&order()).await;
        assert!(
            matches!(ordered, Err(ProviderError::Unknown(_))),
            "{status}"
        );
        let looked = world.subscription("sub_1").await;
        assert!(
            matches!(looked, Err(ProviderError::Unreachable(_))),
            "{status}"
        );
    }
}

#[tokio::test]
async fn what_stripe_does_not_know_and_what_cannot_be_an_id_is_none() {
    assert_eq!(always(404, "{}").session("cs_1").await.unwrap(), None);
    // Would be another path, so it is not even asked for.
    let world = always(500, "");
    assert_eq!(world.session("../customers/cus_1").await.unwrap(), None);
    assert_eq!(world.session("").await.unwrap(), None);
}

#[tokio::test]
async fn a_refused_read_is_an_error_and_never_absent() {
    let error = always(401, "").subscription("sub_1").await.unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::Denied));
}

#[tokio::test]
async fn a_subscription_is_read_with_what_we_need_and_whatever_else_is_new() {
    let body = json!({"id": "sub_1", "customer": {"id": "cus_1", "object": "customer"},
        "status": "past_due", "items": {"data": [{"id": "si_1", "new": 1}, {"id": "si_2"}]},
        "metadata": {"plan": "basic"}, "latest_invoice": "in_1", "livemode": true})
    .to_string();
    let subscription = always(200, body.leak()).subscription("sub_1").await;
    let expected = Subscription {
        id: "sub_1".into(),
        customer: "cus_1".into(),
        status: SubscriptionStatus::PastDue,
        item: "si_1".into(),
        metadata: [("plan".to_owned(), "basic".to_owned())].into(),
        latest_invoice: Some("in_1".into()),
        live_mode: true,
    };
    assert_eq!(subscription.unwrap(), Some(expected));
    let odd = r#"{"id":"sub_1","customer":"cus_1","status":"tomorrow","items":{"data":[]}}"#;
    let odd = always(200, odd)
        .subscription("sub_1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(odd.status, SubscriptionStatus::Unknown);
    assert_eq!(odd.item, "sub_1");
}

#[tokio::test]
async fn a_price_is_read_as_it_would_be_charged() {
    let body = r#"{"id":"price_1","active":true,"unit_amount":1900,"currency":"eur",
        "recurring":{"interval":"month","interval_count":1}}"#;
    let price = always(200, body).price("price_1").await.unwrap().unwrap();
    let expected = SellingPrice {
        amount_cents: Some(1900),
        currency: "eur".into(),
        interval: Some(Interval::Month),
        on_sale: true,
    };
    assert_eq!(price, expected);
    let odd = r#"{"active":false,"unit_amount":null,"currency":"EUR",
        "recurring":{"interval":"month","interval_count":3}}"#;
    let odd = always(200, odd).price("price_1").await.unwrap().unwrap();
    assert_eq!(
        (odd.amount_cents, odd.interval, odd.on_sale),
        (None, None, false)
    );
    assert_eq!(always(404, "{}").price("price_1").await.unwrap(), None);
}

#[tokio::test]
async fn an_invoice_leads_to_its_subscription_through_its_parent() {
    let body = r#"{"id":"in_1","status":"paid","parent":{"type":"subscription_details",
        "subscription_details":{"subscription":"sub_1"}}}"#;
    let invoice = always(200, body).invoice("in_1").await.unwrap().unwrap();
    assert!(invoice.paid);
    assert_eq!(invoice.subscription.as_deref(), Some("sub_1"));
    let single = r#"{"id":"in_2","status":"open","parent":null}"#;
    let single = always(200, single).invoice("in_2").await.unwrap().unwrap();
    assert_eq!((single.paid, single.subscription), (false, None));
}

/// Event `n` of `count`, newest first, as Stripe pages them.
async fn events_page(State(count): State<usize>, RawQuery(query): RawQuery) -> String {
    let query = query.unwrap();
    let asked = "&created%5Bgte%5D=1000&types%5B%5D=invoice.paid&types%5B%5D=x.y";
    assert!(query.contains(asked), "{query}");
    let after = query.split("starting_after=evt_").nth(1);
    let next = after.map_or(count, |id| id.parse::<usize>().unwrap() - 1);
    let page: Vec<_> = (1..=next).rev().take(100).collect();
    let has_more = page.last().is_some_and(|last| *last > 1);
    let item = |n: usize| {
        json!({"id": format!("evt_{n}"), "type": "invoice.paid", "created": n, "livemode": false,
            "data": {"object": {"id": format!("in_{n}")}}})
    };
    let data: Vec<_> = page.into_iter().map(item).collect();
    json!({"data": data, "has_more": has_more}).to_string()
}

#[tokio::test]
async fn every_page_of_events_is_read_and_the_oldest_comes_first() {
    let router = Router::new()
        .route("/v1/events", get(events_page))
        .with_state(250);
    let since = Timestamp::from_second(1000).unwrap();
    let events = stripe(router)
        .events_since(since, &["invoice.paid", "x.y"])
        .await
        .unwrap();
    let ids: Vec<_> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), 250);
    assert_eq!((ids[0], ids[249]), ("evt_1", "evt_250"));
    assert_eq!(events[0].subject, "in_1");
}

#[tokio::test]
async fn a_list_that_goes_in_circles_is_an_error_and_not_endless() {
    for body in [
        r#"{"data":[{"id":"evt_1"}],"has_more":true}"#,
        r#"{"data":[],"has_more":true}"#,
        r#"{"data":[{"name":"without an id"}],"has_more":false}"#,
    ] {
        let error = always(200, body)
            .events_since(Timestamp::UNIX_EPOCH, &[])
            .await;
        assert!(
            matches!(error, Err(ProviderError::Unreachable(_))),
            "{body}"
        );
    }
}

#[tokio::test]
async fn one_item_that_cannot_be_read_does_not_hide_the_others() {
    let body = r#"{"data":[{"id":"evt_2","type":7},{"id":"evt_1","type":"invoice.paid","created":1,
        "data":{"object":{}}}],"has_more":false}"#;
    let events = always(200, body)
        .events_since(Timestamp::UNIX_EPOCH, &[])
        .await;
    let events = events.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].subject, "", "an object without an id");
}

async fn not_found() -> impl IntoResponse {
    StatusCode::NOT_FOUND
}

#[tokio::test]
async fn a_webhook_is_believed_only_with_a_signature_and_an_id() {
    let transport =
        Transport::in_process(Router::new().fallback(not_found), Duration::from_secs(1));
    let secrets = vec![SecretString::from("whsec_1")];
    let key = SecretString::from(SECRET);
    let stripe = Stripe::new(transport, "https://api.stripe.test", &key, secrets).unwrap();
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let open = |body: &[u8]| {
        let header = signature::sign(body, &SecretString::from("whsec_1"), now);
        stripe.open_webhook(body, &header, now)
    };
    let body =
        br#"{"id":"evt_1","type":"invoice.paid","created":5,"data":{"object":{"id":"in_1"}}}"#;
    let event = open(body).unwrap();
    assert_eq!(
        (event.id.as_str(), event.subject.as_str()),
        ("evt_1", "in_1")
    );
    let unsigned = stripe.open_webhook(body, "t=1700000000,v1=00", now);
    assert!(matches!(unsigned, Err(WebhookError::Signature(_))));
    for body in [
        "",
        "[]",
        r#"{"id":"","type":"x","created":5,"data":{"object":{}}}"#,
    ] {
        let read = open(body.as_bytes());
        assert!(matches!(read, Err(WebhookError::Unreadable(_))), "{body}");
    }
}
