//! The work that is measured: requests for custom resources, as controllers make them, and what watchers see of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::future::try_join_all;
use http::Request;
use http_body_util::BodyExt;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const DEFINITION: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// Watchers of one object.
pub(super) const WATCHERS: u64 = 100;
/// How long one change may take to reach all of them.
const SEEN_LIMIT: Duration = Duration::from_secs(30);

type Ask = Request<Vec<u8>>;

/// The path of the boats of a namespace.
pub(super) fn boats(namespace: &str) -> String {
    format!("/apis/bench.example.dev/v1/namespaces/{namespace}/boats")
}

/// An object of about 1 kB, as custom resources are: a spec with a list and a map, labels, an annotation.
fn boat(name: &str, colour: &str) -> Value {
    let crew = |number: u32| json!({ "name": format!("sailor-{number}"), "rank": "able seaman", "watch": number % 3 });
    json!({
        "apiVersion": "bench.example.dev/v1",
        "kind": "Boat",
        "metadata": {
            "name": name,
            "labels": { "fleet": "north", "harbour": "west-3" },
            "annotations": { "example.dev/note": "painted in spring, launched in summer, beached in autumn" },
        },
        "spec": {
            "colour": colour,
            "length": 12,
            "crew": (0..6).map(crew).collect::<Vec<_>>(),
            "lights": { "port": "red", "starboard": "green", "stern": "white", "mast": "white" },
            "berth": { "pier": "a very long pier in the west of the harbour", "number": 12 },
        },
    })
}

/// Its definition: a structural schema with bounds, an enum, a list by key, a default and a rule.
fn definition() -> Value {
    let text = json!({ "type": "string", "maxLength": 64 });
    let schema = json!({
        "type": "object",
        "required": ["spec"],
        "properties": {
            "spec": {
                "type": "object",
                "required": ["colour"],
                "properties": {
                    "colour": { "type": "string", "enum": ["red", "green", "blue"] },
                    "length": { "type": "integer", "minimum": 1, "maximum": 400 },
                    "afloat": { "type": "boolean", "default": true },
                    "crew": {
                        "type": "array",
                        "maxItems": 20,
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {
                            "type": "object",
                            "required": ["name"],
                            "properties": { "name": text, "rank": text, "watch": { "type": "integer" } },
                        },
                    },
                    "lights": { "type": "object", "additionalProperties": text },
                    "berth": {
                        "type": "object",
                        "properties": { "pier": text, "number": { "type": "integer" } },
                    },
                },
                "x-kubernetes-validations": [{ "rule": "!has(self.length) || self.length < 300" }],
            },
            "status": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
        },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "boats.bench.example.dev" },
        "spec": {
            "group": "bench.example.dev",
            "scope": "Namespaced",
            "names": { "plural": "boats", "singular": "boat", "kind": "Boat", "listKind": "BoatList" },
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": schema },
            }],
        },
    })
}

fn ask(method: &str, path: &str, form: &str, body: &Value) -> Result<Ask> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", form)
        .header("accept", "application/json")
        .body(body.to_string().into_bytes())
        .context("write a request")
}

pub(super) fn create(namespace: &str, name: &str) -> Result<Ask> {
    ask(
        "POST",
        &boats(namespace),
        "application/json",
        &boat(name, "red"),
    )
}

pub(super) fn get(path: &str) -> Result<Ask> {
    Request::builder()
        .uri(path)
        .header("accept", "application/json")
        .body(Vec::new())
        .context("write a request")
}

pub(super) fn delete(path: &str) -> Result<Ask> {
    ask("DELETE", path, "application/json", &json!({}))
}

/// A merge patch that changes two values; `turn` makes it another than the one before.
pub(super) fn patch(path: &str, turn: u64) -> Result<Ask> {
    let changed = json!({ "spec": { "length": 1 + turn % 200, "colour": colour(turn) } });
    ask("PATCH", path, "application/merge-patch+json", &changed)
}

/// The whole object, applied by another manager than the one that made it.
pub(super) fn apply(namespace: &str, name: &str, turn: u64) -> Result<Ask> {
    let mut boat = boat(name, colour(turn));
    boat["spec"]["length"] = json!(1 + turn % 200);
    let path = format!(
        "{}/{name}?fieldManager=bench-applier&force=true",
        boats(namespace)
    );
    ask("PATCH", &path, "application/apply-patch+yaml", &boat)
}

fn colour(turn: u64) -> &'static str {
    ["red", "green", "blue"][usize::try_from(turn % 3).unwrap_or_default()]
}

