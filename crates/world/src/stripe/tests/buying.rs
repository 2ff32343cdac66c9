//! From a checkout session to a subscription, with every kind of card.

use http::StatusCode;
use serde_json::{Value, json};

use super::{DAY, Shop, count, page_of, text};

#[tokio::test(start_paused = true)]
async fn a_good_card_buys_one_subscription_with_its_metadata() {
    let shop = Shop::new();
    let session = shop.checkout().await;
    assert_eq!(
        text(&session["url"]),
        format!("http://stripe.test{}", page_of(&session))
    );
    let page = shop
        .send(shop.request("GET", &page_of(&session), &[]))
        .await;
    assert!(page.text.contains("€19.00"), "{}", page.text);

    let paid = shop.pay_with_card(&session, "4242 4242 4242 4242").await;
    let id = text(&session["id"]);
    assert_eq!(paid.status, StatusCode::SEE_OTHER);
    assert_eq!(
        paid.headers["location"],
        format!("https://shop.test/done?session_id={id}")
    );

    let session = shop.session(&session).await;
    assert_eq!(session["status"], "complete");
    assert_eq!(session["payment_status"], "paid");
    assert_eq!(session["metadata"], json!({ "installation": "one" }));
    assert_eq!(session["url"], Value::Null);
    let subscription = shop.subscription_of(&session).await;
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["metadata"], json!({ "subdomain": "ada" }));
    let item = &subscription["items"]["data"][0];
    assert_eq!(item["price"]["id"], "price_basic_monthly");
    let invoice = text(&subscription["latest_invoice"]);
    let invoice = shop
        .ok("GET", &format!("/v1/invoices/{invoice}"), &[])
        .await;
    assert_eq!(invoice["status"], "paid");
    assert_eq!(
        invoice["parent"]["subscription_details"]["subscription"],
        subscription["id"]
    );
    let events = shop.events().await;
    for kind in [
        "customer.subscription.created",
        "invoice.paid",
        "checkout.session.completed",
    ] {
        assert_eq!(count(&events, kind), 1, "{events:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_declined_card_buys_nothing_and_another_may_be_tried() {
    let shop = Shop::new();
    let session = shop.checkout().await;
    for number in ["4000000000000002", "4000000000009995", "4000000000000069"] {
        let page = shop.pay_with_card(&session, number).await;
        assert_eq!(page.status, StatusCode::PAYMENT_REQUIRED);
        assert!(page.text.contains("role=\"alert\""), "{}", page.text);
        assert!(
            page.text.contains("value=\"ada@example.com\""),
            "{}",
            page.text
        );
    }
    assert_eq!(shop.session(&session).await["status"], "open");
    assert_eq!(shop.world.snapshot().subscriptions, []);
    assert_eq!(shop.events().await, Vec::<String>::new());
    let paid = shop.pay_with_card(&session, "4242424242424242").await;
    assert_eq!(paid.status, StatusCode::SEE_OTHER);
    assert_eq!(shop.world.snapshot().subscriptions.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_card_that_asks_buys_only_after_a_yes() {
    let shop = Shop::new();
    let session = shop.checkout().await;
    let asked = shop.pay_with_card(&session, "4000 0027 6000 3184").await;
    let confirm = format!("{}/confirm", page_of(&session));
    assert_eq!(asked.headers["location"], confirm);
    let no = shop.submit(&confirm, &[("outcome", "refuse")]).await;
    assert_eq!(no.status, StatusCode::PAYMENT_REQUIRED);
    assert_eq!(shop.world.snapshot().subscriptions, []);

    shop.pay_with_card(&session, "4000 0027 6000 3184").await;
    let page = shop.send(shop.request("GET", &confirm, &[])).await;
    assert!(page.text.contains("3184"), "{}", page.text);
    let yes = shop.submit(&confirm, &[("outcome", "agree")]).await;
    assert!(
        yes.headers["location"]
            .to_str()
            .unwrap()
            .starts_with("https://shop.test/done")
    );
    assert_eq!(shop.subscription_of(&session).await["status"], "active");
}

#[tokio::test(start_paused = true)]
async fn a_debit_is_paid_when_it_arrives() {
    let shop = Shop::new();
    let session = shop.checkout().await;
    shop.pay_with_account(&session, "AT32 1904 3002 3547 3204")
        .await;
    let before = shop.session(&session).await;
    assert_eq!(
        (&before["status"], &before["payment_status"]),
        (&json!("complete"), &json!("unpaid"))
    );
    tokio::time::advance(std::time::Duration::from_secs(6)).await;
    assert_eq!(shop.session(&session).await["payment_status"], "paid");
    let events = shop.events().await;
    assert_eq!(
        count(&events, "checkout.session.async_payment_succeeded"),
        1,
        "{events:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_debit_that_comes_back_leaves_the_subscription_past_due() {
    let shop = Shop::new();
    let session = shop.checkout().await;
    shop.pay_with_account(&session, "AT05 1904 3002 3547 3205")
        .await;
    assert_eq!(shop.subscription_of(&session).await["status"], "active");
    tokio::time::advance(std::time::Duration::from_secs(181)).await;
    assert_eq!(shop.subscription_of(&session).await["status"], "past_due");
    assert_eq!(shop.session(&session).await["payment_status"], "unpaid");
    let events = shop.events().await;
    for kind in [
        "checkout.session.async_payment_failed",
        "invoice.payment_failed",
    ] {
        assert_eq!(count(&events, kind), 1, "{events:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_paid_once_and_expires_unpaid_after_a_day() {
    let shop = Shop::new();
    let session = shop.checkout().await;
    shop.pay_with_card(&session, "4242424242424242").await;
    let again = shop.pay_with_card(&session, "4242424242424242").await;
    assert!(again.text.contains("This is done"), "{}", again.text);
    assert_eq!(shop.world.snapshot().subscriptions.len(), 1);

    let late = shop.checkout().await;
    shop.after(DAY);
    let page = shop.pay_with_card(&late, "4242424242424242").await;
    assert!(page.text.contains("closed"), "{}", page.text);
    assert_eq!(shop.session(&late).await["status"], "expired");
    assert_eq!(shop.world.snapshot().subscriptions.len(), 1);
    assert_eq!(count(&shop.events().await, "checkout.session.expired"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost() {
    let shop = Shop::new();
    let session = shop.checkout().await;
    let form = [
        ("email", "\"><script>"),
        ("name", ""),
        ("card_number", "4242"),
        ("expiry", "13/30"),
        ("cvc", "1"),
    ];
    let page = shop.submit(&page_of(&session), &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["email", "name", "card_number", "expiry", "cvc"] {
        assert!(
            page.text.contains(&format!("id=\"{field}-wrong\"")),
            "{field}: {}",
            page.text
        );
    }
    assert!(!page.text.contains("<script>"), "{}", page.text);
    let stranger = shop
        .submit(
            &page_of(&session),
            &[
                ("email", "a@b.cd"),
                ("name", "A"),
                ("card_number", "5200828282828210"),
            ],
        )
        .await;
    assert!(
        stranger.text.contains("Only test cards"),
        "{}",
        stranger.text
    );
}
