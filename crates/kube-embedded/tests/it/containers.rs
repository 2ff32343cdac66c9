//! Namespaces and definitions: what comes with them, and what goes with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use kube::CustomResourceExt;
use kube_embedded::Server;
use serde_json::{Value, json};

use crate::http::{BOATS, Wire, boat};
use crate::world::Boat;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const BERLIN: &str = "/api/v1/namespaces/berlin";
const BERLINS: &str = "/apis/example.dev/v1/namespaces/berlin/boats";

async fn berlin(wire: &Wire) -> Value {
    let namespace = json!({ "metadata": { "name": "berlin" } });
    wire.post("/api/v1/namespaces", namespace).await.expect(201)
}

#[tokio::test(start_paused = true)]
async fn a_namespace_begins_active_and_labelled() {
    let wire = Wire::harbour().await;
    let made = berlin(&wire).await;
    assert_eq!(made["status"]["phase"], "Active");
    assert_eq!(made["spec"]["finalizers"], json!(["kubernetes"]));
    assert_eq!(
        made["metadata"]["labels"]["kubernetes.io/metadata.name"],
        "berlin"
    );
    let all = wire.get("/api/v1/namespaces").await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 5);
    wire.delete("/api/v1/namespaces/default").await.expect(403);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_takes_its_objects_along_and_waits_for_the_last() {
    let wire = Wire::harbour().await;
    berlin(&wire).await;
    wire.post(BERLINS, boat("plain", "red")).await.expect(201);
    let mut held = boat("held", "red");
    held["metadata"]["finalizers"] = json!(["example.dev/anchor"]);
    wire.post(BERLINS, held).await.expect(201);
    let secret = json!({ "metadata": { "name": "s" } });
    wire.post(&format!("{BERLIN}/secrets"), secret)
        .await
        .expect(201);
    wire.delete(BERLIN).await.expect(200);
    let going = wire.get(BERLIN).await.expect(200);
    assert_eq!(going["status"]["phase"], "Terminating");
    wire.get(&format!("{BERLIN}/secrets/s")).await.expect(404);
    wire.get(&format!("{BERLINS}/plain")).await.expect(404);
    wire.post(BERLINS, boat("late", "red")).await.refused(
        403,
        "Forbidden",
        "boats.example.dev \"late\" is forbidden: unable to create new content in namespace berlin because it is being terminated",
    );
    let free = json!({ "metadata": { "finalizers": null } });
    wire.merge(&format!("{BERLINS}/held"), free)
        .await
        .expect(200);
    wire.get(BERLIN).await.expect(404);
    berlin(&wire).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_namespace_goes_at_once() {
    let wire = Wire::harbour().await;
    berlin(&wire).await;
    let mut watch = wire
        .watch("/api/v1/namespaces?watch=1&fieldSelector=metadata.name%3Dberlin")
        .await;
    wire.delete(BERLIN).await.expect(200);
    for line in ["ADDED berlin", "MODIFIED berlin", "DELETED berlin"] {
        assert_eq!(watch.line().await, line);
    }
}

#[tokio::test(start_paused = true)]
async fn a_definition_serves_at_once_and_takes_its_objects_along() {
    let wire = Wire::harbour().await;
    let path = format!("{DEFINITIONS}/boats.example.dev");
    let definition = wire.get(&path).await.expect(200);
    let conditions = definition["status"]["conditions"].as_array().unwrap();
    assert!(
        conditions
            .iter()
            .all(|condition| condition["status"] == "True")
    );
    assert_eq!(definition["status"]["storedVersions"], json!(["v1"]));
    let mut held = boat("held", "red");
    held["metadata"]["finalizers"] = json!(["example.dev/anchor"]);
    wire.post(BOATS, held).await.expect(201);
    wire.boat("anna", "red").await;
    wire.delete(&path).await.expect(200);
    wire.get(&format!("{BOATS}/anna")).await.expect(404);
    wire.post(BOATS, boat("late", "red")).await.refused(
        403,
        "Forbidden",
        "boats.example.dev \"late\" is forbidden: create not allowed while custom resource definition is terminating",
    );
    let free = json!({ "metadata": { "finalizers": null } });
    wire.merge(&format!("{BOATS}/held"), free).await.expect(200);
    wire.get(&path).await.expect(404);
    wire.get(BOATS).await.expect(404);
    wire.define_boats().await;
    assert_eq!(wire.get(BOATS).await.expect(200)["items"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn every_served_version_shows_the_same_objects() {
    let wire = Wire::of(Server::builder()).await;
    let mut definition = serde_json::to_value(Boat::crd()).unwrap();
    let mut newer = definition["spec"]["versions"][0].clone();
    newer["name"] = "v2".into();
    newer["storage"] = false.into();
    newer["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["sails"] =
        json!({ "type": "integer", "default": 2 });
    definition["spec"]["versions"]
        .as_array_mut()
        .unwrap()
        .push(newer);
    wire.post(DEFINITIONS, definition).await.expect(201);
    wire.boat("anna", "red").await;
    let path = BOATS.replace("/v1/", "/v2/");
    let shown = wire.get(&format!("{path}/anna")).await.expect(200);
    assert_eq!(shown["apiVersion"], "example.dev/v2");
    let list = wire.get(&path).await.expect(200);
    assert_eq!(list["items"][0]["apiVersion"], "example.dev/v2");
    let mut watch = wire.watch(&format!("{path}?watch=1")).await;
    assert_eq!(
        watch.next().await.unwrap()["object"]["apiVersion"],
        "example.dev/v2"
    );
}

#[tokio::test(start_paused = true)]
async fn a_default_added_later_shows_in_what_is_stored_already() {
    let wire = Wire::harbour().await;
    wire.boat("anna", "red").await;
    let add = json!([{
        "op": "add",
        "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/sails",
        "value": { "type": "integer", "default": 2 },
    }]);
    let path = format!("{DEFINITIONS}/boats.example.dev");
    wire.with_body("PATCH", &path, "application/json-patch+json", &add)
        .await
        .expect(200);
    assert_eq!(
        wire.get(&format!("{BOATS}/anna")).await.expect(200)["spec"]["sails"],
        2
    );
    assert_eq!(
        wire.get(BOATS).await.expect(200)["items"][0]["spec"]["sails"],
        2
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_is_one_object_in_both_groups() {
    let wire = Wire::harbour().await;
    let event = json!({
        "metadata": { "name": "e", "namespace": "default" },
        "regarding": { "kind": "Boat", "name": "anna", "namespace": "default" },
        "note": "set sail", "reason": "Sailed", "type": "Normal", "action": "Sail",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "example.dev/c", "reportingInstance": "c-1",
    });
    wire.post("/apis/events.k8s.io/v1/namespaces/default/events", event)
        .await
        .expect(201);
    let core = wire
        .get("/api/v1/namespaces/default/events/e")
        .await
        .expect(200);
    assert_eq!(core["apiVersion"], "v1");
    assert_eq!(core["involvedObject"]["name"], "anna");
    assert_eq!(
        (&core["message"], &core["reportingComponent"]),
        (&"set sail".into(), &"example.dev/c".into())
    );
    let picked = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Danna";
    assert_eq!(
        wire.get(picked).await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let newer = wire.get("/apis/events.k8s.io/v1/events").await.expect(200);
    assert_eq!(newer["items"][0]["note"], "set sail");
    assert_eq!(newer["apiVersion"], "events.k8s.io/v1");
    assert!(newer["items"][0]["message"].is_null());
}

#[tokio::test(start_paused = true)]
async fn an_event_is_forgotten_an_hour_after_it_was_last_written() {
    let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let minutes = Arc::new(AtomicI64::new(0));
    let elapsed = Arc::clone(&minutes);
    let clock = move || start + jiff::SignedDuration::from_mins(elapsed.load(Ordering::Relaxed));
    let wire = Wire::of(Server::builder().clock(clock)).await;
    let events = "/api/v1/namespaces/default/events";
    let event = |name: &str| {
        json!({
            "metadata": { "name": name }, "reason": "Sailed", "type": "Normal",
            "involvedObject": { "kind": "Boat", "name": "anna", "namespace": "default" },
        })
    };
    wire.post(events, event("old")).await.expect(201);
    wire.post(events, event("repeated")).await.expect(201);
    minutes.store(50, Ordering::Relaxed);
    let again = json!({ "count": 2 });
    wire.merge(&format!("{events}/repeated"), again)
        .await
        .expect(200);
    minutes.store(61, Ordering::Relaxed);
    wire.post(events, event("new")).await.expect(201);
    wire.get(&format!("{events}/old")).await.expect(404);
    wire.get(&format!("{events}/repeated")).await.expect(200);
    minutes.store(111, Ordering::Relaxed);
    wire.post(events, event("newer")).await.expect(201);
    wire.get(&format!("{events}/repeated")).await.expect(404);
    wire.get(&format!("{events}/new")).await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_client_may_ask_what_it_is_and_may() {
    let wire = Wire::of(Server::builder()).await;
    let access = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let asked = json!({ "spec": { "resourceAttributes": { "verb": "get", "resource": "pods" } } });
    let answer = wire.post(access, asked).await.expect(201);
    assert_eq!(answer["status"]["allowed"], true);
    wire.get(access).await.expect(405);
    let me = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer = wire.post(me, json!({})).await.expect(201);
    assert_eq!(answer["status"]["userInfo"]["username"], "system:admin");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_served_is_not_found_in_the_way_of_its_place() {
    let wire = Wire::harbour().await;
    for (path, code) in [
        ("/", 200),
        ("/api", 200),
        ("/api/v1", 200),
        ("/apis/example.dev", 200),
        ("/apis/example.dev/v1", 200),
        ("/openapi/v3/apis/example.dev/v1", 200),
        ("/healthz", 200),
        ("/readyz/ping", 200),
        ("/version", 200),
        ("/nowhere", 404),
        ("/apis/nothing.dev/v1/boats", 404),
        ("/apis/example.dev/v2", 404),
        ("/api/v1/namespaces/default/pods", 404),
        ("/api/v1/namespaces/default/secrets/a/status", 404),
        ("/api/v1/secrets/a", 404),
        (
            "/apis/apiextensions.k8s.io/v1/namespaces/default/customresourcedefinitions",
            404,
        ),
    ] {
        assert_eq!(wire.get(path).await.code, code, "{path}");
    }
    let plain = wire.get("/nowhere").await;
    assert_eq!(plain.body, "404 page not found\n");
    wire.get("/api/v1/pods").await.refused(
        404,
        "NotFound",
        "the server could not find the requested resource",
    );
    wire.post("/api/v1", json!({})).await.expect(405);
    wire.put(BOATS, json!({})).await.expect(400);
}
