//! One request after the other against the server in process, its answers as they are on the wire.

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use kube::CustomResourceExt;
use kube_embedded::{Builder, Server};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::world::Boat;

pub(crate) const BOATS: &str = "/apis/example.dev/v1/namespaces/default/boats";
pub(crate) const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// A client without opinions.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) server: Server,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn warnings(&self) -> Vec<&str> {
        let warnings = self.headers.get_all(http::header::WARNING).iter();
        warnings.map(|warning| warning.to_str().unwrap()).collect()
    }

    #[track_caller]
    pub(crate) fn expect(self, code: u16) -> Value {
        assert_eq!(self.code, code, "{}", self.body);
        self.body
    }

    #[track_caller]
    pub(crate) fn refused(self, code: u16, reason: &str, message: &str) {
        assert_eq!(
            (
                self.code,
                self.body["reason"].as_str().unwrap_or_default(),
                self.message()
            ),
            (code, reason, message)
        );
    }
}

impl Wire {
    pub(crate) async fn of(builder: Builder) -> Self {
        Self {
            server: builder.seed(1).build().await.unwrap(),
        }
    }

    /// With the kind `Boat`.
    pub(crate) async fn harbour() -> Self {
        let wire = Self::of(Server::builder()).await;
        wire.define_boats().await;
        wire
    }

    pub(crate) async fn define_boats(&self) {
        let definition = serde_json::to_value(Boat::crd()).unwrap();
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        self.post(path, definition).await.expect(201);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.server.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = || String::from_utf8_lossy(&body).into_owned();
        Answer {
            code: head.status.as_u16(),
            headers: head.headers,
            body: serde_json::from_slice(&body).unwrap_or_else(|_| text().into()),
        }
    }

    pub(crate) async fn with_body(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &Value,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .header("user-agent", "test/1")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_as(path, "application/json").await
    }

    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        let request = Request::get(path).header("accept", accept);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn delete_with(&self, path: &str, options: Value) -> Answer {
        self.with_body("DELETE", path, "application/json", &options)
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.with_body("POST", path, "application/json", &body)
            .await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.with_body("PUT", path, "application/json", &body).await
    }

    pub(crate) async fn merge(&self, path: &str, body: Value) -> Answer {
        self.with_body("PATCH", path, "application/merge-patch+json", &body)
            .await
    }

    pub(crate) async fn apply(&self, path: &str, body: Value) -> Answer {
        self.with_body("PATCH", path, "application/apply-patch+yaml", &body)
            .await
    }

    pub(crate) async fn watch(&self, path: &str) -> Watch {
        self.watch_as(path, "application/json").await
    }

    pub(crate) async fn watch_as(&self, path: &str, accept: &str) -> Watch {
        let request = Request::get(path).header("accept", accept);
        let request = request.body(Body::empty()).unwrap();
        let response = self.server.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        Watch {
            body: response.into_body().into_data_stream(),
            read: Vec::new(),
        }
    }

    /// A boat that is there.
    pub(crate) async fn boat(&self, name: &str, colour: &str) -> Value {
        self.post(BOATS, boat(name, colour)).await.expect(201)
    }

    pub(crate) async fn config_map(&self, name: &str) -> Value {
        let map = json!({ "metadata": { "name": name } });
        self.post(CONFIG_MAPS, map).await.expect(201)
    }
}

pub(crate) fn boat(name: &str, colour: &str) -> Value {
    json!({
        "apiVersion": "example.dev/v1",
        "kind": "Boat",
        "metadata": { "name": name },
        "spec": { "colour": colour },
    })
}

/// An open watch, read line by line.
pub(crate) struct Watch {
    body: BodyDataStream,
    read: Vec<u8>,
}

impl Watch {
    /// The next event; None when the watch is over.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let chunk: Bytes = self.body.next().await?.unwrap();
            self.read.extend_from_slice(&chunk);
        }
    }

    /// `ADDED anna`, `BOOKMARK `, …
    pub(crate) async fn line(&mut self) -> String {
        match self.next().await {
            Some(event) => format!(
                "{} {}",
                event["type"].as_str().unwrap(),
                event["object"]["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
            ),
            None => "over".to_owned(),
        }
    }
}
