//! The whole business in one process: what a test says to it as a browser, as Stripe and as kubectl.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::IntoResponse;
use clawdet::api::{
    ConditionType, Customer, InstallationName, Instance, PaymentEvent, Plan, Standing, definitions,
};
use clawdet::catalog::Catalog;
use clawdet::clock::Clock;
use clawdet::controller::{self, Pace};
use clawdet::events::Narrator;
use clawdet::provider::Billing;
use clawdet::provider::stripe::Stripe;
use clawdet::provider::transport::Transport;
use clawdet::web::{Site, metrics, router};
use clawdet::{customer, offer, payment};
use http::{Method, StatusCode, header};
use jiff::SignedDuration;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use world::{Options, SubscriptionRow, WebhookTarget, World};

const NAMESPACE: &str = "default";
/// How long, on our own clock, a level may take to be reached.
const PATIENCE: Duration = Duration::from_mins(30);
/// Long enough for everything that is under way to come to rest.
const REST: Duration = Duration::from_mins(2);
const REPAIR_EVERY: Duration = Duration::from_mins(5);

/// What becomes of webhooks on their way.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Webhooks {
    Arrive,
    ArriveFiveTimes,
    Vanish,
}

pub(crate) struct Business {
    client: Client,
    site: Router,
    /// What Prometheus asks.
    numbers: Router,
    pub(crate) world: World,
    /// The key that opens Stripe.
    key: String,
}

/// An answer read whole.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
}

/// What runs beside the site.
struct Machines {
    client: Client,
    clock: Clock,
    catalog: Catalog,
    billing: Arc<dyn Billing>,
}

impl Business {
    /// Runs `story` in a business that sells `basic`, with its controllers running.
    pub(crate) async fn run(webhooks: Webhooks, story: impl AsyncFnOnce(&Business)) {
        // On the heap: it is too large for a thread's stack in a debug build.
        Box::pin(Self::run_here(webhooks, story)).await;
    }

    async fn run_here(webhooks: Webhooks, story: impl AsyncFnOnce(&Business)) {
        let options = Options::default();
        let clock = Clock::from(options.start);
        let world = World::new(options);
        let client = cluster(clock).await;
        let billing: Arc<dyn Billing> = Arc::new(stripe(&world));
        let machines = Machines {
            client: client.clone(),
            clock,
            catalog: Catalog::new(NAMESPACE),
            billing,
        };
        let registry = prometheus::Registry::new();
        let site = machines.site(&registry);
        match webhooks {
            Webhooks::Arrive => deliver_to(&world, site.clone()),
            Webhooks::ArriveFiveTimes => deliver_to(&world, five_times(site.clone())),
            Webhooks::Vanish => deliver_to(&world, Router::new().fallback(gone)),
        }
        let key = world.options().stripe_secret_key.clone();
        let business = Self {
            client,
            site,
            numbers: metrics(registry),
            world,
            key,
        };
        let told = async {
            business.make_plan().await;
            // Ready, and the plan has reached the site.
            business
                .until(async || business.get("/").await.text.contains("price"))
                .await;
            story(&business).await;
        };
        tokio::select! {
            () = machines.run() => panic!("the controllers stopped"),
            () = told => {}
        }
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    async fn list<K>(&self) -> Vec<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let all = ListParams::default();
        self.api::<K>().list(&all).await.unwrap().items
    }

    async fn make_plan(&self) {
        let plan: Plan = serde_json::from_value(json!({"apiVersion": "clawdet.com/v1alpha1",
            "kind": "Plan", "metadata": {"name": "basic"}, "spec": {"displayName": "Basic",
            "prices": [{"id": "price_basic_monthly", "interval": "Month", "amountCents": 1900, "currency": "eur"}],
            "placement": [{"serverType": "cx23", "location": "nbg1"}]}}))
        .unwrap();
        let params = PostParams::default();
        self.api::<Plan>().create(&params, &plan).await.unwrap();
    }

