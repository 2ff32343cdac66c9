//! Two controllers, one Instance, and a seeded world that loses requests and answers: one server is
//! bought, whatever happens, and after deletion nothing is left. History counts, not only the end.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::time::Instant;

mod adapters;
mod providers;

use super::{Controller, ListAges, Providers, Settings};
use crate::api::{
    Customer, Hostname, InstallationName, Instance, Plan, ProjectName, ServerName, Uid,
};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::controller::{Outcome, Reconciler};
use crate::events::Narrator;
use crate::provider::{
    BegunAfter, Dns, Fleet, GuestState, Guests, Owner, Priority, Progress, ProviderError, Record,
    RecordChange, Refusal, SecretPath, SecretValues, SecretVersion, Secrets, Server, ServerId,
    ServerOrder, ServerPower, Servers, SpareAddress, Target, Zone,
};

const SEEDS: u64 = 1000;
const BOOT: Duration = Duration::from_secs(20);
const LIST_LAG_MAX_MS: u64 = 8_000;

/// The world and the cluster behind one lock, with one seeded sequence of faults.
#[derive(Clone)]
struct World(Arc<Mutex<Inner>>);

struct Inner {
    random: u64,
    calm: bool,
    object: Option<Value>,
    version: u64,
    next_id: i64,
    servers: BTreeMap<i64, (Server, Instant, Instant)>,
    records: BTreeMap<String, Record>,
    secrets: BTreeMap<SecretPath, (SecretValues, u64)>,
    bought: u32,
    alive_max: usize,
}

#[derive(PartialEq)]
enum Fault {
    None,
    Before,
    After,
}

impl Inner {
    /// xorshift64*
    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
    }

    fn fault(&mut self) -> Fault {
        if self.calm {
            return Fault::None;
        }
        match self.draw(10) {
            0 => Fault::Before,
            1 => Fault::After,
            _ => Fault::None,
        }
    }
}

fn lost() -> ProviderError {
    ProviderError::Unknown("the answer was lost".into())
}

impl World {
    fn new(seed: u64) -> Self {
        let inner = Inner {
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            calm: false,
            object: None,
            version: 0,
            next_id: 0,
            servers: BTreeMap::new(),
            records: BTreeMap::new(),
            secrets: BTreeMap::new(),
            bought: 0,
            alive_max: 0,
        };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// One call: lost on the way there, lost on the way back, or answered.
    fn call<T>(
        &self,
        effect: impl FnOnce(&mut Inner) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        let mut inner = self.0.lock().unwrap();
        match inner.fault() {
            Fault::Before => Err(ProviderError::Unreachable("no connection".into())),
            Fault::After => effect(&mut inner).and_then(|_| Err(lost())),
            Fault::None => effect(&mut inner),
        }
    }

    /// Changes the object as a person with kubectl would.
    fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut inner = self.0.lock().unwrap();
        inner.version += 1;
        let version = inner.version.to_string();
        let object = inner.object.get_or_insert_with(|| json!({}));
        change(object);
        object["metadata"]["resourceVersion"] = version.into();
    }

    fn instance(&self) -> Option<Arc<Instance>> {
        let object = self.0.lock().unwrap().object.clone()?;
        Some(Arc::new(serde_json::from_value(object).unwrap()))
    }
}

fn shown(server: &Server, born: Instant) -> Server {
    let booted = born.elapsed() >= BOOT;
    let power = if server.power == ServerPower::Starting && booted {
        ServerPower::Running
    } else {
        server.power
    };
    Server {
        power,
        ..server.clone()
    }
}

fn refuse(code: StatusCode, reason: &str) -> Response {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "reason": reason, "message": reason, "code": code.as_u16()});
    (code, Json(status)).into_response()
}

/// As much of a cluster as one Instance needs: read, merge metadata, replace status; compare-and-swap.
fn cluster(world: &World) -> Client {
    let path = "/apis/clawdet.com/v1alpha1/namespaces/default/instances/ada";
    let router = Router::new()
        .route(path, get(cluster_read).patch(cluster_patch))
        .route(
            &format!("{path}/status"),
            axum::routing::put(cluster_status),
        )
        .with_state(world.clone());
    Client::new(router, "default")
}

