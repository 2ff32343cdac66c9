//! The embedded API, served as it is to kubectl, with our definitions.

use std::path::{Path, PathBuf};

use kube_embedded::{Server, Storage};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::kubectl::Kubectl;
use super::tool::{self, Tool};

/// Stops when dropped.
pub(super) struct Embedded {
    kubectl: PathBuf,
    folder: TempDir,
    _serving: JoinSet<std::io::Result<()>>,
}

impl Embedded {
    /// A new one; `None` without kubectl (said loudly). Needs a runtime with a thread to spare, as
    /// kubectl blocks the test's own.
    pub(super) async fn start(test: &str) -> Option<Embedded> {
        let [kubectl] = tool::need(test, [Tool::Kubectl])?;
        let folder = tempfile::tempdir().unwrap();
        let server = Server::builder()
            .storage(Storage::memory())
            .build()
            .await
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        let text = server.kubeconfig(address, "default");
        std::fs::write(kubeconfig, text).unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(async move { server.serve(listener, CancellationToken::new()).await });
        let embedded = Embedded {
            kubectl,
            folder,
            _serving: serving,
        };
        embedded.kubectl("default").install(&definitions());
        Some(embedded)
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

/// The folder of our definitions.
pub(super) fn definitions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crds")
}
