//! What happens to a subscription over simulated months.

use http::StatusCode;

use super::{DAY, HOUR, Shop, count, text};

#[tokio::test(start_paused = true)]
async fn a_subscription_is_paid_again_every_month() {
    let shop = Shop::new();
    let subscription = shop.sold().await;
    let id = text(&subscription["id"]);
    shop.after(DAY * 31 * 3);
    let now = shop.subscription(&id).await;
    assert_eq!(now["status"], "active");
    let invoices = shop
        .ok(
            "GET",
            "/v1/invoices",
            &[("subscription", &id), ("status", "paid")],
        )
        .await;
    assert_eq!(invoices["data"].as_array().unwrap().len(), 4);
    let ends = |subscription: &serde_json::Value| {
        subscription["items"]["data"][0]["current_period_end"]
            .as_i64()
            .unwrap()
    };
    assert!(ends(&now) > ends(&subscription));
}

#[tokio::test(start_paused = true)]
async fn a_failing_card_is_tried_four_times_and_then_the_subscription_ends() {
    let shop = Shop::new();
    let id = text(&shop.sold().await["id"]);
    shop.world.fail_payments(&id, true).await;
    // November has 30 days; the attempts are on days 30, 33, 38 and 45, an hour after the renewal.
    shop.after(DAY * 30);
    assert_eq!(shop.subscription(&id).await["status"], "active");
    shop.after(HOUR);
    assert_eq!(shop.subscription(&id).await["status"], "past_due");
    shop.after(DAY * 14);
    assert_eq!(shop.subscription(&id).await["status"], "past_due");
    shop.after(DAY);
    let ended = shop.subscription(&id).await;
    assert_eq!(ended["status"], "canceled");
    assert_eq!(ended["cancellation_details"]["reason"], "payment_failed");
    let events = shop.events().await;
    assert_eq!(count(&events, "invoice.payment_failed"), 4, "{events:?}");
    assert_eq!(count(&events, "customer.subscription.deleted"), 1);
    shop.after(DAY * 60);
    assert_eq!(
        count(&shop.events().await, "invoice.created"),
        0,
        "events are listed for 30 days"
    );
}

#[tokio::test(start_paused = true)]
async fn a_card_that_works_again_makes_a_past_due_subscription_active() {
    let shop = Shop::new();
    let id = text(&shop.sold().await["id"]);
    shop.world.fail_payments(&id, true).await;
    shop.after(DAY * 31);
    let invoice = text(&shop.subscription(&id).await["latest_invoice"]);
    let pay = format!("/v1/invoices/{invoice}/pay");
    let (status, error) = shop.refused("POST", &pay, &[]).await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED);
    assert_eq!(error["code"], "card_declined");
    shop.world.fail_payments(&id, false).await;
    let paid = shop.ok("POST", &pay, &[]).await;
    assert_eq!(paid["status"], "paid");
    assert_eq!(shop.subscription(&id).await["status"], "active");
}

#[tokio::test(start_paused = true)]
async fn a_bank_that_asks_each_time_makes_a_renewal_past_due() {
    let shop = Shop::new();
    let session = shop.checkout().await;
    shop.pay_with_card(&session, "4000002760003184").await;
    let confirm = format!("{}/confirm", super::page_of(&session));
    shop.submit(&confirm, &[("outcome", "agree")]).await;
    shop.after(DAY * 31);
    assert_eq!(shop.subscription_of(&session).await["status"], "past_due");
    assert_eq!(
        count(&shop.events().await, "invoice.payment_action_required"),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_subscription_ends_at_once_or_at_the_end_of_its_period() {
    let shop = Shop::new();
    let now = text(&shop.sold().await["id"]);
    let cancelled = shop
        .ok("DELETE", &format!("/v1/subscriptions/{now}"), &[])
        .await;
    assert_eq!(cancelled["status"], "canceled");
    let later = text(&shop.sold().await["id"]);
    let path = format!("/v1/subscriptions/{later}");
    let updated = shop
        .ok("POST", &path, &[("cancel_at_period_end", "true")])
        .await;
    assert_eq!(updated["status"], "active");
    shop.after(DAY * 31);
    assert_eq!(shop.subscription(&later).await["status"], "canceled");
    let paid = shop
        .ok("GET", "/v1/invoices", &[("subscription", &later)])
        .await;
    assert_eq!(paid["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_trial_costs_nothing_until_it_ends() {
    let shop = Shop::new();
    let form = [
        ("mode", "subscription"),
        ("line_items[0][price]", "price_pro_yearly"),
        ("success_url", "https://shop.test/done"),
        ("subscription_data[trial_period_days]", "14"),
    ];
    let session = shop.ok("POST", "/v1/checkout/sessions", &form).await;
    shop.pay_with_card(&session, "4242424242424242").await;
    assert_eq!(
        shop.session(&session).await["payment_status"],
        "no_payment_required"
    );
    let trial = shop.subscription_of(&session).await;
    assert_eq!(trial["status"], "trialing");
    assert_eq!(shop.world.snapshot().subscriptions[0].paid_amount, 0);
    shop.after(DAY * 14 + HOUR);
    assert_eq!(shop.subscription_of(&session).await["status"], "active");
    assert_eq!(shop.world.snapshot().subscriptions[0].paid_amount, 49_000);
}

#[tokio::test(start_paused = true)]
async fn an_open_invoice_is_paid_on_its_page_with_another_card_which_is_kept() {
    let shop = Shop::new();
    let id = text(&shop.sold().await["id"]);
    shop.world.fail_payments(&id, true).await;
    shop.after(DAY * 30 + HOUR);
    let invoice = text(&shop.subscription(&id).await["latest_invoice"]);
    let invoice = shop
        .ok("GET", &format!("/v1/invoices/{invoice}"), &[])
        .await;
    let page = text(&invoice["hosted_invoice_url"]).replace("http://stripe.test", "");
    let seen = shop.send(shop.request("GET", &page, &[])).await;
    assert!(seen.text.contains("€19.00"), "{}", seen.text);
    let declined = shop
        .submit(&page, &[("card_number", "4000000000000002")])
        .await;
    assert_eq!(declined.status, StatusCode::PAYMENT_REQUIRED);
    assert_eq!(shop.subscription(&id).await["status"], "past_due");
    let paid = shop
        .submit(&page, &[("card_number", "4242424242424242")])
        .await;
    assert!(paid.text.contains("This invoice is paid"), "{}", paid.text);
    assert_eq!(shop.subscription(&id).await["status"], "active");
    shop.after(DAY * 31);
    assert_eq!(shop.subscription(&id).await["status"], "active");
}
