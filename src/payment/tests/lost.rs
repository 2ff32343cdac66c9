//! What webhooks lost, and what the sweep makes of it.

use super::super::repair::{Repair, Repaired};
use super::*;

fn found(events: usize, subscriptions: usize) -> Repaired {
    Repaired {
        events,
        subscriptions,
        trimmed: 0,
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_webhook_is_made_up_for_with_the_same_effect() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        assert_eq!(town.repair().await, found(3, 1));
        let entries = town.ledger().await;
        assert!(entries.iter().all(|e| e.spec.source == EventSource::Sweep));
        town.settle().await;
        assert!(town.instance(&bought).await.is_some());
        assert_eq!(town.repair().await, found(0, 0), "and then it is quiet");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_the_webhook_brought_is_not_found_again() {
    Town::run(async |town| {
        town.books.buy(ADA);
        town.ring_all().await;
        town.settle().await;
        assert_eq!(town.repair().await, found(0, 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn entries_without_a_verdict_are_counted_as_backlog() {
    Town::run(async |town| {
        town.books.buy(ADA);
        town.ring_all().await;
        let open = u64::try_from(town.ledger().await.len()).unwrap();
        assert!(open > 0);
        town.repair().await;
        assert_eq!(town.payments[0].backlog(), open);
        town.settle().await;
        town.repair().await;
        assert_eq!(town.payments[0].backlog(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_whose_events_are_gone_is_found_by_itself() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        town.books.forget_events();
        assert_eq!(town.repair().await, found(0, 1));
        town.settle().await;
        assert!(town.instance(&bought).await.is_some());
        town.books.cancel(&bought);
        town.books.forget_events();
        assert_eq!(town.repair().await, found(0, 1));
        town.settle().await;
        let customer = town.customer(&bought).await.unwrap();
        assert_eq!(customer.spec.standing, Standing::Closed);
        assert_eq!(town.repair().await, found(0, 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_cannot_be_served_is_rung_for_once_a_day_and_not_every_round() {
    Town::run(async |town| {
        town.books.buy(Order {
            plan: "gold",
            subdomain: "ada",
        });
        town.books.forget_events();
        assert_eq!(town.repair().await, found(0, 1));
        town.settle().await;
        assert_eq!(town.repair().await, found(0, 0));
        town.days_pass(1).await;
        assert_eq!(town.repair().await, found(0, 1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_round_that_broke_off_is_made_up_for_by_the_next() {
    Town::run(async |town| {
        town.books.buy(ADA);
        let mut repair = Repair::new(&town.payments[0]);
        repair.round().await.unwrap();
        town.books.buy(Order {
            plan: "basic",
            subdomain: "grace",
        });
        // W5: it dies after the first of the new events is kept.
        town.faults.fail_writes_of("paymentevents", 0);
        town.books.fail_next(1);
        repair.round().await.unwrap_err();
        town.faults.fail_writes_of("paymentevents", 1);
        repair.round().await.unwrap_err();
        let repaired = repair.round().await.unwrap();
        assert_eq!(repaired.events, 3);
        assert_eq!(town.ledger().await.len(), 8);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_three_day_blackout_is_repaired_in_one_round() {
    Town::run(async |town| {
        let mut repair = Repair::new(&town.payments[0]);
        repair.round().await.unwrap();
        let bought = town.books.buy(ADA);
        town.days_pass(3).await;
        let repaired = repair.round().await.unwrap();
        assert_eq!(repaired.subscriptions, 1, "{repaired:?}");
        town.settle().await;
        assert!(town.instance(&bought).await.is_some());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn old_settled_entries_go_and_do_not_come_back() {
    Town::run(async |town| {
        town.books.buy(ADA);
        town.ring_all().await;
        town.settle().await;
        town.days_pass(89).await;
        assert_eq!(town.repair().await.trimmed, 0);
        town.days_pass(2).await;
        assert_eq!(town.repair().await.trimmed, 3);
        assert_eq!(town.repair().await, found(0, 0));
        assert!(town.ledger().await.is_empty());
    })
    .await;
}
