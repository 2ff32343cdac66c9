//! How few requests tell many callers how their changes go, on a paused clock.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::{Value, json};

use super::*;
use crate::provider::scripted::{self, Asked};
use crate::provider::testing;

type States = Arc<Mutex<BTreeMap<i64, &'static str>>>;

/// A provider whose actions are in these states; those not in it are not known to it.
fn provider(states: &States) -> (Arc<Account>, Asked) {
    let states = Arc::clone(states);
    let (transport, asked) = scripted::transport(Duration::from_millis(10), move |line| {
        let states = states.lock().unwrap();
        let ids = line.split("id=").skip(1);
        let ids = ids.map(|id| id.trim_end_matches('&').parse::<i64>().unwrap());
        let actions: Vec<Value> = ids
            .filter_map(|id| {
                let status = states.get(&id)?;
                let error = (*status == "error").then(|| json!({"code": "broken", "message": ""}));
                Some(json!({"id": id, "status": status, "progress": 50, "error": error}))
            })
            .collect();
        scripted::json(200, &json!({"actions": actions}))
    });
    (Arc::new(testing::hetzner_account(transport)), asked)
}

fn running(id: i64) -> ActionBody {
    serde_json::from_value(json!({"id": id, "status": "running", "progress": 0})).unwrap()
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn sixty_callers_at_once_cost_three_requests() {
    let states: States = Arc::new(Mutex::new((1..=60).map(|id| (id, "running")).collect()));
    let (account, asked) = provider(&states);
    let actions = Actions::default();
    for server in 1..=60 {
        actions.follow(server, Aim::Running, [running(server)]);
    }
    pass(5).await;
    let all = join_all((1..=60).map(|server| actions.going(&account, server))).await;
    let expected = Going::Running { percent: 50 };
    assert!(
        all.into_iter()
            .all(|going| going.unwrap() == Some(expected.clone()))
    );
    assert_eq!(asked.lines().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn callers_one_after_the_other_share_requests_too() {
    let states: States = Arc::new(Mutex::new((1..=50).map(|id| (id, "running")).collect()));
    let (account, asked) = provider(&states);
    let actions = Actions::default();
    for server in 1..=50 {
        actions.follow(server, Aim::Running, [running(server)]);
    }
    pass(5).await;
    for server in 1..=50 {
        actions.going(&account, server).await.unwrap();
    }
    assert_eq!(
        asked.lines().len(),
        2,
        "each request is filled up with those who are due"
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_has_ended_when_all_its_actions_have() {
    let states: States = Arc::new(Mutex::new([(1, "success"), (2, "running")].into()));
    let (account, _) = provider(&states);
    let actions = Actions::default();
    actions.follow(7, Aim::Running, [running(1), running(2)]);
    pass(5).await;
    let going = actions.going(&account, 7).await.unwrap();
    assert_eq!(going, Some(Going::Running { percent: 50 }));
    states.lock().unwrap().insert(2, "success");
    pass(5).await;
    let going = actions.going(&account, 7).await.unwrap();
    assert_eq!(going, Some(Going::Ended(Aim::Running)));
}

#[tokio::test(start_paused = true)]
async fn a_failed_action_fails_the_change_and_is_not_asked_about_again() {
    let states: States = Arc::new(Mutex::new([(1, "error"), (2, "success")].into()));
    let (account, asked) = provider(&states);
    let actions = Actions::default();
    actions.follow(7, Aim::Running, [running(1), running(2)]);
    for _ in 0..3 {
        pass(60).await;
        let code = "broken".to_owned();
        let going = actions.going(&account, 7).await.unwrap();
        assert_eq!(going, Some(Going::Failed { code }));
    }
    assert_eq!(asked.lines().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_action_the_provider_has_forgotten_leaves_the_server_to_be_read() {
    let states = States::default();
    let (account, _) = provider(&states);
    let actions = Actions::default();
    actions.follow(7, Aim::Running, [running(1)]);
    pass(5).await;
    let going = actions.going(&account, 7).await.unwrap();
    assert_eq!(going, Some(Going::Ended(Aim::Unsaid)));
}

#[tokio::test(start_paused = true)]
async fn a_long_change_is_asked_about_ever_more_rarely() {
    let states: States = Arc::new(Mutex::new([(1, "running")].into()));
    let (account, asked) = provider(&states);
    let actions = Actions::default();
    actions.follow(7, Aim::Running, [running(1)]);
    for _ in 0..120 {
        pass(5).await;
        actions.going(&account, 7).await.unwrap();
    }
    let asked = asked.lines().len();
    assert!((20..40).contains(&asked), "{asked} requests in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn that_a_server_rests_is_believed_for_a_while() {
    let actions = Actions::default();
    assert!(!actions.rests(7));
    actions.rest(7);
    assert!(actions.rests(7));
    pass(20).await;
    assert!(!actions.rests(7));
    actions.rest(7);
    actions.follow(7, Aim::Off, [running(1)]);
    assert!(!actions.rests(7));
}
