//! `clawdet dev` as a program that runs, and what its `dev.json` says: the contract that tools rely on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use serde::Deserialize;

use super::process::Process;
use super::wait::until;

/// The binary that cargo built for these tests.
const BINARY: &str = env!("CARGO_BIN_EXE_clawdet");

/// What `dev.json` must hold; more may stand there.
#[derive(Clone, Deserialize)]
pub(super) struct Endpoints {
    pub(super) site: String,
    pub(super) console: String,
    pub(super) metrics: String,
    pub(super) kubernetes: Kubernetes,
    pub(super) hetzner: Hetzner,
    pub(super) cloudflare: Cloudflare,
    pub(super) stripe: Stripe,
}

#[derive(Clone, Deserialize)]
pub(super) struct Kubernetes {
    pub(super) server: String,
    pub(super) token: String,
    /// A file.
    pub(super) kubeconfig: PathBuf,
}

#[derive(Clone, Deserialize)]
pub(super) struct Hetzner {
    pub(super) url: String,
    pub(super) token: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct Cloudflare {
    pub(super) url: String,
    pub(super) token: String,
    pub(super) zone: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct Stripe {
    pub(super) url: String,
    pub(super) secret_key: String,
    pub(super) webhook_secret: String,
}

/// A running one.
pub(super) struct Dev {
    process: Process,
    pub(super) endpoints: Endpoints,
}

impl Dev {
    /// Starts it with its data in `folder`, and waits until it is ready.
    pub(super) async fn start(folder: &Path) -> Dev {
        Dev::start_with(folder, &[]).await
    }

    pub(super) async fn start_with(folder: &Path, words: &[&str]) -> Dev {
        let mut process = spawn(folder, words);
        let told = told(folder);
        let ready = Duration::from_mins(1);
        let endpoints = until(ready, "clawdet dev is ready", async || {
            process.must_run();
            let text = fs::read(&told).map_err(|error| error.to_string())?;
            serde_json::from_slice(&text).map_err(|error| error.to_string())
        })
        .await;
        Dev { process, endpoints }
    }

    /// Starts it and kills it a little later, ready or not.
    pub(super) async fn start_and_kill(folder: &Path, later: Duration) {
        let process = spawn(folder, &[]);
        tokio::time::sleep(later).await;
        process.kill();
    }

    /// A client of its Kubernetes API, by the kubeconfig it wrote.
    pub(super) async fn client(&self) -> kube::Client {
        client(&self.endpoints).await
    }

    /// Ctrl-C.
    pub(super) async fn interrupt(self) -> ExitStatus {
        self.process.interrupt(Duration::from_secs(20)).await
    }

    /// `kill -9`.
    pub(super) fn kill(self) {
        self.process.kill();
    }

    /// What it printed.
    pub(super) fn printed(&self) -> String {
        self.process.printed()
    }
}

fn spawn(folder: &Path, words: &[&str]) -> Process {
    let told = told(folder);
    // Left there if the one before was killed; it would be taken for the new one's.
    if told.exists() {
        fs::remove_file(&told).unwrap();
    }
    let temporary = folder.join("tmp");
    fs::create_dir_all(&temporary).unwrap();
    Process::start(
        Command::new(BINARY)
            .arg("dev")
            .arg("--data-dir")
            .arg(folder.join("data"))
            .args(["--port", "0"])
            .args(words)
            .env("TMPDIR", temporary)
            .current_dir(folder),
        &folder.join("dev.log"),
    )
}

/// Where it tells where everything is.
fn told(folder: &Path) -> PathBuf {
    folder.join("data/dev.json")
}

pub(super) async fn client(endpoints: &Endpoints) -> kube::Client {
    let kubeconfig = Kubeconfig::read_from(&endpoints.kubernetes.kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    kube::Client::try_from(config).unwrap()
}
