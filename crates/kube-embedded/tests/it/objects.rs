//! What may be written, and what comes of it.

use http::Request;
use serde_json::json;

use crate::http::{BOATS, CONFIG_MAPS, Wire, boat};

#[tokio::test(start_paused = true)]
async fn a_new_object_gets_what_only_the_server_knows() {
    let wire = Wire::harbour().await;
    let mut new = boat("anna", "red");
    new["metadata"]["uid"] = "mine".into();
    new["metadata"]["generation"] = 9.into();
    new["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z".into();
    new["status"] = json!({ "afloat": true });
    let made = wire.post(BOATS, new).await.expect(201);
    let metadata = &made["metadata"];
    assert_eq!(metadata["uid"].as_str().unwrap().len(), 36);
    assert_eq!(metadata["generation"], 1);
    assert_eq!(metadata["namespace"], "default");
    assert_ne!(metadata["creationTimestamp"], "2001-01-01T00:00:00Z");
    assert_eq!(made["spec"]["seats"], 1, "the default");
    assert!(
        made["status"].is_null(),
        "status is written through /status"
    );
    assert_eq!(wire.get(&format!("{BOATS}/anna")).await.expect(200), made);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_created_is_told_in_kubernetes_words() {
    let wire = Wire::harbour().await;
    wire.boat("anna", "red").await;
    wire.post(BOATS, boat("anna", "red")).await.refused(
        409,
        "AlreadyExists",
        "boats.example.dev \"anna\" already exists",
    );
    wire.post(
        "/apis/example.dev/v1/namespaces/nowhere/boats",
        boat("b", "red"),
    )
    .await
    .refused(404, "NotFound", "namespaces \"nowhere\" not found");
    let mut elsewhere = boat("b", "red");
    elsewhere["metadata"]["namespace"] = "kube-system".into();
    wire.post(BOATS, elsewhere).await.refused(
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    );
    wire.post("/apis/example.dev/v1/boats", boat("b", "red"))
        .await
        .expect(404);
    let mut versioned = boat("b", "red");
    versioned["metadata"]["resourceVersion"] = "1".into();
    wire.post(BOATS, versioned).await.expect(500);
    let mut other = boat("b", "red");
    other["kind"] = "Bot".into();
    wire.post(BOATS, other).await.refused(
        422,
        "Invalid",
        "Bot.example.dev \"b\" is invalid: kind: Invalid value: \"Bot\": must be Boat",
    );
    let answer = wire.post(BOATS, boat("b", "no")).await;
    assert_eq!(answer.code, 422);
    assert_eq!(answer.body["details"]["causes"][0]["field"], "spec.colour");
    assert_eq!(answer.body["details"]["kind"], "Boat");
    for name in ["", "Anna", "a_b"] {
        wire.post(BOATS, boat(name, "red")).await.expect(422);
    }
}

#[tokio::test(start_paused = true)]
async fn a_generated_name_is_its_beginning_and_five_characters() {
    let wire = Wire::harbour().await;
    let mut new = boat("", "red");
    new["metadata"] = json!({ "generateName": "anna-" });
    let first = wire.post(BOATS, new.clone()).await.expect(201);
    let second = wire.post(BOATS, new).await.expect(201);
    let name = first["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("anna-") && name.len() == 10, "{name}");
    assert_ne!(first["metadata"]["name"], second["metadata"]["name"]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_field_is_dropped_warned_of_or_refused() {
    let wire = Wire::harbour().await;
    let mut odd = boat("anna", "red");
    odd["spec"]["wheels"] = 4.into();
    let strict = format!("{BOATS}?fieldValidation=Strict");
    wire.post(&strict, odd.clone()).await.refused(
        400,
        "BadRequest",
        "Boat in version \"v1\" cannot be handled as a Boat: strict decoding error: unknown field \"spec.wheels\"",
    );
    let warned = wire.post(&format!("{BOATS}?dryRun=All"), odd.clone()).await;
    assert_eq!(
        warned.warnings(),
        [r#"299 - "unknown field \"spec.wheels\"""#]
    );
    let silent = wire
        .post(&format!("{BOATS}?fieldValidation=Ignore"), odd)
        .await;
    assert_eq!(silent.warnings(), [""; 0]);
    assert!(silent.expect(201)["spec"]["wheels"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_answers_and_changes_nothing() {
    let wire = Wire::harbour().await;
    wire.post(&format!("{BOATS}?dryRun=All"), boat("anna", "red"))
        .await
        .expect(201);
    wire.get(&format!("{BOATS}/anna")).await.expect(404);
    let made = wire.boat("anna", "red").await;
    let path = format!("{BOATS}/anna?dryRun=All");
    let dry = wire
        .merge(&path, json!({ "spec": { "seats": 3 } }))
        .await
        .expect(200);
    assert_eq!(dry["spec"]["seats"], 3);
    assert_eq!(dry["metadata"]["generation"], 2);
    wire.delete(&path).await.expect(200);
    assert_eq!(wire.get(&format!("{BOATS}/anna")).await.expect(200), made);
}

#[tokio::test(start_paused = true)]
async fn an_update_must_know_the_latest_version() {
    let wire = Wire::harbour().await;
    let path = format!("{BOATS}/anna");
    let first = wire.boat("anna", "red").await;
    let mut second = first.clone();
    second["spec"]["seats"] = 3.into();
    let second = wire.put(&path, second).await.expect(200);
    assert_eq!(second["metadata"]["generation"], 2);
    wire.put(&path, first.clone()).await.refused(
        409,
        "Conflict",
        "Operation cannot be fulfilled on boats.example.dev \"anna\": the object has been modified; please apply your changes to the latest version and try again",
    );
    wire.put(&path, boat("anna", "red")).await.refused(
        422,
        "Invalid",
        "boats.example.dev \"anna\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update",
    );
    let mut other = second.clone();
    other["metadata"]["uid"] = "other".into();
    assert_eq!(wire.put(&path, other).await.code, 409);
    wire.put(&format!("{BOATS}/berta"), boat("berta", "red"))
        .await
        .expect(404);
    wire.put(&format!("{BOATS}/berta"), second)
        .await
        .expect(400);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_changes_nothing_makes_no_version() {
    let wire = Wire::harbour().await;
    let made = wire.boat("anna", "red").await;
    let path = format!("{BOATS}/anna");
    assert_eq!(wire.put(&path, made.clone()).await.expect(200), made);
    assert_eq!(wire.merge(&path, json!({})).await.expect(200), made);
}

#[tokio::test(start_paused = true)]
async fn spec_and_status_are_written_apart_and_only_spec_counts_generations() {
    let wire = Wire::harbour().await;
    let path = format!("{BOATS}/anna");
    wire.boat("anna", "red").await;
    let both = json!({ "spec": { "seats": 5 }, "status": { "afloat": true } });
    let status = wire
        .merge(&format!("{path}/status"), both.clone())
        .await
        .expect(200);
    assert_eq!(
        (&status["spec"]["seats"], &status["status"]["afloat"]),
        (&1.into(), &true.into())
    );
    assert_eq!(status["metadata"]["generation"], 1);
    let both = json!({ "spec": { "seats": 5 }, "status": { "afloat": false } });
    let spec = wire.merge(&path, both).await.expect(200);
    assert_eq!(
        (&spec["spec"]["seats"], &spec["status"]["afloat"]),
        (&5.into(), &true.into())
    );
    assert_eq!(spec["metadata"]["generation"], 2);
    let labelled = json!({ "metadata": { "labels": { "a": "b" } } });
    let labelled = wire.merge(&path, labelled).await.expect(200);
    assert_eq!(labelled["metadata"]["generation"], 2);
    assert_eq!(
        wire.get(&format!("{path}/status")).await.expect(200),
        labelled
    );
}

#[tokio::test(start_paused = true)]
async fn patches_come_in_three_forms_and_custom_resources_take_two() {
    let wire = Wire::harbour().await;
    wire.boat("anna", "red").await;
    let path = format!("{BOATS}/anna");
    let patch = json!([{ "op": "replace", "path": "/spec/seats", "value": 7 }]);
    let kind = "application/json-patch+json";
    let patched = wire
        .with_body("PATCH", &path, kind, &patch)
        .await
        .expect(200);
    assert_eq!(patched["spec"]["seats"], 7);
    let misfit = json!([{ "op": "remove", "path": "/spec/nothing" }]);
    assert_eq!(
        wire.with_body("PATCH", &path, kind, &misfit).await.code,
        422
    );
    let renames = json!([{ "op": "replace", "path": "/metadata/name", "value": "berta" }]);
    assert_eq!(
        wire.with_body("PATCH", &path, kind, &renames).await.code,
        400
    );
    let strategic = "application/strategic-merge-patch+json";
    wire.with_body("PATCH", &path, strategic, &json!({})).await.refused(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    );
    wire.config_map("notes").await;
    let notes = json!({ "data": { "a": "b" } });
    let path = format!("{CONFIG_MAPS}/notes");
    let patched = wire
        .with_body("PATCH", &path, strategic, &notes)
        .await
        .expect(200);
    assert_eq!(patched["data"], json!({ "a": "b" }));
    let stale = json!({ "metadata": { "resourceVersion": "1" } });
    assert_eq!(wire.merge(&path, stale).await.code, 409);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_waits_for_the_finalizers_and_no_new_ones_come() {
    let wire = Wire::harbour().await;
    let path = format!("{BOATS}/anna");
    let mut new = boat("anna", "red");
    new["metadata"]["finalizers"] = json!(["example.dev/a"]);
    wire.post(BOATS, new).await.expect(201);
    let going = wire.delete(&path).await.expect(200);
    assert!(going["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(going["metadata"]["generation"], 2);
    assert_eq!(wire.delete(&path).await.expect(200), going);
    let more = json!({ "metadata": { "finalizers": ["example.dev/a", "example.dev/b"] } });
    assert_eq!(wire.merge(&path, more).await.code, 422);
    let none = json!({ "metadata": { "finalizers": null } });
    wire.merge(&path, none).await.expect(200);
    wire.get(&path).await.expect(404);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_may_insist_on_the_object_it_saw() {
    let wire = Wire::harbour().await;
    let made = wire.boat("anna", "red").await;
    let path = format!("{BOATS}/anna");
    let wrong = json!({ "preconditions": { "uid": "other" } });
    assert_eq!(wire.delete_with(&path, wrong).await.code, 409);
    let wrong = json!({ "preconditions": { "resourceVersion": "1" } });
    assert_eq!(wire.delete_with(&path, wrong).await.code, 409);
    let right = json!({
        "propagationPolicy": "Background",
        "preconditions": {
            "uid": made["metadata"]["uid"],
            "resourceVersion": made["metadata"]["resourceVersion"],
        },
    });
    let gone = wire.delete_with(&path, right).await.expect(200);
    assert_eq!(gone["status"], "Success");
    assert_eq!(gone["details"]["uid"], made["metadata"]["uid"]);
    wire.delete(&path)
        .await
        .refused(404, "NotFound", "boats.example.dev \"anna\" not found");
}

#[tokio::test(start_paused = true)]
async fn a_collection_is_deleted_as_far_as_it_is_selected() {
    let wire = Wire::harbour().await;
    for (name, colour) in [("anna", "red"), ("berta", "blue"), ("carla", "red")] {
        wire.boat(name, colour).await;
    }
    wire.delete(&format!("{BOATS}?fieldSelector=spec.colour%3Dred"))
        .await
        .expect(200);
    let left = wire.get(BOATS).await.expect(200);
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    assert_eq!(left["items"][0]["metadata"]["name"], "berta");
    wire.delete("/apis/example.dev/v1/boats").await.expect(404);
    wire.delete("/api/v1/configmaps").await.expect(405);
}

#[tokio::test(start_paused = true)]
async fn secrets_keep_bytes_and_refuse_what_is_none() {
    let wire = Wire::harbour().await;
    let secrets = "/api/v1/namespaces/default/secrets";
    let secret = json!({ "metadata": { "name": "s" }, "stringData": { "a": "b" } });
    let made = wire.post(secrets, secret).await.expect(201);
    assert_eq!(
        (&made["data"]["a"], &made["type"]),
        (&"Yg==".into(), &"Opaque".into())
    );
    assert!(made["stringData"].is_null());
    let wrong = json!({ "metadata": { "name": "t" }, "data": { "a": "%" } });
    assert!(wire.post(secrets, wrong).await.code >= 400);
    let path = format!("{secrets}/s");
    assert_eq!(
        wire.merge(&path, json!({ "type": "other" })).await.code,
        422
    );
    wire.merge(&path, json!({ "immutable": true }))
        .await
        .expect(200);
    assert_eq!(
        wire.merge(&path, json!({ "data": { "a": "Yw==" } }))
            .await
            .code,
        422
    );
    let listed = wire
        .get(&format!("{secrets}?fieldSelector=type%3DOpaque"))
        .await
        .expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_refused() {
    let wire = Wire::harbour().await;
    let mut huge = boat("anna", "red");
    huge["spec"]["crew"] = json!(["x".repeat(4 * 1024 * 1024)]);
    assert_eq!(wire.post(BOATS, huge).await.code, 413);
    let request = Request::post(BOATS).header("content-type", "text/plain");
    assert_eq!(wire.send(request.body("x".into()).unwrap()).await.code, 415);
    let request = Request::post(BOATS).header("content-type", "application/yaml");
    let yaml =
        "apiVersion: example.dev/v1\nkind: Boat\nmetadata: {name: anna}\nspec: {colour: red}\n";
    assert_eq!(
        wire.send(request.body(yaml.into()).unwrap()).await.code,
        201
    );
}
#[tokio::test(start_paused = true)]
async fn apply_makes_an_object_and_minds_its_other_owners() {
    let wire = Wire::harbour().await;
    let path = |by: &str| format!("{BOATS}/anna?fieldManager={by}");
    wire.apply(&format!("{BOATS}/anna"), boat("anna", "red"))
        .await
        .expect(422);
    let made = wire
        .apply(&path("a"), boat("anna", "red"))
        .await
        .expect(201);
    assert_eq!(made["metadata"]["managedFields"][0]["manager"], "a");
    assert_eq!(
        wire.apply(&path("a"), boat("anna", "red"))
            .await
            .expect(200),
        made
    );
    let conflict = wire.apply(&path("b"), boat("anna", "blue")).await;
    assert_eq!(conflict.code, 409, "{}", conflict.body);
    assert_eq!(
        conflict.body["details"]["causes"][0]["field"],
        ".spec.colour"
    );
    assert_eq!(wire.get(&format!("{BOATS}/anna")).await.expect(200), made);
    let forced = format!("{}&force=true", path("b"));
    let taken = wire.apply(&forced, boat("anna", "blue")).await.expect(200);
    assert_eq!(taken["spec"]["colour"], "blue");
    assert_eq!(taken["metadata"]["generation"], 2);
}
