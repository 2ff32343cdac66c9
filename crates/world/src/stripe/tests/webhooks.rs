//! Webhooks: signed, tried again, and as unreliable as asked for.

use std::time::Duration;

use super::{DAY, Receiver, Shop, count};
use crate::stripe::signature;
use crate::{Api, Fault, FaultKind, WebhookTarget};

fn listening(shop: &Shop) -> Receiver {
    let receiver = Receiver::default();
    let target = WebhookTarget::Router(receiver.router(), "/hook".to_owned());
    shop.world.deliver_webhooks_to(target);
    receiver
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_arrives_once_and_signed() {
    let shop = Shop::new();
    let receiver = listening(&shop);
    shop.sold().await;
    shop.world.pump_webhooks().await;
    shop.world.pump_webhooks().await;
    let mut kinds = receiver.kinds();
    kinds.sort();
    assert_eq!(
        kinds,
        [
            "checkout.session.completed",
            "customer.subscription.created",
            "invoice.paid"
        ]
    );
    let secret = &shop.world.options().stripe_webhook_secret;
    for (headers, body) in receiver.got() {
        let sent = headers["stripe-signature"].to_str().unwrap();
        let at = sent
            .split(',')
            .next()
            .unwrap()
            .trim_start_matches("t=")
            .parse()
            .unwrap();
        assert_eq!(sent, signature::header(secret, at, &body));
    }
    let pending = shop
        .ok("GET", "/v1/events", &[("delivery_success", "false")])
        .await;
    assert_eq!(pending["data"].as_array().unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_webhook_is_tried_for_three_days_with_growing_pauses() {
    let shop = Shop::new();
    let receiver = listening(&shop);
    receiver.fail(true);
    shop.sold().await;
    shop.world.pump_webhooks().await;
    assert_eq!(count(&receiver.kinds(), "invoice.paid"), 1);
    shop.after(Duration::from_mins(4));
    shop.world.pump_webhooks().await;
    assert_eq!(count(&receiver.kinds(), "invoice.paid"), 1);
    for _ in 0..24 * 5 {
        shop.after(Duration::from_hours(1));
        shop.world.pump_webhooks().await;
    }
    assert_eq!(count(&receiver.kinds(), "invoice.paid"), 10);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_comes_back_gets_what_it_missed() {
    let shop = Shop::new();
    let receiver = listening(&shop);
    receiver.fail(true);
    shop.sold().await;
    shop.world.pump_webhooks().await;
    receiver.fail(false);
    shop.after(Duration::from_mins(5));
    shop.world.pump_webhooks().await;
    assert_eq!(count(&receiver.kinds(), "checkout.session.completed"), 2);
    shop.after(DAY * 4);
    shop.world.pump_webhooks().await;
    assert_eq!(count(&receiver.kinds(), "checkout.session.completed"), 2);
}

#[tokio::test(start_paused = true)]
async fn webhooks_are_lost_late_or_doubled_when_told() {
    let shop = Shop::new();
    let receiver = listening(&shop);
    let faults = shop.world.faults();
    let plan = |kind, event: &str| {
        faults.plan(Fault::once(Api::Stripe, kind, &format!("webhook {event}")));
    };
    plan(FaultKind::WebhookLost, "invoice.paid");
    plan(FaultKind::WebhookLate, "customer.subscription.created");
    plan(FaultKind::WebhookTwice, "checkout.session.completed");
    shop.sold().await;
    shop.world.pump_webhooks().await;
    assert_eq!(
        receiver.kinds(),
        ["checkout.session.completed", "checkout.session.completed"]
    );
    shop.after(DAY);
    shop.world.pump_webhooks().await;
    assert_eq!(receiver.kinds()[2..], ["customer.subscription.created"]);
}

#[tokio::test(start_paused = true)]
async fn renewals_are_told_without_anybody_asking() {
    let shop = Shop::new();
    let receiver = listening(&shop);
    shop.sold().await;
    shop.world.pump_webhooks().await;
    shop.after(DAY * 31);
    shop.world.pump_webhooks().await;
    assert_eq!(count(&receiver.kinds(), "invoice.paid"), 2);
}
