//! What outlives the process: everything that was acknowledged, and nothing else.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use futures::{FutureExt, StreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, ResourceExt};
use kube_embedded::{Server, Storage, StorageError};
use serde_json::json;

use crate::http::{BOATS, CONFIG_MAPS, Wire, boat};

async fn open(path: &Path) -> Wire {
    let storage = Storage::sqlite(path).await.unwrap();
    Wire::of(Server::builder().storage(storage)).await
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart_and_versions_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let wire = open(&path).await;
    wire.define_boats().await;
    let anna = wire.boat("anna", "red").await;
    wire.boat("berta", "blue").await;
    let gone = wire.delete(&format!("{BOATS}/berta")).await.expect(200);
    assert_eq!(gone["status"], "Success");
    let before = wire.get(BOATS).await.expect(200);
    drop(wire);

    let wire = open(&path).await;
    let after = wire.get(BOATS).await.expect(200);
    assert_eq!(after["items"], before["items"]);
    assert_eq!(after["items"], json!([anna]));
    assert_eq!(after["metadata"], before["metadata"]);
    let carla = wire.post(BOATS, boat("carla", "red")).await.expect(201);
    let version = |object: &serde_json::Value| -> u64 {
        let text = object["metadata"]["resourceVersion"].as_str().unwrap();
        text.parse().unwrap()
    };
    assert!(version(&carla) > version(&before));
    let old = version(&anna) - 1;
    let mut watch = wire
        .watch(&format!("{BOATS}?watch=1&resourceVersion={old}"))
        .await;
    assert_eq!(watch.next().await.unwrap()["object"]["code"], 410);
    let last = version(&before);
    let mut watch = wire
        .watch(&format!("{BOATS}?watch=1&resourceVersion={last}"))
        .await;
    assert_eq!(watch.line().await, "ADDED carla");
}

#[tokio::test]
async fn a_file_belongs_to_one_server_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let wire = open(&path).await;
    wire.config_map("a").await;
    let second = Storage::sqlite(&path).await.err();
    assert!(
        matches!(second, Some(StorageError::InUse { .. })),
        "{second:?}"
    );
    std::fs::write(
        folder.path().join("other"),
        "no database, and long enough to look at",
    )
    .unwrap();
    let other = Storage::sqlite(folder.path().join("other")).await.err();
    assert!(
        matches!(other, Some(StorageError::Open { .. })),
        "{other:?}"
    );
    wire.config_map("b").await;
}

#[tokio::test]
async fn many_at_once_are_all_kept_and_each_has_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let wire = open(&path).await;
    let made = futures::future::join_all((0..200).map(|number| {
        let wire = wire.clone();
        async move { wire.config_map(&format!("m{number}")).await }
    }))
    .await;
    let mut versions: Vec<_> = made
        .iter()
        .map(|made| made["metadata"]["resourceVersion"].to_string())
        .collect();
    versions.sort();
    versions.dedup();
    assert_eq!(versions.len(), 200);
    // All of them change the same object: none is lost.
    wire.config_map("shared").await;
    let changes = (0..20).map(|number| {
        let wire = wire.clone();
        let change = json!({ "data": { format!("k{number}"): "v" } });
        async move {
            wire.merge(&format!("{CONFIG_MAPS}/shared"), change)
                .await
                .code
        }
    });
    let codes = futures::future::join_all(changes).await;
    let done = codes.iter().filter(|code| **code == 200).count();
    assert_eq!(done + codes.iter().filter(|code| **code == 409).count(), 20);
    drop(wire);
    let wire = open(&path).await;
    let all = wire.get(CONFIG_MAPS).await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 201);
    let shared = wire.get(&format!("{CONFIG_MAPS}/shared")).await.expect(200);
    assert_eq!(shared["data"].as_object().unwrap().len(), done);
}

#[tokio::test]
async fn a_deletion_a_crash_interrupted_is_finished_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let wire = open(&path).await;
    let namespace = json!({ "metadata": { "name": "berlin" } });
    wire.post("/api/v1/namespaces", namespace).await.expect(201);
    let map = json!({ "metadata": { "name": "a", "finalizers": ["example.dev/a"] } });
    let maps = "/api/v1/namespaces/berlin/configmaps";
    wire.post(maps, map).await.expect(201);
    wire.delete("/api/v1/namespaces/berlin").await.expect(200);
    drop(wire);
    // As if the process had died between the last object and its namespace.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut database = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let done = sqlx::query("DELETE FROM objects WHERE key = 'berlin/a'")
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
    sqlx::Connection::close(database).await.unwrap();
    let wire = open(&path).await;
    wire.get("/api/v1/namespaces/berlin").await.expect(404);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_leave_a_namespace_half_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let wire = open(&folder.path().join("state.db")).await;
    let namespace = json!({ "metadata": { "name": "berlin" } });
    wire.post("/api/v1/namespaces", namespace).await.expect(201);
    for number in 0..50 {
        let map = json!({ "metadata": { "name": format!("m{number}") } });
        wire.post("/api/v1/namespaces/berlin/configmaps", map)
            .await
            .expect(201);
    }
    let mut watch = wire
        .watch("/api/v1/namespaces?watch=1&fieldSelector=metadata.name%3Dberlin")
        .await;
    assert_eq!(watch.line().await, "ADDED berlin");
    let deletion = wire.delete("/api/v1/namespaces/berlin");
    assert!(deletion.now_or_never().is_none(), "given up while it waits");
    assert_eq!(watch.line().await, "MODIFIED berlin");
    let patience = std::time::Duration::from_secs(20);
    for line in ["MODIFIED berlin", "DELETED berlin"] {
        let said = tokio::time::timeout(patience, watch.line()).await.unwrap();
        assert_eq!(said, line);
    }
}

