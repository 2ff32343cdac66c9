//! Customers who live by a test clock: months pass for them, and for nobody else.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::{Shop, count, text};

const NOW: i64 = 1_793_610_000;
const DAY: i64 = 24 * 3_600;
/// Longer than advancing takes.
const ADVANCED: Duration = Duration::from_secs(10);

/// A clock, and a subscription by it.
async fn on_a_clock(shop: &Shop, card: &str) -> (String, String) {
    let form = [("frozen_time", &*NOW.to_string()), ("name", "renewals")];
    let clock = shop.ok("POST", "/v1/test_helpers/test_clocks", &form).await;
    assert_eq!(clock["status"], "ready");
    let clock = text(&clock["id"]);
    let form = [
        ("test_clock", clock.as_str()),
        ("payment_method", card),
        ("invoice_settings[default_payment_method]", card),
    ];
    let customer = text(&shop.ok("POST", "/v1/customers", &form).await["id"]);
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", "price_basic_monthly"),
    ];
    let subscription = shop.ok("POST", "/v1/subscriptions", &form).await;
    assert_eq!(subscription["test_clock"], clock);
    (clock, text(&subscription["id"]))
}

async fn advance(shop: &Shop, clock: &str, to: i64) {
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    let form = [("frozen_time", &*to.to_string())];
    let advancing = shop.ok("POST", &format!("{path}/advance"), &form).await;
    assert_eq!(advancing["status"], "advancing");
    shop.after(ADVANCED);
    let ready = shop.ok("GET", &path, &[]).await;
    assert_eq!(
        (&ready["status"], &ready["frozen_time"]),
        (&"ready".into(), &to.into())
    );
}

async fn invoices(shop: &Shop, subscription: &str) -> Vec<Value> {
    let query = [("subscription", subscription), ("limit", "100")];
    let list = shop.ok("GET", "/v1/invoices", &query).await;
    list["data"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_month_by_a_test_clock_renews_and_an_hour_later_it_is_paid() {
    let shop = Shop::new();
    let (clock, id) = on_a_clock(&shop, "pm_card_visa").await;
    advance(&shop, &clock, NOW + 30 * DAY).await;
    let drawn = invoices(&shop, &id).await;
    assert_eq!(
        (drawn.len(), text(&drawn[0]["status"])),
        (2, "draft".to_owned())
    );
    advance(&shop, &clock, NOW + 31 * DAY).await;
    let paid = invoices(&shop, &id).await;
    assert_eq!(paid[0]["status"], "paid");
    assert_eq!(paid[0]["created"], NOW + 30 * DAY);
    assert_eq!(
        paid[0]["status_transitions"]["paid_at"],
        NOW + 30 * DAY + 3_600
    );
    let payments = shop.ok("GET", "/v1/payment_intents", &[]).await;
    let at = payments["data"][0]["created"].as_i64().unwrap();
    assert!(at < NOW + DAY, "money moves by the account's clock");
    let events = shop.events().await;
    assert_eq!(count(&events, "test_helpers.test_clock.ready"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_card_that_fails_by_a_test_clock_is_tried_for_weeks_and_can_be_mended() {
    let shop = Shop::new();
    let (clock, id) = on_a_clock(&shop, "pm_card_visa").await;
    let customer = text(&shop.subscription(&id).await["customer"]);
    let path = format!("/v1/customers/{customer}");
    let attach = "/v1/payment_methods/pm_card_chargeCustomerFail/attach";
    let failing = shop.ok("POST", attach, &[("customer", &customer)]).await;
    let default = "invoice_settings[default_payment_method]";
    shop.ok("POST", &path, &[(default, &text(&failing["id"]))])
        .await;
    advance(&shop, &clock, NOW + 31 * DAY).await;
    let due = shop.subscription(&id).await;
    assert_eq!(due["status"], "past_due");
    let open = format!("/v1/invoices/{}", text(&due["latest_invoice"]));
    let open = shop.ok("GET", &open, &[]).await;
    assert_eq!(open["next_payment_attempt"], NOW + 33 * DAY + 3_600);
    let good = shop
        .ok(
            "POST",
            "/v1/payment_methods/pm_card_visa/attach",
            &[("customer", &customer)],
        )
        .await;
    shop.ok("POST", &path, &[(default, &text(&good["id"]))])
        .await;
    advance(&shop, &clock, NOW + 34 * DAY).await;
    assert_eq!(shop.subscription(&id).await["status"], "active");
    assert_eq!(invoices(&shop, &id).await[0]["attempt_count"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_advances_lets_nothing_be_changed_and_goes_two_intervals_at_most() {
    let shop = Shop::new();
    let (clock, id) = on_a_clock(&shop, "pm_card_visa").await;
    let path = format!("/v1/test_helpers/test_clocks/{clock}/advance");
    for (to, why) in [(NOW, "after"), (NOW + 70 * DAY, "two intervals")] {
        let form = [("frozen_time", &*to.to_string())];
        let (_, error) = shop.refused("POST", &path, &form).await;
        assert!(text(&error["message"]).contains(why), "{error}");
    }
    shop.ok("POST", &path, &[("frozen_time", &(NOW + DAY).to_string())])
        .await;
    let update = format!("/v1/subscriptions/{id}");
    let (status, error) = shop
        .refused("POST", &update, &[("cancel_at_period_end", "true")])
        .await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert!(text(&error["message"]).starts_with("Test clock advancement underway"));
}

#[tokio::test(start_paused = true)]
async fn three_customers_live_by_a_clock_unlisted_and_go_with_it() {
    let shop = Shop::new();
    let (clock, id) = on_a_clock(&shop, "pm_card_visa").await;
    let form = [("test_clock", clock.as_str())];
    for _ in 0..2 {
        shop.ok("POST", "/v1/customers", &form).await;
    }
    let (_, error) = shop.refused("POST", "/v1/customers", &form).await;
    assert_eq!(error["param"], "test_clock");
    let listed = async |query: &[(&str, &str)]| {
        let list = shop.ok("GET", "/v1/customers", query).await;
        list["data"].as_array().unwrap().len()
    };
    assert_eq!((listed(&[]).await, listed(&form).await), (0, 3));
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    assert_eq!(shop.ok("DELETE", &path, &[]).await["deleted"], true);
    assert_eq!(
        shop.refused("GET", &path, &[]).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(shop.subscription(&id).await["status"], "canceled");
    shop.after(super::DAY * 90);
    assert_eq!(
        invoices(&shop, &id).await.len(),
        1,
        "nothing is planned any more"
    );
}
