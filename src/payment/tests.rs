//! From an event to a customer and an instance, over the embedded API in memory, on a clock of our own. The
//! payment provider is a pair of [`books`]; what the ledger leads to is read from the cluster.

mod books;
mod chaos;
mod lost;
mod standing;
mod town;

use crate::api::payment_event::EventSource;
use crate::api::{ConditionType, Reason, Standing};
use crate::controller::Outcome;
use crate::intent::{customer_name, instance_name};

use books::Order;
use town::Town;

const ADA: Order = Order {
    plan: "basic",
    subdomain: "ada",
};

#[tokio::test(start_paused = true)]
async fn a_paid_checkout_makes_a_customer_and_an_instance() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        town.ring_all().await;
        town.settle().await;
        let customer = town.customer(&bought).await.unwrap();
        assert_eq!(customer.spec.standing, Standing::Active);
        assert_eq!(customer.spec.plan, "basic");
        assert_eq!(customer.spec.display_name, "Ada Lovelace");
        let billing = customer.spec.billing.unwrap();
        assert_eq!(billing.subscription, Some(bought.subscription.clone()));
        let instance = town.instance(&bought).await.unwrap();
        assert_eq!(instance.spec.subdomain, "ada");
        assert_eq!(Some(instance.spec.customer_ref), customer.metadata.name);
        assert_eq!(town.verdicts().await, ["Applied", "Applied", "Applied"]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_event_is_applied_with_the_names_of_what_it_led_to() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        town.ring_all().await;
        town.settle().await;
        let entry = town.ledger().await.remove(0);
        let status = entry.status.unwrap();
        assert_eq!(status.customer, Some(customer_name(&bought.subscription)));
        assert_eq!(status.instance, Some(instance_name(&bought.item)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_same_events_again_change_nothing() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        town.ring_all().await;
        town.settle().await;
        let before = town.instance(&bought).await.unwrap();
        for _ in 0..5 {
            town.ring_all().await;
            town.settle().await;
        }
        assert_eq!(town.ledger().await.len(), 3);
        assert_eq!(town.instances().await.len(), 1);
        let after = town.instance(&bought).await.unwrap();
        assert_eq!(before.metadata, after.metadata, "not even written");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_declined_card_makes_nothing() {
    Town::run(async |town| {
        town.books.decline(ADA);
        town.ring_all().await;
        town.settle().await;
        assert!(town.customers().await.is_empty());
        assert!(town.instances().await.is_empty());
        assert!(town.verdicts().await.iter().all(|word| word == "NotPaid"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bank_debit_makes_nothing_before_the_money_is_there() {
    Town::run(async |town| {
        let bought = town.books.buy_by_debit(ADA);
        town.ring_all().await;
        town.settle().await;
        assert!(town.instances().await.is_empty());
        town.books.pay(&bought);
        town.ring_all().await;
        town.settle().await;
        assert!(town.instance(&bought).await.is_some());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_order_for_a_plan_that_is_not_there_waits_until_it_is() {
    Town::run(async |town| {
        let bought = town.books.buy(Order {
            plan: "gold",
            subdomain: "ada",
        });
        town.ring_all().await;
        let outcomes = town.settle().await;
        assert!(outcomes.contains(&Outcome::Stalled));
        assert!(town.customers().await.is_empty());
        let said = town.message(ConditionType::Stalled).await;
        assert!(
            said.contains("there is no plan \"gold\". Make the plan"),
            "{said}"
        );
        town.make_plan("gold").await;
        town.settle().await;
        assert!(town.instance(&bought).await.is_some());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_somebody_else_has_is_told_to_a_person_and_never_given_twice() {
    Town::run(async |town| {
        let first = town.books.buy(ADA);
        town.ring_all().await;
        town.settle().await;
        let second = town.books.buy(ADA);
        town.ring_all().await;
        town.settle().await;
        assert!(town.instance(&first).await.is_some());
        assert!(town.instance(&second).await.is_none());
        assert!(town.verdicts().await.contains(&"OrderInvalid".to_owned()));
        town.books.rename(&second, "grace");
        town.settle().await;
        let served = town.instance(&second).await.unwrap();
        assert_eq!(served.spec.subdomain, "grace");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_another_installation_sold_is_not_ours() {
    Town::run(async |town| {
        town.books.sold_by("elsewhere");
        town.books.buy(ADA);
        town.ring_all().await;
        town.settle().await;
        assert!(town.customers().await.is_empty());
        assert_eq!(town.verdicts().await, ["NotOurs"; 3]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_a_person_deleted_is_not_made_again() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        town.ring_all().await;
        town.settle().await;
        town.delete_instance(&bought).await;
        town.books.renew(&bought);
        town.ring_all().await;
        town.settle().await;
        assert!(town.instance(&bought).await.is_none());
        town.repair().await;
        town.settle().await;
        assert!(town.instance(&bought).await.is_none(), "nor by the sweep");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_was_made_and_nothing_more_is_served_on_the_next_visit() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        town.ring_all().await;
        // W4: the process dies when the customer is made and the instance is not.
        town.faults.fail_writes_of("instances", 1);
        town.visit_once().await.unwrap_err();
        assert!(town.customer(&bought).await.is_some());
        assert!(town.instance(&bought).await.is_none());
        town.settle().await;
        assert!(town.instance(&bought).await.is_some());
        assert_eq!(town.customers().await.len(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_payment_provider_that_does_not_answer_is_asked_again_and_nothing_is_settled() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        town.ring_all().await;
        town.books.fail_next(1);
        let error = town.visit_once().await.unwrap_err();
        assert_eq!(error.reason, Some(Reason::ProviderUnreachable));
        assert_eq!(town.verdicts().await, ["", "", ""]);
        town.settle().await;
        assert!(town.instance(&bought).await.is_some());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_says_how_it_was_learned_of() {
    Town::run(async |town| {
        town.books.buy(ADA);
        town.ring_all().await;
        let entries = town.ledger().await;
        assert!(
            entries
                .iter()
                .all(|e| e.spec.source == EventSource::Webhook)
        );
    })
    .await;
}
