//! Two candidates and one Lease, kept by a few lines that swap only on the right resourceVersion.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::*;

#[derive(Clone, Default)]
struct Cluster(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    lease: Option<Value>,
    version: u64,
    down: bool,
}

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

fn refuse(code: StatusCode, reason: &str) -> Response {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "reason": reason, "message": reason, "code": code.as_u16()});
    (code, Json(status)).into_response()
}

async fn put(State(cluster): State<Cluster>, Json(mut lease): Json<Value>) -> Response {
    let mut inner = cluster.0.lock().unwrap();
    if inner.down {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    }
    let stored = inner
        .lease
        .as_ref()
        .map(|lease| lease["metadata"]["resourceVersion"].clone());
    let sent = lease["metadata"].get("resourceVersion").cloned();
    if stored != sent {
        return refuse(StatusCode::CONFLICT, "Conflict");
    }
    inner.version += 1;
    lease["metadata"]["resourceVersion"] = inner.version.to_string().into();
    inner.lease = Some(lease.clone());
    Json(lease).into_response()
}

async fn read(State(cluster): State<Cluster>) -> Response {
    let inner = cluster.0.lock().unwrap();
    match &inner.lease {
        _ if inner.down => refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        Some(lease) => Json(lease.clone()).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "NotFound"),
    }
}

impl Cluster {
    fn candidate(&self, identity: &str, clock: Clock) -> Candidate {
        let router = Router::new()
            .route(LEASES, post(put))
            .route(&format!("{LEASES}/leader"), get(read).put(put))
            .with_state(self.clone());
        let client = Client::new(router, "default");
        Candidate::new(
            client,
            "default",
            "leader",
            identity,
            Duration::from_secs(15),
            clock,
        )
    }

    fn holder(&self) -> Value {
        self.0.lock().unwrap().lease.as_ref().unwrap()["spec"]["holderIdentity"].clone()
    }
}

fn clock() -> Clock {
    Clock::from(jiff::Timestamp::from_second(1_000_000).unwrap())
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_when_it_dies_the_other_does_after_the_lease_has_run_out() {
    let (cluster, clock) = (Cluster::default(), clock());
    let (first, second) = (
        cluster.candidate("first", clock),
        cluster.candidate("second", clock),
    );
    assert!(first.campaign().await.unwrap());
    assert!(!second.campaign().await.unwrap());
    tokio::time::advance(Duration::from_secs(16)).await;
    assert!(second.campaign().await.unwrap());
    assert!(!first.campaign().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn of_two_that_ask_together_one_wins() {
    let (cluster, clock) = (Cluster::default(), clock());
    let (first, second) = (
        cluster.candidate("first", clock),
        cluster.candidate("second", clock),
    );
    let (a, b) = tokio::join!(first.campaign(), second.campaign());
    assert!(a.unwrap() ^ b.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_stops_gives_the_lease_up() {
    let (cluster, clock) = (Cluster::default(), clock());
    let (leads, mut seen) = watch::channel(false);
    let stop = CancellationToken::new();
    let candidate = cluster.candidate("first", clock);
    let watching = async {
        seen.wait_for(|leads| *leads).await.unwrap();
        assert_eq!(cluster.holder(), "first");
        stop.cancel();
    };
    tokio::join!(candidate.run(&leads, stop.clone()), watching);
    assert!(!*leads.borrow());
    assert_eq!(cluster.holder(), Value::Null);
    assert!(cluster.candidate("second", clock).campaign().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_reach_the_cluster_steps_down_before_its_lease_runs_out() {
    let (cluster, clock) = (Cluster::default(), clock());
    let (leads, mut seen) = watch::channel(false);
    let stop = CancellationToken::new();
    let candidate = cluster.candidate("first", clock);
    let watching = async {
        seen.wait_for(|leads| *leads).await.unwrap();
        cluster.0.lock().unwrap().down = true;
        let cut_off = Instant::now();
        seen.wait_for(|leads| !*leads).await.unwrap();
        assert!(
            cut_off.elapsed() <= Duration::from_secs(15),
            "{:?}",
            cut_off.elapsed()
        );
        stop.cancel();
    };
    tokio::join!(candidate.run(&leads, stop.clone()), watching);
}

#[tokio::test(start_paused = true)]
async fn work_begins_with_a_term_ends_with_it_and_begins_again_with_the_next() {
    let (leads, seen) = watch::channel(false);
    let stop = CancellationToken::new();
    let terms = Mutex::new(Vec::new());
    let work = |term: CancellationToken| {
        terms.lock().unwrap().push("begun");
        let terms = &terms;
        async move {
            term.cancelled().await;
            terms.lock().unwrap().push("ended");
        }
    };
    let told = || terms.lock().unwrap().len();
    let elections = async {
        for (leading, expected) in [(true, 1), (false, 2), (true, 3)] {
            leads.send_replace(leading);
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(told(), expected);
        }
        stop.cancel();
    };
    tokio::join!(while_leading(seen, stop.clone(), work), elections);
    assert_eq!(*terms.lock().unwrap(), ["begun", "ended", "begun", "ended"]);
}
