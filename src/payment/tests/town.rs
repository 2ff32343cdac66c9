//! A cluster with our kinds, its catalog, both controllers and the books: everything a payment meets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;
use tower::ServiceExt;

use super::super::repair::{Repair, Repaired};
use super::super::{Controller, Settings};
use super::books::{Books, Bought};
use crate::api::payment_event::EventSource;
use crate::api::{
    ConditionType, Customer, InstallationName, Instance, PaymentEvent, Plan, definitions,
};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::controller::{Outcome, Reconciler, VisitError};
use crate::customer;
use crate::events::Narrator;
use crate::intent::{Intent, customer_name, instance_name};
use crate::provider::BillingEvent;

const START: i64 = 1_800_000_000;
/// No test of ours takes more rounds to come to rest.
const ROUNDS_MAX: usize = 50;
/// How long, on our own clock, a level may take to be reached.
const PATIENCE: Duration = Duration::from_mins(1);
pub(super) const DAY: u64 = 24 * 60 * 60;

/// Makes the cluster lose requests, on purpose or by chance.
#[derive(Clone, Default)]
pub(super) struct Faults(Arc<Mutex<Losses>>);

#[derive(Default)]
struct Losses {
    /// Writes of a kind to refuse, and how many.
    writes: Option<(&'static str, u32)>,
    /// One in so many requests is lost on the way there, and one on the way back.
    one_in: Option<u64>,
    random: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Before,
    After,
}

impl Faults {
    pub(super) fn fail_writes_of(&self, plural: &'static str, times: u32) {
        self.0.lock().unwrap().writes = Some((plural, times));
    }

    pub(super) fn begin(&self, seed: u64, one_in: u64) {
        let mut losses = self.0.lock().unwrap();
        losses.random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        losses.one_in = Some(one_in);
    }

    pub(super) fn calm(&self) {
        self.0.lock().unwrap().one_in = None;
    }

    /// xorshift64*
    pub(super) fn draw(&self, below: u64) -> u64 {
        let mut losses = self.0.lock().unwrap();
        losses.random ^= losses.random >> 12;
        losses.random ^= losses.random << 25;
        losses.random ^= losses.random >> 27;
        (losses.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
    }

    fn of(&self, method: &Method, path: &str) -> Fault {
        let one_in = {
            let mut losses = self.0.lock().unwrap();
            if let Some((plural, times)) = &mut losses.writes
                && method != Method::GET
                && path.contains(&format!("/{plural}"))
                && *times > 0
            {
                *times -= 1;
                return Fault::Before;
            }
            losses.one_in
        };
        match one_in.map(|one_in| self.draw(one_in)) {
            Some(0) => Fault::Before,
            Some(1) => Fault::After,
            Some(_) | None => Fault::None,
        }
    }
}

fn lost() -> Response<Body> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "reason": "InternalError", "message": "lost", "code": 500});
    let mut response = Response::new(Body::from(status.to_string()));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

pub(super) struct Town {
    /// Reaches the cluster whatever the faults.
    client: Client,
    clock: Clock,
    catalog: Catalog,
    pub(super) intent: Intent,
    pub(super) books: Books,
    pub(super) faults: Faults,
    /// Two, as during a change of leader.
    pub(super) payments: [Controller; 2],
    customers: customer::Controller,
}

impl Town {
    /// Runs `story` in a new town with the plan `basic`.
    pub(super) async fn run(story: impl AsyncFnOnce(&Town)) {
        // On the heap: a town and its story are too large for a thread's stack in a debug build.
        Box::pin(Self::run_here(story)).await;
    }

