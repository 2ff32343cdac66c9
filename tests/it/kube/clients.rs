//! Clients that nobody here wrote, against a real kube-apiserver and against ours, in memory and on `SQLite`: the same
//! must come of it. Here: the servers, as such clients reach them; a client has a room.

mod controllers;
mod kubectl;
mod kubectl_table;
mod printed;
mod python;

use std::path::PathBuf;
use std::sync::Arc;

use kube_embedded::{Server, Storage};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::known::Known;
use super::servers::TOKEN;
use crate::real::apiserver::ApiServer;

/// Events that ours remembers of a kind: few, so that a client can be too late.
const EVENT_WINDOW: usize = 64;

/// A server that is reached over TLS; ours stops when dropped.
struct Reached {
    name: &'static str,
    address: String,
    /// A folder of its own, with `kubeconfig` in it.
    folder: TempDir,
    _real: Option<Arc<ApiServer>>,
    serving: JoinSet<()>,
}

impl Reached {
    /// The real one and ours, in memory and on `SQLite`; `None`, said loudly, where there is no real one.
    async fn all(test: &str) -> Option<[Reached; 3]> {
        let server = ApiServer::shared(test).await?;
        let real = Reached::at("real", server.url().to_owned(), Some(server));
        let memory = Reached::ours("memory", |_| async { Storage::memory() }).await;
        let sqlite = Reached::ours("SQLite", |file| async {
            Storage::sqlite(file).await.unwrap()
        });
        Some([real, memory, sqlite.await])
    }

    async fn ours<F: Future<Output = Storage>>(
        name: &'static str,
        storage: impl FnOnce(PathBuf) -> F,
    ) -> Reached {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut reached = Reached::at(name, format!("https://{address}"), None);
        let storage = storage(reached.folder.path().join("objects.db")).await;
        let server = Server::builder()
            .storage(storage)
            .token(TOKEN)
            .event_window(EVENT_WINDOW)
            .build();
        let server = server.await.unwrap();
        let stop = CancellationToken::new();
        reached
            .serving
            .spawn(async move { server.serve(listener, stop).await.unwrap() });
        reached
    }

    fn at(name: &'static str, address: String, real: Option<Arc<ApiServer>>) -> Reached {
        let folder = tempfile::tempdir().unwrap();
        let reached = Reached {
            name,
            address,
            folder,
            _real: real,
            serving: JoinSet::new(),
        };
        let text = format!(
            "apiVersion: v1
kind: Config
clusters: [{{name: it, cluster: {{server: '{}', insecure-skip-tls-verify: true}}}}]
users: [{{name: tester, user: {{token: {TOKEN}}}}}]
contexts: [{{name: it, context: {{cluster: it, user: tester}}}}]
current-context: it
",
            reached.address
        );
        std::fs::write(reached.kubeconfig(), text).unwrap();
        reached
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }
}

/// The known differences that are met here.
pub(super) fn known() -> impl Iterator<Item = Known> {
    kubectl_table::LINES.iter().filter_map(|line| line.known)
}
