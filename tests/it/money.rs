//! From a form in a browser to an instance in the cluster, without a socket and on a clock of our own: the site, the
//! controllers that run for ever, a simulated Stripe with its hosted page, and the embedded API.

mod business;

use std::time::Duration;

use clawdet::api::{ConditionType, Standing};
use clawdet::intent::{customer_name, instance_name};
use http::StatusCode;
use world::{Api, Fault, FaultKind};

use business::{Business, Webhooks};

const PAYS: &str = "4242 4242 4242 4242";
const DECLINED: &str = "4000 0000 0000 0002";
const ASKS: &str = "4000 0027 6000 3184";
const DEBIT_ARRIVES: &str = "AT321904300235473204";
const DEBIT_COMES_BACK: &str = "AT861904300235473202";
const DAY: Duration = Duration::from_hours(24);

#[tokio::test(start_paused = true)]
async fn a_person_who_orders_and_pays_sees_their_instance_being_made() {
    Business::run(Webhooks::Arrive, async |business| {
        let page = business.get("/").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("name=\"subdomain\""));
        let checkout = business.order("ada").await;
        let hosted = business.hosted_page(&checkout).await;
        assert!(hosted.contains("19.00"), "{hosted}");
        let done = business.pay(&checkout, PAYS).await.unwrap();
        assert!(done.starts_with("https://clawdet.example/checkout/done?session_id=cs_"));
        business.deliver().await;
        business.until_sold(1).await;
        let page = business.get(&done["https://clawdet.example".len()..]).await;
        assert!(
            page.text
                .contains("<li class=\"done\"><span>Order booked</span>")
        );
        let instance = business.instances().await.remove(0);
        assert_eq!(instance.spec.subdomain, "ada");
        let sold = business.subscriptions().remove(0);
        assert_eq!(instance.metadata.name, Some(instance_name(&sold.items[0])));
        assert_eq!(instance.spec.customer_ref, customer_name(&sold.id));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_declined_card_makes_nothing_and_another_card_may_be_tried() {
    Business::run(Webhooks::Arrive, async |business| {
        let checkout = business.order("ada").await;
        assert_eq!(business.pay(&checkout, DECLINED).await, None);
        business.deliver().await;
        business.rest().await;
        assert!(business.instances().await.is_empty());
        assert!(business.customers().await.is_empty());
        assert!(business.pay(&checkout, PAYS).await.is_some());
        business.deliver().await;
        business.until_sold(1).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_card_whose_bank_asks_buys_once_it_is_confirmed() {
    Business::run(Webhooks::Arrive, async |business| {
        let checkout = business.order("ada").await;
        business.pay_and_confirm(&checkout, ASKS).await;
        business.deliver().await;
        business.until_sold(1).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn every_webhook_five_times_makes_one() {
    Business::run(Webhooks::ArriveFiveTimes, async |business| {
        business.buy("ada").await;
        business.deliver().await;
        business.until_sold(1).await;
        business.rest().await;
        assert_eq!(business.instances().await.len(), 1);
        assert_eq!(business.customers().await.len(), 1);
        let accepted = business.webhooks_that_were("accepted").await;
        let duplicate = business.webhooks_that_were("duplicate").await;
        // A sold subscription has three events: made, paid, checked out.
        assert_eq!(accepted + duplicate, 3 * 5);
        assert!(duplicate >= 3 * 4);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn webhooks_that_never_arrive_are_made_up_for_by_the_sweep() {
    Business::run(Webhooks::Vanish, async |business| {
        business.buy("ada").await;
        business.deliver().await;
        business.until_sold(1).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_stripe_loses_are_asked_for_again() {
    Business::run(Webhooks::Arrive, async |business| {
        for kind in [FaultKind::LostAfterCommit, FaultKind::ErrorBeforeCommit] {
            let fault = Fault {
                times: 3,
                ..Fault::once(Api::Stripe, kind, "GET /v1/")
            };
            business.world.faults().plan(fault);
        }
        business.buy("ada").await;
        business.deliver().await;
        business.until_sold(1).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bank_debit_is_served_when_it_has_arrived() {
    Business::run(Webhooks::Arrive, async |business| {
        let checkout = business.order("ada").await;
        business.pay_by_debit(&checkout, DEBIT_ARRIVES).await;
        business.deliver().await;
        business.rest().await;
        business.until_sold(1).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bank_debit_that_comes_back_makes_nothing() {
    Business::run(Webhooks::Arrive, async |business| {
        let checkout = business.order("ada").await;
        business.pay_by_debit(&checkout, DEBIT_COMES_BACK).await;
        for _ in 0..3 {
            business.deliver().await;
            business.rest().await;
            assert!(business.instances().await.is_empty());
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_refused_at_the_form_before_anybody_pays() {
    Business::run(Webhooks::Arrive, async |business| {
        business.buy("ada").await;
        business.deliver().await;
        business.until_sold(1).await;
        let page = business.try_to_order("ada").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains("ada is taken"), "{}", page.text);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn two_who_pay_for_the_same_name_get_one_instance_and_a_sentence() {
    Business::run(Webhooks::Arrive, async |business| {
        let first = business.order("ada").await;
        let second = business.order("ada").await;
        business.pay(&first, PAYS).await.unwrap();
        business.deliver().await;
        business.until_sold(1).await;
        business.pay(&second, PAYS).await.unwrap();
        business.deliver().await;
        business.rest().await;
        assert_eq!(business.instances().await.len(), 1);
        let said = business.messages(ConditionType::Stalled).await;
        let told = said
            .iter()
            .any(|text| text.contains("belongs to another instance. Agree on another address"));
        assert!(told, "{said:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_subscription_closes_the_account() {
    Business::run(Webhooks::Arrive, async |business| {
        business.buy("ada").await;
        business.deliver().await;
        business.until_sold(1).await;
        business.cancel_all().await;
        business.deliver().await;
        business.until_standing(Standing::Closed).await;
        assert_eq!(business.instances().await.len(), 1, "kept for a while");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_in_arrears_and_paying_puts_it_right() {
    Business::run(Webhooks::Arrive, async |business| {
        business.buy("ada").await;
        business.deliver().await;
        business.until_sold(1).await;
        let sold = business.subscriptions().remove(0);
        assert!(business.world.fail_payments(&sold.id, true).await);
        business.world.skip(32 * DAY);
        business.deliver().await;
        business.until_standing(Standing::PastDue).await;
        assert!(business.world.fail_payments(&sold.id, false).await);
        business.world.skip(8 * DAY);
        business.deliver().await;
        business.until_standing(Standing::Active).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_how_often_it_was_sold_and_when_it_shows_a_wrong_price() {
    Business::run(Webhooks::Arrive, async |business| {
        business.until_plan_says("Ready", 0).await;
        business.buy("ada").await;
        business.deliver().await;
        business.until_sold(1).await;
        business.until_plan_says("Ready", 1).await;
        business.misprice().await;
        business.until_plan_says("PriceInvalid", 1).await;
    })
    .await;
}
