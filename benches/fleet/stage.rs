//! A simulated world, a cluster in memory and operators over both, all in this process and without a
//! socket. Every adapter, controller and store is the product's own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clawdet::api::{Customer, InstallationName, Instance, Plan, ProjectName};
use clawdet::app::operator::{Operator, Settings, Sweeping};
use clawdet::catalog::Catalog;
use clawdet::clock::Clock;
use clawdet::controller::Pace;
use clawdet::provider::budget::Law;
use clawdet::provider::cloudflare::{Cloudflare, Publishing, ZoneSettings};
use clawdet::provider::guests::{self, OverHttp, Scheme};
use clawdet::provider::hetzner::{Hetzner, ProjectSettings};
use clawdet::provider::stripe::Stripe;
use clawdet::provider::transport::Transport;
use clawdet::store::Database;
use clawdet::store::secrets::EmbeddedSecrets;
use jiff::SignedDuration;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use prometheus::{Registry, TextEncoder};
use secrecy::SecretString;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use world::{Latency, Options, World};

const ZONE: &str = "clawdet.example";
const NAMESPACE: &str = "default";
/// The longest a provider may take to answer.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(30);
/// Room in the project beside the fleet.
const SPARE_SERVERS: u32 = 10;

pub(super) struct Stage {
    pub world: World,
    client: Client,
    clock: Clock,
    secrets: Arc<EmbeddedSecrets>,
    _folder: TempDir,
}

/// The periods of an operator, each in the product's proportion to the resync.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tempo {
    pub resync: Duration,
}

impl Tempo {
    /// As the product is delivered (config/default.toml).
    pub(super) const DELIVERED: Self = Self {
        resync: Duration::from_mins(5),
    };
}

/// An operator at work.
pub(super) struct Running {
    stop: CancellationToken,
    tasks: JoinSet<()>,
    registry: Registry,
}

impl Stage {
    /// A world where nothing takes time and one project that holds `servers`.
    pub(super) async fn new(seed: u64, servers: u32) -> Result<Self> {
        let mut options = Options {
            zone: ZONE.into(),
            boot: Duration::ZERO,
            latency: Latency::zero(),
            ..Options::seeded(seed)
        };
        options.projects.truncate(1);
        for project in &mut options.projects {
            project.server_limit = servers + SPARE_SERVERS;
        }
        let clock = Clock::from(options.start);
        let server = kube_embedded::Server::builder()
            .clock(move || clock.now())
            .seed(seed)
            .trust_in_process(true)
            .build()
            .await
            .context("start the cluster")?;
        let client = Client::new(server, NAMESPACE);
        furnish(&client).await.context("furnish the cluster")?;
        let folder = tempfile::tempdir().context("make a folder for the secrets")?;
        let secrets = open_secrets(folder.path().to_owned()).await?;
        Ok(Self {
            world: World::new(options),
            client,
            clock,
            secrets,
            _folder: folder,
        })
    }

    pub(super) fn instances(&self) -> Api<Instance> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    /// An operator that knows nothing yet, as after a start of the process.
    pub(super) fn start(&self, tempo: Tempo) -> Result<Running> {
        let registry = Registry::new();
        let operator = self.operator(tempo, registry.clone())?;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for (_, task) in operator.tasks(&stop).context("put the operator together")? {
            tasks.spawn(task);
        }
        Ok(Running {
            stop,
            tasks,
            registry,
        })
    }

