//! What tests of the adapters stand on: a simulated world, the adapters over it without a socket, and
//! somebody else with the same keys.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::Value;
use tokio::time::Instant;
use world::{Api, Fault, FaultKind, Options, Project, World};

use super::account::{Account, Dialect};
use super::budget::Law;
use super::calls::{Calls, Provider};
use super::cloudflare::{Cloudflare, Publishing, ZoneSettings};
use super::hetzner::{Hetzner, ProjectSettings};
use super::transport::Transport;
use super::{BegunAfter, Fleet, Priority, ServerId, ServerOrder, Servers};
use crate::api::{InstallationName, Placement, ProjectName, ServerName, Uid};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than any list in the world lags, and than we distrust lists.
pub(crate) const LAG_OVER: Duration = Duration::from_secs(16);

/// An account that knows no refusals.
pub(super) fn hetzner_account(transport: Transport) -> Account {
    let dialect = Dialect {
        provider: Provider::Hetzner,
        refusal: |_| None,
        remaining: |_: &HeaderMap| None,
        block: Duration::from_secs(10),
    };
    let url = "http://hetzner.test/v1".parse().unwrap();
    let law = Law {
        capacity: 100_000,
        refill_per_second: 1.0,
    };
    let token = "token".to_owned().into();
    Account::new(dialect, &url, &token, law, transport, Arc::default()).unwrap()
}

/// A world with the projects `main` and `spare`, and our installation `prod` in it.
pub(crate) struct Scene {
    pub world: World,
    pub calls: Arc<Calls>,
    pub hetzner: Hetzner,
    pub cloudflare: Cloudflare,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        options.projects.push(Project {
            name: "spare".to_owned(),
            token: "s".repeat(64),
            server_limit: 100,
        });
        change(&mut options);
        let world = World::new(options);
        let calls = Arc::new(Calls::default());
        Self {
            hetzner: hetzner(&world, &calls),
            cloudflare: cloudflare(&world, &calls),
            calls,
            world,
        }
    }

    /// The same world after our process was started anew.
    pub(crate) fn restarted(&self) -> Self {
        let calls = Arc::new(Calls::default());
        Self {
            world: self.world.clone(),
            hetzner: hetzner(&self.world, &calls),
            cloudflare: cloudflare(&self.world, &calls),
            calls,
        }
    }

    pub(crate) fn plan(&self, api: Api, kind: FaultKind, endpoint: &str) {
        assert!(self.world.faults().plan(Fault::once(api, kind, endpoint)));
    }

    /// A list begun now.
    pub(crate) async fn fleet(&self) -> Arc<Fleet> {
        let now = BegunAfter(Instant::now());
        self.hetzner.fleet(Priority::Resync, now).await.unwrap()
    }

    /// Waits until nothing is under way on a server.
    pub(crate) async fn settle(&self, id: &ServerId) {
        for _ in 0..100 {
            if self.hetzner.progress(id).await.unwrap() == super::Progress::Idle {
                return;
            }
            tokio::time::advance(Duration::from_secs(5)).await;
        }
        panic!("server {id} does not settle");
    }

    pub(crate) fn hetzner_calls(&self) -> u64 {
        self.calls.sent(Provider::Hetzner)
    }

    pub(crate) fn cloudflare_calls(&self) -> u64 {
        self.calls.sent(Provider::Cloudflare)
    }

    /// Somebody else with the keys to the project `main`.
    pub(crate) async fn somebody(&self, method: &str, path: &str, body: Value) -> Value {
        let token = &self.world.options().projects[0].token;
        ask(
            self.world.hetzner(),
            method,
            &format!("/v1{path}"),
            token,
            body,
        )
        .await
    }

    /// Somebody else with the keys to the zone; `path` begins below the zone.
    pub(crate) async fn zone_editor(&self, method: &str, path: &str, body: Value) -> Value {
        let token = &self.world.options().cloudflare_token;
        let zones = ask(
            self.world.cloudflare(),
            "GET",
            "/client/v4/zones",
            token,
            Value::Null,
        )
        .await;
        let zone = zones["result"][0]["id"].as_str().unwrap();
        let path = format!("/client/v4/zones/{zone}{path}");
        ask(self.world.cloudflare(), method, &path, token, body).await
    }
}

async fn ask(router: Router, method: &str, path: &str, token: &str, body: Value) -> Value {
    let body = match body {
        Value::Null => Bytes::new(),
        body => Bytes::from(body.to_string()),
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(body)
        .unwrap();
    let answer = Transport::in_process(router, TIMEOUT)
        .send(request)
        .await
        .unwrap();
    assert!(
        answer.status().is_success(),
        "{method} {path}: {:?}",
        answer.body()
    );
    serde_json::from_slice(answer.body()).unwrap_or(Value::Null)
}

pub(crate) fn installation() -> InstallationName {
    InstallationName::parse("prod").unwrap()
}

pub(crate) fn project(name: &str) -> ProjectName {
    ProjectName::parse(name).unwrap()
}

fn hetzner(world: &World, calls: &Arc<Calls>) -> Hetzner {
    let projects = world.options().projects.iter().map(|opened| {
        let settings = ProjectSettings {
            name: project(&opened.name),
            url: "http://hetzner.test/v1".parse().unwrap(),
            token: opened.token.clone().into(),
            law: Law::HETZNER,
            ssh_keys: Vec::new(),
            firewalls: Vec::new(),
        };
        (settings, Transport::in_process(world.hetzner(), TIMEOUT))
    });
    Hetzner::new(installation(), projects, calls).unwrap()
}

fn cloudflare(world: &World, calls: &Arc<Calls>) -> Cloudflare {
    let settings = ZoneSettings {
        installation: installation(),
        zone: world.options().zone.clone(),
        url: "http://cloudflare.test/client/v4".parse().unwrap(),
        token: world.options().cloudflare_token.clone().into(),
        law: Law::CLOUDFLARE,
        publishing: Publishing {
            proxied: false,
            ttl_seconds: 60,
        },
    };
    let transport = Transport::in_process(world.cloudflare(), TIMEOUT);
    Cloudflare::new(settings, transport, calls).unwrap()
}

/// An order for instance `u<number>`.
pub(crate) fn order(number: u32) -> ServerOrder {
    let owner = uid(number);
    ServerOrder {
        project: project("main"),
        name: ServerName::derive(&installation(), &owner),
        owner,
        placement: Placement {
            server_type: "cx23".to_owned(),
            location: "nbg1".to_owned(),
        },
        image: "debian-12".to_owned(),
        user_data: "#cloud-config\n{}\n".to_owned(),
        protect: false,
    }
}

pub(crate) fn uid(number: u32) -> Uid {
    Uid::new(format!("00000000-0000-4000-8000-{number:012}"))
}