/// The command, listening; killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) kubeconfig: std::path::PathBuf,
}

impl Process {
    pub(crate) fn start(folder: &Path, data: &str) -> Self {
        Self::start_with(folder, data, &[])
    }

    pub(crate) fn start_with(folder: &Path, data: &str, more: &[&str]) -> Self {
        let kubeconfig = folder.join("kubeconfig");
        let mut child = Command::new(env!("CARGO_BIN_EXE_kube-embedded"))
            .args(["--listen", "127.0.0.1:0", "--data", data, "--kubeconfig"])
            .arg(&kubeconfig)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.contains("listening on https://127.0.0.1:"), "{line:?}");
        Self { child, kubeconfig }
    }

    pub(crate) async fn client(&self) -> Client {
        let config = Kubeconfig::read_from(&self.kubeconfig).unwrap();
        let options = KubeConfigOptions::default();
        let mut config = Config::from_custom_kubeconfig(config, &options)
            .await
            .unwrap();
        config.default_retry = false;
        Client::try_from(config).unwrap()
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As Ctrl-C does; returns whether it ended well.
    pub(crate) fn interrupt(&mut self) -> bool {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
        sent.success() && self.child.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn whatever_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("state.db");
    let data = data.to_str().unwrap();
    let mut process = Process::start(folder.path(), data);
    let maps: Api<ConfigMap> = Api::namespaced(process.client().await, "default");
    let mut acknowledged = Vec::new();
    let writes = (0..500).map(|number| {
        let maps = maps.clone();
        async move {
            let mut map = ConfigMap::default();
            map.metadata.name = Some(format!("m{number}"));
            maps.create(&PostParams::default(), &map)
                .await
                .ok()
                .map(|map| map.name_any())
        }
    });
    let mut writes = futures::stream::iter(writes).buffer_unordered(16);
    while let Some(written) = writes.next().await {
        acknowledged.extend(written);
        if acknowledged.len() == 100 {
            process.kill();
        }
    }
    drop(writes);
    assert!(
        acknowledged.len() >= 100 && acknowledged.len() < 500,
        "killed in the middle"
    );
    let process = Process::start(folder.path(), data);
    let maps: Api<ConfigMap> = Api::namespaced(process.client().await, "default");
    let kept = maps.list(&ListParams::default()).await.unwrap();
    let kept: std::collections::HashSet<_> = kept.iter().map(ResourceExt::name_any).collect();
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|name| !kept.contains(*name))
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[tokio::test]
async fn the_command_stops_when_told_although_a_watch_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path(), "memory");
    let maps: Api<ConfigMap> = Api::namespaced(process.client().await, "default");
    let mut events = maps
        .watch(&kube::api::WatchParams::default(), "0")
        .await
        .unwrap()
        .boxed();
    let mut map = ConfigMap::default();
    map.metadata.name = Some("a".to_owned());
    maps.create(&PostParams::default(), &map).await.unwrap();
    assert!(events.next().await.unwrap().is_ok());
    assert!(process.interrupt(), "it ends by itself, and well");
    while events.next().await.is_some() {}
    assert!(maps.delete("a", &DeleteParams::default()).await.is_err());
}

#[test]
fn it_does_not_listen_to_others_unless_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_kube-embedded"))
        .args(["--listen", "0.0.0.0:0", "--kubeconfig"])
        .arg(folder.path().join("kubeconfig"))
        .output()
        .unwrap();
    assert!(!done.status.success());
    assert!(String::from_utf8_lossy(&done.stderr).contains("--allow-remote"));
    assert!(!folder.path().join("kubeconfig").exists());
}

#[tokio::test]
async fn over_the_network_nobody_gets_in_without_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), "memory");
    let mut config = Kubeconfig::read_from(&process.kubeconfig).unwrap();
    for user in &mut config.auth_infos {
        user.auth_info = Some(kube::config::AuthInfo::default());
    }
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(config, &options)
        .await
        .unwrap();
    let maps: Api<ConfigMap> = Api::default_namespaced(Client::try_from(config).unwrap());
    let refused = maps.list(&ListParams::default()).await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 401));
}
