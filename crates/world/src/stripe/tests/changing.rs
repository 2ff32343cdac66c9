//! Subscriptions that are begun and changed by request: cards that fail, plans that change, pauses, disputes.

use http::StatusCode;
use serde_json::Value;

use super::{DAY, HOUR, Shop, count, text};

async fn change(shop: &Shop, subscription: &Value, form: &[(&str, &str)]) -> Value {
    let path = format!("/v1/subscriptions/{}", text(&subscription["id"]));
    shop.ok("POST", &path, form).await
}

async fn latest(shop: &Shop, subscription: &Value) -> Value {
    let id = text(&shop.subscription(&text(&subscription["id"])).await["latest_invoice"]);
    shop.ok("GET", &format!("/v1/invoices/{id}"), &[]).await
}

fn first_item(subscription: &Value) -> String {
    text(&subscription["items"]["data"][0]["id"])
}

#[tokio::test(start_paused = true)]
async fn a_first_payment_that_fails_leaves_it_incomplete_until_paid_or_expired() {
    let shop = Shop::new();
    let waits = shop.subscribed("pm_card_chargeCustomerFail", &[]).await;
    assert_eq!(waits["status"], "incomplete");
    let invoice = text(&waits["latest_invoice"]);
    let pay = format!("/v1/invoices/{invoice}/pay");
    let (status, error) = shop.refused("POST", &pay, &[]).await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED);
    assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
    let paid = shop
        .ok("POST", &pay, &[("payment_method", "pm_card_visa")])
        .await;
    assert_eq!(paid["status"], "paid");
    assert_eq!(
        shop.subscription(&text(&waits["id"])).await["status"],
        "active"
    );
    let late = shop.subscribed("pm_card_chargeCustomerFail", &[]).await;
    shop.after(HOUR * 23);
    let late = shop.subscription(&text(&late["id"])).await;
    assert_eq!(late["status"], "incomplete_expired");
    assert_eq!(latest(&shop, &late).await["status"], "void");
}

#[tokio::test(start_paused = true)]
async fn a_bank_that_asks_makes_it_incomplete_and_a_refusal_on_request_makes_nothing() {
    let shop = Shop::new();
    let more = [("expand[]", "latest_invoice.payments")];
    let asks = shop
        .subscribed("pm_card_authenticationRequired", &more)
        .await;
    assert_eq!(asks["status"], "incomplete");
    let payments = &asks["latest_invoice"]["payments"]["data"];
    let intent = text(&payments[0]["payment"]["payment_intent"]);
    let path = format!("/v1/payment_intents/{intent}");
    assert_eq!(
        shop.ok("GET", &path, &[]).await["status"],
        "requires_action"
    );
    let customer = text(&asks["customer"]);
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", "price_pro_monthly"),
        ("payment_behavior", "error_if_incomplete"),
    ];
    shop.refused("POST", "/v1/subscriptions", &form).await;
    assert_eq!(shop.world.snapshot().subscriptions.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dearer_plan_in_the_middle_of_a_month_costs_the_rest_of_the_difference() {
    let shop = Shop::new();
    let basic = shop.subscribed("pm_card_visa", &[]).await;
    shop.after(DAY * 15);
    let item = first_item(&basic);
    let form = [
        ("items[0][id]", item.as_str()),
        ("items[0][price]", "price_pro_monthly"),
    ];
    let asked = [
        ("subscription", &*text(&basic["id"])),
        ("subscription_details[items][0][id]", &item),
        ("subscription_details[items][0][price]", "price_pro_monthly"),
    ];
    let preview = shop.ok("POST", "/v1/invoices/create_preview", &asked).await;
    // Half of -19 and 49 euros, and the next month.
    assert_eq!(preview["total"], 1_500 + 4_900);
    let pro = change(&shop, &basic, &form).await;
    assert_eq!(pro["items"]["data"][0]["price"]["id"], "price_pro_monthly");
    assert_eq!(latest(&shop, &basic).await["total"], 1_900, "it waits");
    shop.after(DAY * 15 + HOUR);
    let next = latest(&shop, &basic).await;
    assert_eq!(
        (&next["total"], &next["status"]),
        (&6_400.into(), &"paid".into())
    );
    let amounts: Vec<_> = next["lines"]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["amount"].as_i64().unwrap())
        .collect();
    assert_eq!(amounts, [-950, 2_450, 4_900]);
}

