//! Owners and what they own: who goes with whom, who waits for whom, and who is left alone.

use kube_embedded::{Server, Storage};
use serde_json::{Value, json};
use sqlx::ConnectOptions;

use crate::http::{BOATS, CONFIG_MAPS, Wire, boat};

/// A reference to a `ConfigMap`; it blocks its owner if `blocks`.
fn owned_by(owner: &Value, blocks: bool) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "blockOwnerDeletion": blocks,
    })
}

fn nobody(name: &str) -> Value {
    json!({ "metadata": { "name": name, "uid": "no-such-uid" } })
}

async fn owned(wire: &Wire, name: &str, owners: &[Value]) -> Value {
    let map = json!({ "metadata": { "name": name, "ownerReferences": owners } });
    wire.post(CONFIG_MAPS, map).await.expect(201)
}

async fn held(wire: &Wire, name: &str, owners: &[Value]) -> Value {
    let metadata =
        json!({ "name": name, "ownerReferences": owners, "finalizers": ["example.dev/anchor"] });
    wire.post(CONFIG_MAPS, json!({ "metadata": metadata }))
        .await
        .expect(201)
}

async fn free(wire: &Wire, name: &str) {
    let free = json!({ "metadata": { "finalizers": null } });
    wire.merge(&at(name), free).await.expect(200);
}

fn at(name: &str) -> String {
    format!("{CONFIG_MAPS}/{name}")
}

/// The names of the maps that are there; `-` before those that are going.
async fn maps(wire: &Wire) -> Vec<String> {
    let list = wire.get(CONFIG_MAPS).await.expect(200);
    let shown = |map: &Value| {
        let going = if map["metadata"]["deletionTimestamp"].is_string() {
            "-"
        } else {
            ""
        };
        format!("{going}{}", map["metadata"]["name"].as_str().unwrap())
    };
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(shown)
        .collect()
}

async fn delete(wire: &Wire, name: &str, policy: &str) -> Value {
    wire.delete_with(&at(name), json!({ "propagationPolicy": policy }))
        .await
        .expect(200)
}

async fn empty() -> Wire {
    Wire::of(Server::builder()).await
}

#[tokio::test(start_paused = true)]
async fn what_is_owned_goes_with_its_owner_and_so_on() {
    let wire = empty().await;
    let mut owner = wire.config_map("n0").await;
    for number in 1..3000 {
        owner = owned(&wire, &format!("n{number}"), &[owned_by(&owner, false)]).await;
    }
    wire.config_map("other").await;
    let answer = delete(&wire, "n0", "Background").await;
    assert_eq!(answer["status"], "Success");
    assert_eq!(maps(&wire).await, ["other"]);
}

