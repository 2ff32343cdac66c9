//! What happens to those who stop paying, and to those who pay again.

use jiff::SignedDuration;

use super::*;
use crate::api::customer::NextAction;
use crate::intent::IntentError;

async fn standing(town: &Town, bought: &books::Bought) -> Standing {
    town.customer(bought).await.unwrap().spec.standing
}

async fn next(town: &Town, bought: &books::Bought) -> Option<NextAction> {
    let status = town.customer(bought).await.unwrap().status;
    status.unwrap().next_action
}

async fn happen(town: &Town) {
    town.ring_all().await;
    town.settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_payment_is_borne_with_a_date_and_then_suspends_and_a_payment_resumes() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        happen(town).await;
        town.books.fail_payment(&bought);
        happen(town).await;
        assert_eq!(standing(town, &bought).await, Standing::PastDue);
        let due = next(town, &bought).await.unwrap();
        assert_eq!(due.action, "Suspend");
        let rest = due.at.0.duration_since(town.now());
        assert!(rest > SignedDuration::from_hours(7 * 24 - 1), "{rest}");
        town.days_pass(7).await;
        town.settle().await;
        assert_eq!(standing(town, &bought).await, Standing::Suspended);
        town.books.fail_payment(&bought);
        happen(town).await;
        assert_eq!(standing(town, &bought).await, Standing::Suspended);
        town.books.pay(&bought);
        happen(town).await;
        assert_eq!(standing(town, &bought).await, Standing::Active);
        assert_eq!(next(town, &bought).await, None);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_payment_provider_giving_up_suspends_before_our_grace_is_over() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        happen(town).await;
        town.books.give_up(&bought);
        happen(town).await;
        assert_eq!(standing(town, &bought).await, Standing::Suspended);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_late_payment_after_the_end_resurrects_nothing() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        happen(town).await;
        town.books.cancel(&bought);
        happen(town).await;
        assert_eq!(standing(town, &bought).await, Standing::Closed);
        town.books.pay(&bought);
        happen(town).await;
        assert_eq!(standing(town, &bought).await, Standing::Closed);
        town.repair().await;
        town.settle().await;
        assert_eq!(standing(town, &bought).await, Standing::Closed);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_closed_accounts_instance_is_kept_a_month_and_then_deleted_for_good() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        happen(town).await;
        town.books.cancel(&bought);
        happen(town).await;
        let due = next(town, &bought).await.unwrap();
        assert_eq!(due.action, "Delete");
        town.days_pass(29).await;
        town.settle().await;
        assert!(town.instance(&bought).await.is_some());
        town.days_pass(2).await;
        town.settle().await;
        assert!(town.instance(&bought).await.is_none());
        town.repair().await;
        happen(town).await;
        assert!(town.instance(&bought).await.is_none());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_ended_before_we_heard_of_it_makes_nothing() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        town.books.cancel(&bought);
        happen(town).await;
        assert!(town.customers().await.is_empty());
        assert_eq!(town.verdicts().await, ["SubscriptionEnded"; 4]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_on_an_old_look_at_a_customer_is_not_written() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        happen(town).await;
        let seen = town.customer(&bought).await.unwrap();
        let now = town.now();
        let late = |standing| town.intent.set_standing(&seen, standing, now);
        late(Standing::PastDue).await.unwrap();
        let refused = late(Standing::Suspended).await;
        assert!(matches!(refused, Err(IntentError::Outdated)));
        assert_eq!(standing(town, &bought).await, Standing::PastDue);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_customer_knows_their_instances_and_how_they_are() {
    Town::run(async |town| {
        let bought = town.books.buy(ADA);
        happen(town).await;
        let status = town.customer(&bought).await.unwrap().status.unwrap();
        assert_eq!(status.instances, [instance_name(&bought.item)]);
        let reason = |kind: ConditionType| {
            let mut conditions = status.conditions.iter();
            let found = conditions.find(|condition| condition.type_ == kind.as_str());
            found.unwrap().reason.clone()
        };
        assert_eq!(reason(ConditionType::Ready), "InstancesNotReady");
        assert_eq!(reason(ConditionType::InGoodStanding), "Paid");
    })
    .await;
}
