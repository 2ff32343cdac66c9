//! A real kube-apiserver with a real etcd and kube-controller-manager, shared by the tests that run at the same time.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Mutex;

use super::embedded::definitions;
use super::kubectl::Kubectl;
use super::process::Process;
use super::tool::{self, Tool};
use super::wait::until;

/// It has our definitions. Ends with the last test that holds it.
pub(crate) struct ApiServer {
    url: String,
    kubectl: PathBuf,
    folder: TempDir,
    apiserver: Process,
    _controllers: Process,
    _etcd: Process,
}

/// A token of the test's own server, which listens on loopback for seconds; of a member of `system:masters`.
pub(crate) const TOKEN: &str = "a-token-for-tests";

/// What runs beside it; others would put objects into every namespace.
const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller";

impl ApiServer {
    /// The one that runs, or a new one; `None` when it cannot be had (said loudly).
    pub(crate) async fn shared(test: &str) -> Option<Arc<ApiServer>> {
        static SHARED: Mutex<Weak<ApiServer>> = Mutex::const_new(Weak::new());
        let tools = [
            Tool::Kubectl,
            Tool::KubeApiserver,
            Tool::KubeControllerManager,
            Tool::Etcd,
            Tool::Openssl,
        ];
        let tools = tool::need(test, tools)?;
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        let started = Arc::new(ApiServer::start(tools).await);
        *shared = Arc::downgrade(&started);
        Some(started)
    }

    async fn start([kubectl, apiserver, controllers, etcd, openssl]: [PathBuf; 5]) -> ApiServer {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let [client, peer, port] = free_ports();
        let etcd = start_etcd(&etcd, at, client, peer);
        prepare(&openssl, at, port);
        let apiserver = start_apiserver(&apiserver, at, client, port);
        let controllers = start_controllers(&controllers, at);
        let mut server = ApiServer {
            url: format!("https://127.0.0.1:{port}"),
            kubectl,
            folder,
            apiserver,
            _controllers: controllers,
            _etcd: etcd,
        };
        server.ready().await;
        server
    }

    async fn ready(&mut self) {
        let kubectl = self.kubectl("default");
        until(
            Duration::from_secs(90),
            "kube-apiserver is ready",
            async || {
                self.apiserver.must_run();
                let said = kubectl.run(&["get", "--raw", "/readyz"]);
                (said.out == "ok").then_some(()).ok_or(said.err)
            },
        )
        .await;
        kubectl.install(&definitions());
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// kubectl in a namespace of the test's own.
    pub(super) fn namespace(&self, name: &str) -> Kubectl {
        let kubectl = self.kubectl(name);
        kubectl.ok(&["create", "namespace", name]);
        kubectl
    }

    fn kubectl(&self, namespace: &str) -> Kubectl {
        let folder = self.folder.path();
        Kubectl::new(
            &self.kubectl,
            &folder.join("kubeconfig"),
            Some(namespace),
            folder,
        )
    }
}

fn start_etcd(program: &Path, folder: &Path, client: u16, peer: u16) -> Process {
    let client = format!("http://127.0.0.1:{client}");
    let peer = format!("http://127.0.0.1:{peer}");
    Process::start(
        Command::new(program)
            .arg("--data-dir")
            .arg(folder.join("etcd"))
            .args(["--listen-client-urls", &client])
            .args(["--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer])
            .args(["--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}")])
            .arg("--unsafe-no-fsync"),
        &folder.join("etcd.log"),
    )
}

fn start_apiserver(program: &Path, folder: &Path, etcd: u16, port: u16) -> Process {
    Process::start(
        Command::new(program)
            .arg(format!("--etcd-servers=http://127.0.0.1:{etcd}"))
            .arg("--bind-address=127.0.0.1")
            .arg(format!("--secure-port={port}"))
            .arg(format!(
                "--cert-dir={}",
                folder.join("certificates").display()
            ))
            .arg(format!(
                "--token-auth-file={}",
                folder.join("tokens").display()
            ))
            .arg(format!(
                "--service-account-key-file={}",
                folder.join("key").display()
            ))
            .arg(format!(
                "--service-account-signing-key-file={}",
                folder.join("key").display()
            ))
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg("--service-cluster-ip-range=10.0.0.0/24")
            .arg("--authorization-mode=RBAC"),
        &folder.join("apiserver.log"),
    )
}

/// It waits for the server by itself.
fn start_controllers(program: &Path, folder: &Path) -> Process {
    let kubeconfig = folder.join("kubeconfig");
    Process::start(
        Command::new(program)
            .arg(format!("--kubeconfig={}", kubeconfig.display()))
            .arg(format!("--controllers={CONTROLLERS}"))
            .args(["--leader-elect=false", "--secure-port=0"]),
        &folder.join("controllers.log"),
    )
}

/// The files that the servers and kubectl read.
fn prepare(openssl: &Path, folder: &Path, port: u16) {
    let made = Command::new(openssl)
        .args([
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-noout",
            "-out",
        ])
        .arg(folder.join("key"))
        .output()
        .unwrap();
    assert!(made.status.success(), "make a key: {made:?}");
    let user = format!("{TOKEN},tester,tester,\"system:masters\"\n");
    fs::write(folder.join("tokens"), user).unwrap();
    let kubeconfig = format!(
        "apiVersion: v1
kind: Config
clusters: [{{name: real, cluster: {{server: 'https://127.0.0.1:{port}', insecure-skip-tls-verify: true}}}}]
users: [{{name: tester, user: {{token: {TOKEN}}}}}]
contexts: [{{name: real, context: {{cluster: real, user: tester}}}}]
current-context: real
"
    );
    fs::write(folder.join("kubeconfig"), kubeconfig).unwrap();
}

/// Ports that nothing listens on; all held at once, so that they differ.
fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}
