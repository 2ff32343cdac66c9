//! The composition root: puts the program together from its configuration. The only place that knows
//! whether the world is real; it decides nothing about the business.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::SignedDuration;
use kube::Client;
use prometheus::Registry;
use tokio::net::TcpListener;

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::config::{Config, Problems};
use crate::controller::Pace;
use crate::metrics;
use crate::provider::BoxError;
use crate::provider::calls::Calls;
use crate::store::Database;
use crate::store::secrets::EmbeddedSecrets;
use crate::supervisor::{Supervisor, SupervisorError, asked_to_stop};
use crate::telemetry;
use crate::web::{self, Site};

mod cluster;
pub mod dev;
mod folder;
pub mod operator;
mod providers;

use cluster::Cluster;
use folder::FolderError;
use operator::{Operator, Sweeping};
use providers::Providers;

/// Tasks that were asked to stop have so long; a step abandoned after it is safe to repeat.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Why the program could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Configuration(Problems),
    #[error(transparent)]
    Folder(FolderError),
    #[error("cannot listen on {address}; choose another with {key}")]
    Listen {
        address: String,
        key: &'static str,
        #[source]
        cause: io::Error,
    },
    #[error("cannot {doing}")]
    Start {
        doing: &'static str,
        #[source]
        cause: BoxError,
    },
    #[error(transparent)]
    Ended(SupervisorError),
}

impl AppError {
    fn start<E: Into<BoxError>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |cause| Self::Start {
            doing,
            cause: cause.into(),
        }
    }
}

/// Runs until SIGINT or SIGTERM, or until a task dies.
pub async fn run(config: Config) -> Result<(), AppError> {
    let asked = asked_to_stop().map_err(AppError::Ended)?;
    let mut supervisor = Supervisor::new();
    let site = listen(config.site.listen, "site.listen").await?;
    let started = start(config, site, &mut supervisor).await?;
    tracing::info!(site = %started.site, metrics = %started.metrics, "Running");
    supervisor
        .run(asked, STOP_LIMIT)
        .await
        .map_err(AppError::Ended)
}

/// Where the started program answers.
struct Started {
    site: SocketAddr,
    metrics: SocketAddr,
    client: Client,
    /// Only of the embedded cluster.
    embedded: Option<Embedded>,
}

struct Embedded {
    url: String,
    token: String,
    kubeconfig: PathBuf,
}

async fn listen(address: SocketAddr, key: &'static str) -> Result<TcpListener, AppError> {
    TcpListener::bind(address)
        .await
        .map_err(|cause| AppError::Listen {
            address: address.to_string(),
            key,
            cause,
        })
}

/// Starts every part; each runs until the supervisor says stop.
async fn start(
    config: Config,
    site: TcpListener,
    supervisor: &mut Supervisor,
) -> Result<Started, AppError> {
    telemetry::start(&config.telemetry).map_err(AppError::start("start the log"))?;
    let clock = Clock::system();
    let registry =
        metrics::registry().map_err(AppError::start("register the process's numbers"))?;
    let calls = Arc::default();
    let metrics = listen(config.site.metrics_listen, "site.metrics_listen").await?;
    let Cluster { client, embedded } =
        Cluster::open(&config.kubernetes, &config.namespace, supervisor).await?;
    let secrets = secrets(&config).await?;
    let providers = Providers::of(&config, &calls)?;
    let catalog = Catalog::new(&config.namespace);
    let operator = Operator {
        settings: operator_settings(&config)?,
        client: client.clone(),
        clock,
        catalog: catalog.clone(),
        servers: Arc::clone(&providers.servers) as _,
        dns: Arc::clone(&providers.dns) as _,
        secrets,
        guests: Arc::clone(&providers.guests) as _,
        billing: Arc::clone(&providers.billing) as _,
        registry: registry.clone(),
    };
    let stop = supervisor.stop();
    show(&registry, &calls, &providers)
        .map_err(AppError::start("register the providers' numbers"))?;
    let tasks = operator
        .tasks(&stop)
        .map_err(AppError::start("register the operator's numbers"))?;
    for (name, task) in tasks {
        supervisor.spawn(name, task);
    }
    let pages = Site {
        client: client.clone(),
        namespace: config.namespace,
        clock,
        catalog,
        billing: providers.billing,
        installation: config.installation,
        zone: config.zone,
        public_url: config.site.public_url,
        checkout_origins: config.stripe.checkout_origins,
        live_mode: config.stripe.live_mode,
        registry: registry.clone(),
    };
    let pages = web::router(pages).map_err(AppError::start("put the site together"))?;
    Ok(Started {
        site: serve("site", site, pages, supervisor)?,
        metrics: serve("metrics", metrics, web::metrics(registry), supervisor)?,
        client,
        embedded,
    })
}

/// Shows how we get on with the providers.
fn show(
    registry: &Registry,
    calls: &Arc<Calls>,
    providers: &Providers,
) -> Result<(), prometheus::Error> {
    metrics::show_calls(registry, Arc::clone(calls))?;
    let (servers, dns) = (Arc::clone(&providers.servers), Arc::clone(&providers.dns));
    metrics::show_budgets(registry, move || {
        let projects = servers
            .budgets()
            .map(|(project, budget)| (format!("hetzner/{project}"), budget.requests_left()));
        let zone = ("cloudflare".to_owned(), dns.budget().requests_left());
        projects.chain([zone]).collect()
    })
}

/// Serves until the supervisor says stop, and then what is under way to its end.
fn serve(
    name: &'static str,
    listener: TcpListener,
    router: Router,
    supervisor: &mut Supervisor,
) -> Result<SocketAddr, AppError> {
    let address = listener
        .local_addr()
        .map_err(AppError::start("read a listener's address"))?;
    let stop = supervisor.stop();
    supervisor.spawn(name, async move {
        axum::serve(listener, router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    });
    Ok(address)
}

async fn secrets(config: &Config) -> Result<Arc<EmbeddedSecrets>, AppError> {
    let database = Database::open(&config.store.file)
        .await
        .map_err(AppError::start("open the database"))?;
    let secrets = EmbeddedSecrets::open(&database, &config.secrets.key_file)
        .await
        .map_err(AppError::start("open the secret store"))?;
    Ok(Arc::new(secrets))
}

fn operator_settings(config: &Config) -> Result<operator::Settings, AppError> {
    let days = |days: u16| SignedDuration::from_hours(24 * i64::from(days));
    let identity = match &config.operator.identity {
        Some(identity) => identity.clone(),
        None => made_up().map_err(AppError::start("make up an identity"))?,
    };
    Ok(operator::Settings {
        namespace: config.namespace.clone(),
        installation: config.installation.clone(),
        zone: config.zone.clone(),
        site_url: config.site.public_url.to_string(),
        identity,
        lease_ttl: config.operator.lease_ttl,
        list_age: config.operator.list_age,
        pace: Pace {
            resync: config.operator.resync,
            concurrency: config.operator.concurrency,
            backoff_min: config.operator.backoff_min,
            backoff_max: config.operator.backoff_max,
        },
        live_mode: config.stripe.live_mode,
        grace: days(config.payments.grace_days),
        keep: days(config.payments.keep_days),
        repair_every: config.payments.repair_every,
        sweep: Some(Sweeping {
            every: config.sweep.every,
            dry_run: config.sweep.dry_run,
        }),
    })
}

/// Differs between processes, also between two on one machine.
fn made_up() -> Result<String, getrandom::Error> {
    Ok(format!("operator-{:016x}", getrandom::u64()?))
}
