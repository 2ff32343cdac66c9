//! Objects a server has from its start: made under the rules every client is under, once.

use kube::api::Api;
use kube::{Client, CustomResourceExt, Resource, ResourceExt};
use kube_embedded::{BuildError, PreloadError, Server, Storage};
use serde_json::json;

use crate::world::{Boat, boat};

#[tokio::test]
async fn a_definition_and_its_objects_are_there_from_the_start_and_survive_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut uids = Vec::new();
    for colour in ["red", "blue"] {
        let storage = Storage::sqlite(folder.path().join("state.db")).await;
        let server = Server::builder()
            .storage(storage.unwrap())
            .object(&Boat::crd())
            .object(
                &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "bay" } }),
            )
            .object(&{
                let mut boat = boat("anna", colour);
                boat.meta_mut().namespace = Some("bay".to_owned());
                boat
            })
            .build();
        let client = Client::new(server.await.unwrap(), "default");
        let anna = Api::<Boat>::namespaced(client, "bay")
            .get("anna")
            .await
            .unwrap();
        assert_eq!(anna.spec.colour, "red", "what is there is left as it is");
        uids.push(anna.uid().unwrap());
    }
    assert_eq!(uids[0], uids[1]);
}

#[tokio::test]
async fn what_no_client_could_make_is_refused_with_the_servers_words() {
    let bare = Server::builder().object(&boat("anna", "red")).build().await;
    let Err(BuildError::Object(PreloadError::UnknownKind { kind, .. })) = bare else {
        panic!("no boats without their definition");
    };
    assert_eq!(kind, "Boat");
    let wrong = Server::builder()
        .object(&Boat::crd())
        .object(&boat("anna", "x"))
        .build()
        .await;
    let Err(BuildError::Object(PreloadError::Refused { name, why })) = wrong else {
        panic!("no boats against the rules");
    };
    assert_eq!(name, "anna");
    assert!(why.contains("spec.colour"), "{why}");
}
