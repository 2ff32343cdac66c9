//! Real servers that run until they are stopped, for trying things by hand. What each program is, and
//! how it is had, is in `services`; tests start servers of their own.

#[path = "../../crates/kube-embedded/tests/real/cluster.rs"]
mod cluster;
mod process;

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::run::say;
use crate::services;
use crate::services::cache;
use cluster::{Cluster, free_ports};

/// What can be started.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Server {
    /// kube-apiserver with etcd and the controller manager
    Kubernetes,
    /// Stripe's own mock
    StripeMock,
}

/// Opens a server that only this machine reaches.
const TOKEN: &str = "for-trying-things";
/// kube-apiserver takes four seconds here, and twenty on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A server's folder: its logs, its state, `processes`, and `about`, which is written when it is ready.
struct Place(PathBuf);

impl Server {
    fn name(self) -> &'static str {
        match self {
            Server::Kubernetes => "kubernetes",
            Server::StripeMock => "stripe-mock",
        }
    }

    fn place(self) -> Result<Place> {
        Ok(Place(cache::home()?.join("running").join(self.name())))
    }

    /// Starts it and waits for its first answer; says how to reach it.
    fn launch(self, place: &Place) -> Result<String> {
        match self {
            Server::Kubernetes => kubernetes(place),
            Server::StripeMock => stripe_mock(place),
        }
    }
}

/// # Errors
/// When a program cannot be had, or does not answer in time; what was started is stopped again.
pub(crate) fn start(names: &[Server]) -> Result<()> {
    for server in chosen(names) {
        let place = server.place()?;
        if let Some(about) = place.about() {
            say(&format!("xtask: {} runs already: {about}", server.name()));
            continue;
        }
        place.clear()?;
        fs::create_dir_all(&place.0).context("make the server's folder")?;
        say(&format!("xtask: {}: starting", server.name()));
        match server.launch(&place) {
            Ok(about) => {
                fs::write(place.0.join("about"), &about).context("write how to reach it")?;
                say(&format!("xtask: {}: {about}", server.name()));
            }
            Err(error) => {
                place.end()?;
                let logs = place.0.display();
                return Err(error.context(format!("{}; its logs: {logs}", server.name())));
            }
        }
    }
    Ok(())
}

/// # Errors
/// When its folder cannot be removed.
pub(crate) fn stop(names: &[Server]) -> Result<()> {
    for server in chosen(names) {
        let place = server.place()?;
        let ran = place.about().is_some();
        place.clear()?;
        let said = if ran { "stopped" } else { "did not run" };
        say(&format!("xtask: {}: {said}", server.name()));
    }
    Ok(())
}

/// One line for each server that runs.
pub(crate) fn lines() -> Vec<String> {
    let running = |server: &Server| {
        let about = server.place().ok()?.about()?;
        Some(format!("running     {}: {about}", server.name()))
    };
    Server::value_variants()
        .iter()
        .filter_map(running)
        .collect()
}

fn chosen(names: &[Server]) -> &[Server] {
    if names.is_empty() {
        Server::value_variants()
    } else {
        names
    }
}

impl Place {
    /// How to reach it, if all of it runs.
    fn about(&self) -> Option<String> {
        let about = fs::read_to_string(self.0.join("about")).ok()?;
        process::all_run(&self.0).then_some(about)
    }

    fn clear(&self) -> Result<()> {
        self.end()?;
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("remove what the server stored")
            }
            _ => Ok(()),
        }
    }

    fn end(&self) -> Result<()> {
        process::end_all(&self.0)
    }

    fn run(&self, name: &str, program: &str, words: &[String]) -> Result<()> {
        let mut command = Command::new(services::program(program)?);
        process::start(&self.0, name, command.args(words))
    }
}

fn kubernetes(place: &Place) -> Result<String> {
    let cluster = Cluster::in_folder(&place.0, TOKEN).context("make the files it reads")?;
    let (key, config) = (cluster.signing_key(), cluster.kubeconfig());
    make_key(&key)?;
    let mut words = cluster.etcd_words();
    words.push("--unsafe-no-fsync".to_owned());
    place.run("etcd", "CLAWDET_TOOL_ETCD", &words)?;
    let words = cluster.apiserver_words(&key);
    place.run("kube-apiserver", "CLAWDET_TOOL_KUBE_APISERVER", &words)?;
    let kubectl = services::program("CLAWDET_TOOL_KUBECTL")?;
    until("kube-apiserver is ready", place, || {
        let mut asked = Command::new(&kubectl);
        asked.arg("--kubeconfig").arg(&config);
        let answer = asked.args(["get", "--raw", "/readyz"]).output();
        answer.is_ok_and(|answer| answer.stdout == b"ok")
    })?;
    let mut words = cluster.controllers_words();
    // With it the controller of ServiceAccounts' tokens runs, as in a real cluster.
    words.push(format!(
        "--service-account-private-key-file={}",
        key.display()
    ));
    let name = "kube-controller-manager";
    place.run(name, "CLAWDET_TOOL_KUBE_CONTROLLER_MANAGER", &words)?;
    Ok(format!(
        "export KUBECONFIG='{}'; the real kubectl is {}",
        config.display(),
        kubectl.display()
    ))
}

fn stripe_mock(place: &Place) -> Result<String> {
    let [port] = free_ports().context("find a free port")?;
    let words = ["-http-addr".to_owned(), format!("127.0.0.1:{port}")];
    place.run("stripe-mock", "CLAWDET_TOOL_STRIPE_MOCK", &words)?;
    until("stripe-mock listens", place, || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    })?;
    Ok(format!(
        "http://127.0.0.1:{port}, with any key like sk_test_123"
    ))
}

/// The key that kube-apiserver signs tokens with.
fn make_key(file: &Path) -> Result<()> {
    let made = Command::new(services::program("CLAWDET_TOOL_OPENSSL")?)
        .args([
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-noout",
            "-out",
        ])
        .arg(file)
        .stderr(Stdio::null())
        .status()
        .context("start openssl")?;
    if !made.success() {
        bail!("openssl made no key ({made})");
    }
    Ok(())
}

/// Asks until it holds.
///
/// # Errors
/// When a process of the server ends, or it takes longer than [`PATIENCE`].
fn until(what: &str, place: &Place, holds: impl Fn() -> bool) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if holds() {
            return Ok(());
        }
        if !process::all_run(&place.0) {
            bail!("a process ended before {what}");
        }
        #[allow(
            clippy::disallowed_methods,
            reason = "nothing else runs in this process"
        )]
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("waited {} s until {what}", PATIENCE.as_secs())
}
