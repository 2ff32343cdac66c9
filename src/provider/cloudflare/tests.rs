//! The adapter against the simulated Cloudflare: what it leaves in the zone, and what it costs.

use futures::future::join_all;
use serde_json::{Value, json};
use world::{Api, FaultKind};

use super::*;
use crate::provider::testing::{LAG_OVER, Scene, uid};
use crate::provider::{Owner, Target};

fn why<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> Refusal {
    match result {
        Err(ProviderError::Refused { why, .. }) => why,
        other => panic!("not refused: {other:?}"),
    }
}

fn host(number: u32) -> Hostname {
    Hostname::observed(&format!("h{number}.assistants.example"))
}

fn v4(last: u8) -> Target {
    Target::V4([203, 0, 113, last].into())
}

fn v6(last: u16) -> Target {
    Target::V6([0x2001, 0xdb8, 0, 0, 0, 0, 0, last].into())
}

fn create(targets: impl IntoIterator<Item = Target>) -> RecordChange {
    RecordChange {
        create: targets.into_iter().collect(),
        ..RecordChange::default()
    }
}

async fn change(scene: &Scene, number: u32, change: &RecordChange) -> Result<(), ProviderError> {
    let dns = &scene.cloudflare;
    dns.change(Priority::Create, &host(number), &uid(number), change)
        .await
}

async fn zone(scene: &Scene) -> Arc<Zone> {
    let now = BegunAfter(Instant::now());
    scene.cloudflare.zone(Priority::Resync, now).await.unwrap()
}

async fn any_zone(scene: &Scene) -> Arc<Zone> {
    let long_ago = BegunAfter(Instant::now() - Duration::from_mins(10));
    let zone = scene.cloudflare.zone(Priority::Resync, long_ago).await;
    zone.unwrap()
}

/// The zone as its owner sees it: `name content`.
fn published(scene: &Scene) -> Vec<String> {
    let records = scene.world.snapshot().records;
    let line = |record: &world::RecordRow| format!("{} {}", record.name, record.content);
    let mut lines: Vec<_> = records.iter().map(line).collect();
    lines.sort();
    lines
}

#[tokio::test(start_paused = true)]
async fn an_address_is_published_with_our_mark_and_seen_at_once() {
    let scene = Scene::new();
    any_zone(&scene).await;
    change(&scene, 1, &create([v4(1), v6(1)])).await.unwrap();
    let rows = scene.world.snapshot().records;
    assert_eq!(rows.len(), 2);
    for row in &rows {
        let mark = format!("clawdet installation=prod instance={}", uid(1));
        assert_eq!(row.comment.as_deref(), Some(&*mark));
        assert!(!row.proxied);
    }
    let lists = scene.cloudflare_calls();
    let zone = any_zone(&scene).await;
    let targets: Vec<_> = zone
        .at(&host(1))
        .iter()
        .filter_map(|record| record.target)
        .collect();
    assert!(targets.contains(&v4(1)) && targets.contains(&v6(1)));
    assert!(
        zone.at(&host(1))
            .iter()
            .all(|record| record.owner == Owner::Ours(uid(1)))
    );
    assert_eq!(scene.cloudflare_calls(), lists, "without another list");
}

#[tokio::test(start_paused = true)]
async fn changes_of_many_hosts_at_once_go_in_one_request() {
    let scene = Scene::new();
    any_zone(&scene).await;
    let before = scene.cloudflare_calls();
    let changes: Vec<_> = (1..=40).map(|number| (number, create([v4(1)]))).collect();
    let all = join_all(
        changes
            .iter()
            .map(|(number, new)| change(&scene, *number, new)),
    )
    .await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(published(&scene).len(), 40);
    assert_eq!(scene.cloudflare_calls() - before, 1);
}

