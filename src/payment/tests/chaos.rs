//! Seeded lives of a few customers with lost requests, lost answers, lost webhooks, reordered events and two
//! controllers at once; then calm, and the cluster must say what the books say.

use std::sync::Arc;

use super::town::Town;
use super::*;
use crate::controller::Reconciler;
use crate::intent::instance_name;
use crate::payment::plan::standing_after;
use crate::payment::repair::Repair;
use crate::provider::SubscriptionStatus;

const SEEDS: u64 = 25;
const MOMENTS: u64 = 60;
const NAMES: [&str; 4] = ["ada", "grace", "edsger", "barbara"];

/// Somebody buys, pays, fails to pay or leaves.
fn something_happens(town: &Town, sold: &mut Vec<books::Bought>) {
    let choice = town.faults.draw(12);
    let new = sold.len() < NAMES.len() && (sold.is_empty() || choice < 3);
    if new {
        let order = Order {
            plan: "basic",
            subdomain: NAMES[sold.len()],
        };
        sold.push(match town.faults.draw(4) {
            0 => town.books.decline(order),
            1 => town.books.buy_by_debit(order),
            _ => town.books.buy(order),
        });
        return;
    }
    let count = u64::try_from(sold.len()).unwrap();
    let one = &sold[usize::try_from(town.faults.draw(count)).unwrap()];
    match choice {
        0..4 => town.books.renew(one),
        4..6 => town.books.pay(one),
        6..8 => town.books.fail_payment(one),
        8 => town.books.give_up(one),
        9 => town.books.cancel(one),
        _ => {}
    }
}

/// Two webhooks arrive out of order and perhaps again, or are lost; two visits run at the same time.
async fn machines_work(town: &Town) {
    let events = town.books.all_events();
    if !events.is_empty() && town.faults.draw(3) > 0 {
        let count = u64::try_from(events.len()).unwrap();
        for _ in 0..2 {
            let event = &events[usize::try_from(town.faults.draw(count)).unwrap()];
            town.ring(event).await;
        }
    }
    let entries = town.ledger().await;
    if entries.is_empty() {
        return;
    }
    let count = u64::try_from(entries.len()).unwrap();
    let any = || {
        let index = usize::try_from(town.faults.draw(count)).unwrap();
        Arc::new(entries[index].clone())
    };
    let [one, other] = &town.payments;
    // Whatever fails is a crash at that point: a controller keeps nothing between visits.
    let _ = futures::join!(one.reconcile(any()), other.reconcile(any()));
}

/// At every moment: nothing is there that nothing was ever paid for.
async fn check_nothing_unpaid(town: &Town, seed: u64) {
    let paid = town.books.ever_paid();
    for instance in town.instances().await {
        let name = instance.metadata.name.unwrap();
        assert!(
            paid.contains(&name),
            "seed {seed}: {name} was never paid for"
        );
    }
}

/// The cluster says what the books say, and nothing that was never paid for is there.
async fn check(town: &Town, seed: u64) {
    let mut owed = 0;
    for sold in town.books.all_subscriptions() {
        let bought = books::Bought {
            subscription: sold.id.clone(),
            item: sold.item.clone(),
        };
        let customer = town.customer(&bought).await;
        let instance = town.instance(&bought).await;
        if let Some(customer) = &customer {
            let standing = customer.spec.standing;
            let expected = standing_after(standing, sold.status);
            assert_eq!(standing, expected, "seed {seed} {}", sold.id);
            owed += 1;
        }
        if sold.status == SubscriptionStatus::Active && town.books.is_paid(&sold) {
            let name = instance_name(&sold.item);
            assert!(instance.is_some(), "seed {seed}: {name} was paid for");
        }
        assert!(
            instance.is_none() || customer.is_some(),
            "seed {seed}: {} without a customer",
            sold.id
        );
    }
    assert_eq!(town.customers().await.len(), owed, "seed {seed}");
    assert!(town.instances().await.len() <= owed, "seed {seed}");
}

#[tokio::test(start_paused = true)]
async fn after_chaos_everyone_who_paid_is_served_once_and_nobody_else() {
    for seed in 0..SEEDS {
        Town::run(async |town| {
            town.faults.begin(seed, 8);
            let mut sold = Vec::new();
            for _ in 0..MOMENTS {
                something_happens(town, &mut sold);
                machines_work(town).await;
                check_nothing_unpaid(town, seed).await;
            }
            town.faults.calm();
            let mut repair = Repair::new(&town.payments[0]);
            repair.round().await.unwrap();
            town.settle().await;
            let quiet = repair.round().await.unwrap();
            assert_eq!(quiet.events, 0, "seed {seed}");
            check(town, seed).await;
        })
        .await;
    }
}
