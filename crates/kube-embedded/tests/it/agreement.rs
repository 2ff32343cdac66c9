//! Many write at once, many watch: in the end everybody has the same picture, and nothing went backwards.

use std::collections::BTreeMap;

use kube_embedded::{Server, Storage};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::http::{CONFIG_MAPS, Watch, Wire};

const WRITERS: u64 = 8;
const STEPS: usize = 60;
const NAMES: u64 = 6;

/// Some writes to a few names, each of them allowed to fail: the others write too.
async fn scribble(wire: Wire, seed: u64) {
    let mut chance = StdRng::seed_from_u64(seed);
    for step in 0..STEPS {
        let name = format!("m{}", chance.next_u64() % NAMES);
        let path = format!("{CONFIG_MAPS}/{name}");
        let data = json!({ "data": { "by": format!("{seed}-{step}") } });
        let held = json!({ "metadata": { "finalizers": ["example.dev/held"] } });
        let freed = json!({ "metadata": { "finalizers": null } });
        let labelled = json!({ "metadata": { "labels": { "odd": (step % 2).to_string() } } });
        let code = match chance.next_u64() % 6 {
            0 => {
                wire.post(CONFIG_MAPS, json!({ "metadata": { "name": name } }))
                    .await
                    .code
            }
            1 => wire.merge(&path, data).await.code,
            2 => wire.merge(&path, held).await.code,
            3 => wire.merge(&path, freed).await.code,
            4 => wire.merge(&path, labelled).await.code,
            _ => wire.delete(&path).await.code,
        };
        assert!([200, 201, 404, 409, 422].contains(&code), "{code}");
    }
}

fn version(object: &Value) -> u64 {
    let text = object["metadata"]["resourceVersion"].as_str().unwrap();
    text.parse().unwrap()
}

/// What a client that only watches believes in the end.
async fn picture(mut watch: Watch) -> BTreeMap<String, Value> {
    let mut believed: BTreeMap<String, Value> = BTreeMap::new();
    let mut last = 0;
    loop {
        let event = watch.next().await.unwrap();
        let object = event["object"].clone();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let known = believed.contains_key(&name);
        match event["type"].as_str().unwrap() {
            "ADDED" => {
                assert!(!known, "{name} came twice");
                // The state a watch begins with is in the order of names.
                last = last.max(version(&object));
                believed.insert(name, object);
                continue;
            }
            "MODIFIED" => {
                assert!(known, "{name} changed before it came");
                believed.insert(name, object.clone());
            }
            "DELETED" => {
                assert!(known, "{name} went before it came");
                believed.remove(&name);
            }
            other => panic!("{other}"),
        }
        assert!(version(&object) > last, "backwards");
        last = version(&object);
        if object["data"]["by"] == "the end" {
            return believed;
        }
    }
}

async fn everybody_agrees(storage: Storage, seed: u64) {
    let wire = Wire::of(Server::builder().storage(storage)).await;
    let last = json!({ "metadata": { "name": "last", "labels": { "odd": "1" } } });
    wire.post(CONFIG_MAPS, last).await.expect(201);
    // Each on a thread of its own, as far as there are some.
    let mut watchers = JoinSet::new();
    for selector in ["", "", "labelSelector=odd%3D1"] {
        let watch = wire
            .watch(&format!("{CONFIG_MAPS}?watch=1&{selector}"))
            .await;
        watchers.spawn(async move { (selector, picture(watch).await) });
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(scribble(wire.clone(), seed * 100 + writer));
    }
    writers.join_all().await;
    let end = json!({ "data": { "by": "the end" } });
    wire.merge(&format!("{CONFIG_MAPS}/last"), end)
        .await
        .expect(200);
    for (selector, picture) in watchers.join_all().await {
        let list = wire
            .get(&format!("{CONFIG_MAPS}?{selector}"))
            .await
            .expect(200);
        let mut listed: Vec<Value> = list["items"].as_array().unwrap().clone();
        for item in &mut listed {
            // A list says for all of its items what they are.
            item["apiVersion"] = "v1".into();
            item["kind"] = "ConfigMap".into();
        }
        let believed: Vec<Value> = picture.into_values().collect();
        assert_eq!(believed, listed, "seed {seed} {selector}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_memory() {
    for seed in 0..20 {
        everybody_agrees(Storage::memory(), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..5 {
        let storage = Storage::sqlite(folder.path().join(format!("{seed}.db")))
            .await
            .unwrap();
        everybody_agrees(storage, seed).await;
    }
}
