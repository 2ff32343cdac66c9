//! A real kube-apiserver with a real etcd and kube-controller-manager, shared by the tests that run at the same time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Mutex;

use super::cluster::Cluster;
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
const CONTROLLERS: &str =
    "garbage-collector-controller,namespace-controller,clusterrole-aggregation-controller";

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
        let cluster = Cluster::in_folder(at, TOKEN).unwrap();
        let key = cluster.signing_key();
        make_key(&openssl, &key);
        let start = |program: &Path, words: Vec<String>, log| {
            Process::start(Command::new(program).args(words), &at.join(log))
        };
        let mut words = cluster.etcd_words();
        words.push("--unsafe-no-fsync".to_owned());
        let etcd = start(&etcd, words, "etcd.log");
        let apiserver = start(&apiserver, cluster.apiserver_words(&key), "apiserver.log");
        let mut words = cluster.controllers_words();
        words.push(format!("--controllers={CONTROLLERS}"));
        // It waits for the server by itself.
        let controllers = start(&controllers, words, "controllers.log");
        let mut server = ApiServer {
            url: cluster.url(),
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

fn make_key(openssl: &Path, file: &Path) {
    let made = Command::new(openssl)
        .args([
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-noout",
            "-out",
        ])
        .arg(file)
        .output()
        .unwrap();
    assert!(made.status.success(), "make a key: {made:?}");
}
