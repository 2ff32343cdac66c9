//! A small outside: servers, records, addresses and Instances behind one lock, as the traits and the
//! cluster's API show them. Only what the sweep asks of it exists.

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::json;

use super::super::*;
use crate::api::{Hostname, ProjectName, ServerName};
use crate::provider::{
    Owner, Progress, Record, Server, ServerOrder, ServerPower, SpareAddress, Target, Zone,
};

/// So many Instances come in a page, whatever was asked for.
const PAGE: usize = 2;

#[derive(Clone, Default)]
pub(super) struct Outside(Arc<Mutex<Inner>>);

#[derive(Default)]
pub(super) struct Inner {
    pub(super) servers: BTreeMap<i64, Server>,
    pub(super) records: BTreeMap<String, Record>,
    pub(super) addresses: BTreeMap<i64, SpareAddress>,
    pub(super) instances: Vec<String>,
    /// Providers answer nothing.
    pub(super) providers_down: bool,
    /// The cluster's API answers nothing from this page on.
    pub(super) pages: Option<usize>,
    /// Made the next time the servers are listed.
    pub(super) made_meanwhile: Option<String>,
    /// Relabelled the next time the servers are listed, after the list was made.
    pub(super) relabelled_meanwhile: Option<i64>,
    /// What was deleted, in order.
    pub(super) gone: Vec<String>,
}

pub(super) fn project() -> ProjectName {
    ProjectName::parse("main").unwrap()
}

pub(super) fn server_id(id: i64) -> ServerId {
    ServerId {
        project: project(),
        id,
    }
}

fn ours(uid: &str) -> Owner {
    Owner::Ours(Uid::new(uid))
}

impl Outside {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// A server that was made an hour before the start.
    pub(super) fn server(&self, id: i64, uid: &str) {
        let server = Server {
            id: server_id(id),
            name: ServerName::observed(format!("test-{uid}")),
            owner: ours(uid),
            labels_intact: true,
            power: ServerPower::Running,
            locked: false,
            protected: false,
            server_type: "cx23".into(),
            location: "nbg1".into(),
            ipv4: None,
            ipv6: None,
            created: Timestamp::UNIX_EPOCH,
            hourly_price_microcents: 600_000,
        };
        self.lock().servers.insert(id, server);
    }

    pub(super) fn record(&self, id: &str, uid: &str) {
        let record = Record {
            id: id.to_owned(),
            host: Hostname::observed("ada.clawdet.example"),
            owner: ours(uid),
            target: Some(Target::V4(Ipv4Addr::new(127, 64, 0, 1))),
            proxied: false,
        };
        self.lock().records.insert(id.to_owned(), record);
    }

    pub(super) fn address(&self, id: i64, uid: &str) {
        let address = SpareAddress {
            project: project(),
            id,
            owner: ours(uid),
            assigned: false,
            created: Timestamp::UNIX_EPOCH,
        };
        self.lock().addresses.insert(id, address);
    }

    pub(super) fn cluster(&self) -> Client {
        let router = Router::new()
            .route(
                "/apis/clawdet.com/v1alpha1/namespaces/default/instances",
                get(list_instances),
            )
            .with_state(self.clone());
        Client::new(router, "default")
    }

    fn call<T>(&self, answer: impl FnOnce(&mut Inner) -> T) -> Result<T, ProviderError> {
        let mut inner = self.lock();
        if inner.providers_down {
            return Err(ProviderError::Unreachable("down".into()));
        }
        Ok(answer(&mut inner))
    }
}

#[derive(serde::Deserialize)]
struct Page {
    #[serde(rename = "continue")]
    from: Option<usize>,
}

async fn list_instances(State(outside): State<Outside>, Query(page): Query<Page>) -> Response {
    let inner = outside.lock();
    let from = page.from.unwrap_or(0);
    if inner.pages.is_some_and(|pages| from / PAGE >= pages) {
        let status =
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410});
        return (StatusCode::GONE, Json(status)).into_response();
    }
    let items: Vec<_> = inner
        .instances
        .iter()
        .skip(from)
        .take(PAGE)
        .map(|uid| json!({"metadata": {"name": uid, "uid": uid}}))
        .collect();
    let more = from + PAGE < inner.instances.len();
    let next = if more {
        (from + PAGE).to_string()
    } else {
        String::new()
    };
    Json(
        json!({"kind": "InstanceList", "apiVersion": "clawdet.com/v1alpha1",
        "metadata": {"resourceVersion": "1", "continue": next}, "items": items}),
    )
    .into_response()
}

