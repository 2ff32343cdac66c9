//! The bucket under paused time.

use super::*;

const SMALL: Law = Law {
    capacity: 10,
    refill_per_second: 1.0,
};

fn drain(budget: &Budget, priority: Priority) -> usize {
    (0..200)
        .take_while(|_| budget.take(priority).is_ok())
        .count()
}

fn wait_of(budget: &Budget, priority: Priority) -> Duration {
    match budget.take(priority) {
        Err(ProviderError::Throttled { retry_after }) => retry_after,
        other => panic!("expected to be throttled: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn each_class_leaves_its_share_for_those_above_it() {
    let budget = Budget::new(Law {
        capacity: 100,
        ..SMALL
    });
    assert_eq!(drain(&budget, Priority::Resync), 60);
    assert_eq!(drain(&budget, Priority::Create), 35);
    assert_eq!(drain(&budget, Priority::Customer), 3);
    assert_eq!(drain(&budget, Priority::Delete), 2);
    assert_eq!(drain(&budget, Priority::Delete), 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_as_long_as_told_gets_a_token() {
    let budget = Budget::new(SMALL);
    drain(&budget, Priority::Delete);
    for priority in [Priority::Delete, Priority::Resync] {
        let wait = wait_of(&budget, priority);
        tokio::time::advance(wait + Duration::from_millis(1)).await;
        assert!(budget.take(priority).is_ok(), "{priority:?} after {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_never_fills_the_bucket_over_its_rim() {
    let budget = Budget::new(SMALL);
    drain(&budget, Priority::Delete);
    tokio::time::advance(Duration::from_hours(24)).await;
    assert_eq!(drain(&budget, Priority::Delete), 10);
}

#[tokio::test(start_paused = true)]
async fn the_providers_own_count_is_believed_only_when_it_is_lower() {
    let budget = Budget::new(SMALL);
    budget.learn_remaining(3);
    assert_eq!(drain(&budget, Priority::Delete), 3);
    budget.learn_remaining(9);
    assert_eq!(drain(&budget, Priority::Delete), 0);
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_nobody_asks_before_the_time_is_up() {
    let budget = Budget::new(SMALL);
    budget.learn_remaining(0);
    budget.learn_refused(Duration::from_mins(5));
    assert_eq!(wait_of(&budget, Priority::Delete), Duration::from_mins(5));
    tokio::time::advance(Duration::from_mins(5)).await;
    assert!(budget.take(Priority::Delete).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_says_nothing_of_the_budget_costs_no_more_than_its_time() {
    let budget = Budget::new(SMALL);
    budget.learn_refused(Duration::from_secs(10));
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(drain(&budget, Priority::Delete), 10);
}
