//! The controller over the vendors' adapters and the simulated providers: what an instance costs, and
//! that it is bought once and leaves nothing, whatever the providers do.

use world::{Api, FaultKind, Kind, Status, alive};

use super::*;
use crate::api::LABEL_INSTANCE_UID;
use crate::provider::guests::{self, OverHttp, Scheme};
use crate::provider::testing::{Scene, installation};
use crate::provider::transport::Transport;

const SEEDS: u64 = 60;

/// A controller in a process of its own: with adapters that remember nothing yet.
fn process(cluster: &World, scene: &Scene) -> Controller {
    let scene = scene.restarted();
    controller_with(cluster, scene)
}

fn controller_with(cluster: &World, scene: Scene) -> Controller {
    let settings = Settings {
        namespace: "default".into(),
        installation: installation(),
        zone: scene.world.options().zone.clone(),
        site_url: "https://assistants.example".into(),
        list_ages: ListAges {
            settled: Duration::from_mins(5),
            moving: Duration::from_secs(30),
        },
    };
    let guests = Transport::in_process(scene.world.guests(), guests::LIMITS);
    let providers = Providers {
        servers: Arc::new(scene.hetzner),
        dns: Arc::new(scene.cloudflare),
        secrets: Arc::new(cluster.clone()),
        guests: Arc::new(OverHttp::new(guests, Scheme::Http, 8080)),
    };
    controller_over(cluster, settings, providers)
}

/// A cluster that loses nothing, with the instance in it.
fn cluster() -> World {
    let cluster = World::new(1);
    calm(&cluster);
    cluster.edit(wanted);
    cluster
}

/// Visits as the outcomes ask for them, until nothing is left to do or the patience is at its end.
async fn visit_until_settled(cluster: &World, controller: &Controller) -> Outcome {
    let begun = Instant::now();
    loop {
        let Some(object) = cluster.instance() else {
            return Outcome::Converged;
        };
        let pause = match controller.reconcile(object).await {
            Ok(Outcome::Converged) => return Outcome::Converged,
            Ok(Outcome::Stepped) => Duration::ZERO,
            Ok(Outcome::Waiting(pause)) => pause,
            Ok(Outcome::Stalled) => panic!("stalled: {:?}", cluster.instance().unwrap().status),
            Err(error) => error.retry_after.unwrap_or(Duration::from_secs(5)),
        };
        assert!(
            begun.elapsed() < Duration::from_mins(10),
            "not settled: {:?}",
            cluster.instance().map(|object| object.status.clone())
        );
        tokio::time::advance(pause).await;
    }
}

fn delete(cluster: &World) {
    cluster.edit(|object| object["metadata"]["deletionTimestamp"] = "2026-11-24T00:00:00Z".into());
}

fn living(scene: &Scene) -> usize {
    scene.world.snapshot().living_servers().count()
}

