//! Controllers on kube's own runtime: each story comes to the same end on every server.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Event as CoreEvent, Namespace};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::events::{Event, EventType, Recorder};
use kube::runtime::finalizer::{Event as Finalizer, finalizer};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Client, CustomResource, CustomResourceExt, Resource, ResourceExt};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Reached;

const NAMESPACE: &str = "controllers";
/// How long a story may take on a machine that does much else.
const LIMIT: Duration = Duration::from_mins(2);

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[kube(
    group = "controllers.example.dev",
    version = "v1",
    kind = "Raft",
    namespaced,
    status = "RaftStatus"
)]
struct RaftSpec {
    logs: u32,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, schemars::JsonSchema)]
struct RaftStatus {
    afloat: bool,
}

#[derive(Debug, thiserror::Error)]
enum Sunk {
    #[error("the server refused")]
    Refused(#[source] kube::Error),
    #[error("the finalizer failed")]
    Finalizer(#[source] Box<kube::runtime::finalizer::Error<Sunk>>),
}

async fn client(server: &Reached) -> Client {
    let read = Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(read, &options).await;
    Client::try_from(config.unwrap()).unwrap()
}

async fn prepare(client: &Client) {
    let namespace = Namespace {
        metadata: kube::core::ObjectMeta {
            name: Some(NAMESPACE.to_owned()),
            ..Default::default()
        },
        ..Default::default()
    };
    let by = PostParams::default();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.create(&by, &namespace).await.unwrap();
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    definitions.create(&by, &Raft::crd()).await.unwrap();
    let established = conditions::is_crd_established();
    await_condition(definitions, Raft::crd_name(), established)
        .await
        .unwrap();
}

/// A raft has a map of its own, a status, and a finalizer that leaves a note.
async fn reconcile(raft: Arc<Raft>, client: Arc<Client>) -> Result<Action, Sunk> {
    let rafts: Api<Raft> = Api::namespaced(Client::clone(&client), NAMESPACE);
    let maps: Api<ConfigMap> = Api::namespaced(Client::clone(&client), NAMESPACE);
    finalizer(&rafts, "example.dev/rope", raft, |event| async {
        match event {
            Finalizer::Apply(raft) => float(&rafts, &maps, &raft).await,
            Finalizer::Cleanup(raft) => {
                let note = json!({ "metadata": { "name": format!("{}-gone", raft.name_any()) } });
                apply(&maps, &format!("{}-gone", raft.name_any()), note).await
            }
        }
    })
    .await
    .map_err(|error| Sunk::Finalizer(Box::new(error)))
}

async fn float(rafts: &Api<Raft>, maps: &Api<ConfigMap>, raft: &Raft) -> Result<Action, Sunk> {
    let name = raft.name_any();
    let map = json!({
        "metadata": { "name": name, "ownerReferences": [raft.controller_owner_ref(&()).unwrap()] },
        "data": { "logs": raft.spec.logs.to_string() },
    });
    apply(maps, &name, map).await?;
    let status = json!({
        "apiVersion": Raft::api_version(&()),
        "kind": Raft::kind(&()),
        "status": RaftStatus { afloat: true },
    });
    let by = PatchParams::apply("controller").force();
    let patched = rafts.patch_status(&name, &by, &Patch::Apply(&status)).await;
    patched.map_err(Sunk::Refused)?;
    Ok(Action::await_change())
}

async fn apply(
    maps: &Api<ConfigMap>,
    name: &str,
    mut map: serde_json::Value,
) -> Result<Action, Sunk> {
    map["apiVersion"] = "v1".into();
    map["kind"] = "ConfigMap".into();
    let by = PatchParams::apply("controller").force();
    let applied = maps.patch(name, &by, &Patch::Apply(&map)).await;
    applied.map_err(Sunk::Refused)?;
    Ok(Action::await_change())
}

/// A raft is made, changed and taken away under a running controller.
async fn a_raft_is_kept(client: &Client) {
    let rafts: Api<Raft> = Api::namespaced(client.clone(), NAMESPACE);
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let controller = Controller::new(rafts.clone(), watcher::Config::default())
        .owns(maps.clone(), watcher::Config::default())
        .run(
            reconcile,
            |_, _, _| Action::requeue(Duration::from_millis(100)),
            Arc::new(client.clone()),
        )
        .for_each(|_| async {});
    let story = async {
        let by = PostParams::default();
        let raft = rafts
            .create(&by, &Raft::new("anna", RaftSpec { logs: 4 }))
            .await
            .unwrap();
        await_condition(rafts.clone(), "anna", |raft: Option<&Raft>| {
            raft.is_some_and(|raft| raft.status.as_ref().is_some_and(|status| status.afloat))
        })
        .await
        .unwrap();
        let more = Patch::Merge(json!({ "spec": { "logs": 5 } }));
        rafts
            .patch("anna", &PatchParams::default(), &more)
            .await
            .unwrap();
        await_condition(maps.clone(), "anna", says("logs", "5"))
            .await
            .unwrap();
        // What is taken away behind the controller's back comes again.
        maps.delete("anna", &DeleteParams::default()).await.unwrap();
        await_condition(maps.clone(), "anna", says("logs", "5"))
            .await
            .unwrap();
        rafts
            .delete("anna", &DeleteParams::default())
            .await
            .unwrap();
        let uid = raft.uid().unwrap();
        let gone = conditions::is_deleted(&uid);
        await_condition(rafts.clone(), "anna", gone).await.unwrap();
        assert!(maps.get_opt("anna-gone").await.unwrap().is_some());
    };
    tokio::select! {
        () = controller => panic!("a controller does not end"),
        () = story => {}
    }
}

fn says(key: &'static str, value: &'static str) -> impl Fn(Option<&ConfigMap>) -> bool {
    move |map| {
        let data = map.and_then(|map| map.data.as_ref());
        data.and_then(|data| data.get(key))
            .is_some_and(|said| said == value)
    }
}

async fn a_recorder_repeats_itself(client: &Client) {
    let rafts: Api<Raft> = Api::namespaced(client.clone(), NAMESPACE);
    let raft = Raft::new("noted", RaftSpec { logs: 1 });
    let raft = rafts.create(&PostParams::default(), &raft).await.unwrap();
    let recorder = Recorder::new(client.clone(), "example.dev/controller".into());
    let event = Event {
        type_: EventType::Normal,
        reason: "Tied".into(),
        note: Some("to the bank".into()),
        action: "Tie".into(),
        secondary: None,
    };
    for _ in 0..3 {
        recorder
            .publish(&event, &raft.object_ref(&()))
            .await
            .unwrap();
    }
    let events: Api<CoreEvent> = Api::namespaced(client.clone(), NAMESPACE);
    let about = ListParams::default().fields("involvedObject.name=noted");
    let found = events.list(&about).await.unwrap().items;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message.as_deref(), Some("to the bank"));
    assert_eq!(found[0].series.as_ref().unwrap().count, Some(3));
}

/// Both kinds of watchers fill a store, and keep it so.
async fn stores_are_filled(client: &Client) {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let by = PostParams::default();
    let map = |name: String| -> ConfigMap {
        serde_json::from_value(
            json!({ "metadata": { "name": name, "labels": { "story": "stores" } } }),
        )
        .unwrap()
    };
    for number in 0..25 {
        maps.create(&by, &map(format!("m{number}"))).await.unwrap();
    }
    let listed = watcher::Config::default()
        .labels("story=stores")
        .page_size(10);
    let streamed = watcher::Config::default()
        .labels("story=stores")
        .streaming_lists();
    for (config, name) in [(listed, "listed"), (streamed, "streamed")] {
        let (reader, writer) = reflector::store();
        let mut stream = watcher(maps.clone(), config)
            .default_backoff()
            .reflect(writer)
            .boxed();
        while !matches!(stream.next().await, Some(Ok(watcher::Event::InitDone))) {}
        let before = reader.len();
        maps.create(&by, &map(name.to_owned())).await.unwrap();
        maps.delete(&format!("m{before}-not"), &DeleteParams::default())
            .await
            .unwrap_err();
        while reader.len() == before {
            stream.try_next().await.unwrap();
        }
        assert!(reader.state().iter().any(|map| map.name_any() == name));
    }
    let every = maps
        .list(&ListParams::default().labels("story=stores"))
        .await
        .unwrap();
    assert_eq!(every.items.len(), 27);
}

/// Of two that want a lease one gets it; the other does when it has run out, and not before.
async fn a_lease_has_one_holder(client: &Client) {
    let leases: Api<Lease> = Api::namespaced(client.clone(), NAMESPACE);
    let by = PostParams::default();
    let wanted = |holder: &str| -> Lease {
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
    let (one, two) = (wanted("one"), wanted("two"));
    let (first, second) = tokio::join!(leases.create(&by, &one), leases.create(&by, &two));
    assert!(first.is_ok() != second.is_ok(), "one of them has it");
    let held = leases.get("leader").await.unwrap();
    let claim = |holder: &str| Lease {
        metadata: held.metadata.clone(),
        ..wanted(holder)
    };
    let (three, four) = (claim("three"), claim("four"));
    let (third, fourth) = tokio::join!(
        leases.replace("leader", &by, &three),
        leases.replace("leader", &by, &four)
    );
    assert!(third.is_ok() != fourth.is_ok(), "one of them took it over");
    let late = leases
        .replace("leader", &by, &claim("five"))
        .await
        .unwrap_err();
    assert!(matches!(late, kube::Error::Api(status) if status.is_conflict()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn controllers_come_to_the_same_end_on_every_server() {
    // Another test may have chosen it already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let test = "controllers_come_to_the_same_end_on_every_server";
    let Some(servers) = Reached::all(test).await else {
        return;
    };
    for server in servers {
        let client = client(&server).await;
        let stories = async {
            prepare(&client).await;
            tokio::join!(
                a_raft_is_kept(&client),
                a_recorder_repeats_itself(&client),
                stores_are_filled(&client),
                a_lease_has_one_holder(&client),
            );
        };
        let ended = tokio::time::timeout(LIMIT, Box::pin(stories)).await;
        assert!(ended.is_ok(), "{}: a story has no end", server.name);
    }
}