/// Makes the definition and waits until it is served.
pub(super) async fn define(client: &Client) -> Result<()> {
    let define = ask("POST", DEFINITION, "application/json", &definition())?;
    client.request_text(define).await.context("define")?;
    let begun = Instant::now();
    while client.request_text(get(&boats("default"))?).await.is_err() {
        ensure!(begun.elapsed() < SEEN_LIMIT, "the definition is not served");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

pub(super) async fn make_namespace(client: &Client, name: &str) -> Result<()> {
    let namespace =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let make = ask("POST", "/api/v1/namespaces", "application/json", &namespace)?;
    client
        .request_text(make)
        .await
        .context("make a namespace")?;
    Ok(())
}

/// Makes boats `b<number>`, from `from` up to `to`.
pub(super) async fn fill(client: &Client, namespace: &str, from: u64, to: u64) -> Result<()> {
    let next = AtomicU64::new(from);
    let make = async || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= to {
            return anyhow::Ok(());
        }
        let create = create(namespace, &format!("b{number}"))?;
        client.request_text(create).await.context("fill")?;
    };
    try_join_all((0..32).map(|_| make())).await?;
    Ok(())
}

/// Reads an object, changes it, and writes it back whole.
pub(super) async fn update(client: &Client, path: &str, turn: u64) -> Result<()> {
    let text = client.request_text(get(path)?).await.context("read")?;
    let mut object: Value = serde_json::from_str(&text).context("read an object")?;
    object["spec"]["length"] = json!(1 + turn % 200);
    let update = ask("PUT", path, "application/json", &object)?;
    client.request_text(update).await.context("update")?;
    Ok(())
}

/// How often `work` is done in a second by that many at a time. It is given numbers from `next` on, and says whether
/// there is more to do.
pub(super) async fn rate(
    workers: u64,
    time: Duration,
    next: &AtomicU64,
    work: impl AsyncFn(u64) -> Result<bool>,
) -> Result<f64> {
    let begun = Instant::now();
    let done = AtomicU64::new(0);
    let worker = async || {
        while begun.elapsed() < time && work(next.fetch_add(1, Ordering::Relaxed)).await? {
            done.fetch_add(1, Ordering::Relaxed);
        }
        anyhow::Ok(())
    };
    try_join_all((0..workers).map(|_| worker())).await?;
    let done = done.into_inner();
    ensure!(done > 0, "nothing was done in {time:?}");
    Ok(count(done) / begun.elapsed().as_secs_f64())
}

/// Many watchers of one namespace.
pub(super) struct Watchers {
    seen: mpsc::Receiver<Instant>,
    _watching: JoinSet<Result<()>>,
}

impl Watchers {
    pub(super) async fn start(client: &Client, namespace: &str) -> Result<Self> {
        let list = client
            .request_text(get(&boats(namespace))?)
            .await
            .context("list")?;
        let list: Value = serde_json::from_str(&list).context("read a list")?;
        let version = list["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default();
        let path = format!("{}?watch=true&resourceVersion={version}", boats(namespace));
        let (sender, seen) = mpsc::channel(1024);
        let mut watching = JoinSet::new();
        for _ in 0..WATCHERS {
            let answer = client
                .send(get(&path)?.map(Body::from))
                .await
                .context("watch")?;
            ensure!(answer.status().is_success(), "a watch is refused");
            let sender = sender.clone();
            watching.spawn(async move {
                let mut body = answer.into_body();
                while let Some(frame) = body.frame().await {
                    let chunk = frame?.into_data().unwrap_or_default();
                    for _ in chunk.iter().filter(|byte| **byte == b'\n') {
                        sender.send(Instant::now()).await?;
                    }
                }
                Ok(())
            });
        }
        Ok(Self {
            seen,
            _watching: watching,
        })
    }

    /// How long after it was asked for each watcher saw a change, which `work` makes; one change after the other.
    pub(super) async fn latencies(
        &mut self,
        time: Duration,
        work: impl AsyncFn() -> Result<()>,
    ) -> Result<Vec<Duration>> {
        let begun = Instant::now();
        let mut latencies = Vec::new();
        while begun.elapsed() < time {
            let asked = Instant::now();
            work().await?;
            for _ in 0..WATCHERS {
                let seen = tokio::time::timeout(SEEN_LIMIT, self.seen.recv()).await;
                let Ok(Some(seen)) = seen else {
                    bail!("a change was not seen by all watchers");
                };
                latencies.push(seen - asked);
            }
        }
        Ok(latencies)
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts far below what an f64 holds exactly"
)]
pub(super) fn count(count: u64) -> f64 {
    count as f64
}
