//! The binary: a world on loopback ports, until it is told to stop. Parses, starts, says where everything is.

use std::{
    fs::OpenOptions,
    io::Write,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use tokio_util::sync::CancellationToken;
use world::{Endpoints, Listen, Options, WebhookTarget, World};

/// A simulated outside world: Hetzner Cloud, Cloudflare DNS, Stripe and the servers themselves, over their real HTTP.
///
/// Everything is on loopback. Each simulated server gets an address of its own in 127.64.0.0/10, where a gateway answers
/// once the server has booted. Open the console's address in a browser to see it all and to break things.
#[derive(Parser)]
#[command(
    name = "world",
    after_help = "Examples:
  world                                        a fresh world, forgotten when it ends
  world --data world.db                        goes on with the same servers when started again
  world --speed 60 --endpoints out.json        a minute passes every second; addresses and tokens go into out.json
  world --webhooks http://127.0.0.1:8080/hook  Stripe's events are posted there, signed"
)]
struct Arguments {
    /// Where to listen: Hetzner here and Cloudflare, Stripe, console and guests on the four ports that follow; with port 0
    /// the system chooses them all
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What all chance and all tokens are drawn from; the same seed is the same world
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// World seconds per second
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Write addresses and tokens as JSON into this file, readable by you only
    #[arg(long, value_name = "FILE")]
    endpoints: Option<PathBuf>,
    /// Keep the world in this file; a world that is there already goes on
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Post Stripe's webhooks to this URL
    #[arg(long, value_name = "URL")]
    webhooks: Option<String>,
    /// The one DNS zone there is
    #[arg(long, value_name = "NAME", default_value = "assistants.example")]
    zone: String,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    let sensible = (0.001..=100_000.0).contains(&speed);
    sensible
        .then_some(speed)
        .ok_or_else(|| "must be between 0.001 and 100000".to_owned())
}

#[tokio::main]
#[allow(
    clippy::print_stderr,
    reason = "what went wrong belongs on the terminal, without a backtrace"
)]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("world: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let world = open(&arguments).await?;
    if let Some(url) = &arguments.webhooks {
        world.deliver_webhooks_to(WebhookTarget::Url(url.clone()));
    }
    let stop = CancellationToken::new();
    let (endpoints, serving) = world
        .serve(Listen::from(arguments.listen), stop.clone())
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    if let Some(path) = &arguments.endpoints {
        write_privately(path, &endpoints)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    announce(&endpoints);
    let serving = async {
        let served = serving.await;
        stop.cancel();
        served
    };
    let stopping = async {
        tokio::select! {
            asked = tokio::signal::ctrl_c() => {
                stop.cancel();
                asked
            }
            () = stop.cancelled() => Ok(()),
        }
    };
    let (served, (), asked) = tokio::join!(serving, world.run(stop.clone()), stopping);
    served.context("the world stopped serving")?;
    asked.context("cannot hear Ctrl-C")
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where a world learns what time it is outside; from there it has its own clock"
)]
async fn open(arguments: &Arguments) -> anyhow::Result<World> {
    let options = Options {
        speed: arguments.speed,
        start: jiff::Timestamp::now(),
        zone: arguments.zone.clone(),
        ..Options::seeded(arguments.seed)
    };
    match &arguments.data {
        None => Ok(World::new(options)),
        Some(path) => Ok(World::open(options, path).await?),
    }
}

#[allow(
    clippy::print_stdout,
    reason = "where everything is belongs on the terminal"
)]
fn announce(endpoints: &Endpoints) {
    println!("hetzner     {}", endpoints.hetzner);
    println!("cloudflare  {}", endpoints.cloudflare);
    println!("stripe      {}", endpoints.stripe);
    println!("console     {}", endpoints.console);
    println!(
        "guests      each server's own address, port {}",
        endpoints.guest_port
    );
    println!("ready; Ctrl-C stops it");
}

/// Whole or not at all: readers never see half a file.
fn write_privately(path: &Path, endpoints: &Endpoints) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(endpoints)?;
    let beside = path.with_extension("part");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    writeln!(file, "{json}")?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    Ok(())
}