    fn operator(&self, tempo: Tempo, registry: Registry) -> Result<Operator> {
        let installation = InstallationName::parse("bench")?;
        let calls = Arc::default();
        let options = self.world.options();
        let projects = options.projects.iter().map(|project| {
            let settings = ProjectSettings {
                name: ProjectName::parse(&project.name)?,
                url: "http://hetzner.test/v1".parse()?,
                token: SecretString::from(project.token.clone()),
                law: Law::HETZNER,
                ssh_keys: Vec::new(),
                firewalls: Vec::new(),
            };
            let way = Transport::in_process(self.world.hetzner(), PROVIDER_TIMEOUT);
            Ok((settings, way))
        });
        let projects = projects.collect::<Result<Vec<_>>>()?;
        let servers = Hetzner::new(installation.clone(), projects, &calls)?;
        let zone = ZoneSettings {
            installation: installation.clone(),
            zone: ZONE.into(),
            url: "http://cloudflare.test/client/v4".parse()?,
            token: SecretString::from(options.cloudflare_token.clone()),
            law: Law::CLOUDFLARE,
            publishing: Publishing {
                proxied: false,
                ttl_seconds: 60,
            },
        };
        let way = Transport::in_process(self.world.cloudflare(), PROVIDER_TIMEOUT);
        let dns = Cloudflare::new(zone, way, &calls)?;
        let billing = Stripe::new(
            Transport::in_process(self.world.stripe(), PROVIDER_TIMEOUT),
            "http://stripe.test",
            &SecretString::from(options.stripe_secret_key.clone()),
            Vec::new(),
        )?;
        let way = Transport::in_process(self.world.guests(), guests::LIMITS);
        Ok(Operator {
            settings: settings(installation, tempo),
            client: self.client.clone(),
            clock: self.clock,
            catalog: Catalog::new(NAMESPACE),
            servers: Arc::new(servers),
            dns: Arc::new(dns),
            secrets: Arc::clone(&self.secrets) as _,
            guests: Arc::new(OverHttp::new(way, Scheme::Http, 8080)),
            billing: Arc::new(billing),
            registry,
        })
    }
}

impl Running {
    /// Lets every task end what it is at.
    pub(super) async fn stop(mut self) -> Result<()> {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.context("a task of the operator died")?;
        }
        Ok(())
    }

    /// Visits to instances that ended so, by the operator's own count.
    pub(super) fn visits(&self, outcome: &str) -> Result<u64> {
        let shown = TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .context("read the operator's numbers")?;
        let series = format!(
            "clawdet_controller_visits_total{{controller=\"instance\",outcome=\"{outcome}\"}} "
        );
        let count = shown.lines().find_map(|line| line.strip_prefix(&series));
        count.map_or(Ok(0), |count| {
            count.parse().context("read a count of visits")
        })
    }
}

async fn open_secrets(folder: PathBuf) -> Result<Arc<EmbeddedSecrets>> {
    let database = Database::open(&folder.join("bench.db"))
        .await
        .context("open the database")?;
    let secrets = EmbeddedSecrets::open(&database, &folder.join("secrets.key"))
        .await
        .context("open the secret store")?;
    Ok(Arc::new(secrets))
}

/// The resources' definitions, something to sell, and somebody who pays.
async fn furnish(client: &Client) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in clawdet::api::definitions() {
        definitions
            .create(&PostParams::default(), &definition)
            .await?;
    }
    let plan: Plan = serde_yaml_ng::from_str(include_str!("../../config/samples/plan-basic.yaml"))?;
    let customer: Customer = serde_json::from_value(json!({
        "apiVersion": "clawdet.com/v1alpha1",
        "kind": "Customer",
        "metadata": {"name": "ada"},
        "spec": {"displayName": "Ada", "plan": "basic"},
    }))?;
    let apply = PatchParams::apply("bench");
    Api::<Plan>::namespaced(client.clone(), NAMESPACE)
        .patch("basic", &apply, &Patch::Apply(&plan))
        .await?;
    Api::<Customer>::namespaced(client.clone(), NAMESPACE)
        .patch("ada", &apply, &Patch::Apply(&customer))
        .await?;
    Ok(())
}

fn settings(installation: InstallationName, tempo: Tempo) -> Settings {
    Settings {
        namespace: NAMESPACE.into(),
        installation,
        zone: ZONE.into(),
        site_url: "https://clawdet.example".into(),
        identity: "bench".into(),
        lease_ttl: Duration::from_secs(15),
        list_age: tempo.resync / 10,
        pace: Pace {
            resync: tempo.resync,
            ..Pace::default()
        },
        live_mode: false,
        grace: SignedDuration::from_hours(7 * 24),
        keep: SignedDuration::from_hours(30 * 24),
        repair_every: tempo.resync,
        sweep: Some(Sweeping {
            every: tempo.resync,
            dry_run: false,
        }),
    }
}
