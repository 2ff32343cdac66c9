//! kube's own runtime against the server in process, in memory and on `SQLite`: controller, finalizer, watcher, recorder,
//! lease.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Event as CoreEvent;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{Action, Controller};
use kube::runtime::events::{Event, EventType, Recorder};
use kube::runtime::finalizer::{Event as Finalizer, finalizer};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Client, Resource, ResourceExt};
use kube_embedded::Server;
use serde_json::json;

use crate::world::{Boat, BoatStatus, boat, define, harbours};

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(String);

async fn float(boats: &Api<Boat>, boat: &Boat) -> Result<Action, Broken> {
    let status = json!({
        "apiVersion": "example.dev/v1",
        "kind": "Boat",
        "status": BoatStatus { afloat: true, conditions: Vec::new() },
    });
    let by = PatchParams::apply("controller").force();
    boats
        .patch_status(&boat.name_any(), &by, &Patch::Apply(&status))
        .await
        .map_err(|error| Broken(error.to_string()))?;
    Ok(Action::await_change())
}

pub(crate) fn is_afloat(boat: Option<&Boat>) -> bool {
    let status = boat.and_then(|boat| boat.status.as_ref());
    status.is_some_and(|status| status.afloat)
}

pub(crate) async fn reconcile(boat: Arc<Boat>, client: Arc<Client>) -> Result<Action, Broken> {
    let boats: Api<Boat> = Api::namespaced(Client::clone(&client), "default");
    finalizer(&boats, "example.dev/anchor", boat, |event| async {
        match event {
            Finalizer::Apply(boat) => float(&boats, &boat).await,
            Finalizer::Cleanup(_) => Ok(Action::await_change()),
        }
    })
    .await
    .map_err(|error| Broken(error.to_string()))
}

#[tokio::test(start_paused = true)]
async fn a_controller_brings_a_boat_afloat_and_lets_it_go() {
    for harbour in harbours().await {
        a_boat_floats(harbour.client).await;
    }
}

