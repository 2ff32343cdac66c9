//! The server as a command: where it listens, what it keeps, and who may come in.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use kube_embedded::{Authorization, Server, Storage};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A Kubernetes-compatible API server in one process, for controllers and kubectl.
///
/// It serves custom resources, namespaces, Secrets, ConfigMaps, Events, Leases and ServiceAccounts. It
/// runs no pods. Try it:
///
///   kube-embedded --data state.db --kubeconfig kubeconfig &
///   kubectl --kubeconfig kubeconfig get namespaces
#[derive(Parser)]
#[allow(clippy::doc_markdown, reason = "the text of --help")]
#[command(name = "kube-embedded", version, verbatim_doc_comment)]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Where to keep the objects: `memory` forgets them at the end, a file keeps them
    #[arg(long, value_name = "memory|FILE", default_value = "memory")]
    data: Keep,

    /// Write the file kubectl needs (readable by you alone) here
    #[arg(long, value_name = "OUT")]
    kubeconfig: PathBuf,

    /// Who may do what: whoever has a token everything, or what roles allow
    #[arg(long, value_name = "always-allow|rbac", default_value = "always-allow")]
    authorization: Deciding,

    /// Listen on an address others can reach
    #[arg(long)]
    allow_remote: bool,
}

#[derive(Clone)]
enum Keep {
    Memory,
    File(PathBuf),
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Deciding {
    AlwaysAllow,
    Rbac,
}

impl From<Deciding> for Authorization {
    fn from(deciding: Deciding) -> Self {
        match deciding {
            Deciding::AlwaysAllow => Self::AlwaysAllow,
            Deciding::Rbac => Self::Rbac,
        }
    }
}

impl From<&str> for Keep {
    fn from(text: &str) -> Self {
        match text {
            "memory" => Self::Memory,
            file => Self::File(file.into()),
        }
    }
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime");
    match runtime.and_then(|runtime| runtime.block_on(serve(options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "kube-embedded: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<()> {
    if !options.listen.ip().is_loopback() && !options.allow_remote {
        bail!(
            "{} can be reached by others; say --allow-remote if they may",
            options.listen.ip()
        );
    }
    // From here on a signal is a request to stop, also while the objects are loaded.
    let stop = stop_on_signal()?;
    let storage = match &options.data {
        Keep::Memory => Storage::memory(),
        Keep::File(path) => Storage::sqlite(path).await?,
    };
    let server = Server::builder()
        .storage(storage)
        .address(options.listen.ip())
        .authorization(options.authorization.into())
        .build()
        .await?;
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("listen on {}", options.listen))?;
    let address = listener.local_addr().context("ask for the port")?;
    server
        .write_kubeconfig(&options.kubeconfig, address, "default")
        .with_context(|| format!("write {}", options.kubeconfig.display()))?;
    let said = writeln!(
        std::io::stdout(),
        "kube-embedded: listening on https://{address}"
    );
    said.context("say where it listens")?;
    server.serve(listener, stop).await.context("serve")
}

#[allow(
    clippy::disallowed_methods,
    reason = "waits for signals for as long as the process lives; if it dies, so does nothing else"
)]
fn stop_on_signal() -> Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}
