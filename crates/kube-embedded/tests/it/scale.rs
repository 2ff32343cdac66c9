//! The scale of custom objects, and one kind in two versions.

use kube_embedded::Server;
use serde_json::{Value, json};

use crate::http::Wire;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const FLEETS: &str = "/apis/example.dev/v1/namespaces/default/fleets";
const NEWER: &str = "/apis/example.dev/v2/namespaces/default/fleets";

/// `v1` is stored and knows `size` and `port`; `v2` knows `size` and `flag`.
async fn sea() -> Wire {
    let wire = Wire::of(Server::builder()).await;
    let version = |name: &str, properties: Value| {
        let spec = json!({ "type": "object", "properties": properties });
        let status = json!({ "type": "object", "properties": { "size": { "type": "integer" } } });
        json!({
            "name": name, "served": true, "storage": name == "v1",
            "schema": { "openAPIV3Schema": {
                "type": "object", "properties": { "spec": spec, "status": status },
            } },
            "subresources": { "status": {}, "scale": {
                "specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size",
            } },
        })
    };
    let port = json!({ "type": "string", "default": "Kiel" });
    let flag = json!({ "type": "string", "default": "white" });
    let size = json!({ "type": "integer" });
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "fleets.example.dev" },
        "spec": {
            "group": "example.dev", "scope": "Namespaced",
            "names": { "plural": "fleets", "kind": "Fleet" },
            "versions": [
                version("v1", json!({ "size": size, "port": port })),
                version("v2", json!({ "size": size, "flag": flag })),
            ],
        },
    });
    wire.post(DEFINITIONS, definition).await.expect(201);
    wire
}

fn fleet(version: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": format!("example.dev/{version}"), "kind": "Fleet",
        "metadata": { "name": "north" }, "spec": spec,
    })
}

#[tokio::test(start_paused = true)]
async fn a_scale_is_written_without_the_rest_and_has_an_owner() {
    let wire = sea().await;
    wire.post(FLEETS, fleet("v1", &json!({ "size": 3 })))
        .await
        .expect(201);
    let scale = format!("{FLEETS}/north/scale");
    let mut shown = wire.get(&scale).await.expect(200);
    assert_eq!(shown["spec"], json!({ "replicas": 3 }));
    shown["spec"]["replicas"] = 5.into();
    wire.put(&scale, shown.clone()).await.expect(200);
    assert_eq!(wire.put(&scale, shown).await.code, 409);
    let negative = json!({ "spec": { "replicas": -1 } });
    wire.merge(&scale, negative).await.refused(
        422,
        "Invalid",
        "Fleet.example.dev \"north\" is invalid: .spec.size: Invalid value: -1: should be a non-negative integer",
    );
    let north = wire.get(&format!("{FLEETS}/north")).await.expect(200);
    assert_eq!(north["spec"], json!({ "size": 5, "port": "Kiel" }));
    assert_eq!(north["metadata"]["generation"], 2);
    let owners = north["metadata"]["managedFields"].as_array().unwrap();
    let of_size: Vec<_> = owners
        .iter()
        .filter(|owner| owner["fieldsV1"]["f:spec"]["f:size"].is_object())
        .map(|owner| &owner["subresource"])
        .collect();
    assert_eq!(of_size, ["scale"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_shows_what_it_knows_of_what_another_kept() {
    let wire = sea().await;
    let made = wire
        .post(NEWER, fleet("v2", &json!({ "size": 3, "flag": "red" })))
        .await
        .expect(201);
    assert_eq!(made["spec"], json!({ "size": 3 }));
    let older = wire.get(&format!("{FLEETS}/north")).await.expect(200);
    assert_eq!(older["apiVersion"], "example.dev/v1");
    assert_eq!(older["spec"], json!({ "size": 3, "port": "Kiel" }));
    let list = wire.get(NEWER).await.expect(200);
    assert_eq!(list["items"][0]["spec"], json!({ "size": 3 }));
    let mut watch = wire.watch(&format!("{NEWER}?watch=1")).await;
    let seen = watch.next().await.unwrap();
    assert_eq!(seen["object"]["spec"], json!({ "size": 3 }));
}