    async fn run_here(story: impl AsyncFnOnce(&Town)) {
        let clock = Clock::from(Timestamp::from_second(START).unwrap());
        let server = kube_embedded::Server::builder()
            .seed(1)
            .clock(move || clock.now())
            .build()
            .await
            .unwrap();
        let client = Client::new(server.clone(), "default");
        let faults = Faults::default();
        let faulty = faulty(server, faults.clone());
        define(&client).await;
        let catalog = Catalog::new("default");
        let books = Books::new(clock);
        let payment = || payment(&faulty, clock, &catalog, &books);
        let settings = customer::Settings {
            namespace: "default".into(),
            grace: SignedDuration::from_hours(7 * 24),
            keep: SignedDuration::from_hours(30 * 24),
        };
        let town = Self {
            payments: [payment(), payment()],
            customers: customer::Controller::new(settings, faulty.clone(), clock, catalog.clone()),
            intent: Intent::new(client.clone(), "default"),
            catalog: catalog.clone(),
            books,
            faults,
            clock,
            client: client.clone(),
        };
        let told = async {
            town.catalog.synced().await;
            town.make_plan("basic").await;
            story(&town).await;
        };
        tokio::select! {
            () = catalog.follow(client) => panic!("the catalog stopped following"),
            () = told => {}
        }
    }

    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), "default")
    }

    async fn list<K>(&self) -> Vec<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let all = ListParams::default();
        self.api::<K>().list(&all).await.unwrap().items
    }

    pub(super) async fn make_plan(&self, name: &str) {
        let plan: Plan = serde_json::from_value(json!({"apiVersion": "clawdet.com/v1alpha1",
            "kind": "Plan", "metadata": {"name": name}, "spec": {"displayName": name,
            "prices": [{"id": "price_1", "interval": "Month", "amountCents": 900, "currency": "eur"}],
            "placement": [{"serverType": "cx23", "location": "nbg1"}]}}))
        .unwrap();
        let params = PostParams::default();
        self.api::<Plan>().create(&params, &plan).await.unwrap();
        self.wait_for(|town| town.catalog.plan(name).is_some())
            .await;
    }

    /// Waits until something holds, on our own clock, and not for ever.
    async fn wait_for(&self, level: impl Fn(&Self) -> bool) {
        let reached = async {
            while !level(self) {
                tokio::time::advance(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached)
            .await
            .expect("a level that is reached");
    }

    /// As the webhook does for everything that happened so far.
    pub(super) async fn ring_all(&self) {
        for event in self.books.all_events() {
            self.ring(&event).await;
        }
    }

    pub(super) async fn ring(&self, event: &BillingEvent) {
        let recorded = self.intent.record(event, EventSource::Webhook);
        recorded.await.unwrap();
    }

    /// Visits every entry and every customer until nothing moves; gives the last outcomes of entries.
    pub(super) async fn settle(&self) -> Vec<Outcome> {
        for _ in 0..ROUNDS_MAX {
            self.see_instances().await;
            let mut outcomes = Vec::new();
            for entry in self.ledger().await {
                outcomes.push(self.payments[0].reconcile(Arc::new(entry)).await.unwrap());
            }
            let mut moved = false;
            for customer in self.customers().await {
                let outcome = self.customers.reconcile(Arc::new(customer)).await.unwrap();
                moved |= matches!(outcome, Outcome::Stepped);
            }
            let rests = |o: &Outcome| matches!(o, Outcome::Converged | Outcome::Stalled);
            if !moved && outcomes.iter().all(rests) {
                return outcomes;
            }
        }
        panic!("no rest after {ROUNDS_MAX} rounds");
    }

    /// Until the catalog shows the instances there are.
    async fn see_instances(&self) {
        let instances = self.instances().await;
        let names: Vec<_> = instances.iter().map(ResourceExt::name_any).collect();
        self.wait_for(|town| {
            let known = |i: &Instance| town.catalog.is_claimed(&i.spec.subdomain);
            instances.iter().all(known) && town.catalog.in_use("basic") <= names.len()
        })
        .await;
    }

    /// One visit of the first entry.
    pub(super) async fn visit_once(&self) -> Result<Outcome, VisitError> {
        let entry = self.ledger().await.remove(0);
        self.payments[0].reconcile(Arc::new(entry)).await
    }

    pub(super) async fn repair(&self) -> Repaired {
        let mut repair = Repair::new(&self.payments[0]);
        repair.round().await.unwrap()
    }

    pub(super) async fn days_pass(&self, days: u64) {
        tokio::time::advance(Duration::from_secs(days * DAY)).await;
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) async fn customer(&self, bought: &Bought) -> Option<Customer> {
        let name = customer_name(&bought.subscription);
        self.api().get_opt(&name).await.unwrap()
    }

    pub(super) async fn instance(&self, bought: &Bought) -> Option<Instance> {
        let name = instance_name(&bought.item);
        self.api().get_opt(&name).await.unwrap()
    }

    pub(super) async fn delete_instance(&self, bought: &Bought) {
        let api: Api<Instance> = self.api();
        let name = instance_name(&bought.item);
        api.delete(&name, &DeleteParams::default()).await.unwrap();
        self.wait_for(|town| !town.catalog.is_claimed("ada")).await;
    }

    pub(super) async fn ledger(&self) -> Vec<PaymentEvent> {
        self.list().await
    }

    pub(super) async fn customers(&self) -> Vec<Customer> {
        self.list().await
    }

    pub(super) async fn instances(&self) -> Vec<Instance> {
        self.list().await
    }

    /// The reason of every entry's verdict; empty where there is none yet.
    pub(super) async fn verdicts(&self) -> Vec<String> {
        let entries = self.ledger().await;
        let verdict = |entry| condition(entry, ConditionType::Applied).map(|c| c.reason.clone());
        entries
            .iter()
            .map(|entry| verdict(entry).unwrap_or_default())
            .collect()
    }

    /// What the first entry says of an aspect.
    pub(super) async fn message(&self, kind: ConditionType) -> String {
        let entries = self.ledger().await;
        condition(&entries[0], kind).unwrap().message.clone()
    }
}

fn condition(entry: &PaymentEvent, kind: ConditionType) -> Option<&crate::api::Condition> {
    let status = entry.status.as_ref()?;
    let mut conditions = status.conditions.iter();
    conditions.find(|condition| condition.type_ == kind.as_str())
}

fn payment(client: &Client, clock: Clock, catalog: &Catalog, books: &Books) -> Controller {
    let settings = Settings {
        namespace: "default".into(),
        installation: InstallationName::parse("here").unwrap(),
        live_mode: false,
    };
    Controller::new(
        settings,
        client.clone(),
        clock,
        catalog.clone(),
        Arc::new(books.clone()),
        Narrator::silent(),
    )
}

async fn define(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in definitions() {
        api.create(&PostParams::default(), &definition)
            .await
            .unwrap();
    }
}

/// A way to the same cluster that loses requests and answers.
fn faulty(server: kube_embedded::Server, faults: Faults) -> Client {
    let service = tower::service_fn(move |request: Request<kube::client::Body>| {
        let (server, faults) = (server.clone(), faults.clone());
        let answered: BoxFuture<'static, Result<_, tower::BoxError>> = Box::pin(async move {
            let fault = faults.of(request.method(), request.uri().path());
            if fault == Fault::Before {
                return Ok(lost());
            }
            let answer = server.oneshot(request).await?;
            if fault == Fault::After {
                return Ok(lost());
            }
            Ok(answer.map(Body::new))
        });
        answered
    });
    Client::new(service, "default")
}
