//! What the tests share: a kind of their own, and a server that has it.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::PostParams;
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, CustomResource, CustomResourceExt, KubeSchema};
use kube_embedded::{Server, Storage};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Deserialize, Serialize)]
#[kube(
    group = "example.dev",
    version = "v1",
    kind = "Boat",
    namespaced,
    status = "BoatStatus",
    shortname = "bo",
    category = "all",
    printcolumn(name = "Colour", type_ = "string", json_path = ".spec.colour"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Seats",
        type_ = "integer",
        json_path = ".spec.seats",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    selectable = ".spec.colour"
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BoatSpec {
    /// What it is painted in
    #[schemars(length(min = 3, max = 20))]
    pub colour: String,
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub seats: u32,
    #[serde(default)]
    pub crew: Vec<String>,
}

fn one() -> u32 {
    1
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BoatStatus {
    #[serde(default)]
    pub afloat: bool,
    #[serde(default)]
    pub conditions: Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition>,
}

pub(crate) struct Harbour {
    pub(crate) client: Client,
    _folder: Option<TempDir>,
}

/// One in memory, and one on `SQLite`.
pub(crate) async fn harbours() -> [Harbour; 2] {
    let folder = tempfile::tempdir().unwrap();
    let file = Storage::sqlite(folder.path().join("state.db")).await;
    let memory = harbour_on(Storage::memory(), None).await;
    [memory, harbour_on(file.unwrap(), Some(folder)).await]
}

async fn harbour_on(storage: Storage, folder: Option<TempDir>) -> Harbour {
    let server = Server::builder()
        .seed(1)
        .storage(storage)
        .object(&Boat::crd())
        .build();
    Harbour {
        client: Client::new(server.await.unwrap(), "default"),
        _folder: folder,
    }
}

pub(crate) async fn define(client: &Client) {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    definitions
        .create(&PostParams::default(), &Boat::crd())
        .await
        .unwrap();
    await_condition(
        definitions,
        "boats.example.dev",
        conditions::is_crd_established(),
    )
    .await
    .unwrap();
}

pub(crate) fn boat(name: &str, colour: &str) -> Boat {
    Boat::new(
        name,
        BoatSpec {
            colour: colour.to_owned(),
            seats: 2,
            crew: Vec::new(),
        },
    )
}
