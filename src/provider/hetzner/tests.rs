//! The adapter against the simulated Hetzner: what it leaves in the world, and what it costs.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use world::{Api, FaultKind, Status};

use super::*;
use crate::provider::budget::Law;
use crate::provider::testing::{self, LAG_OVER, Scene, order, project, uid};

mod ownership;

fn why<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> Refusal {
    match result {
        Err(ProviderError::Refused { why, .. }) => why,
        other => panic!("not refused: {other:?}"),
    }
}

async fn pass(duration: Duration) {
    tokio::time::advance(duration).await;
}

/// A list as old as the process is good enough.
async fn any_fleet(scene: &Scene) -> Arc<Fleet> {
    let long_ago = BegunAfter(Instant::now() - Duration::from_mins(10));
    scene
        .hetzner
        .fleet(Priority::Resync, long_ago)
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_server_is_ordered_whole_in_one_request() {
    let scene = Scene::new();
    let server = scene.hetzner.create(&order(1)).await.unwrap();
    assert_eq!(scene.hetzner_calls(), 1);
    assert_eq!(server.owner, Owner::Ours(uid(1)));
    assert!(server.labels_intact && server.ipv4.is_some() && server.ipv6.is_some());
    assert!(server.hourly_price_microcents > 0);
    let snapshot = scene.world.snapshot();
    let [made] = &snapshot.servers[..] else {
        panic!("{:?}", snapshot.servers)
    };
    assert_eq!(made.name, order(1).name.as_str());
    assert_eq!((&*made.server_type, &*made.location), ("cx23", "nbg1"));
    assert_eq!(made.labels["clawdet.com/instance-uid"], uid(1).as_str());
    assert_eq!(made.labels["clawdet.com/installation"], "prod");
    assert_eq!(made.labels["clawdet.com/managed-by"], "clawdet");
    assert_eq!(made.user_data, Some(order(1).user_data));
    assert_eq!(made.ipv4, server.ipv4.map(|address| address.to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_new_server_is_followed_until_it_runs_without_a_list() {
    let scene = Scene::new();
    any_fleet(&scene).await;
    let lists = scene.hetzner_calls();
    let server = scene.hetzner.create(&order(1)).await.unwrap();
    let shown = any_fleet(&scene).await.get(&server.id).cloned().unwrap();
    assert_eq!(shown.power, ServerPower::Starting);
    scene.settle(&server.id).await;
    let shown = any_fleet(&scene).await.get(&server.id).cloned().unwrap();
    assert_eq!((shown.power, shown.locked), (ServerPower::Running, false));
    assert_eq!(scene.world.snapshot().servers[0].status, Status::Running);
    let cost = scene.hetzner_calls() - lists;
    assert!(cost <= 4, "one order and a few polls, not {cost} calls");
    pass(LAG_OVER).await;
    let listed = scene.fleet().await.get(&server.id).cloned().unwrap();
    assert_eq!(
        listed, shown,
        "what we said of it is what the provider says"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hundred_servers_cost_less_than_one_and_a_third_calls_each() {
    let scene = Scene::new();
    any_fleet(&scene).await;
    let before = scene.hetzner_calls();
    let orders: Vec<_> = (0..100).map(order).collect();
    let servers = try_join_all(orders.iter().map(|order| scene.hetzner.create(order)))
        .await
        .unwrap();
    let mut left: Vec<_> = servers.iter().map(|server| server.id.clone()).collect();
    while !left.is_empty() {
        pass(Duration::from_secs(5)).await;
        let asked = left.iter().map(|id| scene.hetzner.progress(id));
        let answers = try_join_all(asked).await.unwrap();
        let running = |answer: &Progress| matches!(answer, Progress::Running { .. });
        left = left
            .into_iter()
            .zip(answers)
            .filter(|(_, answer)| running(answer))
            .map(|(id, _)| id)
            .collect();
    }
    let fleet = any_fleet(&scene).await;
    assert_eq!(
        fleet
            .servers()
            .filter(|server| server.power == ServerPower::Running)
            .count(),
        100
    );
    let calls = scene.hetzner_calls() - before;
    assert!(calls <= 130, "{calls} calls for a hundred servers");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_resync_costs_one_call_for_fifty_servers() {
    let scene = Scene::new();
    for number in 0..51 {
        scene.hetzner.create(&order(number)).await.unwrap();
    }
    pass(LAG_OVER).await;
    let before = scene.hetzner_calls();
    assert_eq!(scene.fleet().await.len(), 51);
    assert_eq!(
        scene.hetzner_calls() - before,
        2 + 1,
        "two pages, and one of the empty project"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_unknown_and_the_name_then_finds_what_was_bought() {
    let scene = Scene::new();
    scene.plan(Api::Hetzner, FaultKind::LostAfterCommit, "POST /v1/servers");
    let lost = scene.hetzner.create(&order(1)).await;
    assert!(matches!(lost, Err(ProviderError::Unknown(_))), "{lost:?}");
    scene
        .world
        .faults()
        .chance(Api::Hetzner, FaultKind::HiddenNew, 1.0);
    assert!(scene.fleet().await.is_empty(), "lists do not show it yet");
    assert_eq!(
        why(scene.hetzner.create(&order(1)).await),
        Refusal::NameTaken
    );
    let fleet = scene.fleet().await;
    assert_eq!(
        fleet.of(&uid(1), &order(1).name).len(),
        1,
        "now they do, by what the name told us"
    );
    assert_eq!(scene.world.snapshot().living_servers().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_way_to_lose_an_order_says_what_is_known() {
    let check = async |kind, expected: &str| {
        let scene = Scene::new();
        scene.plan(Api::Hetzner, kind, "POST /v1/servers");
        let told = match scene.hetzner.create(&order(1)).await {
            Err(ProviderError::Unknown(_)) => "unknown",
            Err(ProviderError::Throttled { .. }) => "throttled",
            Err(ProviderError::Refused {
                why: Refusal::NoCapacity,
                ..
            }) => "no capacity",
            other => panic!("{kind:?}: {other:?}"),
        };
        assert_eq!(told, expected, "{kind:?}");
    };
    check(FaultKind::LostBeforeCommit, "unknown").await;
    check(FaultKind::LostAfterCommit, "unknown").await;
    check(FaultKind::StalledAfterCommit, "unknown").await;
    check(FaultKind::ErrorBeforeCommit, "unknown").await;
    check(FaultKind::ErrorAfterCommit, "unknown").await;
    check(FaultKind::Throttled, "throttled").await;
    check(FaultKind::NoCapacity, "no capacity").await;
}

#[tokio::test(start_paused = true)]
async fn refusals_lead_to_the_next_place_or_project() {
    let scene = Scene::with(|options| options.projects[0].server_limit = 1);
    scene.world.faults().exhaust("nbg1", None, true);
    assert_eq!(
        why(scene.hetzner.create(&order(1)).await),
        Refusal::NoCapacity
    );
    let mut unsold = order(1);
    unsold.placement.location = "ash".to_owned();
    assert_eq!(
        why(scene.hetzner.create(&unsold).await),
        Refusal::NoCapacity
    );
    let mut elsewhere = order(1);
    elsewhere.placement.location = "hel1".to_owned();
    scene.hetzner.create(&elsewhere).await.unwrap();
    let mut second = order(2);
    second.placement.location = "hel1".to_owned();
    assert_eq!(
        why(scene.hetzner.create(&second).await),
        Refusal::LimitReached
    );
    second.project = project("spare");
    let server = scene.hetzner.create(&second).await.unwrap();
    assert_eq!(server.id.project, project("spare"));
    pass(LAG_OVER).await;
    let projects: Vec<_> = scene
        .fleet()
        .await
        .servers()
        .map(|server| server.id.project.clone())
        .collect();
    assert_eq!(projects, [project("main"), project("spare")]);
}

#[tokio::test(start_paused = true)]
async fn user_data_past_the_limit_is_refused_before_anything_is_sent() {
    let scene = Scene::new();
    let mut order = order(1);
    order.user_data = "x".repeat(32 * 1024 + 1);
    assert_eq!(why(scene.hetzner.create(&order).await), Refusal::Invalid);
    assert_eq!(scene.hetzner_calls(), 0);
    order.user_data.pop();
    scene.hetzner.create(&order).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_action_that_fails_after_the_server_exists_is_told() {
    let scene = Scene::new();
    scene.plan(Api::Hetzner, FaultKind::ActionFails, "POST /v1/servers");
    let server = scene.hetzner.create(&order(1)).await.unwrap();
    pass(Duration::from_mins(1)).await;
    let progress = scene.hetzner.progress(&server.id).await.unwrap();
    assert!(matches!(progress, Progress::Failed { .. }), "{progress:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_a_change_under_way_is_found_and_followed() {
    let scene = Scene::new();
    let server = scene.hetzner.create(&order(1)).await.unwrap();
    let scene = scene.restarted();
    let progress = scene.hetzner.progress(&server.id).await.unwrap();
    assert!(matches!(progress, Progress::Running { .. }), "{progress:?}");
    scene.settle(&server.id).await;
    let shown = any_fleet(&scene).await.get(&server.id).cloned().unwrap();
    assert_eq!(shown.power, ServerPower::Running);
    let before = scene.hetzner_calls();
    for _ in 0..3 {
        assert_eq!(
            scene.hetzner.progress(&server.id).await.unwrap(),
            Progress::Idle
        );
    }
    assert_eq!(
        scene.hetzner_calls(),
        before,
        "what rests is not asked about at every turn"
    );
}

#[tokio::test(start_paused = true)]
async fn power_goes_off_and_on_and_everybody_sees_it_at_once() {
    let scene = Scene::new();
    let id = scene.hetzner.create(&order(1)).await.unwrap().id;
    scene.settle(&id).await;
    let shown = async || any_fleet(&scene).await.get(&id).unwrap().power;
    scene.hetzner.power_off(&id).await.unwrap();
    assert_eq!(shown().await, ServerPower::Stopping);
    scene.settle(&id).await;
    assert_eq!(shown().await, ServerPower::Off);
    assert_eq!(scene.world.snapshot().servers[0].status, Status::Off);
    scene.hetzner.power_on(&id).await.unwrap();
    assert_eq!(shown().await, ServerPower::Starting);
    scene.settle(&id).await;
    assert_eq!(shown().await, ServerPower::Running);
    scene.hetzner.shut_down(&id).await.unwrap();
    assert_eq!(shown().await, ServerPower::Running, "asked is not done");
    pass(Duration::from_secs(30)).await;
    let read = scene
        .hetzner
        .get(Priority::Customer, &id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.power, ServerPower::Off);
    assert_eq!(shown().await, ServerPower::Off, "what one reads all see");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_server_is_shown_going_and_then_gone_also_by_lists_that_linger() {
    let scene = Scene::new();
    let id = scene.hetzner.create(&order(1)).await.unwrap().id;
    scene.settle(&id).await;
    scene.hetzner.delete(&id, &uid(1)).await.unwrap();
    let shown = any_fleet(&scene).await.get(&id).unwrap().power;
    assert_eq!(shown, ServerPower::Deleting);
    scene.settle(&id).await;
    scene
        .world
        .faults()
        .chance(Api::Hetzner, FaultKind::LingeringList, 1.0);
    assert!(scene.fleet().await.get(&id).is_none());
    assert_eq!(scene.world.snapshot().living_servers().count(), 0);
    assert_eq!(
        why(scene.hetzner.delete(&id, &uid(1)).await),
        Refusal::NotFound
    );
    assert_eq!(
        scene.hetzner.get(Priority::Delete, &id).await.unwrap(),
        None
    );
}

#[tokio::test(start_paused = true)]
async fn protection_is_put_on_and_holds_until_it_is_taken_off() {
    let scene = Scene::new();
    let id = scene.hetzner.create(&order(1)).await.unwrap().id;
    scene.settle(&id).await;
    scene.hetzner.set_protection(&id, true).await.unwrap();
    assert!(any_fleet(&scene).await.get(&id).unwrap().protected);
    assert_eq!(
        why(scene.hetzner.delete(&id, &uid(1)).await),
        Refusal::Protected
    );
    scene.hetzner.set_protection(&id, false).await.unwrap();
    scene.hetzner.delete(&id, &uid(1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_not_complete_is_an_error_and_never_a_short_answer() {
    let scene = Scene::new();
    scene.hetzner.create(&order(1)).await.unwrap();
    pass(LAG_OVER).await;
    let list = async || {
        let now = BegunAfter(Instant::now());
        scene.hetzner.fleet(Priority::Resync, now).await
    };
    scene
        .world
        .faults()
        .chance(Api::Hetzner, FaultKind::ShortList, 1.0);
    assert!(matches!(list().await, Err(ProviderError::Unreachable(_))));
    scene.world.faults().clear();
    scene.plan(Api::Hetzner, FaultKind::LostAfterCommit, "GET /v1/servers");
    assert!(matches!(list().await, Err(ProviderError::Unreachable(_))));
    scene.world.faults().down(Api::Hetzner, true);
    assert!(matches!(list().await, Err(ProviderError::Unreachable(_))));
    scene.world.faults().clear();
    assert_eq!(list().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_is_denied_and_never_an_empty_project() {
    let scene = Scene::new();
    let settings = ProjectSettings {
        name: project("main"),
        url: "http://hetzner.test/v1".parse().unwrap(),
        token: "x".repeat(64).into(),
        law: Law::HETZNER,
        ssh_keys: Vec::new(),
        firewalls: Vec::new(),
    };
    let transport = Transport::in_process(scene.world.hetzner(), testing::TIMEOUT);
    let hetzner = Hetzner::new(
        testing::installation(),
        [(settings, transport)],
        &scene.calls,
    )
    .unwrap();
    let now = BegunAfter(Instant::now());
    assert_eq!(
        why(hetzner.fleet(Priority::Resync, now).await),
        Refusal::Denied
    );
    let id = ServerId {
        project: project("main"),
        id: 1,
    };
    assert_eq!(
        why(hetzner.get(Priority::Resync, &id).await),
        Refusal::Denied
    );
    assert_eq!(why(hetzner.create(&order(1)).await), Refusal::Denied);
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_learned_from_the_provider_and_deletions_go_first() {
    let scene = Scene::new();
    let id = scene.hetzner.create(&order(1)).await.unwrap().id;
    scene.settle(&id).await;
    for _ in 0..2600 {
        scene.somebody("GET", "/locations", Value::Null).await;
    }
    let now = || BegunAfter(Instant::now());
    scene.fleet().await;
    let held = scene.hetzner.fleet(Priority::Resync, now()).await;
    let Err(ProviderError::Throttled { retry_after }) = held else {
        panic!("{held:?}");
    };
    assert!(retry_after > Duration::from_mins(1), "{retry_after:?}");
    scene.hetzner.delete(&id, &uid(1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn once_told_to_slow_down_nobody_asks_before_the_time_is_up() {
    let scene = Scene::new();
    scene.plan(Api::Hetzner, FaultKind::Throttled, "");
    let throttled = scene.hetzner.create(&order(1)).await;
    let Err(ProviderError::Throttled { retry_after }) = throttled else {
        panic!("{throttled:?}");
    };
    let before = scene.hetzner_calls();
    assert!(matches!(
        scene.hetzner.create(&order(1)).await,
        Err(ProviderError::Throttled { .. })
    ));
    assert_eq!(scene.hetzner_calls(), before, "it was not even sent");
    pass(retry_after + Duration::from_mins(12)).await;
    scene.hetzner.create(&order(1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn firewalls_are_named_and_looked_up_once() {
    let scene = Scene::new();
    scene
        .somebody("POST", "/firewalls", json!({"name": "guests", "rules": []}))
        .await;
    let settings = ProjectSettings {
        name: project("main"),
        url: "http://hetzner.test/v1".parse().unwrap(),
        token: scene.world.options().projects[0].token.clone().into(),
        law: Law::HETZNER,
        ssh_keys: Vec::new(),
        firewalls: vec!["guests".to_owned()],
    };
    let transport = Transport::in_process(scene.world.hetzner(), testing::TIMEOUT);
    let hetzner = Hetzner::new(
        testing::installation(),
        [(settings, transport)],
        &scene.calls,
    )
    .unwrap();
    hetzner.create(&order(1)).await.unwrap();
    hetzner.create(&order(2)).await.unwrap();
    assert_eq!(scene.hetzner_calls(), 3);
    let firewalls = scene.somebody("GET", "/firewalls", Value::Null).await;
    assert_eq!(
        firewalls["firewalls"][0]["applied_to"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}