async fn cluster_read(State(world): State<World>) -> Response {
    match world.0.lock().unwrap().object.clone() {
        Some(object) => Json(object).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "NotFound"),
    }
}

async fn cluster_patch(State(world): State<World>, body: axum::body::Bytes) -> Response {
    let patch: Value = serde_json::from_slice(&body).unwrap();
    world.swap(&patch["metadata"]["resourceVersion"], |object| {
        if patch["metadata"]["finalizers"].is_array() {
            object["metadata"]["finalizers"] = patch["metadata"]["finalizers"].clone();
        }
        for (key, value) in patch["metadata"]["annotations"]
            .as_object()
            .into_iter()
            .flatten()
        {
            object["metadata"]["annotations"][key] = value.clone();
            if value.is_null() {
                object["metadata"]["annotations"]
                    .as_object_mut()
                    .unwrap()
                    .remove(key);
            }
        }
    })
}

async fn cluster_status(State(world): State<World>, body: axum::body::Bytes) -> Response {
    let sent: Value = serde_json::from_slice(&body).unwrap();
    world.swap(&sent["metadata"]["resourceVersion"], |object| {
        object["status"] = sent["status"].clone();
    })
}

impl World {
    fn swap(&self, expected: &Value, change: impl FnOnce(&mut Value)) -> Response {
        let mut inner = self.0.lock().unwrap();
        let Some(mut object) = inner.object.clone() else {
            return refuse(StatusCode::NOT_FOUND, "NotFound");
        };
        if &object["metadata"]["resourceVersion"] != expected {
            return refuse(StatusCode::CONFLICT, "Conflict");
        }
        change(&mut object);
        inner.version += 1;
        object["metadata"]["resourceVersion"] = inner.version.to_string().into();
        let deleting = object["metadata"]["deletionTimestamp"].is_string();
        let held = object["metadata"]["finalizers"]
            .as_array()
            .is_some_and(|held| !held.is_empty());
        inner.object = (!deleting || held).then(|| object.clone());
        Json(object).into_response()
    }
}

fn controller(world: &World) -> Controller {
    let settings = Settings {
        namespace: "default".into(),
        installation: InstallationName::parse("test").unwrap(),
        zone: "clawdet.example".into(),
        site_url: "https://clawdet.example".into(),
        list_ages: ListAges {
            settled: Duration::from_mins(1),
            moving: Duration::from_secs(10),
        },
    };
    let providers = Providers {
        servers: Arc::new(world.clone()),
        dns: Arc::new(world.clone()),
        secrets: Arc::new(world.clone()),
        guests: Arc::new(world.clone()),
    };
    controller_over(world, settings, providers)
}

/// The cluster in `world`, and these providers.
fn controller_over(world: &World, settings: Settings, providers: Providers) -> Controller {
    let customer: Customer = serde_json::from_value(
        json!({"apiVersion": "clawdet.com/v1alpha1", "kind": "Customer",
        "metadata": {"name": "ada"}, "spec": {"displayName": "Ada", "plan": "basic"}}),
    )
    .unwrap();
    let plan: Plan =
        serde_json::from_value(json!({"apiVersion": "clawdet.com/v1alpha1", "kind": "Plan",
        "metadata": {"name": "basic"}, "spec": {"displayName": "Basic", "prices": [],
        "placement": [{"serverType": "cx23", "location": "nbg1"}]}}))
        .unwrap();
    let clock = Clock::from(jiff::Timestamp::from_second(1_000_000).unwrap());
    Controller::new(
        settings,
        cluster(world),
        clock,
        Catalog::holding(&customer, &plan),
        providers,
        Narrator::silent(),
    )
}

/// Visits with both controllers in turn, each crashing (dropped at some await) now and then.
async fn live(world: &World, both: &mut [Controller; 2], visits: u32) {
    for _ in 0..visits {
        let (who, pause, crash) = {
            let mut inner = world.0.lock().unwrap();
            let crash = !inner.calm && inner.draw(20) == 0;
            let who = usize::try_from(inner.draw(2)).unwrap();
            (who, inner.draw(3_000), crash)
        };
        let Some(object) = world.instance() else {
            return;
        };
        let _ = both[who].reconcile(object).await;
        if crash {
            both[who] = controller(world);
        }
        tokio::time::advance(Duration::from_millis(pause)).await;
    }
}

