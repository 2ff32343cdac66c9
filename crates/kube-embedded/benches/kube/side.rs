//! The two servers that are measured, each started as its users start it, and one client for both.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use http::{Method, Request};
use kube::config::{AuthInfo, Config, Kubeconfig};
use kube::{Client, client::Body};
use tempfile::TempDir;

use super::cluster::{Cluster, free_ports};
use super::process::Process;

/// Opens the real one, which listens on loopback for minutes.
const TOKEN: &str = "a-token-for-the-bench";
/// How long a server may take to answer at all.
const START_LIMIT: Duration = Duration::from_mins(2);
/// How often a starting server is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(1);

/// One server that runs.
pub(super) struct Side {
    pub client: Client,
    /// From the start of its first process to its first good answer.
    pub start: Duration,
    /// What it consists of.
    processes: Vec<Process>,
    folder: TempDir,
}

/// Where the real ones are.
pub(super) struct Real<'a> {
    pub apiserver: &'a Path,
    pub etcd: &'a Path,
}

impl Side {
    /// This server on a `SQLite` file of its own.
    pub(super) async fn ours() -> Result<Self> {
        let folder = TempDir::new().context("make a folder")?;
        Self::ours_in(folder).await
    }

    /// Ends it and starts it anew on what it kept.
    pub(super) async fn again(self) -> Result<Self> {
        drop(self.processes);
        Self::ours_in(self.folder).await
    }

    async fn ours_in(folder: TempDir) -> Result<Self> {
        let at = folder.path();
        let [port] = free_ports().context("find a free port")?;
        let kubeconfig = at.join("kubeconfig");
        // Of an earlier start.
        let _ = fs::remove_file(&kubeconfig);
        let begun = Instant::now();
        let mut server = Process::start(
            Command::new(env!("CARGO_BIN_EXE_kube-embedded"))
                .arg("--listen")
                .arg(format!("127.0.0.1:{port}"))
                .arg("--data")
                .arg(at.join("state.db"))
                .arg("--kubeconfig")
                .arg(&kubeconfig),
            &at.join("server.log"),
        )?;
        let start = ready(port, &mut server, begun).await?;
        let written = Kubeconfig::read_from(&kubeconfig).context("read the kubeconfig")?;
        let user = written.auth_infos.into_iter().next();
        let user = user.and_then(|user| user.auth_info);
        Ok(Self {
            client: client(port, user.context("the kubeconfig has no user")?)?,
            start,
            processes: vec![server],
            folder,
        })
    }

    /// kube-apiserver with etcd, as little around them as they run with, and `fsync` on.
    pub(super) async fn real(programs: &Real<'_>) -> Result<Self> {
        let folder = TempDir::new().context("make a folder")?;
        let at = folder.path();
        let cluster = Cluster::in_folder(at, TOKEN).context("make the files it reads")?;
        let key = rcgen::KeyPair::generate().context("make a key")?;
        let public = at.join("key.pub");
        fs::write(cluster.signing_key(), key.serialize_pem()).context("write the key")?;
        fs::write(&public, key.public_key_pem()).context("write the public key")?;
        let begun = Instant::now();
        let etcd = Process::start(
            Command::new(programs.etcd).args(cluster.etcd_words()),
            &at.join("etcd.log"),
        )?;
        let mut apiserver = Process::start(
            Command::new(programs.apiserver).args(cluster.apiserver_words(&public)),
            &at.join("apiserver.log"),
        )?;
        let start = ready(cluster.port, &mut apiserver, begun).await?;
        Ok(Self {
            client: client(
                cluster.port,
                AuthInfo {
                    token: Some(TOKEN.to_owned().into()),
                    ..AuthInfo::default()
                },
            )?,
            start,
            processes: vec![apiserver, etcd],
            folder,
        })
    }

    /// Bytes in memory of all it consists of.
    pub(super) fn resident(&self) -> Result<u64> {
        self.processes.iter().map(Process::resident).sum()
    }

    pub(super) fn processor_time(&self) -> Result<Duration> {
        self.processes.iter().map(Process::processor_time).sum()
    }
}

/// Asks until it is ready; from `begun` on.
async fn ready(port: u16, server: &mut Process, begun: Instant) -> Result<Duration> {
    let client = client(port, AuthInfo::default())?;
    loop {
        let ask = Request::builder().method(Method::GET).uri("/readyz");
        let ask = ask.body(Body::empty()).context("ask whether it is ready")?;
        let answer = client.send(ask).await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(begun.elapsed());
        }
        server.must_run()?;
        if begun.elapsed() > START_LIMIT {
            bail!("not ready after {} s", START_LIMIT.as_secs());
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Both show certificates of their own making, which are not what is measured here.
fn client(port: u16, auth_info: AuthInfo) -> Result<Client> {
    let url = format!("https://127.0.0.1:{port}");
    let mut config = Config::new(url.parse().context("read the address")?);
    config.accept_invalid_certs = true;
    config.auth_info = auth_info;
    Client::try_from(config).context("make a client")
}
