//! What is not ours is never changed, and what is ours gets its mark back.

use super::*;
use crate::api::ServerName;

/// A server of somebody else in the project `main`.
async fn strangers(scene: &Scene, labels: Value) -> ServerId {
    let body = json!({
        "name": "theirs", "server_type": "cx23", "image": "debian-12", "location": "nbg1", "labels": labels,
    });
    let made = scene.somebody("POST", "/servers", body).await;
    pass(Duration::from_mins(1)).await;
    ServerId {
        project: project("main"),
        id: made["server"]["id"].as_i64().unwrap(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_strangers_server_is_never_touched() {
    let other_installation = json!({
        "clawdet.com/managed-by": "clawdet",
        "clawdet.com/installation": "staging",
        "clawdet.com/instance-uid": uid(1).as_str(),
    });
    for labels in [json!({}), other_installation] {
        let scene = Scene::new();
        let id = strangers(&scene, labels).await;
        let before = scene.world.snapshot().servers;
        let servers = &scene.hetzner;
        assert_eq!(why(servers.delete(&id, &uid(1)).await), Refusal::Stale);
        assert_eq!(why(servers.power_off(&id).await), Refusal::Stale);
        assert_eq!(why(servers.power_on(&id).await), Refusal::Stale);
        assert_eq!(why(servers.shut_down(&id).await), Refusal::Stale);
        assert_eq!(why(servers.set_protection(&id, true).await), Refusal::Stale);
        assert_eq!(
            scene.fleet().await.len(),
            0,
            "and it is no part of our fleet"
        );
        let after = scene.world.snapshot().servers;
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn another_instances_server_is_not_deleted() {
    let scene = Scene::new();
    let id = scene.hetzner.create(&order(1)).await.unwrap().id;
    scene.settle(&id).await;
    assert_eq!(
        why(scene.hetzner.delete(&id, &uid(2)).await),
        Refusal::Stale
    );
    assert_eq!(scene.world.snapshot().living_servers().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_relabelled_by_hand_is_not_deleted_on_what_a_list_once_said() {
    let scene = Scene::new();
    let id = scene.hetzner.create(&order(1)).await.unwrap().id;
    scene.settle(&id).await;
    let path = format!("/servers/{}", id.id);
    scene
        .somebody("PUT", &path, json!({"labels": {"team": "search"}}))
        .await;
    assert_eq!(
        any_fleet(&scene).await.get(&id).unwrap().owner,
        Owner::Ours(uid(1))
    );
    assert_eq!(
        why(scene.hetzner.delete(&id, &uid(1)).await),
        Refusal::Stale
    );
    assert_eq!(scene.world.snapshot().living_servers().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_no_longer_ours_is_not_switched_off() {
    let scene = Scene::new();
    let id = scene.hetzner.create(&order(1)).await.unwrap().id;
    scene.settle(&id).await;
    let path = format!("/servers/{}", id.id);
    scene.somebody("PUT", &path, json!({"labels": {}})).await;
    pass(Duration::from_secs(31)).await;
    assert_eq!(why(scene.hetzner.power_off(&id).await), Refusal::Stale);
    assert_eq!(scene.world.snapshot().servers[0].status, Status::Running);
}

#[tokio::test(start_paused = true)]
async fn lost_labels_and_name_come_back_and_those_of_others_stay() {
    let scene = Scene::new();
    let id = scene.hetzner.create(&order(1)).await.unwrap().id;
    scene.settle(&id).await;
    let path = format!("/servers/{}", id.id);
    let edit = json!({"name": "oops", "labels": {"team": "search"}});
    scene.somebody("PUT", &path, edit).await;
    scene
        .hetzner
        .restore_identity(&id, &order(1).name, &uid(1))
        .await
        .unwrap();
    let made = scene.world.snapshot().servers.remove(0);
    assert_eq!(made.name, order(1).name.as_str());
    assert_eq!(made.labels["clawdet.com/instance-uid"], uid(1).as_str());
    assert_eq!(made.labels["team"], "search");
    let shown = any_fleet(&scene).await.get(&id).cloned().unwrap();
    assert!(shown.labels_intact && shown.name == order(1).name);
}

#[tokio::test(start_paused = true)]
async fn our_mark_is_not_put_over_somebody_elses() {
    let scene = Scene::new();
    let labels = json!({"clawdet.com/installation": "staging"});
    let id = strangers(&scene, labels).await;
    let restored = scene
        .hetzner
        .restore_identity(&id, &order(1).name, &uid(1))
        .await;
    assert_eq!(why(restored), Refusal::Stale);
    let id = scene.hetzner.create(&order(2)).await.unwrap().id;
    let restored = scene
        .hetzner
        .restore_identity(&id, &order(1).name, &uid(1))
        .await;
    assert_eq!(why(restored), Refusal::Stale);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_by_a_stranger_is_said_so() {
    let scene = Scene::new();
    let id = strangers(&scene, json!({})).await;
    let mut taken = order(1);
    taken.name = ServerName::observed("theirs");
    assert_eq!(why(scene.hetzner.create(&taken).await), Refusal::NameTaken);
    let found = scene
        .hetzner
        .find(Priority::Create, &project("main"), &taken.name)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.owner), (id, Owner::Stranger));
}

#[tokio::test(start_paused = true)]
async fn a_spare_address_of_ours_is_found_and_released_and_no_other() {
    let scene = Scene::new();
    let address = async |name: &str, labels: Value| {
        let body = json!({
            "name": name, "type": "ipv4", "location": "nbg1", "auto_delete": false, "labels": labels,
            "assignee_type": "server",
        });
        scene.somebody("POST", "/primary_ips", body).await["primary_ip"]["id"]
            .as_i64()
            .unwrap()
    };
    let ours =
        json!({"clawdet.com/installation": "prod", "clawdet.com/instance-uid": uid(1).as_str()});
    let ours = address("ours", ours).await;
    let theirs = address("theirs", json!({})).await;
    let spare = scene
        .hetzner
        .spare_addresses(Priority::Delete, BegunAfter(Instant::now()))
        .await
        .unwrap();
    let [found] = &spare[..] else {
        panic!("{spare:?}")
    };
    assert_eq!((found.id, found.assigned), (ours, false));
    assert!(found.owner.is(&uid(1)));
    let pretended = SpareAddress {
        id: theirs,
        ..found.clone()
    };
    assert_eq!(
        why(scene.hetzner.release_address(&pretended).await),
        Refusal::Stale
    );
    scene.hetzner.release_address(found).await.unwrap();
    assert_eq!(
        why(scene.hetzner.release_address(found).await),
        Refusal::NotFound
    );
    let left: Vec<_> = scene
        .world
        .snapshot()
        .primary_ips
        .iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(left, [u64::try_from(theirs).unwrap()]);
}