fn calm(world: &World) {
    world.0.lock().unwrap().calm = true;
}

fn wanted(object: &mut Value) {
    *object = json!({"apiVersion": "clawdet.com/v1alpha1", "kind": "Instance",
            "metadata": {"name": "ada", "namespace": "default", "uid": "0b6a-ada", "generation": 1},
            "spec": {"customerRef": "ada", "subdomain": "ada", "plan": "basic"}});
}

async fn one_life(seed: u64) {
    let world = World::new(seed);
    world.edit(wanted);
    let mut both = [controller(&world), controller(&world)];
    live(&world, &mut both, 30).await;
    calm(&world);
    live(&world, &mut both, 40).await;
    let object = world.instance().unwrap();
    let outcome = both[0].reconcile(Arc::clone(&object)).await.unwrap();
    assert_eq!(
        outcome,
        Outcome::Converged,
        "seed {seed}: {:?}",
        object.status
    );
    {
        let mut inner = world.0.lock().unwrap();
        assert_eq!(
            (inner.bought, inner.alive_max),
            (1, 1),
            "seed {seed}: bought twice"
        );
        assert_eq!(
            (inner.servers.len(), inner.records.len()),
            (1, 1),
            "seed {seed}"
        );
        inner.calm = false;
    }
    world.edit(|object| object["metadata"]["deletionTimestamp"] = "2026-11-24T00:00:00Z".into());
    live(&world, &mut both, 20).await;
    calm(&world);
    live(&world, &mut both, 60).await;
    let inner = world.0.lock().unwrap();
    assert!(
        inner.object.is_none(),
        "seed {seed}: the finalizer is still on"
    );
    assert!(inner.servers.is_empty(), "seed {seed}: a server was leaked");
    assert!(
        inner.records.is_empty() && inner.secrets.is_empty(),
        "seed {seed}"
    );
    assert_eq!(inner.bought, 1, "seed {seed}: bought while deleting");
}

#[tokio::test(start_paused = true)]
async fn whatever_is_lost_one_server_is_bought_and_none_is_left() {
    for seed in 1..=SEEDS {
        one_life(seed).await;
    }
}

/// Deleted before it is Ready, while requests and answers are still being lost.
async fn short_life(seed: u64) {
    let world = World::new(seed);
    world.edit(wanted);
    let mut both = [controller(&world), controller(&world)];
    live(&world, &mut both, 8).await;
    world.edit(|object| object["metadata"]["deletionTimestamp"] = "2026-11-24T00:00:00Z".into());
    live(&world, &mut both, 30).await;
    calm(&world);
    live(&world, &mut both, 60).await;
    let inner = world.0.lock().unwrap();
    assert!(
        inner.object.is_none(),
        "seed {seed}: the finalizer is still on"
    );
    assert!(inner.servers.is_empty(), "seed {seed}: a server was leaked");
    assert!(inner.alive_max <= 1, "seed {seed}: bought twice");
    assert!(
        inner.records.is_empty() && inner.secrets.is_empty(),
        "seed {seed}"
    );
}

#[tokio::test(start_paused = true)]
async fn deleted_while_it_is_bought_nothing_is_left_also_without_a_sweep() {
    for seed in 1..=SEEDS {
        short_life(seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_deleted_by_hand_is_written_off_and_bought_once_more() {
    let world = World::new(1);
    calm(&world);
    world.edit(wanted);
    let mut both = [controller(&world), controller(&world)];
    live(&world, &mut both, 30).await;
    let first = world.instance().unwrap().annotations()["clawdet.com/server"].clone();
    world.0.lock().unwrap().servers.clear();
    live(&world, &mut both, 60).await;
    let second = world.instance().unwrap().annotations()["clawdet.com/server"].clone();
    assert_ne!(first, second);
    let inner = world.0.lock().unwrap();
    assert_eq!(
        (inner.bought, inner.servers.len(), inner.records.len()),
        (2, 1, 1)
    );
}
