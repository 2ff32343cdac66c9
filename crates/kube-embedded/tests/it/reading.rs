//! Lists and watches: which objects, as of when, and what happens to them.

use kube_embedded::Server;
use serde_json::{Value, json};

use crate::http::{BOATS, CONFIG_MAPS, Wire};

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

async fn three_boats() -> Wire {
    let wire = Wire::harbour().await;
    for (name, colour) in [("anna", "red"), ("berta", "blue"), ("carla", "red")] {
        wire.boat(name, colour).await;
    }
    wire
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_list_are_of_one_moment_whatever_happens_between_them() {
    let wire = three_boats().await;
    let first = wire.get(&format!("{BOATS}?limit=2")).await.expect(200);
    assert_eq!(names(&first), ["anna", "berta"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    wire.delete(&format!("{BOATS}/carla")).await.expect(200);
    wire.boat("dora", "red").await;
    let token = first["metadata"]["continue"].as_str().unwrap();
    let next = wire
        .get(&format!("{BOATS}?limit=2&continue={token}"))
        .await
        .expect(200);
    assert_eq!(names(&next), ["carla"]);
    assert_eq!(
        next["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );
    assert_eq!(next["metadata"]["continue"], "");
    wire.get(&format!("{BOATS}?continue=nonsense"))
        .await
        .expect(400);
}

#[tokio::test(start_paused = true)]
async fn a_page_from_too_long_ago_is_gone() {
    let wire = Wire::of(Server::builder().event_window(2)).await;
    for name in ["a", "b", "c"] {
        wire.config_map(name).await;
    }
    let first = wire
        .get(&format!("{CONFIG_MAPS}?limit=1"))
        .await
        .expect(200);
    let token = first["metadata"]["continue"].as_str().unwrap();
    for name in ["d", "e", "f"] {
        wire.config_map(name).await;
    }
    let gone = wire
        .get(&format!("{CONFIG_MAPS}?limit=1&continue={token}"))
        .await;
    assert_eq!((gone.code, &gone.body["reason"]), (410, &"Expired".into()));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_an_exact_version_is_of_then() {
    let wire = three_boats().await;
    let then = wire.get(BOATS).await.expect(200)["metadata"]["resourceVersion"].clone();
    let then = then.as_str().unwrap();
    wire.delete(&format!("{BOATS}/anna")).await.expect(200);
    let exact = format!("{BOATS}?resourceVersion={then}&resourceVersionMatch=Exact");
    assert_eq!(
        names(&wire.get(&exact).await.expect(200)),
        ["anna", "berta", "carla"]
    );
    let newer = format!("{BOATS}?resourceVersion={then}");
    assert_eq!(
        names(&wire.get(&newer).await.expect(200)),
        ["berta", "carla"]
    );
    let future = wire.get(&format!("{BOATS}?resourceVersion=9999")).await;
    assert_eq!(
        (future.code, &future.body["reason"]),
        (504, &"Timeout".into())
    );
}

#[tokio::test(start_paused = true)]
async fn selectors_pick_by_label_and_by_field() {
    let wire = three_boats().await;
    let label = json!({ "metadata": { "labels": { "sea": "baltic" } } });
    wire.merge(&format!("{BOATS}/berta"), label)
        .await
        .expect(200);
    for (selector, picked) in [
        ("labelSelector=sea%3Dbaltic", vec!["berta"]),
        ("labelSelector=!sea", vec!["anna", "carla"]),
        ("fieldSelector=spec.colour%3Dred", vec!["anna", "carla"]),
        ("fieldSelector=metadata.name%3Danna", vec!["anna"]),
        (
            "fieldSelector=spec.colour%3Dred,metadata.name!%3Danna",
            vec!["carla"],
        ),
        ("fieldSelector=metadata.namespace%3Dother", vec![]),
    ] {
        let list = wire.get(&format!("{BOATS}?{selector}")).await.expect(200);
        assert_eq!(names(&list), picked, "{selector}");
    }
    wire.get(&format!("{BOATS}?fieldSelector=spec.seats%3D1"))
        .await
        .expect(400);
    wire.get(&format!("{BOATS}?labelSelector=a%3D%3D%3D"))
        .await
        .expect(400);
}

#[tokio::test(start_paused = true)]
async fn a_watch_begins_with_the_state_or_after_a_version() {
    let wire = three_boats().await;
    let mut all = wire.watch(&format!("{BOATS}?watch=true")).await;
    for name in ["anna", "berta", "carla"] {
        assert_eq!(all.line().await, format!("ADDED {name}"));
    }
    let now = wire.get(BOATS).await.expect(200)["metadata"]["resourceVersion"].clone();
    let after = format!(
        "{BOATS}?watch=true&resourceVersion={}",
        now.as_str().unwrap()
    );
    let mut after = wire.watch(&after).await;
    wire.delete(&format!("{BOATS}/anna")).await.expect(200);
    wire.merge(&format!("{BOATS}/berta"), json!({ "spec": { "seats": 9 } }))
        .await
        .expect(200);
    for watch in [&mut all, &mut after] {
        assert_eq!(watch.line().await, "DELETED anna");
        assert_eq!(watch.line().await, "MODIFIED berta");
    }
    // Kubernetes watches collections; of one object it shows how it is.
    let one = wire
        .get(&format!("{BOATS}/carla?watch=true"))
        .await
        .expect(200);
    assert_eq!(one["metadata"]["name"], "carla");
}

#[tokio::test(start_paused = true)]
async fn an_object_enters_and_leaves_a_selected_watch() {
    let wire = three_boats().await;
    let path = format!("{BOATS}?watch=true&fieldSelector=spec.colour%3Dred");
    let mut reds = wire.watch(&path).await;
    assert_eq!(reds.line().await, "ADDED anna");
    assert_eq!(reds.line().await, "ADDED carla");
    let paint = |colour: &str| json!({ "spec": { "colour": colour } });
    wire.merge(&format!("{BOATS}/berta"), paint("green"))
        .await
        .expect(200);
    wire.merge(&format!("{BOATS}/berta"), paint("red"))
        .await
        .expect(200);
    assert_eq!(reds.line().await, "ADDED berta");
    let left = wire
        .merge(&format!("{BOATS}/anna"), paint("blue"))
        .await
        .expect(200);
    let event = reds.next().await.unwrap();
    assert_eq!(
        (&event["type"], &event["object"]["spec"]["colour"]),
        (&"DELETED".into(), &"red".into())
    );
    assert_eq!(
        event["object"]["metadata"]["resourceVersion"],
        left["metadata"]["resourceVersion"]
    );
    wire.delete(&format!("{BOATS}/anna")).await.expect(200);
    wire.delete(&format!("{BOATS}/carla")).await.expect(200);
    assert_eq!(reds.line().await, "DELETED carla");
}

#[tokio::test(start_paused = true)]
async fn a_watch_says_how_far_it_is_and_ends_in_time() {
    let wire = three_boats().await;
    let path =
        format!("{BOATS}?watch=true&resourceVersion=1&allowWatchBookmarks=true&timeoutSeconds=90");
    let begun = tokio::time::Instant::now();
    let mut watch = wire.watch(&path).await;
    for name in ["anna", "berta", "carla"] {
        assert_eq!(watch.line().await, format!("ADDED {name}"));
    }
    // Something elsewhere moves the version on.
    let other = wire.config_map("a").await;
    let bookmark = watch.next().await.unwrap();
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(bookmark["object"]["kind"], "Boat");
    assert_eq!(
        bookmark["object"]["metadata"]["resourceVersion"],
        other["metadata"]["resourceVersion"]
    );
    assert_eq!(watch.line().await, "BOOKMARK ");
    assert_eq!(watch.line().await, "over");
    assert_eq!(begun.elapsed().as_secs(), 90);
}

#[tokio::test(start_paused = true)]
async fn a_streamed_list_ends_with_a_bookmark() {
    let wire = three_boats().await;
    let base = format!("{BOATS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true");
    let refused = wire.get(&base).await;
    assert_eq!(refused.code, 422, "{}", refused.body);
    let mut watch = wire
        .watch(&format!("{base}&resourceVersionMatch=NotOlderThan"))
        .await;
    for name in ["anna", "berta", "carla"] {
        assert_eq!(watch.line().await, format!("ADDED {name}"));
    }
    let bookmark = watch.next().await.unwrap();
    assert_eq!(
        bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_too_long_ago_is_told_to_list_again() {
    let wire = Wire::of(Server::builder().event_window(2)).await;
    let first = wire.config_map("a").await;
    for name in ["b", "c", "d"] {
        wire.config_map(name).await;
    }
    let version = first["metadata"]["resourceVersion"].as_str().unwrap();
    let mut watch = wire
        .watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}"))
        .await;
    let event = watch.next().await.unwrap();
    assert_eq!(
        (&event["type"], &event["object"]["code"]),
        (&"ERROR".into(), &410.into())
    );
    assert_eq!(watch.line().await, "over");
}

#[tokio::test(start_paused = true)]
async fn objects_are_shown_as_tables_and_as_metadata_alone() {
    let wire = three_boats().await;
    let table = wire
        .get_as(BOATS, "application/json;as=Table;v=v1;g=meta.k8s.io")
        .await
        .expect(200);
    assert_eq!(table["kind"], "Table");
    let columns = table["columnDefinitions"].as_array().unwrap();
    let columns: Vec<_> = columns
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(columns, ["Name", "Colour", "Ready", "Seats", "Age"]);
    assert_eq!(table["rows"][0]["cells"][1], "red");
    let partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    let list = wire.get_as(BOATS, partial).await.expect(200);
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["kind"], "PartialObjectMetadata");
    assert!(list["items"][0]["spec"].is_null());
    let yaml = wire
        .get_as(&format!("{BOATS}/anna"), "application/yaml")
        .await;
    assert!(yaml.body.as_str().unwrap().contains("colour: red\n"));
    let path = format!("{BOATS}?watch=true");
    let mut rows = wire
        .watch_as(&path, "application/json;as=Table;v=v1;g=meta.k8s.io")
        .await;
    let first = rows.next().await.unwrap();
    assert_eq!(
        first["object"]["columnDefinitions"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    assert!(rows.next().await.unwrap()["object"]["columnDefinitions"].is_null());
}

#[tokio::test(start_paused = true)]
async fn one_object_is_listed_and_watched_by_its_name() {
    let wire = three_boats().await;
    wire.boat("anna-2", "red").await;
    let path = format!("{BOATS}?fieldSelector=metadata.name%3Danna");
    assert_eq!(names(&wire.get(&path).await.expect(200)), ["anna"]);
    let everywhere = "/apis/example.dev/v1/boats?fieldSelector=metadata.name%3Danna";
    assert_eq!(names(&wire.get(everywhere).await.expect(200)), ["anna"]);
    let mut watch = wire.watch(&format!("{path}&watch=1")).await;
    assert_eq!(watch.line().await, "ADDED anna");
    wire.delete(&format!("{BOATS}/anna-2")).await.expect(200);
    wire.delete(&format!("{BOATS}/anna")).await.expect(200);
    assert_eq!(watch.line().await, "DELETED anna");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_watches_all_see_the_same() {
    let wire = Wire::harbour().await;
    let path = format!("{BOATS}?watch=1");
    let mut watches = Vec::new();
    for _ in 0..100 {
        watches.push(wire.watch(&path).await);
    }
    for number in 0..50 {
        wire.boat(&format!("b{number}"), "red").await;
    }
    for watch in &mut watches {
        for number in 0..50 {
            assert_eq!(watch.line().await, format!("ADDED b{number}"));
        }
    }
}
