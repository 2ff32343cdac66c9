//! Hetzner Cloud, as of 2026-11: its state and its routes. What each route does is in the rooms below.

mod action;
mod by_hand;
mod catalogue;
mod catalogue_route;
mod door;
mod firewall;
mod firewall_resource;
mod image;
mod list;
mod metrics;
mod name;
mod primary_ip;
mod primary_ip_route;
mod record;
mod record_set_route;
mod refusal;
mod rescue;
mod route;
mod row;
mod selector;
mod server;
mod server_action;
mod servers;
mod ssh_key;
#[cfg(test)]
mod tests;
mod volume;
mod volume_route;
mod zone;
mod zone_route;
mod zonefile;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use http::StatusCode;
use serde_json::json;

pub(crate) use door::PER_HOUR as REQUEST_LIMIT;
pub(crate) use route::router;
pub use row::{PrimaryIpRow, ServerRow};
pub use server::Status;

use self::{
    action::Action,
    door::Bucket,
    firewall::Firewall,
    image::Image,
    primary_ip::PrimaryIp,
    refusal::Refusal,
    server::Server,
    ssh_key::SshKey,
    volume::Volume,
    zone::{RecordSet, Zone},
};
use crate::{
    call::{self, Answer, Asked},
    clock::Millis,
    options::Options,
    table::{Counters, Stored, Table},
};

/// Everything there is in all projects. Each row names its project.
pub struct State {
    servers: Table<u64, Server>,
    actions: Table<u64, Action>,
    primary_ips: Table<u64, PrimaryIp>,
    firewalls: Table<u64, Firewall>,
    ssh_keys: Table<u64, SshKey>,
    images: Table<u64, Image>,
    volumes: Table<u64, Volume>,
    zones: Table<u64, Zone>,
    /// By zone, name and type.
    record_sets: Table<String, RecordSet>,
    /// Not kept: a world that is opened again has full buckets.
    buckets: BTreeMap<String, Bucket>,
}

impl State {
    pub(crate) fn new(_options: &Options) -> State {
        State {
            servers: Table::new("hetzner_servers"),
            actions: Table::new("hetzner_actions"),
            primary_ips: Table::new("hetzner_primary_ips"),
            firewalls: Table::new("hetzner_firewalls"),
            ssh_keys: Table::new("hetzner_ssh_keys"),
            images: Table::new("hetzner_images"),
            volumes: Table::new("hetzner_volumes"),
            zones: Table::new("hetzner_zones"),
            record_sets: Table::new("hetzner_record_sets"),
            buckets: BTreeMap::new(),
        }
    }

    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![
            &mut self.servers,
            &mut self.actions,
            &mut self.primary_ips,
            &mut self.firewalls,
            &mut self.ssh_keys,
            &mut self.images,
            &mut self.volumes,
            &mut self.zones,
            &mut self.record_sets,
        ]
    }

    fn servers_of(&self, project: &str, now: Millis) -> impl Iterator<Item = &Server> {
        self.servers
            .values()
            .filter(move |server| server.project == project && server.is_there(now))
    }

    fn forget_servers_gone_before(&mut self, moment: Millis) {
        let old = self
            .servers
            .iter()
            .filter(|(_, server)| !server.is_there(moment))
            .map(|(id, _)| *id);
        for id in old.collect::<Vec<_>>() {
            self.servers.remove(&id);
        }
        let old = self
            .primary_ips
            .iter()
            .filter(|(_, ip)| !ip.is_there(moment))
            .map(|(id, _)| *id);
        for id in old.collect::<Vec<_>>() {
            self.primary_ips.remove(&id);
        }
    }

    /// Since when the server at an address runs; nothing when none does.
    pub(crate) fn running_since(&self, now: Millis, address: Ipv4Addr) -> Option<Millis> {
        self.server_at(&address.to_string(), now)?
            .running_since(now)
    }

    /// The addresses of all running servers.
    pub(crate) fn running_addresses(&self, now: Millis) -> BTreeSet<Ipv4Addr> {
        let held = self.primary_ips.values().filter(|ip| ip.is_there(now));
        held.filter(|ip| {
            let server = ip.assignee(now).and_then(|id| self.servers.get(&id));
            server.is_some_and(|server| server.running_since(now).is_some())
        })
        .filter_map(|ip| ip.ip.parse().ok())
        .collect()
    }

    /// When the next server changes by itself.
    pub(crate) fn next_change(&self, now: Millis) -> Option<Millis> {
        let points = self.servers.values().flat_map(Server::turning_points);
        points.filter(|at| *at > now && *at < Millis::MAX).min()
    }

    pub(crate) fn rate_budget(&self, now: Millis) -> BTreeMap<String, u64> {
        door::budget(&self.buckets, now)
    }
}

/// Ids rise, and no two things share one: a mixed-up id finds nothing instead of something else.
fn next_id(counters: &mut Counters) -> u64 {
    const FIRST_ID: u64 = 40_000_000;
    FIRST_ID + counters.next("hetzner")
}

/// Refuses one more of a kind when there are very many already. Servers have a limit of their own.
fn check_count(held: usize, limit: &'static str) -> Result<(), Refusal> {
    const MOST_OF_A_KIND: usize = 10_000;
    if held < MOST_OF_A_KIND {
        Ok(())
    } else {
        Err(Refusal::limit(limit, "resource limit exceeded"))
    }
}

/// An id in the path.
fn id(asked: &Asked, name: &str) -> Result<u64, Refusal> {
    asked
        .param(name)
        .parse()
        .map_err(|_| Refusal::not_found("resource"))
}

/// Whether there is a location of this name.
pub(crate) fn is_location(name: &str) -> bool {
    catalogue::location_named(name).is_some()
}

/// Which server types each location sells.
pub(crate) fn places() -> BTreeMap<&'static str, Vec<&'static str>> {
    let sold = |location: &str| {
        let types = catalogue::SERVER_TYPES.iter();
        types
            .filter(|one| one.is_sold_in(location) && !one.is_withdrawn())
            .map(|one| one.name)
            .collect()
    };
    catalogue::LOCATIONS
        .iter()
        .map(|location| (location.name, sold(location.name)))
        .collect()
}

/// How this API says that something went wrong inside, or too often.
pub(crate) fn failure(status: StatusCode, request_id: &str) -> Answer {
    let code = if status == StatusCode::TOO_MANY_REQUESTS {
        "rate_limit_exceeded"
    } else {
        "server_error"
    };
    let message = if status == StatusCode::TOO_MANY_REQUESTS {
        "request limit reached"
    } else {
        "internal error"
    };
    let error = json!({ "code": code, "message": message, "details": null });
    let mut answer = call::json(status, &json!({ "error": error }));
    if let Ok(id) = request_id.try_into() {
        answer.headers_mut().insert("x-correlation-id", id);
    }
    answer
}