#[async_trait]
impl Servers for Outside {
    fn projects(&self) -> Vec<ProjectName> {
        vec![project()]
    }

    async fn fleet(&self, _: Priority, _: BegunAfter) -> Result<Arc<Fleet>, ProviderError> {
        self.call(|inner| {
            let fleet = Fleet::new(inner.servers.values().cloned(), Instant::now());
            inner.instances.extend(inner.made_meanwhile.take());
            let relabelled = inner.relabelled_meanwhile.take();
            if let Some(server) = relabelled.and_then(|id| inner.servers.get_mut(&id)) {
                server.owner = Owner::Stranger;
            }
            Arc::new(fleet)
        })
    }

    async fn get(&self, _: Priority, id: &ServerId) -> Result<Option<Server>, ProviderError> {
        self.call(|inner| inner.servers.get(&id.id).cloned())
    }

    async fn set_protection(&self, id: &ServerId, protect: bool) -> Result<(), ProviderError> {
        self.call(|inner| {
            if let Some(server) = inner.servers.get_mut(&id.id) {
                server.protected = protect;
            }
        })
    }

    async fn delete(&self, id: &ServerId, owner: &Uid) -> Result<(), ProviderError> {
        self.call(|inner| {
            let refused = |why| ProviderError::Refused {
                why,
                message: String::new(),
            };
            let server = inner.servers.get(&id.id);
            let server = server.filter(|server| server.owner.is(owner));
            let server = server.ok_or_else(|| refused(Refusal::NotFound))?;
            if server.protected {
                return Err(refused(Refusal::Protected));
            }
            inner.servers.remove(&id.id);
            inner.gone.push(format!("server {}", id.id));
            Ok(())
        })?
    }

    async fn spare_addresses(
        &self,
        _: Priority,
        _: BegunAfter,
    ) -> Result<Vec<SpareAddress>, ProviderError> {
        self.call(|inner| inner.addresses.values().cloned().collect())
    }

    async fn release_address(&self, address: &SpareAddress) -> Result<(), ProviderError> {
        self.call(|inner| {
            inner.addresses.remove(&address.id);
            inner.gone.push(format!("address {}", address.id));
        })
    }

    async fn find(
        &self,
        _: Priority,
        _: &ProjectName,
        _: &ServerName,
    ) -> Result<Option<Server>, ProviderError> {
        panic!("the sweep finds nothing by name")
    }

    async fn create(&self, _: &ServerOrder) -> Result<Server, ProviderError> {
        panic!("the sweep buys nothing")
    }

    async fn progress(&self, _: &ServerId) -> Result<Progress, ProviderError> {
        panic!("the sweep waits for nothing")
    }

    async fn power_on(&self, _: &ServerId) -> Result<(), ProviderError> {
        panic!("the sweep switches nothing")
    }

    async fn shut_down(&self, _: &ServerId) -> Result<(), ProviderError> {
        panic!("the sweep switches nothing")
    }

    async fn power_off(&self, _: &ServerId) -> Result<(), ProviderError> {
        panic!("the sweep switches nothing")
    }

    async fn restore_identity(
        &self,
        _: &ServerId,
        _: &ServerName,
        _: &Uid,
    ) -> Result<(), ProviderError> {
        panic!("the sweep relabels nothing")
    }
}

#[async_trait]
impl Dns for Outside {
    fn zone_name(&self) -> &'static str {
        "clawdet.example"
    }

    async fn zone(&self, _: Priority, _: BegunAfter) -> Result<Arc<Zone>, ProviderError> {
        self.call(|inner| Arc::new(Zone::new(inner.records.values().cloned(), Instant::now())))
    }

    async fn change(
        &self,
        _: Priority,
        _: &Hostname,
        owner: &Uid,
        change: &RecordChange,
    ) -> Result<(), ProviderError> {
        assert!(change.create.is_empty() && change.update.is_empty());
        self.call(|inner| {
            for id in &change.delete {
                assert!(inner.records[id].owner.is(owner));
                inner.records.remove(id);
                inner.gone.push(format!("record {id}"));
            }
        })
    }
}
