//! kube's own runtime against the server in process: controller, finalizer, watcher, recorder, lease.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::finalizer::{Event as Finalizer, finalizer};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::watcher;
use kube::{Client, ResourceExt};
use serde_json::json;

use crate::world::{Boat, BoatStatus, boat, harbour};

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Broken(String);

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

async fn reconcile(boat: Arc<Boat>, client: Arc<Client>) -> Result<Action, Broken> {
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
    let client = harbour().await;
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
        let afloat = |boat: Option<&Boat>| {
            boat.and_then(|boat| boat.status.as_ref())
                .is_some_and(|status| status.afloat)
        };
        await_condition(boats.clone(), "anna", afloat)
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
