//! Whom a request is sent to: the real server over TLS, ours as a service in this process.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Limited};
use kube_embedded::{Server, Storage};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::real::apiserver::ApiServer;

/// Bytes an answer may have.
const LIMIT: usize = 32 * 1024 * 1024;
/// The token of a member of `system:masters`, on all of them.
pub(super) const TOKEN: &str = crate::real::apiserver::TOKEN;

/// A server of either kind.
pub(super) enum Asked {
    Real {
        server: Arc<ApiServer>,
        client: reqwest::Client,
    },
    Ours {
        name: &'static str,
        server: Server,
        _folder: Option<TempDir>,
    },
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    /// `None`, said loudly, where there is no real one.
    pub(super) async fn real(test: &str) -> Option<Asked> {
        let server = ApiServer::shared(test).await?;
        // Another test may have chosen it already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .danger_accept_invalid_certs(true)
            .user_agent("table/1")
            .build()
            .unwrap();
        Some(Asked::Real { server, client })
    }

    pub(super) async fn in_memory() -> Asked {
        Asked::ours("memory", Storage::memory(), None).await
    }

    pub(super) async fn on_sqlite() -> Asked {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::sqlite(folder.path().join("objects.db"))
            .await
            .unwrap();
        Asked::ours("SQLite", storage, Some(folder)).await
    }

    async fn ours(name: &'static str, storage: Storage, folder: Option<TempDir>) -> Asked {
        let server = Server::builder()
            .storage(storage)
            .token(TOKEN)
            .trust_in_process(false)
            .build()
            .await
            .unwrap();
        Asked::Ours {
            name,
            server,
            _folder: folder,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Asked::Real { .. } => "real",
            Asked::Ours { name, .. } => name,
        }
    }

    /// Sends it; a watch is read to its end.
    pub(super) async fn send(&self, request: Request<Bytes>) -> Result<Answer, String> {
        match self {
            Asked::Real { server, client } => over_tls(server, client, request).await,
            Asked::Ours { server, .. } => in_process(server, request).await,
        }
    }
}

async fn over_tls(
    server: &ApiServer,
    client: &reqwest::Client,
    request: Request<Bytes>,
) -> Result<Answer, String> {
    let (head, body) = request.into_parts();
    let url = format!("{}{}", server.url(), head.uri);
    let sent = client
        .request(head.method, url)
        .headers(head.headers)
        .body(body)
        .send();
    let answer = sent.await.map_err(|error| format!("{error:?}"))?;
    Ok(Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: answer.bytes().await.map_err(|error| format!("{error:?}"))?,
    })
}

async fn in_process(server: &Server, request: Request<Bytes>) -> Result<Answer, String> {
    let request = request.map(Body::from);
    let Ok(answer) = server.clone().oneshot(request).await;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, LIMIT).collect().await;
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.map_err(|error| error.to_string())?.to_bytes(),
    })
}