    /// Waits until something holds, on our own clock, and not for ever.
    async fn until(&self, level: impl AsyncFn() -> bool) {
        let reached = async {
            while !level().await {
                tokio::time::advance(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached)
            .await
            .expect("a level that is reached");
    }

    /// Lets everything that is under way come to rest.
    pub(crate) async fn rest(&self) {
        let mut left = REST;
        while !left.is_zero() {
            let step = Duration::from_millis(500);
            tokio::time::advance(step).await;
            left = left.saturating_sub(step);
        }
    }

    pub(crate) async fn until_sold(&self, count: usize) {
        self.until(async || {
            self.deliver().await;
            self.instances().await.len() == count && self.delivered().await == count
        })
        .await;
    }

    async fn delivered(&self) -> usize {
        let customers = self.customers().await;
        let annotation = clawdet::api::ANNOTATION_DELIVERED;
        let delivered = |c: &&Customer| {
            let annotations = c.metadata.annotations.as_ref();
            annotations.is_some_and(|all| all.contains_key(annotation))
        };
        customers.iter().filter(delivered).count()
    }

    /// Waits until the plan says so of itself: its reason, and how many instances use it.
    pub(crate) async fn until_plan_says(&self, reason: &str, in_use: i64) {
        self.until(async || {
            let plans: Vec<Plan> = self.list().await;
            let status = plans[0].status.clone().unwrap_or_default();
            let said = status.conditions.first().map(|ready| ready.reason.clone());
            said.as_deref() == Some(reason) && status.in_use == Some(in_use)
        })
        .await;
    }

    /// Shows another price than is charged, as a person edits a plan.
    pub(crate) async fn misprice(&self) {
        let patch = json!({"spec": {"prices": [{"id": "price_basic_monthly", "interval": "Month",
            "amountCents": 100, "currency": "eur"}]}});
        let patch = Patch::Merge(patch);
        let params = PatchParams::default();
        let plans: Api<Plan> = self.api();
        plans.patch("basic", &params, &patch).await.unwrap();
    }

    pub(crate) async fn until_standing(&self, standing: Standing) {
        self.until(async || {
            self.deliver().await;
            let customers = self.customers().await;
            customers.iter().all(|c| c.spec.standing == standing)
        })
        .await;
    }

    pub(crate) async fn instances(&self) -> Vec<Instance> {
        self.list().await
    }

    pub(crate) async fn customers(&self) -> Vec<Customer> {
        self.list().await
    }

    pub(crate) async fn ledger(&self) -> Vec<PaymentEvent> {
        self.list().await
    }

    /// What all entries of the ledger say of an aspect.
    pub(crate) async fn messages(&self, kind: ConditionType) -> Vec<String> {
        let entries = self.ledger().await;
        let conditions = entries
            .into_iter()
            .flat_map(|entry| entry.status.unwrap_or_default().conditions);
        conditions
            .filter(|condition| condition.type_ == kind.as_str())
            .map(|condition| condition.message)
            .collect()
    }

    pub(crate) fn subscriptions(&self) -> Vec<SubscriptionRow> {
        self.world.snapshot().subscriptions
    }

    /// Sends every webhook that is due.
    pub(crate) async fn deliver(&self) {
        self.world.pump_webhooks().await;
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        browse(&self.site, Method::GET, path, &[]).await
    }

    /// How many webhooks ended so.
    pub(crate) async fn webhooks_that_were(&self, outcome: &str) -> u32 {
        let page = browse(&self.numbers, Method::GET, "/metrics", &[]).await;
        let line = format!("clawdet_web_webhooks_total{{outcome=\"{outcome}\"}} ");
        let rest = page.text.split(&line).nth(1).unwrap();
        rest.split('\n').next().unwrap().parse().unwrap()
    }

    pub(crate) async fn try_to_order(&self, subdomain: &str) -> Page {
        let form = [
            ("plan", "basic"),
            ("subdomain", subdomain),
            ("display_name", "Ada Lovelace"),
        ];
        browse(&self.site, Method::POST, "/checkout", &form).await
    }

    /// Fills in the form; gives the path of Stripe's hosted page.
    pub(crate) async fn order(&self, subdomain: &str) -> String {
        let page = self.try_to_order(subdomain).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        let url: url::Url = page.location.unwrap().parse().unwrap();
        url.path().to_owned()
    }

    pub(crate) async fn hosted_page(&self, path: &str) -> String {
        browse(&self.world.stripe(), Method::GET, path, &[])
            .await
            .text
    }

    /// Pays on the hosted page; gives where the browser is sent, or None when the card is declined.
    pub(crate) async fn pay(&self, path: &str, card: &str) -> Option<String> {
        self.submit_card(path, card).await.location
    }

    async fn submit_card(&self, path: &str, card: &str) -> Page {
        let form = [
            ("email", "ada@example.com"),
            ("name", "Ada"),
            ("method", "card"),
            ("card_number", card),
            ("expiry", "12 / 34"),
            ("cvc", "123"),
        ];
        browse(&self.world.stripe(), Method::POST, path, &form).await
    }

    /// Pays with a card whose bank asks, and says yes.
    pub(crate) async fn pay_and_confirm(&self, path: &str, card: &str) {
        let asked = self.submit_card(path, card).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text);
        let confirm = format!("{path}/confirm");
        let form = [("outcome", "agree")];
        let page = browse(&self.world.stripe(), Method::POST, &confirm, &form).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    }

    pub(crate) async fn pay_by_debit(&self, path: &str, iban: &str) {
        let form = [
            ("email", "ada@example.com"),
            ("name", "Ada"),
            ("method", "sepa_debit"),
            ("iban", iban),
        ];
        let page = browse(&self.world.stripe(), Method::POST, path, &form).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    }

    pub(crate) async fn buy(&self, subdomain: &str) {
        let checkout = self.order(subdomain).await;
        self.pay(&checkout, "4242 4242 4242 4242").await.unwrap();
    }

    pub(crate) async fn cancel_all(&self) {
        for sold in self.subscriptions() {
            let request = Request::delete(format!("/v1/subscriptions/{}", sold.id))
                .header(header::HOST, "stripe.test")
                .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
                .body(Body::empty())
                .unwrap();
            let answer = self.world.stripe().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
        }
    }
}

/// As a browser does on the page's own site.
async fn browse(site: &Router, method: Method, path: &str, form: &[(&str, &str)]) -> Page {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "stripe.test")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(serde_urlencoded::to_string(form).unwrap()))
        .unwrap();
    let response = site.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let location = head.headers.get(header::LOCATION);
    Page {
        status: head.status,
        location: location.map(|value| value.to_str().unwrap().to_owned()),
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

async fn cluster(clock: Clock) -> Client {
    let server = kube_embedded::Server::builder()
        .seed(1)
        .clock(move || clock.now())
        .build()
        .await
        .unwrap();
    let client = Client::new(server, NAMESPACE);
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in definitions() {
        api.create(&PostParams::default(), &definition)
            .await
            .unwrap();
    }
    client
}

fn stripe(world: &World) -> Stripe {
    let options = world.options();
    Stripe::new(
        Transport::in_process(world.stripe(), Duration::from_secs(20)),
        "http://stripe.test",
        &SecretString::from(options.stripe_secret_key.clone()),
        vec![SecretString::from(options.stripe_webhook_secret.clone())],
    )
    .unwrap()
}

fn deliver_to(world: &World, site: Router) {
    let path = "/webhooks/stripe".to_owned();
    world.deliver_webhooks_to(WebhookTarget::Router(site, path));
}

async fn gone() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// Passes every webhook on five times, and answers as the last one was.
fn five_times(site: Router) -> Router {
    Router::new().fallback(async move |request: Request| {
        let (head, body) = request.into_parts();
        let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let mut answer = StatusCode::OK.into_response();
        for _ in 0..5 {
            let again = Request::from_parts(head.clone(), Body::from(body.clone()));
            answer = site.clone().oneshot(again).await.unwrap();
        }
        answer
    })
}

impl Machines {
    fn installation() -> InstallationName {
        InstallationName::parse("here").unwrap()
    }

    fn site(&self, registry: &prometheus::Registry) -> Router {
        let site = Site {
            client: self.client.clone(),
            namespace: NAMESPACE.into(),
            clock: self.clock,
            catalog: self.catalog.clone(),
            billing: Arc::clone(&self.billing),
            installation: Self::installation(),
            zone: "clawdet.example".into(),
            public_url: "https://clawdet.example".parse().unwrap(),
            checkout_origins: vec!["http://stripe.test".parse().unwrap()],
            live_mode: false,
            registry: registry.clone(),
        };
        router(site).unwrap()
    }

    fn payments(&self) -> payment::Controller {
        let settings = payment::Settings {
            namespace: NAMESPACE.into(),
            installation: Self::installation(),
            live_mode: false,
        };
        payment::Controller::new(
            settings,
            self.client.clone(),
            self.clock,
            self.catalog.clone(),
            Arc::clone(&self.billing),
            Narrator::silent(),
        )
    }

    fn customers(&self) -> customer::Controller {
        let settings = customer::Settings {
            namespace: NAMESPACE.into(),
            grace: SignedDuration::from_hours(7 * 24),
            keep: SignedDuration::from_hours(30 * 24),
        };
        customer::Controller::new(
            settings,
            self.client.clone(),
            self.clock,
            self.catalog.clone(),
        )
    }

    fn offers(&self) -> offer::Controller {
        offer::Controller {
            namespace: NAMESPACE.into(),
            client: self.client.clone(),
            clock: self.clock,
            catalog: self.catalog.clone(),
            billing: Arc::clone(&self.billing),
        }
    }

    /// Everything that runs for ever.
    async fn run(&self) {
        let stop = CancellationToken::new();
        let pace = Pace::default();
        let payments = Arc::new(self.payments());
        let wakes = vec![customer::wakes(&self.client, NAMESPACE)];
        let customers = Arc::new(self.customers());
        let wakes_of_plans = vec![offer::wakes(&self.client, NAMESPACE)];
        let offers = Arc::new(self.offers());
        let client = || self.client.clone();
        futures::join!(
            self.catalog.follow(client()),
            payment::repair::run(&payments, REPAIR_EVERY, stop.clone()),
            controller::run(
                Arc::clone(&payments),
                client(),
                NAMESPACE,
                pace,
                Vec::new(),
                stop.clone()
            ),
            controller::run(customers, client(), NAMESPACE, pace, wakes, stop.clone()),
            controller::run(
                offers,
                client(),
                NAMESPACE,
                pace,
                wakes_of_plans,
                stop.clone()
            ),
        );
    }
}
