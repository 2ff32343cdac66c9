//! A server as it is kept: what it is meant to be, and until when something is under way. What it *is* at a moment is worked
//! out from that and now; nothing has to run for time to pass.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    State, catalogue, firewall::Firewall, list::Listed, primary_ip::Family, selector::Labels,
};
use crate::{
    clock::{Clock, Millis},
    faults::Faults,
};

/// The status words of the API description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Running,
    Initializing,
    Starting,
    Stopping,
    Off,
    Deleting,
    Migrating,
    Rebuilding,
    Unknown,
}

/// A status that holds until a moment.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Passing {
    pub(super) status: Status,
    pub(super) until: Millis,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one independent switch of the API's own"
)]
pub(crate) struct Server {
    pub(super) id: u64,
    pub(crate) project: String,
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) type_name: String,
    pub(super) location: String,
    pub(super) image: Option<u64>,
    pub(super) user_data: Option<String>,
    pub(super) created: Millis,
    /// Whether it is to be on once what is under way has passed.
    pub(super) on: bool,
    /// Since when it runs, or from when it will.
    pub(super) on_since: Millis,
    pub(super) passing: Option<Passing>,
    /// Until when other actions are refused.
    pub(super) locked_until: Millis,
    /// When it goes or went, once that is decided.
    pub(super) gone: Option<Millis>,
    pub(super) protect_delete: bool,
    pub(super) protect_rebuild: bool,
    pub(super) backup_window: Option<String>,
    /// Until when the next start is into the rescue system.
    #[serde(default)]
    pub(super) rescue_until: Millis,
    /// GB; it grows with an upgraded type and never shrinks.
    pub(super) disk: u64,
    pub(super) firewalls: Vec<u64>,
    /// The primary IPs it has been given.
    pub(super) addresses: Vec<u64>,
    #[serde(default)]
    pub(super) volumes: Vec<u64>,
}

impl Listed for Server {
    fn id(&self) -> u64 {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn labels(&self) -> Option<&Labels> {
        Some(&self.labels)
    }

    fn created(&self) -> Millis {
        self.created
    }

    fn gone(&self) -> Option<Millis> {
        self.gone
    }
}

impl Server {
    /// Whether it is there at all: a server that is being deleted still is.
    pub(super) fn is_there(&self, now: Millis) -> bool {
        self.gone.is_none_or(|gone| gone > now)
    }

    pub(super) fn status(&self, now: Millis) -> Status {
        if self.gone.is_some() {
            return Status::Deleting;
        }
        match self.passing {
            Some(passing) if passing.until > now => passing.status,
            _ if self.on => Status::Running,
            _ => Status::Off,
        }
    }

    pub(super) fn is_locked(&self, now: Millis) -> bool {
        self.locked_until > now || self.gone.is_some()
    }

    /// Since when it has been running without a break; nothing when it is not.
    pub(crate) fn running_since(&self, now: Millis) -> Option<Millis> {
        let runs = self.status(now) == Status::Running && self.on_since <= now;
        runs.then_some(self.on_since)
    }

    /// The moments from now on at which its status changes by itself.
    pub(super) fn turning_points(&self) -> impl Iterator<Item = Millis> {
        [
            self.gone,
            self.passing.map(|passing| passing.until),
            Some(self.on_since),
        ]
        .into_iter()
        .flatten()
    }

    /// Sets it on its way: `status` until `until`, then on or off. Others are locked out as long.
    pub(super) fn set_out(&mut self, status: Status, until: Millis, then_on: bool) {
        self.passing = Some(Passing { status, until });
        self.locked_until = until;
        self.on = then_on;
        if then_on {
            self.on_since = until;
            // The start uses it up.
            self.rescue_until = self.rescue_until.min(until);
        }
    }
}

/// A server as the API shows it (2026-10: no `datacenter`).
#[derive(Serialize)]
pub(super) struct ServerView<'a> {
    id: u64,
    name: &'a str,
    status: Status,
    created: Timestamp,
    labels: &'a Labels,
    server_type: Option<Cow<'static, Value>>,
    location: Option<&'static Value>,
    image: Option<Cow<'static, Value>>,
    iso: Option<()>,
    rescue_enabled: bool,
    locked: bool,
    backup_window: Option<&'a str>,
    primary_disk_size: u64,
    protection: ProtectionView,
    public_net: PublicNetView,
    private_net: [(); 0],
    volumes: &'a [u64],
    load_balancers: [u64; 0],
    placement_group: Option<()>,
    ingoing_traffic: u64,
    outgoing_traffic: u64,
    included_traffic: u64,
}

#[derive(Serialize)]
struct ProtectionView {
    delete: bool,
    rebuild: bool,
}

#[derive(Serialize)]
struct PublicNetView {
    ipv4: Value,
    ipv6: Value,
    floating_ips: [u64; 0],
    firewalls: Vec<FirewallView>,
}

#[derive(Serialize)]
struct FirewallView {
    id: u64,
    status: &'static str,
}

/// What showing a server needs besides the server.
pub(super) struct Scene<'a> {
    pub(super) state: &'a State,
    pub(super) faults: &'a Faults,
    pub(super) clock: &'a Clock,
    pub(super) now: Millis,
}

impl Scene<'_> {
    pub(super) fn server<'s>(&self, server: &'s Server) -> ServerView<'s> {
        let firewalls = self.state.firewalls.values().filter(|firewall| {
            firewall.project == server.project
                && (server.firewalls.contains(&firewall.id) || firewall.selects(&server.labels))
        });
        let applied = |firewall: &Firewall| FirewallView {
            id: firewall.id,
            status: "applied",
        };
        ServerView {
            id: server.id,
            name: &server.name,
            status: server.status(self.now),
            created: self.clock.stamp(server.created),
            labels: &server.labels,
            server_type: catalogue::server_type_named(&server.type_name)
                .map(|one| self.server_type(one)),
            location: catalogue::show_location(&server.location),
            image: server
                .image
                .and_then(|id| self.state.show_image(id, self.clock)),
            iso: None,
            rescue_enabled: server.rescue_until > self.now,
            locked: server.is_locked(self.now),
            backup_window: server.backup_window.as_deref(),
            primary_disk_size: server.disk,
            protection: ProtectionView {
                delete: server.protect_delete,
                rebuild: server.protect_rebuild,
            },
            public_net: PublicNetView {
                ipv4: self.state.show_address(server.id, Family::Ipv4, self.now),
                ipv6: self.state.show_address(server.id, Family::Ipv6, self.now),
                floating_ips: [],
                firewalls: firewalls.map(applied).collect(),
            },
            private_net: [],
            volumes: &server.volumes,
            load_balancers: [],
            placement_group: None,
            ingoing_traffic: 0,
            outgoing_traffic: 0,
            included_traffic: 21_990_232_555_520,
        }
    }

    pub(super) fn server_type(&self, server_type: &catalogue::ServerType) -> Cow<'static, Value> {
        server_type.show(|location| !self.faults.is_exhausted(location, server_type.name))
    }
}
