//! A webhook: believed only when signed, kept exactly once, and answered only when it is kept.

use super::*;

const PAID: &str = r#"{"id":"evt_1Abc","type":"invoice.paid","created":1699999990,"livemode":false,
    "data":{"object":{"id":"in_1"}}}"#;

#[tokio::test]
async fn a_signed_event_is_kept_and_then_answered() {
    let shop = shop();
    let answer = shop.ring(PAID).await;
    assert_eq!(answer.status, StatusCode::OK);
    let ledger = shop.cluster.ledger();
    let spec = &ledger[0]["spec"];
    assert_eq!(spec["eventId"], "evt_1Abc");
    assert_eq!(spec["type"], "invoice.paid");
    assert_eq!(spec["subject"], "in_1");
    assert_eq!(spec["source"], "Webhook");
    assert_eq!(spec["created"], "2023-11-14T22:13:10Z");
}

#[tokio::test]
async fn the_same_event_five_times_is_kept_once_and_always_welcome() {
    let shop = shop();
    for _ in 0..5 {
        assert_eq!(shop.ring(PAID).await.status, StatusCode::OK);
    }
    assert_eq!(shop.cluster.ledger().len(), 1);
    let metrics = shop.metrics().await;
    assert!(metrics.contains("clawdet_web_webhooks_total{outcome=\"accepted\"} 1"));
    assert!(metrics.contains("clawdet_web_webhooks_total{outcome=\"duplicate\"} 4"));
}

#[tokio::test]
async fn what_is_not_signed_by_stripe_lately_is_refused_and_counted() {
    let shop = shop();
    let now = Timestamp::from_second(NOW).unwrap();
    let strange = signature::sign(PAID.as_bytes(), &SecretString::from("whsec_other"), now);
    let stale = Timestamp::from_second(NOW - 301).unwrap();
    let stale = signature::sign(PAID.as_bytes(), &SecretString::from(SECRET), stale);
    for signature in ["", "t=1,v1=00", &strange, &stale] {
        let answer = shop.ring_signed(PAID, signature).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{signature}");
    }
    assert!(shop.cluster.ledger().is_empty());
    let metrics = shop.metrics().await;
    assert!(metrics.contains("clawdet_web_webhooks_total{outcome=\"bad_signature\"} 4"));
}

#[tokio::test]
async fn too_large_a_body_is_refused_unread_and_counted() {
    let shop = shop();
    let largest = "x".repeat(256 * 1024);
    assert_eq!(
        shop.ring(&largest).await.status,
        StatusCode::BAD_REQUEST,
        "read, and no event"
    );
    let answer = shop.ring(&format!("{largest}x")).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let metrics = shop.metrics().await;
    assert!(metrics.contains("clawdet_web_webhooks_total{outcome=\"too_large\"} 1"));
    assert!(metrics.contains("clawdet_web_webhooks_total{outcome=\"unreadable\"} 1"));
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_acknowledged() {
    let shop = shop();
    shop.cluster.goes_down();
    let answer = shop.ring(PAID).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let metrics = shop.metrics().await;
    assert!(metrics.contains("clawdet_web_webhooks_total{outcome=\"failed\"} 1"));
}

#[tokio::test]
async fn two_secrets_hold_while_one_is_rolled() {
    let payments = Payments::default();
    let now = Timestamp::from_second(NOW).unwrap();
    let stripe = payments.stripe("whsec_new");
    let header = signature::sign(PAID.as_bytes(), &SecretString::from("whsec_new"), now);
    let old = signature::sign(PAID.as_bytes(), &SecretString::from("whsec_old"), now);
    let both = format!("{old},{}", header.split_once(',').unwrap().1);
    let opened = crate::provider::Billing::open_webhook(&stripe, PAID.as_bytes(), &both, now);
    assert_eq!(opened.unwrap().id, "evt_1Abc");
}