#[tokio::test(start_paused = true)]
async fn an_instance_comes_up_stops_starts_and_goes_and_each_costs_a_few_calls() {
    let cluster = cluster();
    let scene = Scene::new();
    let counted = scene.restarted();
    let calls = Arc::clone(&counted.calls);
    let controller = controller_with(&cluster, counted);
    let hetzner = || calls.sent(crate::provider::calls::Provider::Hetzner);
    let dns = || calls.sent(crate::provider::calls::Provider::Cloudflare);
    visit_until_settled(&cluster, &controller).await;
    assert_eq!(living(&scene), 1);
    assert_eq!(scene.world.snapshot().records.len(), 2);
    let lists = scene.world.options().projects.len() as u64;
    assert!(hetzner() <= lists + 5, "{} calls to come up", hetzner());
    assert!(dns() <= 4, "{} DNS calls to come up", dns());

    let before = hetzner();
    visit_until_settled(&cluster, &controller).await;
    assert_eq!(
        hetzner(),
        before,
        "looking again costs nothing while the list is young"
    );
    tokio::time::advance(Duration::from_mins(4)).await;
    visit_until_settled(&cluster, &controller).await;
    assert_eq!(
        hetzner(),
        before,
        "a settled instance asks for no list before the one of the next resync"
    );
    tokio::time::advance(Duration::from_mins(2)).await;
    visit_until_settled(&cluster, &controller).await;
    assert_eq!(
        hetzner(),
        before + lists,
        "when nobody lists any more, it does"
    );

    cluster.edit(|object| object["spec"]["power"] = "Stopped".into());
    visit_until_settled(&cluster, &controller).await;
    assert_eq!(scene.world.snapshot().servers[0].status, Status::Off);
    let off = scene.world.history();
    let cut = off
        .iter()
        .any(|entry| entry.endpoint.ends_with("/poweroff"));
    assert!(!cut, "it was let shut down by itself");
    cluster.edit(|object| object["spec"]["power"] = "Running".into());
    visit_until_settled(&cluster, &controller).await;
    assert_eq!(scene.world.snapshot().servers[0].status, Status::Running);

    let (before, begun) = (hetzner(), Instant::now());
    delete(&cluster);
    visit_until_settled(&cluster, &controller).await;
    assert_eq!(
        (living(&scene), scene.world.snapshot().records.len()),
        (0, 0)
    );
    assert!(
        begun.elapsed() < Duration::from_mins(1),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        hetzner() - before <= 3 * (lists + 1) + 2,
        "{} calls to go",
        hetzner() - before
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_deleted_by_hand_is_bought_again_once_lists_show_it() {
    let cluster = cluster();
    let scene = Scene::new();
    let controller = process(&cluster, &scene);
    visit_until_settled(&cluster, &controller).await;
    let first = scene.world.snapshot().servers[0].id;
    assert!(scene.world.delete_server_by_hand(first).await);
    tokio::time::advance(Duration::from_mins(6)).await;
    visit_until_settled(&cluster, &controller).await;
    let now = scene.world.snapshot();
    let ids: Vec<_> = now.living_servers().map(|server| server.id).collect();
    assert_eq!(ids.len(), 1);
    assert_ne!(ids, [first]);
}

fn trouble(scene: &Scene) {
    let faults = scene.world.faults();
    let everywhere = [
        FaultKind::LostBeforeCommit,
        FaultKind::LostAfterCommit,
        FaultKind::ErrorBeforeCommit,
        FaultKind::ErrorAfterCommit,
        FaultKind::StalledAfterCommit,
        FaultKind::LingeringList,
        FaultKind::HiddenNew,
        FaultKind::ShortList,
    ];
    for kind in everywhere {
        faults.chance(Api::Hetzner, kind, 0.05);
        faults.chance(Api::Cloudflare, kind, 0.05);
    }
    for kind in [
        FaultKind::Locked,
        FaultKind::NoCapacity,
        FaultKind::ActionFails,
    ] {
        faults.chance(Api::Hetzner, kind, 0.05);
    }
}

/// Visits by two processes in turn, each of which crashes now and then.
async fn chaos(cluster: &World, scene: &Scene, both: &mut [Controller; 2], visits: u32) {
    for _ in 0..visits {
        let (who, pause, crash) = {
            let mut inner = cluster.0.lock().unwrap();
            let who = usize::try_from(inner.draw(2)).unwrap();
            (who, inner.draw(6_000), inner.draw(15) == 0)
        };
        let Some(object) = cluster.instance() else {
            return;
        };
        drop(both[who].reconcile(object).await);
        if crash {
            both[who] = process(cluster, scene);
        }
        tokio::time::advance(Duration::from_millis(pause)).await;
    }
}

/// At no moment more than one server lived for any instance.
fn check_history(scene: &Scene, seed: u64) {
    let history = scene.world.history();
    for entry in &history {
        let living = alive(&history, Kind::Server, LABEL_INSTANCE_UID, entry.effective);
        for (uid, servers) in living {
            assert!(servers.len() <= 1, "seed {seed}: {uid} has {servers:?}");
        }
    }
}

async fn one_life_over_adapters(seed: u64) {
    let cluster = World::new(seed);
    calm(&cluster);
    cluster.edit(wanted);
    let scene = Scene::with(|options| options.seed = seed);
    let mut both = [process(&cluster, &scene), process(&cluster, &scene)];
    trouble(&scene);
    chaos(&cluster, &scene, &mut both, 40).await;
    scene.world.faults().clear();
    tokio::time::advance(Duration::from_mins(6)).await;
    visit_until_settled(&cluster, &both[0]).await;
    assert_eq!(living(&scene), 1, "seed {seed}");
    assert_eq!(scene.world.snapshot().records.len(), 2, "seed {seed}");
    trouble(&scene);
    delete(&cluster);
    chaos(&cluster, &scene, &mut both, 30).await;
    scene.world.faults().clear();
    tokio::time::advance(Duration::from_mins(6)).await;
    visit_until_settled(&cluster, &both[1]).await;
    assert!(
        cluster.instance().is_none(),
        "seed {seed}: the finalizer is still on"
    );
    assert_eq!(living(&scene), 0, "seed {seed}: a server was leaked");
    assert_eq!(scene.world.snapshot().records.len(), 0, "seed {seed}");
    check_history(&scene, seed);
}

#[tokio::test(start_paused = true)]
async fn whatever_the_providers_do_one_server_is_bought_and_none_is_left() {
    for seed in 1..=SEEDS {
        one_life_over_adapters(seed).await;
    }
}
