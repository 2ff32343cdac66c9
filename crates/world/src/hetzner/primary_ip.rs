//! Primary IPs: what one is, whose it is, and what becomes of it when its server goes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{State, catalogue, list::Listed, refusal::Refusal, selector::Labels, server::Server};
use crate::{
    call::Turn,
    clock::{Clock, Millis},
    history::{Change, Kind, Subject},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    pub(super) fn name(self) -> &'static str {
        match self {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PrimaryIp {
    pub(super) id: u64,
    pub(super) project: String,
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) family: Family,
    /// An IPv4 address, or the first address of an IPv6 /64.
    pub(super) ip: String,
    pub(super) location: String,
    created: Millis,
    pub(super) auto_delete: bool,
    pub(super) protect_delete: bool,
    pub(super) dns_ptr: Option<String>,
    assignee: Option<u64>,
    /// When the assignee goes and this stays.
    assigned_until: Option<Millis>,
    pub(super) gone: Option<Millis>,
}

impl Listed for PrimaryIp {
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

impl PrimaryIp {
    pub(super) fn is_there(&self, now: Millis) -> bool {
        self.gone.is_none_or(|gone| gone > now)
    }

    /// Whose it is now.
    pub(super) fn assignee(&self, now: Millis) -> Option<u64> {
        self.assignee
            .filter(|_| self.assigned_until.is_none_or(|until| until > now))
    }

    pub(super) fn subject(&self) -> Subject {
        Subject {
            kind: Kind::PrimaryIp,
            id: self.id.to_string(),
            name: self.name.clone(),
        }
    }

    pub(super) fn network(&self) -> String {
        match self.family {
            Family::Ipv4 => self.ip.clone(),
            Family::Ipv6 => format!("{}/64", self.ip),
        }
    }

    /// The reverse name: the one that was set, or the provider's own. For IPv6 only a set one shows.
    fn pointers(&self) -> Vec<Value> {
        let own = || {
            format!(
                "static.{}.clients.example",
                self.ip.split('.').rev().collect::<Vec<_>>().join(".")
            )
        };
        match (self.family, &self.dns_ptr) {
            (_, Some(set)) => vec![json!({ "ip": self.first_address(), "dns_ptr": set })],
            (Family::Ipv4, None) => vec![json!({ "ip": self.ip, "dns_ptr": own() })],
            (Family::Ipv6, None) => Vec::new(),
        }
    }

    fn first_address(&self) -> String {
        match self.family {
            Family::Ipv4 => self.ip.clone(),
            Family::Ipv6 => format!("{}1", self.ip),
        }
    }

    pub(super) fn show(&self, now: Millis, clock: &Clock) -> Value {
        let assignee = self.assignee(now);
        json!({
            "id": self.id, "name": self.name, "type": self.family, "ip": self.network(), "labels": self.labels,
            "created": clock.stamp(self.created), "blocked": false, "auto_delete": self.auto_delete,
            "assignee_id": assignee, "assignee_type": if assignee.is_some() { "server" } else { "unassigned" },
            "dns_ptr": self.pointers(), "protection": { "delete": self.protect_delete },
            "location": catalogue::show_location(&self.location),
        })
    }
}

impl State {
    /// The part of `public_net` that is one family's address; null without one.
    pub(super) fn show_address(&self, server: u64, family: Family, now: Millis) -> Value {
        let held = self
            .servers
            .get(&server)
            .map_or(&[][..], |server| &server.addresses);
        let given = held
            .iter()
            .filter_map(|id| self.primary_ips.get(id))
            .find(|ip| ip.family == family && ip.is_there(now) && ip.assignee(now) == Some(server));
        let Some(ip) = given else { return Value::Null };
        let pointers = ip.pointers();
        let dns_ptr = match ip.family {
            Family::Ipv4 => pointers
                .first()
                .map_or(Value::Null, |pointer| pointer["dns_ptr"].clone()),
            Family::Ipv6 => Value::from(pointers),
        };
        json!({ "id": ip.id, "ip": ip.network(), "blocked": false, "dns_ptr": dns_ptr })
    }

    /// The server that has an IPv4 address now.
    pub(super) fn server_at(&self, address: &str, now: Millis) -> Option<&Server> {
        let ip = self
            .primary_ips
            .values()
            .rev()
            .find(|ip| ip.ip == address && ip.is_there(now))?;
        self.servers
            .get(&ip.assignee(now)?)
            .filter(|server| server.is_there(now))
    }
}

/// Gives a new server an address: one the caller has, or a new one that goes with the server.
pub(super) fn give(
    turn: &mut Turn<'_>,
    project: &str,
    (family, own): (Family, Option<u64>),
    server: u64,
    location: &str,
) {
    let id = match own {
        Some(id) => id,
        None => make(turn, project, family, location, None),
    };
    assign_to(turn, id, Some(server));
}

/// What a caller says of an address of their own.
pub(super) struct Wish {
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) auto_delete: bool,
}

/// Makes an address. One without a wish belongs to a server that is being made, and goes with it.
pub(super) fn make(
    turn: &mut Turn<'_>,
    project: &str,
    family: Family,
    location: &str,
    wish: Option<Wish>,
) -> u64 {
    let id = super::next_id(&mut turn.state.counters);
    let number = turn.state.counters.next(family.name());
    let wish = wish.unwrap_or_else(|| Wish {
        name: format!("primary_ip-{id}"),
        labels: Labels::new(),
        auto_delete: true,
    });
    let ip = PrimaryIp {
        id,
        project: project.to_owned(),
        name: wish.name,
        labels: wish.labels,
        family,
        ip: address(family, number),
        location: location.to_owned(),
        created: turn.now,
        auto_delete: wish.auto_delete,
        protect_delete: false,
        dns_ptr: None,
        assignee: None,
        assigned_until: None,
        gone: None,
    };
    turn.note(ip.subject(), Change::Created, &ip.labels);
    turn.state.hetzner.primary_ips.insert(id, ip);
    id
}

/// The nth address: IPv4 from 127.64.0.0/10, leaving out the ends of each /24; an IPv6 /64 from `2001:db8::/32`.
fn address(family: Family, number: u64) -> String {
    match family {
        Family::Ipv4 => {
            let place = number % (254 * 16_384 - 1);
            let (block, host) = (place / 254, place % 254 + 1);
            format!("127.{}.{}.{host}", 64 + block / 256, block % 256)
        }
        Family::Ipv6 => format!(
            "2001:db8:{:x}:{:x}::",
            number >> 16 & 0xffff,
            number & 0xffff
        ),
    }
}

/// Assigns it to a server that is there, or to none.
pub(super) fn assign_to(turn: &mut Turn<'_>, id: u64, server: Option<u64>) {
    let Some(ip) = turn.state.hetzner.primary_ips.get_mut(&id) else {
        return;
    };
    let before = std::mem::replace(&mut ip.assignee, server);
    ip.assigned_until = None;
    let what = if server.is_some() {
        "assigned"
    } else {
        "unassigned"
    };
    let (subject, labels) = (ip.subject(), ip.labels.clone());
    let servers = &mut turn.state.hetzner.servers;
    if let Some(before) = before.and_then(|before| servers.get_mut(&before)) {
        before.addresses.retain(|address| *address != id);
    }
    if let Some(server) = server.and_then(|server| servers.get_mut(&server)) {
        server.addresses.push(id);
    }
    turn.note(subject, Change::Changed(what.to_owned()), &labels);
}

/// Lets go of a server's addresses when it goes at `gone`: those that delete themselves go too, the others stay.
pub(super) fn release(turn: &mut Turn<'_>, server: u64, gone: Millis) {
    let now = turn.now;
    let all = turn.state.hetzner.primary_ips.iter();
    let held: Vec<u64> = all
        .filter(|(_, ip)| ip.assignee(now) == Some(server))
        .map(|(id, _)| *id)
        .collect();
    for id in held {
        let Some(ip) = turn.state.hetzner.primary_ips.get_mut(&id) else {
            continue;
        };
        let change = if ip.auto_delete {
            ip.gone = Some(gone);
            Change::Removed
        } else {
            ip.assigned_until = Some(gone);
            Change::Changed("unassigned".to_owned())
        };
        let (subject, labels) = (ip.subject(), ip.labels.clone());
        turn.note_from(gone, subject, change, &labels);
    }
}

/// Whether an address may be given to a server in a location.
pub(super) fn check_assignable(
    turn: &Turn<'_>,
    project: &str,
    id: u64,
    family: Family,
    location: &str,
) -> Result<(), Refusal> {
    let ip = turn
        .state
        .hetzner
        .primary_ips
        .get(&id)
        .filter(|ip| ip.project == project && ip.is_there(turn.now));
    let ip = ip.ok_or_else(|| Refusal::invalid("public_net", "primary IP not found"))?;
    if ip.assignee(turn.now).is_some() {
        return Err(Refusal::rule(
            "primary_ip_assigned",
            "primary IP is already assigned",
        ));
    }
    if ip.family != family {
        return Err(Refusal::rule(
            "primary_ip_version_mismatch",
            "primary IP has the wrong IP version",
        ));
    }
    if ip.location != location {
        return Err(Refusal::rule(
            "primary_ip_datacenter_mismatch",
            "primary IP is in another location",
        ));
    }
    Ok(())
}
