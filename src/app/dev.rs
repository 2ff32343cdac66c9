//! The whole business on one machine: an embedded cluster and a simulated world, then the program as it
//! runs anywhere, pointed at them by configuration alone.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::Instant;
use world::{Endpoints, Listen, Options, WebhookTarget, World};

use super::folder::Folder;
use super::{AppError, STOP_LIMIT, Started, listen, start};
use crate::api::{MANAGER_WEB, Plan};
use crate::config::{Config, Source};
use crate::supervisor::{Supervisor, asked_to_stop};

/// The zone `dev` sells names in; nobody can own it (RFC 2606).
const ZONE: &str = "clawdet.example";
/// Quicker than real software, so that a person can wait for it.
const BOOT: Duration = Duration::from_secs(8);
const NAMESPACE: &str = "default";
/// The only process that can hold the folder: after a restart it is the same leader at once.
const IDENTITY: &str = "dev";
/// Where `kubectl apply` remembers what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const PLANS: [&str; 2] = [
    include_str!("../../config/samples/plan-basic.yaml"),
    include_str!("../../config/samples/plan-pro.yaml"),
];

/// What a person chooses.
pub struct DevOptions {
    pub data_dir: PathBuf,
    /// The site's port; 0 lets the system choose. Everything else is on ports the system chose.
    pub port: u16,
    /// Forget what an earlier `dev` left in the folder.
    pub fresh: bool,
    /// A file with settings over those `dev` brings itself.
    pub config: Option<PathBuf>,
    /// Simulated seconds in a real one.
    pub speed: f64,
}

/// Where everything is, once everything answers.
pub struct Ready {
    pub site: String,
    pub console: String,
    pub metrics: String,
    pub kubernetes: String,
    pub kubeconfig: PathBuf,
    pub data_dir: PathBuf,
    pub announcement: PathBuf,
    pub took: Duration,
}

/// Runs until Ctrl-C, or until a task dies; `tell` is called once, when everything answers.
pub async fn dev(options: DevOptions, tell: impl FnOnce(&Ready)) -> Result<(), AppError> {
    let begun = Instant::now();
    let asked = asked_to_stop().map_err(AppError::Ended)?;
    let folder = Folder::open(&options.data_dir, options.fresh).map_err(AppError::Folder)?;
    let mut supervisor = Supervisor::new();
    let (world, endpoints) = open_world(&folder, options.speed, &mut supervisor).await?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let site = listen(address, "--port").await?;
    let port = port(&site)?;
    let config = settings(&folder, &endpoints, port, options.config)?;
    let started = start(config, site, &mut supervisor).await?;
    world.deliver_webhooks_to(WebhookTarget::Url(format!(
        "http://127.0.0.1:{port}/webhooks/stripe"
    )));
    offer_plans(&started.client)
        .await
        .map_err(AppError::start("offer the sample plans"))?;
    let ready = announce(&folder, &endpoints, &started, begun)?;
    tell(&ready);
    let ended = supervisor.run(asked, STOP_LIMIT).await;
    folder.withdraw();
    ended.map_err(AppError::Ended)
}

async fn open_world(
    folder: &Folder,
    speed: f64,
    supervisor: &mut Supervisor,
) -> Result<(World, Endpoints), AppError> {
    let options = Options {
        speed,
        zone: ZONE.to_owned(),
        boot: BOOT,
        start: crate::clock::Clock::system().now(),
        ..Options::seeded(folder.seed().map_err(AppError::Folder)?)
    };
    let world = World::open(options, &folder.file("world.db"))
        .await
        .map_err(AppError::start("open the simulated world"))?;
    let stop = supervisor.stop();
    let (endpoints, serving) = world
        .serve(Listen::default(), stop.clone())
        .await
        .map_err(AppError::start("serve the simulated world"))?;
    supervisor.spawn("simulated world", serving);
    let webhooks = world.clone();
    supervisor.spawn(
        "simulated webhooks",
        async move { webhooks.run(stop).await },
    );
    Ok((world, endpoints))
}

fn port(listener: &TcpListener) -> Result<u16, AppError> {
    let address = listener
        .local_addr()
        .map_err(AppError::start("read a listener's address"))?;
    Ok(address.port())
}