async fn a_boat_floats(client: Client) {
    let boats: Api<Boat> = Api::namespaced(client.clone(), "default");
    let controller = Controller::new(boats.clone(), watcher::Config::default())
        .run(
            reconcile,
            |_, _, _| Action::requeue(Duration::from_secs(1)),
            Arc::new(client),
        )
        .for_each(|_| async {});
    let story = async {
        boats
            .create(&PostParams::default(), &boat("anna", "red"))
            .await
            .unwrap();
        await_condition(boats.clone(), "anna", is_afloat)
            .await
            .unwrap();
        let seen = boats.get("anna").await.unwrap();
        assert_eq!(seen.finalizers(), ["example.dev/anchor"]);
        assert_eq!(seen.metadata.generation, Some(1));
        boats
            .delete("anna", &DeleteParams::default())
            .await
            .unwrap();
        let uid = seen.uid().unwrap();
        await_condition(boats.clone(), "anna", conditions::is_deleted(&uid))
            .await
            .unwrap();
        assert!(
            boats
                .list(&ListParams::default())
                .await
                .unwrap()
                .items
                .is_empty()
        );
    };
    tokio::select! {
        () = controller => unreachable!("a controller does not end"),
        () = story => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_recorder_reports_and_repeats() {
    for harbour in harbours().await {
        a_voyage_is_reported(harbour.client).await;
    }
}

async fn a_voyage_is_reported(client: Client) {
    let boats: Api<Boat> = Api::namespaced(client.clone(), "default");
    let anna = boats
        .create(&PostParams::default(), &boat("anna", "red"))
        .await
        .unwrap();
    let recorder = Recorder::new(client.clone(), "example.dev/controller".into());
    let sailed = Event {
        type_: EventType::Normal,
        reason: "Sailed".into(),
        note: Some("out of the harbour".into()),
        action: "Sail".into(),
        secondary: None,
    };
    for _ in 0..3 {
        recorder
            .publish(&sailed, &anna.object_ref(&()))
            .await
            .unwrap();
    }
    let events: Api<CoreEvent> = Api::namespaced(client, "default");
    let about = ListParams::default().fields("involvedObject.name=anna");
    let found = events.list(&about).await.unwrap().items;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message.as_deref(), Some("out of the harbour"));
    assert_eq!(found[0].series.as_ref().unwrap().count, Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_taken_by_one_of_two() {
    for harbour in harbours().await {
        a_lease_is_taken(harbour.client).await;
    }
}

async fn a_lease_is_taken(client: Client) {
    let leases: Api<Lease> = Api::namespaced(client, "default");
    let lease = |holder: &str| -> Lease {
        serde_json::from_value(json!({
            "metadata": { "name": "leader" },
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": 15,
                "renewTime": "2026-01-01T00:00:00.000000Z",
            },
        }))
        .unwrap()
    };
    let first = leases
        .create(&PostParams::default(), &lease("a"))
        .await
        .unwrap();
    let taken = leases
        .create(&PostParams::default(), &lease("b"))
        .await
        .unwrap_err();
    assert!(matches!(taken, kube::Error::Api(status) if status.is_already_exists()));
    let claim = |holder: &str| Lease {
        metadata: first.metadata.clone(),
        ..lease(holder)
    };
    let (b, c) = (claim("b"), claim("c"));
    let by = PostParams::default();
    let (b, c) = tokio::join!(
        leases.replace("leader", &by, &b),
        leases.replace("leader", &by, &c)
    );
    assert!(b.is_ok() != c.is_ok(), "one of them has it");
    let holder = if b.is_ok() { "b" } else { "c" };
    let held = leases.get("leader").await.unwrap().spec.unwrap();
    assert_eq!(held.holder_identity.as_deref(), Some(holder));
    let late = leases
        .replace("leader", &by, &claim("d"))
        .await
        .unwrap_err();
    assert!(matches!(late, kube::Error::Api(status) if status.is_conflict()));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_pages_through_what_there_is_and_lists_again_when_it_is_too_late() {
    let server = Server::builder()
        .seed(1)
        .event_window(4)
        .build()
        .await
        .unwrap();
    let client = Client::new(server, "default");
    define(&client).await;
    let boats: Api<Boat> = Api::namespaced(client, "default");
    for number in 0..25 {
        boats
            .create(&PostParams::default(), &boat(&format!("b{number}"), "red"))
            .await
            .unwrap();
    }
    let config = watcher::Config::default().page_size(10);
    let (reader, writer) = reflector::store();
    let mut stream = watcher(boats.clone(), config)
        .default_backoff()
        .reflect(writer)
        .boxed();
    while !matches!(stream.next().await, Some(Ok(watcher::Event::InitDone))) {}
    assert_eq!(reader.len(), 25);
    // More than the window remembers, while nobody looks.
    for number in 0..25 {
        boats
            .delete(&format!("b{number}"), &DeleteParams::default())
            .await
            .unwrap();
    }
    boats
        .create(&PostParams::default(), &boat("last", "red"))
        .await
        .unwrap();
    while reader.len() != 1 {
        let _ = stream.next().await.unwrap();
    }
    assert_eq!(reader.state()[0].name_any(), "last");
}

#[tokio::test(start_paused = true)]
async fn a_streaming_watcher_and_one_of_metadata_see_the_same() {
    for harbour in harbours().await {
        watchers_agree(harbour.client).await;
    }
}

async fn watchers_agree(client: Client) {
    let boats: Api<Boat> = Api::namespaced(client.clone(), "default");
    boats
        .create(&PostParams::default(), &boat("anna", "red"))
        .await
        .unwrap();
    let streaming = watcher::Config::default().streaming_lists();
    let mut whole = watcher(boats.clone(), streaming).applied_objects().boxed();
    let metadata: Api<PartialObjectMeta<Boat>> = Api::namespaced(client, "default");
    let mut metadata = watcher(metadata, watcher::Config::default())
        .applied_objects()
        .boxed();
    let anna = whole.next().await.unwrap().unwrap();
    assert_eq!(anna.spec.colour, "red");
    assert_eq!(metadata.next().await.unwrap().unwrap().uid(), anna.uid());
    boats
        .create(&PostParams::default(), &boat("berta", "red"))
        .await
        .unwrap();
    assert_eq!(whole.next().await.unwrap().unwrap().name_any(), "berta");
    assert_eq!(metadata.next().await.unwrap().unwrap().name_any(), "berta");
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_and_clock_make_the_same_world() {
    let world = || async {
        let clock = || "2026-01-01T00:00:00Z".parse().unwrap();
        let server = Server::builder()
            .seed(7)
            .clock(clock)
            .build()
            .await
            .unwrap();
        let client = Client::new(server, "default");
        define(&client).await;
        let boats: Api<Boat> = Api::namespaced(client, "default");
        let mut new = boat("", "red");
        new.metadata.name = None;
        new.metadata.generate_name = Some("b-".into());
        boats.create(&PostParams::default(), &new).await.unwrap()
    };
    let (first, second) = (world().await, world().await);
    assert_eq!(first.metadata, second.metadata);
    assert!(first.uid().is_some());
}
