//! A controller over restarts of its server: it knows of none of them, and goes on where it was.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::api::{Api, DeleteParams, PostParams};
use kube::config::{AuthInfo, Config};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Client, CustomResourceExt, ResourceExt};
use kube_embedded::{Server, Storage};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::runtime::{is_afloat, reconcile};
use crate::world::{Boat, boat};

/// How long a story may take on a machine that does much else.
const LIMIT: Duration = Duration::from_mins(1);

/// A server on a file, always at the same address.
struct Station {
    file: PathBuf,
    address: SocketAddr,
    serving: JoinSet<()>,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Station {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut station = Self {
            file: folder.path().join("state.db"),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            serving: JoinSet::new(),
            stop: CancellationToken::new(),
            _folder: folder,
        };
        station.open().await;
        station
    }

    async fn open(&mut self) {
        let storage = Storage::sqlite(&self.file).await.unwrap();
        let server = Server::builder()
            .storage(storage)
            .token("secret")
            .object(&Boat::crd())
            .build();
        let server = server.await.unwrap();
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.stop = CancellationToken::new();
        let stop = self.stop.clone();
        self.serving
            .spawn(async move { server.serve(listener, stop).await.unwrap() });
    }

    async fn restart(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.serving.join_next().await {
            ended.unwrap();
        }
        self.open().await;
    }

    fn client(&self) -> Client {
        let url = format!("http://{}", self.address);
        let mut config = Config::new(url.parse().unwrap());
        config.auth_info = AuthInfo {
            token: Some("secret".to_owned().into()),
            ..AuthInfo::default()
        };
        Client::try_from(config).unwrap()
    }
}

#[tokio::test]
async fn a_controller_goes_on_after_its_server_has_been_restarted() {
    let mut station = Station::start().await;
    let client = station.client();
    let boats: Api<Boat> = Api::namespaced(client.clone(), "default");
    let controller = Controller::new(boats.clone(), watcher::Config::default())
        .run(
            reconcile,
            |_, _, _| Action::requeue(Duration::from_millis(100)),
            Arc::new(client),
        )
        .for_each(|_| async {});
    let story = async {
        let by = PostParams::default();
        let anna = boats.create(&by, &boat("anna", "red")).await.unwrap();
        afloat(&boats, "anna").await;
        station.restart().await;
        boats.create(&by, &boat("berta", "blue")).await.unwrap();
        afloat(&boats, "berta").await;
        boats
            .delete("anna", &DeleteParams::default())
            .await
            .unwrap();
        station.restart().await;
        let uid = anna.uid().unwrap();
        let gone = conditions::is_deleted(&uid);
        await_condition(boats.clone(), "anna", gone).await.unwrap();
        assert!(boats.get_opt("berta").await.unwrap().is_some());
    };
    tokio::select! {
        () = controller => unreachable!("a controller does not end"),
        ended = tokio::time::timeout(LIMIT, story) => ended.unwrap(),
    }
}

async fn afloat(boats: &Api<Boat>, name: &str) {
    await_condition(boats.clone(), name, is_afloat)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_store_is_right_again_after_a_restart_it_slept_through() {
    let mut station = Station::start().await;
    let boats: Api<Boat> = Api::namespaced(station.client(), "default");
    let by = PostParams::default();
    boats.create(&by, &boat("anna", "red")).await.unwrap();
    let listed = watcher::Config::default();
    let streamed = watcher::Config::default().streaming_lists();
    let mut stores = [listed, streamed].map(|config| {
        let (reader, writer) = reflector::store();
        let watcher = watcher(boats.clone(), config).default_backoff();
        (reader, watcher.reflect(writer).boxed())
    });
    for (reader, stream) in &mut stores {
        while reader.is_empty() {
            let _ = stream.next().await.unwrap();
        }
    }
    // Nobody reads the streams meanwhile.
    boats
        .delete("anna", &DeleteParams::default())
        .await
        .unwrap();
    station.restart().await;
    boats.create(&by, &boat("berta", "red")).await.unwrap();
    for (reader, stream) in &mut stores {
        let right = async {
            while reader
                .state()
                .iter()
                .map(|boat| boat.name_any())
                .ne(["berta".to_owned()])
            {
                let _ = stream.next().await.unwrap();
            }
        };
        tokio::time::timeout(LIMIT, right).await.unwrap();
    }
}