/// What `dev` sets by itself; a file and the environment win over it.
fn settings(
    folder: &Folder,
    endpoints: &Endpoints,
    port: u16,
    file: Option<PathBuf>,
) -> Result<Config, AppError> {
    let tokens = &endpoints.tokens;
    let projects: Vec<_> = tokens
        .hetzner
        .iter()
        .map(|(name, token)| json!({"name": name, "token": token, "ssh_keys": [], "firewalls": []}))
        .collect();
    let nowhere = "127.0.0.1:0";
    let settings = json!({
        "installation": IDENTITY,
        "namespace": NAMESPACE,
        "zone": ZONE,
        "site": {
            "public_url": format!("http://127.0.0.1:{port}"),
            "metrics_listen": nowhere,
        },
        "kubernetes": {
            "mode": "embedded",
            "embedded": {
                "database": folder.file("kubernetes.db"),
                "listen": nowhere,
                "kubeconfig": folder.file("kubeconfig"),
            },
        },
        "store": {"url": format!("sqlite:{}", folder.file("clawdet.db").display())},
        "secrets": {"key_file": folder.file("secrets.key")},
        "hetzner": {"url": endpoints.hetzner, "projects": projects},
        "cloudflare": {"url": endpoints.cloudflare, "token": tokens.cloudflare},
        "stripe": {
            "url": endpoints.stripe,
            "checkout_origins": [endpoints.stripe],
            "secret_key": tokens.stripe_secret_key,
            "webhook_secrets": [tokens.stripe_webhook_secret],
        },
        "guests": {"scheme": "http", "port": endpoints.guest_port},
        "operator": {"identity": IDENTITY, "resync": "30s", "list_age": "10s"},
        "payments": {"repair_every": "30s"},
        "sweep": {"dry_run": false},
        "telemetry": {"filter": "warn,clawdet=info"},
    });
    let settings = serde_json::from_value(settings)
        .map_err(AppError::start("write down dev's own settings"))?;
    let mut sources = vec![Source::Given {
        by: "clawdet dev",
        settings,
    }];
    sources.extend(file.map(Source::File));
    sources.push(Source::environment());
    Config::load(&sources).map_err(AppError::Configuration)
}

/// Something to sell, so that the site shows what a customer would see.
async fn offer_plans(client: &Client) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let plans: Api<Plan> = Api::namespaced(client.clone(), NAMESPACE);
    for text in PLANS {
        let mut plan: Plan = serde_yaml_ng::from_str(text)?;
        let written: serde_json::Value = serde_yaml_ng::from_str(text)?;
        // As if a person had applied the sample, so that kubectl takes the next one for a change.
        plan.annotations_mut()
            .insert(LAST_APPLIED.to_owned(), format!("{written}\n"));
        if plans.get_opt(&plan.name_any()).await?.is_none() {
            let params = PatchParams::apply(MANAGER_WEB);
            plans
                .patch(&plan.name_any(), &params, &Patch::Apply(&plan))
                .await?;
        }
    }
    Ok(())
}

/// Writes `dev.json`, which tools rely on.
fn announce(
    folder: &Folder,
    endpoints: &Endpoints,
    started: &Started,
    begun: Instant,
) -> Result<Ready, AppError> {
    let embedded = started.embedded.as_ref();
    let kubernetes = embedded.map_or_else(String::new, |it| it.url.clone());
    let kubeconfig = embedded.map_or_else(PathBuf::new, |it| it.kubeconfig.clone());
    let site = format!("http://{}", started.site);
    let metrics = format!("http://{}/metrics", started.metrics);
    let tokens = &endpoints.tokens;
    let announcement = folder
        .announce(&json!({
            "site": site,
            "console": endpoints.console,
            "metrics": metrics,
            "kubernetes": {
                "server": kubernetes,
                "token": embedded.map(|it| it.token.as_str()),
                "kubeconfig": kubeconfig,
            },
            "hetzner": {"url": endpoints.hetzner, "token": tokens.hetzner.values().next()},
            "cloudflare": {
                "url": endpoints.cloudflare,
                "token": tokens.cloudflare,
                "zone": tokens.zone,
            },
            "stripe": {
                "url": endpoints.stripe,
                "secret_key": tokens.stripe_secret_key,
                "webhook_secret": tokens.stripe_webhook_secret,
            },
        }))
        .map_err(AppError::Folder)?;
    Ok(Ready {
        site,
        console: endpoints.console.clone(),
        metrics,
        kubernetes,
        kubeconfig,
        data_dir: folder.path().to_owned(),
        announcement,
        took: begun.elapsed(),
    })
}
