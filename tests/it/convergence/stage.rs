//! One seeded stage: a world and a cluster in this process, operators that can be killed at any await, and
//! a person's hand. Nothing here has an opinion about what should happen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use clawdet::api::{Customer, InstallationName, Instance, Plan, ProjectName};
use clawdet::app::operator::{Operator, Settings, Sweeping};
use clawdet::catalog::Catalog;
use clawdet::clock::Clock;
use clawdet::controller::Pace;
use clawdet::provider::budget::Law;
use clawdet::provider::cloudflare::{Cloudflare, Publishing, ZoneSettings};
use clawdet::provider::guests::{OverHttp, Scheme};
use clawdet::provider::hetzner::{Hetzner, ProjectSettings};
use clawdet::provider::stripe::Stripe;
use clawdet::provider::transport::Transport;
use jiff::SignedDuration;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use prometheus::Registry;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use secrecy::SecretString;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use world::{FaultKind, Options, World};

use crate::judge::Judge;

use super::vault::Vault;

pub(super) const ZONE: &str = "clawdet.example";
const PATIENCE: Duration = Duration::from_secs(30);

/// How the operators of a stage live.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cast {
    /// Both lead, always; otherwise they share a Lease.
    pub both_lead: bool,
    pub sweep: bool,
}

pub(super) struct Stage {
    pub world: World,
    pub random: StdRng,
    /// Holds what the operators ask of Hetzner against its own description.
    pub judge: Judge,
    client: Client,
    clock: Clock,
    vault: Vault,
    cast: Cast,
    operators: [JoinSet<()>; 2],
}

impl Stage {
    pub(super) async fn new(seed: u64, cast: Cast) -> Self {
        let options = Options {
            zone: ZONE.into(),
            boot: Duration::from_secs(10),
            ..Options::seeded(seed)
        };
        let clock = Clock::from(options.start);
        let world = World::new(options);
        let server = kube_embedded::Server::builder()
            .clock(move || clock.now())
            .seed(seed)
            .build()
            .await
            .unwrap();
        let client = Client::new(server, "default");
        let mut stage = Self {
            world,
            random: StdRng::seed_from_u64(seed),
            judge: Judge::default(),
            client,
            clock,
            vault: Vault::default(),
            cast,
            operators: [JoinSet::new(), JoinSet::new()],
        };
        stage.furnish().await;
        for which in 0..2 {
            stage.restart(which);
        }
        stage
    }

    async fn furnish(&self) {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        for crd in clawdet::api::definitions() {
            definitions
                .create(&PostParams::default(), &crd)
                .await
                .unwrap();
        }
        let plan = json!({"metadata": {"name": "basic"}, "spec": {
            "displayName": "Basic",
            "prices": [{"id": "price_basic_monthly", "interval": "Month", "amountCents": 900, "currency": "eur"}],
            "placement": [
                {"serverType": "cx23", "location": "nbg1"},
                {"serverType": "cx23", "location": "hel1"}],
        }});
        let customer =
            json!({"metadata": {"name": "ada"}, "spec": {"displayName": "Ada", "plan": "basic"}});
        let plan: Plan = serde_json::from_value(with_kind(plan, "Plan")).unwrap();
        let customer: Customer = serde_json::from_value(with_kind(customer, "Customer")).unwrap();
        let params = PostParams::default();
        Api::<Plan>::default_namespaced(self.client.clone())
            .create(&params, &plan)
            .await
            .unwrap();
        Api::<Customer>::default_namespaced(self.client.clone())
            .create(&params, &customer)
            .await
            .unwrap();
    }

    pub(super) fn instances(&self) -> Api<Instance> {
        Api::default_namespaced(self.client.clone())
    }

    /// Kills an operator wherever it is, and starts a new one that knows nothing.
    pub(super) fn restart(&mut self, which: usize) {
        let mut tasks = JoinSet::new();
        let operator = self.operator(&format!("operator-{which}"));
        let stop = CancellationToken::new();
        let all = if self.cast.both_lead {
            operator.tasks_leading(&stop)
        } else {
            operator.tasks(&stop)
        }
        .unwrap();
        for (_, task) in all {
            tasks.spawn(task);
        }
        self.operators[which] = tasks;
    }

    /// A task that ended or panicked by itself.
    pub(super) fn dead_task(&mut self) -> bool {
        self.operators
            .iter_mut()
            .any(|tasks| tasks.try_join_next().is_some())
    }

    fn operator(&self, identity: &str) -> Operator {
        let installation = InstallationName::parse("test").unwrap();
        let calls = Arc::default();
        let tokens = self.world.options();
        let projects = tokens.projects.iter().map(|project| {
            let settings = ProjectSettings {
                name: ProjectName::parse(&project.name).unwrap(),
                url: "http://hetzner.test/v1".parse().unwrap(),
                token: SecretString::from(project.token.clone()),
                law: Law::HETZNER,
                ssh_keys: Vec::new(),
                firewalls: Vec::new(),
            };
            (
                settings,
                Transport::in_process(self.judge.watch(self.world.hetzner()), PATIENCE),
            )
        });
        let servers = Hetzner::new(installation.clone(), projects, &calls).unwrap();
        let zone = ZoneSettings {
            installation: installation.clone(),
            zone: ZONE.into(),
            url: "http://cloudflare.test/client/v4".parse().unwrap(),
            token: SecretString::from(tokens.cloudflare_token.clone()),
            law: Law::CLOUDFLARE,
            publishing: Publishing {
                proxied: false,
                ttl_seconds: 60,
            },
        };
        let dns = Transport::in_process(self.world.cloudflare(), PATIENCE);
        let dns = Cloudflare::new(zone, dns, &calls).unwrap();
        let billing = Stripe::new(
            Transport::in_process(self.world.stripe(), PATIENCE),
            "http://stripe.test",
            &SecretString::from(tokens.stripe_secret_key.clone()),
            Vec::new(),
        )
        .unwrap();
        let guests = Transport::in_process(self.world.guests(), Duration::from_secs(3));
        Operator {
            settings: settings(installation, identity, self.cast.sweep),
            client: self.client.clone(),
            clock: self.clock,
            catalog: Catalog::new("default"),
            servers: Arc::new(servers),
            dns: Arc::new(dns),
            secrets: Arc::new(self.vault.clone()),
            guests: Arc::new(OverHttp::new(guests, Scheme::Http, 8080)),
            billing: Arc::new(billing),
            registry: Registry::new(),
        }
    }

