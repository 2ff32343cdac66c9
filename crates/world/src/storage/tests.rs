//! Worlds kept in a file, closed and opened again.

use std::{path::Path, time::Duration};

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Latency, OpenError, Options, Status, World};

fn options() -> Options {
    Options {
        latency: Latency {
            create_server: Duration::from_hours(1),
            ..Latency::zero()
        },
        ..Options::seeded(5)
    }
}

async fn ask(world: &World, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let token = &world.options().projects[0].token;
    let request = Request::builder()
        .method(method)
        .uri(format!("/v1{path}"))
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body.to_string()));
    let answer = world.hetzner().oneshot(request.unwrap()).await.unwrap();
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn create(world: &World, name: &str) -> u64 {
    let wanted = json!({ "name": name, "server_type": "cx23", "image": "debian-12" });
    let (status, made) = ask(world, "POST", "/servers", wanted).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["server"]["id"].as_u64().unwrap()
}

#[tokio::test]
async fn a_world_opened_again_has_the_same_servers_and_goes_on_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.db");
    let first = World::open(options(), &path).await.unwrap();
    let (stays, goes) = (create(&first, "stays").await, create(&first, "goes").await);
    ask(&first, "DELETE", &format!("/servers/{goes}"), json!({})).await;
    let before = first.snapshot();
    drop(first);

    let second = World::open(options(), &path).await.unwrap();
    let after = second.snapshot();
    let living: Vec<_> = after.living_servers().collect();
    assert_eq!(living.len(), 1);
    assert_eq!(
        (living[0].id, living[0].status),
        (stays, Status::Initializing)
    );
    assert_eq!(living[0].ipv4, before.servers[0].ipv4);
    assert!(
        after.now >= before.servers[0].created,
        "time never goes back"
    );

    second.skip(Duration::from_hours(1));
    assert_eq!(second.snapshot().servers[0].status, Status::Running);
    let new = create(&second, "new").await;
    assert!(new > goes, "no id is given twice");
    let addresses: std::collections::BTreeSet<_> = second
        .snapshot()
        .primary_ips
        .into_iter()
        .map(|ip| ip.ip)
        .collect();
    assert_eq!(addresses.len(), 4, "and no address");
}

#[tokio::test]
async fn a_world_opened_later_is_as_much_older() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.db");
    create(&World::open(options(), &path).await.unwrap(), "one").await;
    let later = options().start + jiff::SignedDuration::from_hours(2);
    let world = World::open(
        Options {
            start: later,
            ..options()
        },
        &path,
    )
    .await
    .unwrap();
    assert!(world.snapshot().now >= later);
    assert_eq!(world.snapshot().servers[0].status, Status::Running);
}

#[tokio::test]
async fn a_quiet_world_does_not_fall_back_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.db");
    let first = World::open(options(), &path).await.unwrap();
    first.skip(Duration::from_hours(5));
    first.keep_time();
    let reached = first.snapshot().now;
    drop(first);
    let again = World::open(options(), &path).await.unwrap().snapshot().now;
    let behind = reached.duration_since(again);
    assert!(behind < jiff::SignedDuration::from_secs(10), "{behind}");
}

#[tokio::test]
async fn a_file_belongs_to_one_world_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.db");
    let first = World::open(options(), &path).await.unwrap();
    assert!(why(&path).await.contains("world.db"));
    drop(first);
    assert_eq!(why(&path).await, "opened");
}

async fn why(path: &Path) -> String {
    match World::open(options(), path).await {
        Ok(_) => String::from("opened"),
        Err(error @ (OpenError::Open { .. } | OpenError::Read { .. } | OpenError::Row { .. })) => {
            error.to_string()
        }
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("letter.txt");
    std::fs::write(&text, "Dear Sir or Madam, ".repeat(100)).unwrap();
    assert!(why(&text).await.contains("letter.txt"));
    assert!(
        why(&folder.path().join("missing/world.db"))
            .await
            .contains("missing")
    );

    let damaged = folder.path().join("world.db");
    create(&World::open(options(), &damaged).await.unwrap(), "one").await;
    let mut file = <sqlx::SqliteConnection as sqlx::Connection>::connect(&format!(
        "sqlite://{}",
        damaged.display()
    ))
    .await
    .unwrap();
    sqlx::query("update rows set body = '{}' where tab = 'hetzner_servers'")
        .execute(&mut file)
        .await
        .unwrap();
    sqlx::Connection::close(file).await.unwrap();
    let said = why(&damaged).await;
    assert!(
        said.contains("hetzner_servers/40000001") && said.contains("missing field"),
        "{said}"
    );
}

#[tokio::test]
async fn volumes_zones_and_their_records_are_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.db");
    let first = World::open(options(), &path).await.unwrap();
    let volume = json!({ "name": "data", "size": 10, "location": "fsn1" });
    let (_, made) = ask(&first, "POST", "/volumes", volume).await;
    let set = json!([{ "name": "www", "type": "A", "records": [{ "value": "192.0.2.1" }] }]);
    let zone = json!({ "name": "example.com", "mode": "primary", "rrsets": set });
    ask(&first, "POST", "/zones", zone).await;
    let from = json!([{ "address": "192.0.2.53", "tsig_key": "c2VjcmV0" }]);
    let other = json!({ "name": "example.org", "mode": "secondary", "primary_nameservers": from });
    ask(&first, "POST", "/zones", other).await;
    let paths = [
        format!("/volumes/{}", made["volume"]["id"]),
        "/zones".to_owned(),
        "/zones/example.com/rrsets".to_owned(),
    ];
    let mut before = Vec::new();
    for path in &paths {
        before.push(ask(&first, "GET", path, json!({})).await);
    }
    drop(first);
    let second = World::open(options(), &path).await.unwrap();
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(before.0, StatusCode::OK, "{path}");
        assert_eq!(ask(&second, "GET", path, json!({})).await, before, "{path}");
    }
}
