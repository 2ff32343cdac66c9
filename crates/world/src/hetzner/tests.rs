//! The Hetzner simulator, asked as a client asks it: over its routes, on a paused clock.

use std::time::Duration;

use axum::{Router, body::Body, response::Response};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Fault, FaultKind, Latency, Options, Project, World, call::Api};

mod codes;
#[path = "../../tests/spec/judge.rs"]
mod judge;
mod judged;
mod lists;
mod resources;
mod servers;
mod shapes;
mod tour;
mod trouble;
mod volumes;
mod zones;

use judge::Judge;

/// One caller with one project's token.
struct Client {
    world: World,
    router: Router,
    judge: Judge,
    token: String,
}

impl Client {
    fn new(options: Options) -> Client {
        let token = options.projects[0].token.clone();
        let world = World::new(options);
        let judge = Judge::default();
        Client {
            router: judge.watch(world.hetzner()),
            judge,
            world,
            token,
        }
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1{path}"))
            .header("authorization", format!("Bearer {}", self.token));
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.deliver(request.body(body).unwrap()).await
    }

    /// What comes back, judged by Hetzner's own description as all traffic here is.
    async fn deliver(&self, request: Request<Body>) -> Response {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let wrong = self.judge.wrong();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        response
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let response = self.send(method, path, body).await;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.ask("POST", path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{path}: {body}");
        body
    }

    /// The error code that a request is refused with.
    async fn refused(&self, method: &str, path: &str, body: Option<Value>) -> String {
        let (status, body) = self.ask(method, path, body).await;
        assert!(status.is_client_error(), "{path}: {status} {body}");
        body["error"]["code"].as_str().unwrap().to_owned()
    }

    /// A server named so, and its id.
    async fn server(&self, name: &str) -> u64 {
        self.post("/servers", new_server(name)).await["server"]["id"]
            .as_u64()
            .unwrap()
    }

    async fn status(&self, server: u64) -> String {
        self.get(&format!("/servers/{server}")).await["server"]["status"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn new_server(name: &str) -> Value {
    json!({ "name": name, "server_type": "cx23", "image": "ubuntu-24.04", "location": "fsn1",
            "labels": { "owner": name } })
}

fn at_once() -> Options {
    Options {
        latency: Latency::zero(),
        ..Options::default()
    }
}

/// Lets this much time pass at once.
async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}