    /// Everything that can go wrong by itself, each now and then.
    pub(super) fn weather(&self, chance: f64) {
        use FaultKind::{
            ActionFails, ErrorAfterCommit, ErrorBeforeCommit, HiddenNew, LingeringList, Locked,
            LostAfterCommit, LostBeforeCommit, NoCapacity, ShortList, StalledAfterCommit,
            Throttled,
        };
        let faults = self.world.faults();
        for api in [world::Api::Hetzner, world::Api::Cloudflare] {
            for kind in [
                LostBeforeCommit,
                LostAfterCommit,
                ErrorBeforeCommit,
                ErrorAfterCommit,
                ShortList,
            ] {
                faults.chance(api, kind, chance);
            }
            faults.chance(api, StalledAfterCommit, chance / 2.0);
            faults.chance(api, Throttled, chance / 4.0);
        }
        for kind in [Locked, NoCapacity, ActionFails, HiddenNew, LingeringList] {
            faults.chance(world::Api::Hetzner, kind, chance);
        }
    }

    pub(super) async fn order(&self, name: &str) {
        let object = json!({"metadata": {"name": name}, "spec": {
            "customerRef": "ada", "subdomain": name, "plan": "basic"}});
        let object: Instance = serde_json::from_value(with_kind(object, "Instance")).unwrap();
        self.instances()
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
    }

    pub(super) async fn delete(&self, name: &str) {
        // Deleting what is gone is what a person does who is not sure.
        let _ = self
            .instances()
            .delete(name, &DeleteParams::default())
            .await;
    }

    /// What nobody should do and somebody does: the object goes, and its server has no owner.
    pub(super) async fn tear_finalizer_off(&self, name: &str) {
        let nothing = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        let params = PatchParams::default();
        let _ = self.instances().patch(name, &params, &nothing).await;
        self.delete(name).await;
    }

    /// By hand, with the project's own token.
    pub(super) async fn destroy_a_server(&mut self) {
        let living: Vec<u64> = self
            .world
            .snapshot()
            .living_servers()
            .map(|server| server.id)
            .collect();
        if living.is_empty() {
            return;
        }
        let id = living[self.random.random_range(0..living.len())];
        let token = &self.world.options().projects[0].token;
        let request = http::Request::delete(format!("http://hetzner.test/v1/servers/{id}"))
            .header("authorization", format!("Bearer {token}"))
            .body(bytes::Bytes::new())
            .unwrap();
        let person = Transport::in_process(self.world.hetzner(), PATIENCE);
        let _ = person.send(request).await;
    }

    async fn all(&self) -> Vec<Instance> {
        let all = self.instances().list(&ListParams::default()).await;
        all.unwrap().items
    }

    /// The names of the instances that are being deleted.
    pub(super) async fn deleted(&self) -> BTreeSet<String> {
        let all = self.all().await.into_iter();
        all.filter(|instance| instance.metadata.deletion_timestamp.is_some())
            .map(|instance| instance.name_any())
            .collect()
    }

    /// The uids of all instances.
    pub(super) async fn uids(&self) -> BTreeSet<String> {
        let all = self.all().await;
        all.iter().filter_map(ResourceExt::uid).collect()
    }

    /// How many secrets are kept.
    pub(super) fn secrets(&self) -> usize {
        self.vault.len()
    }

    /// Every instance by name: the reason of its Ready condition, and its resourceVersion.
    pub(super) async fn look(&self) -> BTreeMap<String, (String, String)> {
        self.all()
            .await
            .iter()
            .map(|instance| {
                let ready = instance
                    .status
                    .iter()
                    .flat_map(|status| &status.conditions)
                    .find(|condition| condition.type_ == "Ready");
                let reason = ready.map_or("none", |ready| ready.reason.as_str());
                let version = instance.resource_version().unwrap_or_default();
                (instance.name_any(), (reason.to_owned(), version))
            })
            .collect()
    }
}

fn with_kind(mut object: serde_json::Value, kind: &str) -> serde_json::Value {
    object["apiVersion"] = "clawdet.com/v1alpha1".into();
    object["kind"] = kind.into();
    object
}

fn settings(installation: InstallationName, identity: &str, sweep: bool) -> Settings {
    Settings {
        namespace: "default".into(),
        installation,
        zone: ZONE.into(),
        site_url: "https://clawdet.example".into(),
        identity: identity.into(),
        lease_ttl: Duration::from_mins(1),
        list_age: Duration::from_mins(2),
        pace: Pace {
            resync: Duration::from_mins(5),
            ..Pace::default()
        },
        live_mode: false,
        grace: SignedDuration::from_hours(24),
        keep: SignedDuration::from_hours(24),
        repair_every: Duration::from_hours(1),
        sweep: sweep.then_some(Sweeping {
            every: Duration::from_mins(5),
            dry_run: false,
        }),
    }
}