#[tokio::test(start_paused = true)]
async fn one_bad_host_does_not_hold_up_the_others() {
    let scene = Scene::new();
    any_zone(&scene).await;
    let somebody =
        json!({"type": "CNAME", "name": host(2).as_str(), "content": "else.example", "ttl": 1});
    scene.zone_editor("POST", "/dns_records", somebody).await;
    let new = create([v4(1)]);
    let all = join_all((1..=3).map(|number| change(&scene, number, &new))).await;
    let refused: Vec<_> = all
        .iter()
        .map(|one| one.as_ref().err().and_then(ProviderError::refusal))
        .collect();
    assert_eq!(refused, [None, Some(Refusal::AlreadyExists), None]);
    assert_eq!(
        published(&scene),
        [
            "h1.assistants.example 203.0.113.1",
            "h2.assistants.example else.example",
            "h3.assistants.example 203.0.113.1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_moves_and_goes_by_id() {
    let scene = Scene::new();
    change(&scene, 1, &create([v4(1), v6(1)])).await.unwrap();
    let id = |zone: &Zone, wanted| {
        let records = zone.at(&host(1)).iter();
        let found = records.clone().find(|record| record.target == Some(wanted));
        found.unwrap().id.clone()
    };
    let seen = any_zone(&scene).await;
    let moved = RecordChange {
        update: vec![(id(&seen, v4(1)), v4(2))],
        delete: vec![id(&seen, v6(1))],
        ..RecordChange::default()
    };
    change(&scene, 1, &moved).await.unwrap();
    assert_eq!(published(&scene), ["h1.assistants.example 203.0.113.2"]);
    let seen = any_zone(&scene).await;
    let [record] = seen.at(&host(1)) else {
        panic!("{seen:?}")
    };
    assert_eq!(
        (record.target, &record.owner),
        (Some(v4(2)), &Owner::Ours(uid(1)))
    );
}

#[tokio::test(start_paused = true)]
async fn a_strangers_record_is_never_touched() {
    let scene = Scene::new();
    let theirs =
        json!({"type": "A", "name": host(1).as_str(), "content": "198.51.100.1", "ttl": 60});
    let made = scene.zone_editor("POST", "/dns_records", theirs).await;
    let id = made["result"]["id"].as_str().unwrap().to_owned();
    let delete = RecordChange {
        delete: vec![id.clone()],
        ..RecordChange::default()
    };
    assert_eq!(why(change(&scene, 1, &delete).await), Refusal::Stale);
    let update = RecordChange {
        update: vec![(id, v4(9))],
        ..RecordChange::default()
    };
    assert_eq!(why(change(&scene, 1, &update).await), Refusal::Stale);
    let beside = create([v4(9)]);
    assert_eq!(
        why(change(&scene, 1, &beside).await),
        Refusal::AlreadyExists
    );
    assert_eq!(published(&scene), ["h1.assistants.example 198.51.100.1"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_comment_was_taken_off_is_no_longer_ours_to_delete() {
    let scene = Scene::new();
    change(&scene, 1, &create([v4(1)])).await.unwrap();
    let id = any_zone(&scene).await.at(&host(1))[0].id.clone();
    scene
        .zone_editor(
            "PATCH",
            &format!("/dns_records/{id}"),
            json!({"comment": ""}),
        )
        .await;
    tokio::time::advance(OWNERSHIP_AGE + LAG_OVER).await;
    let delete = RecordChange {
        delete: vec![id],
        ..RecordChange::default()
    };
    assert_eq!(why(change(&scene, 1, &delete).await), Refusal::Stale);
    assert_eq!(published(&scene).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_unknown_and_a_new_list_tells() {
    let scene = Scene::new();
    any_zone(&scene).await;
    let endpoint = "POST /client/v4/zones/{zone}/dns_records/batch";
    scene.plan(Api::Cloudflare, FaultKind::LostAfterCommit, "POST ");
    let lost = change(&scene, 1, &create([v4(1)])).await;
    assert!(
        matches!(lost, Err(ProviderError::Unknown(_))),
        "{lost:?} {endpoint}"
    );
    assert_eq!(zone(&scene).await.at(&host(1)).len(), 1);
    assert_eq!(
        why(change(&scene, 1, &create([v4(1)])).await),
        Refusal::AlreadyExists
    );
    assert_eq!(published(&scene).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_identical_record_that_lists_do_not_show_yet_is_refused_by_the_provider() {
    let scene = Scene::new();
    scene
        .world
        .faults()
        .chance(Api::Cloudflare, FaultKind::HiddenNew, 1.0);
    let other = scene.restarted();
    change(&scene, 1, &create([v4(1)])).await.unwrap();
    assert_eq!(
        why(change(&other, 1, &create([v4(1)])).await),
        Refusal::AlreadyExists
    );
    assert_eq!(published(&scene).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn past_the_limit_nobody_asks_for_as_long_as_the_provider_says() {
    let scene = Scene::new();
    any_zone(&scene).await;
    scene.plan(Api::Cloudflare, FaultKind::Throttled, "POST ");
    let throttled = change(&scene, 1, &create([v4(1)])).await;
    let Err(ProviderError::Throttled { retry_after }) = throttled else {
        panic!("{throttled:?}");
    };
    let before = scene.cloudflare_calls();
    let again = change(&scene, 1, &create([v4(1)])).await;
    assert!(matches!(again, Err(ProviderError::Throttled { .. })));
    assert_eq!(scene.cloudflare_calls(), before);
    tokio::time::advance(retry_after + Duration::from_mins(5)).await;
    change(&scene, 1, &create([v4(1)])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn other_kinds_of_records_are_listed_and_spoil_nothing() {
    let scene = Scene::new();
    let records = [
        json!({"type": "TXT", "name": host(1).as_str(), "content": "\"hello\"", "ttl": 60}),
        json!({"type": "CAA", "name": host(2).as_str(), "data": {"flags": 0, "tag": "issue", "value": "x.example"}, "ttl": 60}),
    ];
    for record in records {
        scene.zone_editor("POST", "/dns_records", record).await;
    }
    let zone = zone(&scene).await;
    assert_eq!(zone.records().count(), 2);
    assert!(
        zone.records()
            .all(|record| record.target.is_none() && record.owner == Owner::Stranger)
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_not_complete_is_an_error_and_never_a_short_answer() {
    let scene = Scene::new();
    change(&scene, 1, &create([v4(1)])).await.unwrap();
    let list = async || {
        let now = BegunAfter(Instant::now());
        scene.cloudflare.zone(Priority::Resync, now).await
    };
    for kind in [
        FaultKind::ShortList,
        FaultKind::LostAfterCommit,
        FaultKind::ErrorBeforeCommit,
    ] {
        scene.world.faults().chance(Api::Cloudflare, kind, 1.0);
        assert!(
            matches!(list().await, Err(ProviderError::Unreachable(_))),
            "{kind:?}"
        );
        scene.world.faults().clear();
    }
    assert_eq!(list().await.unwrap().records().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_zone_the_token_does_not_open_is_denied() {
    let scene = Scene::with(|options| options.zone = "other.example".to_owned());
    let mut settings = ZoneSettings {
        installation: crate::provider::testing::installation(),
        zone: "assistants.example".to_owned(),
        url: "http://cloudflare.test/client/v4".parse().unwrap(),
        token: scene.world.options().cloudflare_token.clone().into(),
        law: Law::CLOUDFLARE,
        publishing: Publishing {
            proxied: true,
            ttl_seconds: 60,
        },
    };
    let open = |settings| {
        let way = Transport::in_process(scene.world.cloudflare(), Duration::from_secs(10));
        Cloudflare::new(settings, way, &scene.calls).unwrap()
    };
    let now = || BegunAfter(Instant::now());
    let absent = open(settings);
    assert_eq!(
        why(absent.zone(Priority::Resync, now()).await),
        Refusal::Denied
    );
    settings = ZoneSettings {
        installation: crate::provider::testing::installation(),
        zone: "other.example".to_owned(),
        url: "http://cloudflare.test/client/v4".parse().unwrap(),
        token: "wrong".to_owned().into(),
        law: Law::CLOUDFLARE,
        publishing: Publishing {
            proxied: true,
            ttl_seconds: 60,
        },
    };
    let locked = open(settings);
    assert_eq!(
        why(locked.zone(Priority::Resync, now()).await),
        Refusal::Denied
    );
}

#[test]
fn paging_follows_what_the_provider_says_and_notices_what_is_missing() {
    let said = |total_pages, total_count| ResultInfo {
        total_pages,
        total_count,
    };
    assert_eq!(follow(1, 1000, &said(Some(2), Some(1500))), Ok(Some(2)));
    assert_eq!(follow(2, 1500, &said(Some(2), Some(1500))), Ok(None));
    assert_eq!(follow(1, 0, &said(Some(0), Some(0))), Ok(None));
    let short = ListError::Short {
        told: 1500,
        got: 1499,
    };
    assert_eq!(follow(2, 1499, &said(Some(2), Some(1500))), Err(short));
    assert_eq!(
        follow(1, 5, &said(Some(1001), None)),
        Err(ListError::Endless(1001))
    );
    assert_eq!(follow(1, 5, &said(None, None)), Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_more_than_a_page_is_read_to_its_end() {
    let scene = Scene::new();
    for batch in 0..11_u32 {
        let posts: Vec<Value> = (0..100)
            .map(|number| json!({"type": "A", "name": host(batch * 100 + number).as_str(), "content": "203.0.113.1", "ttl": 60}))
            .collect();
        scene
            .zone_editor("POST", "/dns_records/batch", json!({"posts": posts}))
            .await;
    }
    assert_eq!(zone(&scene).await.records().count(), 1100);
}