#[tokio::test(start_paused = true)]
async fn a_cheaper_plan_invoiced_at_once_becomes_credit_that_is_used_first() {
    let shop = Shop::new();
    let more = [("items[0][price]", "price_pro_monthly")];
    let pro = shop.subscribed("pm_card_visa", &more).await;
    shop.after(DAY * 15);
    let form = [
        ("items[0][id]", &*first_item(&pro)),
        ("items[0][price]", "price_basic_monthly"),
        ("proration_behavior", "always_invoice"),
    ];
    change(&shop, &pro, &form).await;
    let settled = latest(&shop, &pro).await;
    assert_eq!(
        (&settled["total"], &settled["amount_due"]),
        (&(-1_500).into(), &0.into())
    );
    let customer = format!("/v1/customers/{}", text(&pro["customer"]));
    assert_eq!(shop.ok("GET", &customer, &[]).await["balance"], -1_500);
    shop.after(DAY * 15 + HOUR);
    let next = latest(&shop, &pro).await;
    assert_eq!(
        (&next["total"], &next["amount_paid"]),
        (&1_900.into(), &400.into())
    );
    assert_eq!(shop.ok("GET", &customer, &[]).await["balance"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_yearly_plan_begins_a_new_period_at_once() {
    let shop = Shop::new();
    let monthly = shop.subscribed("pm_card_visa", &[]).await;
    shop.after(DAY * 15);
    let form = [
        ("items[0][id]", &*first_item(&monthly)),
        ("items[0][price]", "price_basic_yearly"),
    ];
    change(&shop, &monthly, &form).await;
    let invoice = latest(&shop, &monthly).await;
    assert_eq!(invoice["billing_reason"], "subscription_update");
    assert_eq!(
        (&invoice["total"], &invoice["status"]),
        (&18_050.into(), &"paid".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_pause_voids_what_falls_due_and_ends_when_it_was_told_to() {
    let shop = Shop::new();
    let paused = shop.subscribed("pm_card_visa", &[]).await;
    let resumes = paused["created"].as_i64().unwrap() + 40 * 86_400;
    let form = [
        ("pause_collection[behavior]", "void"),
        ("pause_collection[resumes_at]", &*resumes.to_string()),
    ];
    change(&shop, &paused, &form).await;
    shop.after(DAY * 31);
    assert_eq!(latest(&shop, &paused).await["status"], "void");
    shop.after(DAY * 31);
    let resumed = shop.subscription(&text(&paused["id"])).await;
    assert!(resumed["pause_collection"].is_null());
    assert_eq!(latest(&shop, &paused).await["status"], "paid");
}

#[tokio::test(start_paused = true)]
async fn a_planned_end_comes_and_can_be_called_off() {
    let shop = Shop::new();
    let stays = shop.subscribed("pm_card_visa", &[]).await;
    let ends = shop.subscribed("pm_card_visa", &[]).await;
    let at = (ends["created"].as_i64().unwrap() + 10 * 86_400).to_string();
    for subscription in [&stays, &ends] {
        change(&shop, subscription, &[("cancel_at", &at)]).await;
    }
    let called_off = change(&shop, &stays, &[("cancel_at", "")]).await;
    assert!(called_off["cancel_at"].is_null());
    shop.after(DAY * 10);
    assert_eq!(
        shop.subscription(&text(&stays["id"])).await["status"],
        "active"
    );
    assert_eq!(
        shop.subscription(&text(&ends["id"])).await["status"],
        "canceled"
    );
}

#[tokio::test(start_paused = true)]
async fn a_disputed_payment_cannot_be_refunded_and_giving_in_closes_it() {
    let shop = Shop::new();
    shop.subscribed("pm_card_createDispute", &[]).await;
    let dispute = shop.ok("GET", "/v1/disputes", &[]).await["data"][0].clone();
    assert_eq!(dispute["status"], "needs_response");
    let refund = [("charge", &*text(&dispute["charge"]))];
    let (_, error) = shop.refused("POST", "/v1/refunds", &refund).await;
    assert_eq!(error["code"], "charge_disputed");
    let close = format!("/v1/disputes/{}/close", text(&dispute["id"]));
    assert_eq!(shop.ok("POST", &close, &[]).await["status"], "lost");
    let events = shop.events().await;
    assert_eq!(count(&events, "charge.dispute.created"), 1);
    assert_eq!(count(&events, "charge.dispute.closed"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_detached_card_pays_nothing_any_more_and_cannot_come_back() {
    let shop = Shop::new();
    let subscription = shop.subscribed("pm_card_visa", &[]).await;
    let customer = text(&subscription["customer"]);
    let methods = format!("/v1/customers/{customer}/payment_methods");
    let method = text(&shop.ok("GET", &methods, &[]).await["data"][0]["id"]);
    let path = format!("/v1/payment_methods/{method}");
    shop.ok("POST", &format!("{path}/detach"), &[]).await;
    let again = [("customer", customer.as_str())];
    shop.refused("POST", &format!("{path}/attach"), &again)
        .await;
    shop.after(DAY * 31);
    assert_eq!(
        shop.subscription(&text(&subscription["id"])).await["status"],
        "past_due"
    );
}