#[tokio::test(start_paused = true)]
async fn a_plain_deletion_takes_what_is_owned_along() {
    let wire = empty().await;
    let owner = wire.config_map("owner").await;
    owned(&wire, "a", &[owned_by(&owner, true)]).await;
    held(&wire, "b", &[owned_by(&owner, true)]).await;
    wire.delete(&at("owner")).await.expect(200);
    assert_eq!(maps(&wire).await, ["-b"]);
    free(&wire, "b").await;
    assert!(maps(&wire).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn in_the_foreground_the_owner_waits_for_those_that_block_it() {
    let wire = empty().await;
    let owner = wire.config_map("owner").await;
    held(&wire, "blocks", &[owned_by(&owner, true)]).await;
    held(&wire, "does-not", &[owned_by(&owner, false)]).await;
    owned(&wire, "plain", &[owned_by(&owner, true)]).await;
    let answer = delete(&wire, "owner", "Foreground").await;
    assert_eq!(
        answer["metadata"]["finalizers"],
        json!(["foregroundDeletion"])
    );
    assert_eq!(maps(&wire).await, ["-blocks", "-does-not", "-owner"]);
    free(&wire, "blocks").await;
    assert_eq!(maps(&wire).await, ["-does-not"]);
    free(&wire, "does-not").await;
    assert!(maps(&wire).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn waiting_is_passed_on_to_owners_that_are_owned() {
    let wire = empty().await;
    let top = wire.config_map("top").await;
    let middle = owned(&wire, "middle", &[owned_by(&top, true)]).await;
    held(&wire, "bottom", &[owned_by(&middle, true)]).await;
    delete(&wire, "top", "Foreground").await;
    assert_eq!(maps(&wire).await, ["-bottom", "-middle", "-top"]);
    let middle = wire.get(&at("middle")).await.expect(200);
    assert_eq!(
        middle["metadata"]["finalizers"],
        json!(["foregroundDeletion"])
    );
    free(&wire, "bottom").await;
    assert!(maps(&wire).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_no_longer_is_blocked_goes() {
    let wire = empty().await;
    let owner = wire.config_map("owner").await;
    held(&wire, "a", &[owned_by(&owner, true)]).await;
    delete(&wire, "owner", "Foreground").await;
    assert_eq!(maps(&wire).await, ["-a", "-owner"]);
    let lets = json!({ "metadata": { "ownerReferences": [owned_by(&owner, false)] } });
    wire.merge(&at("a"), lets).await.expect(200);
    assert_eq!(maps(&wire).await, ["-a"]);
}

#[tokio::test(start_paused = true)]
async fn somebody_who_asks_again_may_change_the_policy() {
    let wire = empty().await;
    let owner = wire.config_map("owner").await;
    held(&wire, "a", &[owned_by(&owner, true)]).await;
    delete(&wire, "owner", "Foreground").await;
    delete(&wire, "owner", "Background").await;
    assert_eq!(maps(&wire).await, ["-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_circle_goes_although_everybody_in_it_waits() {
    let wire = empty().await;
    let a = wire.config_map("a").await;
    let b = owned(&wire, "b", &[owned_by(&a, true)]).await;
    let closes = json!({ "metadata": { "ownerReferences": [owned_by(&b, true)] } });
    wire.merge(&at("a"), closes).await.expect(200);
    delete(&wire, "a", "Foreground").await;
    assert!(maps(&wire).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn orphans_stay_and_forget_their_owner() {
    let wire = empty().await;
    let owner = wire.config_map("owner").await;
    let other = wire.config_map("other").await;
    owned(&wire, "a", &[owned_by(&owner, true)]).await;
    owned(
        &wire,
        "b",
        &[owned_by(&other, false), owned_by(&owner, true)],
    )
    .await;
    let answer = delete(&wire, "owner", "Orphan").await;
    assert_eq!(answer["metadata"]["finalizers"], json!(["orphan"]));
    assert_eq!(maps(&wire).await, ["a", "b", "other"]);
    let a = wire.get(&at("a")).await.expect(200);
    assert!(a["metadata"]["ownerReferences"].is_null());
    assert!(a["metadata"]["managedFields"].is_null());
    let b = wire.get(&at("b")).await.expect(200);
    assert_eq!(
        b["metadata"]["ownerReferences"],
        json!([owned_by(&other, false)])
    );
    wire.config_map("owner").await;
    wire.delete(&format!("{CONFIG_MAPS}/owner?orphanDependents=true"))
        .await
        .expect(200);
    assert_eq!(maps(&wire).await, ["a", "b", "other"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_names_only_owners_that_are_not_there_goes() {
    let wire = empty().await;
    let owner = wire.config_map("owner").await;
    owned(&wire, "lost", &[owned_by(&nobody("nobody"), false)]).await;
    let mut imposter = owned_by(&owner, false);
    imposter["uid"] = "of-an-earlier-one".into();
    owned(&wire, "late", &[imposter.clone()]).await;
    owned(&wire, "kept", &[imposter, owned_by(&owner, false)]).await;
    assert_eq!(maps(&wire).await, ["kept", "owner"]);
    let kept = wire.get(&at("kept")).await.expect(200);
    assert_eq!(
        kept["metadata"]["ownerReferences"],
        json!([owned_by(&owner, false)])
    );
}

#[tokio::test(start_paused = true)]
async fn an_owner_is_looked_for_in_the_namespace_of_what_it_owns() {
    let wire = empty().await;
    let owner = wire.config_map("owner").await;
    let berlin =
        json!({ "metadata": { "name": "berlin", "ownerReferences": [owned_by(&owner, true)] } });
    wire.post("/api/v1/namespaces", berlin).await.expect(201);
    let there = "/api/v1/namespaces/berlin/configmaps";
    let abroad =
        json!({ "metadata": { "name": "a", "ownerReferences": [owned_by(&owner, true)] } });
    wire.post(there, abroad).await.expect(201);
    assert_eq!(wire.get(there).await.expect(200)["items"], json!([]));
    // What is in no namespace cannot be owned by something in one, and is left alone.
    delete(&wire, "owner", "Background").await;
    wire.get("/api/v1/namespaces/berlin").await.expect(200);
    let city = wire.get("/api/v1/namespaces/berlin").await.expect(200);
    let by_city = json!({ "apiVersion": "v1", "kind": "Namespace", "name": "berlin", "uid": city["metadata"]["uid"] });
    owned(&wire, "of-a-city", std::slice::from_ref(&by_city)).await;
    assert_eq!(maps(&wire).await, ["of-a-city"]);
    wire.delete("/api/v1/namespaces/berlin").await.expect(200);
    assert!(maps(&wire).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_owner_of_an_unknown_kind_is_looked_for_once_the_kind_is_known() {
    let wire = empty().await;
    let owner =
        json!({ "apiVersion": "example.dev/v1", "kind": "Boat", "name": "anna", "uid": "old" });
    owned(&wire, "cargo", &[owner]).await;
    assert_eq!(maps(&wire).await, ["cargo"]);
    wire.define_boats().await;
    assert!(maps(&wire).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn custom_objects_own_and_are_owned() {
    let wire = Wire::harbour().await;
    let anna = wire.boat("anna", "red").await;
    let owner = json!({
        "apiVersion": "example.dev/v1", "kind": "Boat", "name": "anna",
        "uid": anna["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    });
    owned(&wire, "cargo", std::slice::from_ref(&owner)).await;
    let mut dinghy = boat("dinghy", "blue");
    dinghy["metadata"]["ownerReferences"] = json!([owner]);
    wire.post(BOATS, dinghy).await.expect(201);
    wire.delete(BOATS).await.expect(200);
    assert!(maps(&wire).await.is_empty());
    assert_eq!(wire.get(BOATS).await.expect(200)["items"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_what_would_be_and_does_nothing() {
    let wire = empty().await;
    let owner = wire.config_map("owner").await;
    owned(&wire, "a", &[owned_by(&owner, true)]).await;
    let options = json!({ "propagationPolicy": "Foreground", "dryRun": ["All"] });
    let answer = wire.delete_with(&at("owner"), options).await.expect(200);
    assert_eq!(
        answer["metadata"]["finalizers"],
        json!(["foregroundDeletion"])
    );
    assert_eq!(maps(&wire).await, ["a", "owner"]);
}

#[tokio::test(start_paused = true)]
async fn policies_that_contradict_each_other_are_refused() {
    let wire = empty().await;
    wire.config_map("owner").await;
    let both = format!("{CONFIG_MAPS}/owner?orphanDependents=true&propagationPolicy=Orphan");
    wire.delete(&both).await.refused(
        422,
        "Invalid",
        "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"Orphan\": orphanDependents and deletionPropagation cannot be both set",
    );
    wire.delete_with(&at("owner"), json!({ "propagationPolicy": 7 }))
        .await
        .refused(
            400,
            "BadRequest",
            "json: cannot unmarshal number into Go struct field DeleteOptions.propagationPolicy of type v1.DeletionPropagation",
        );
    assert_eq!(maps(&wire).await, ["owner"]);
}

#[tokio::test]
async fn what_a_crash_left_undone_is_done_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let open = async || {
        let storage = Storage::sqlite(&path).await.unwrap();
        Wire::of(Server::builder().storage(storage)).await
    };
    let wire = open().await;
    let owner = wire.config_map("owner").await;
    for number in 0..100 {
        owned(&wire, &format!("n{number}"), &[owned_by(&owner, true)]).await;
    }
    let waiting = wire.config_map("waiting").await;
    held(&wire, "blocks", &[owned_by(&waiting, true)]).await;
    delete(&wire, "waiting", "Foreground").await;
    drop(wire);

    // As if the process had ended right behind the removals.
    let database = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = database.connect().await.unwrap();
    for key in ["default/owner", "default/blocks"] {
        let gone = sqlx::query("DELETE FROM objects WHERE key = $1").bind(key);
        assert_eq!(
            gone.execute(&mut connection).await.unwrap().rows_affected(),
            1
        );
    }
    sqlx::Connection::close(connection).await.unwrap();

    let wire = open().await;
    assert!(maps(&wire).await.is_empty());
}
