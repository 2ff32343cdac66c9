//! The little of a cluster and of Stripe that the site talks to, with switches to make them fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use http::{Method, StatusCode};
use kube::Client;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::provider::stripe::Stripe;
use crate::provider::transport::Transport;

/// Objects by path; what is created twice exists already.
#[derive(Clone, Default)]
pub(super) struct Cluster(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    objects: BTreeMap<String, Value>,
    down: bool,
}

impl Cluster {
    pub(super) fn client(&self) -> Client {
        let router = Router::new().fallback(any(serve)).with_state(self.clone());
        Client::new(router, "default")
    }

    pub(super) fn goes_down(&self) {
        self.0.lock().unwrap().down = true;
    }

    pub(super) fn put(&self, path: &str, object: Value) {
        let mut shelf = self.0.lock().unwrap();
        shelf.objects.insert(path.to_owned(), object);
    }

    pub(super) fn ledger(&self) -> Vec<Value> {
        let shelf = self.0.lock().unwrap();
        let entries = shelf.objects.iter();
        entries
            .filter(|(path, _)| path.contains("/paymentevents/"))
            .map(|(_, entry)| entry.clone())
            .collect()
    }
}

fn refuse(code: StatusCode, reason: &str) -> Response {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "reason": reason, "message": reason, "code": code.as_u16()});
    (code, Json(status)).into_response()
}

async fn serve(
    State(cluster): State<Cluster>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    body: Bytes,
) -> Response {
    let mut shelf = cluster.0.lock().unwrap();
    if shelf.down {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    }
    let path = uri.path();
    if method == Method::POST {
        let object: Value = serde_json::from_slice(&body).unwrap();
        let name = object["metadata"]["name"].as_str().unwrap();
        let path = format!("{path}/{name}");
        if shelf.objects.contains_key(&path) {
            return refuse(StatusCode::CONFLICT, "AlreadyExists");
        }
        shelf.objects.insert(path, object.clone());
        return (StatusCode::CREATED, Json(object)).into_response();
    }
    if path.ends_with("/plans") {
        let list = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
            "metadata": {}, "items": []});
        return Json(list).into_response();
    }
    match shelf.objects.get(path) {
        Some(object) => Json(object.clone()).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "NotFound"),
    }
}

/// Sessions and subscriptions by id, and the checkouts that were started.
#[derive(Clone, Default)]
pub(super) struct Payments(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    objects: BTreeMap<String, Value>,
    started: Vec<BTreeMap<String, String>>,
    down: bool,
}

impl Payments {
    pub(super) fn stripe(&self, webhook_secret: &str) -> Stripe {
        let router = Router::new()
            .route("/v1/checkout/sessions", post(start))
            .route("/v1/checkout/sessions/{id}", get(read))
            .route("/v1/subscriptions/{id}", get(read))
            .with_state(self.clone());
        Stripe::new(
            Transport::in_process(router, Duration::from_secs(5)),
            "https://api.stripe.test",
            &SecretString::from("sk_test_1"),
            vec![SecretString::from(webhook_secret)],
        )
        .unwrap()
    }

    pub(super) fn goes_down(&self) {
        self.0.lock().unwrap().down = true;
    }

    pub(super) fn put(&self, object: Value) {
        let id = object["id"].as_str().unwrap().to_owned();
        self.0.lock().unwrap().objects.insert(id, object);
    }

    pub(super) fn started(&self) -> Vec<BTreeMap<String, String>> {
        self.0.lock().unwrap().started.clone()
    }
}

async fn start(State(payments): State<Payments>, body: Bytes) -> Response {
    let mut books = payments.0.lock().unwrap();
    if books.down {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap();
    books.started.push(fields.into_iter().collect());
    Json(json!({"id": "cs_1", "url": "https://checkout.stripe.test/pay/cs_1"})).into_response()
}

async fn read(State(payments): State<Payments>, Path(id): Path<String>) -> Response {
    match payments.0.lock().unwrap().objects.get(&id) {
        Some(object) => Json(object.clone()).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"error": {}}))).into_response(),
    }
}
