//! Primary IPs: made for a server or on their own, assigned and unassigned, and what becomes of them when the server goes.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State, action, catalogue, list,
    list::Listed,
    name,
    refusal::Refusal,
    selector::{self, Labels},
    server::{Server, Status},
};
use crate::{
    call::{self, Answer, Asked, Turn},
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
    fn name(self) -> &'static str {
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
    name: String,
    labels: Labels,
    pub(super) family: Family,
    /// An IPv4 address, or the first address of an IPv6 /64.
    pub(super) ip: String,
    location: String,
    created: Millis,
    auto_delete: bool,
    protect_delete: bool,
    dns_ptr: Option<String>,
    assignee: Option<u64>,
    /// When the assignee goes and this stays.
    assigned_until: Option<Millis>,
    gone: Option<Millis>,
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

    fn subject(&self) -> Subject {
        Subject {
            kind: Kind::PrimaryIp,
            id: self.id.to_string(),
            name: self.name.clone(),
        }
    }

    fn network(&self) -> String {
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

    fn show(&self, now: Millis, clock: &Clock) -> Value {
        let assignee = self.assignee(now);
        json!({
            "id": self.id, "name": self.name, "type": self.family, "ip": self.network(), "labels": self.labels,
            "created": clock.stamp(self.created), "blocked": false, "auto_delete": self.auto_delete,
            "assignee_id": assignee, "assignee_type": if assignee.is_some() { "server" } else { "unassigned" },
            "dns_ptr": self.pointers(), "protection": { "delete": self.protect_delete },
            "location": catalogue::location_named(&self.location).map(catalogue::Location::show),
        })
    }
}

impl State {
    /// The part of `public_net` that is one family's address; null without one.
    pub(super) fn show_address(&self, server: u64, family: &str, now: Millis) -> Value {
        let held = self
            .servers
            .get(&server)
            .map_or(&[][..], |server| &server.addresses);
        let given = held
            .iter()
            .filter_map(|id| self.primary_ips.get(id))
            .find(|ip| {
                ip.family.name() == family && ip.is_there(now) && ip.assignee(now) == Some(server)
            });
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
struct Wish {
    name: String,
    labels: Labels,
    auto_delete: bool,
}

/// Makes an address. One without a wish belongs to a server that is being made, and goes with it.
fn make(
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
fn assign_to(turn: &mut Turn<'_>, id: u64, server: Option<u64>) {
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

#[derive(Deserialize)]
struct NewPrimaryIp {
    name: String,
    #[serde(rename = "type")]
    family: Family,
    location: Option<String>,
    assignee_id: Option<u64>,
    auto_delete: Option<bool>,
    #[serde(default)]
    labels: Labels,
}

/// `POST /primary_ips`: in a location, or at once for a server that is off.
pub(super) fn create(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let wanted: NewPrimaryIp = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    name::check_name(&wanted.name)?;
    selector::check(&wanted.labels)?;
    check_name_free(turn, project, &wanted.name, None)?;
    let location = match (wanted.assignee_id, &wanted.location) {
        (Some(server), _) => check_takes(turn, project, server, wanted.family)?,
        (None, Some(location)) => location.clone(),
        (None, None) => {
            return Err(Refusal::invalid(
                "location",
                "either location or assignee_id must be given",
            ));
        }
    };
    if catalogue::location_named(&location).is_none() {
        return Err(Refusal::invalid("location", "location not found"));
    }
    let auto_delete = wanted.auto_delete.unwrap_or(false);
    let wish = Wish {
        name: wanted.name,
        labels: wanted.labels,
        auto_delete,
    };
    let id = make(turn, project, wanted.family, &location, Some(wish));
    let begun = wanted.assignee_id.map(|server| {
        assign_to(turn, id, Some(server));
        let resources = [("primary_ip", id), ("server", server)];
        let lasting = turn.options.latency.other;
        action::begin(turn, project, "assign_primary_ip", &resources, lasting)
    });
    let mut body = json!({ "primary_ip": shown(turn, id) });
    if let Some(begun) = begun {
        body["action"] = begun.show(turn.now, turn.clock);
    }
    Ok(call::json(StatusCode::CREATED, &body))
}

fn check_name_free(
    turn: &Turn<'_>,
    project: &str,
    name: &str,
    except: Option<u64>,
) -> Result<(), Refusal> {
    let taken = turn.state.hetzner.primary_ips.values().any(|ip| {
        ip.project == project && ip.is_there(turn.now) && ip.name == name && Some(ip.id) != except
    });
    if taken {
        Err(Refusal::taken("primary IP", "name"))
    } else {
        Ok(())
    }
}

/// Whether a server can take an address of this family now; its location.
fn check_takes(
    turn: &Turn<'_>,
    project: &str,
    server: u64,
    family: Family,
) -> Result<String, Refusal> {
    let hetzner = &turn.state.hetzner;
    let known = hetzner
        .servers
        .get(&server)
        .filter(|known| known.project == project && known.is_there(turn.now));
    let known = known.ok_or_else(|| Refusal::not_found("server"))?;
    if known.status(turn.now) != Status::Off {
        return Err(Refusal::rule(
            "server_not_stopped",
            "the server must be powered off",
        ));
    }
    if !hetzner
        .show_address(server, family.name(), turn.now)
        .is_null()
    {
        let code = match family {
            Family::Ipv4 => "server_has_ipv4",
            Family::Ipv6 => "server_has_ipv6",
        };
        return Err(Refusal::rule(
            code,
            "the server already has an address of this version",
        ));
    }
    Ok(known.location.clone())
}

/// `GET /primary_ips`: also filtered by `ip`.
pub(super) fn list(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let address = asked.query_value("ip");
    let rows = turn.state.hetzner.primary_ips.values().filter(|ip| {
        ip.project == project
            && address.is_none_or(|address| ip.ip == address || ip.network() == address)
    });
    let rows = list::chosen(turn, asked, rows)?;
    list::page(turn, asked, "primary_ips", &rows, |ip| {
        ip.show(turn.now, turn.clock)
    })
}

/// `GET /primary_ips/{id}`.
pub(super) fn get(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?;
    Ok(call::json(
        StatusCode::OK,
        &json!({ "primary_ip": shown(turn, id) }),
    ))
}

#[derive(Deserialize)]
struct PrimaryIpUpdate {
    name: Option<String>,
    labels: Option<Labels>,
    auto_delete: Option<bool>,
}

/// `PUT /primary_ips/{id}`.
pub(super) fn update(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?;
    let update: PrimaryIpUpdate = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    if let Some(name) = &update.name {
        name::check_name(name)?;
        check_name_free(turn, project, name, Some(id))?;
    }
    if let Some(labels) = &update.labels {
        selector::check(labels)?;
    }
    edit(turn, id, "name, labels or auto_delete", |ip| {
        ip.name = update.name.unwrap_or_else(|| ip.name.clone());
        ip.labels = update.labels.unwrap_or_else(|| ip.labels.clone());
        ip.auto_delete = update.auto_delete.unwrap_or(ip.auto_delete);
    });
    Ok(call::json(
        StatusCode::OK,
        &json!({ "primary_ip": shown(turn, id) }),
    ))
}

/// `DELETE /primary_ips/{id}`: only when nobody has it (since 2026-05-01).
pub(super) fn delete(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?;
    let now = turn.now;
    let ip = turn
        .state
        .hetzner
        .primary_ips
        .get_mut(&id)
        .ok_or_else(|| Refusal::not_found("primary IP"))?;
    if ip.assignee(now).is_some() {
        return Err(Refusal::rule(
            "must_be_unassigned",
            "primary IP must be unassigned before it is deleted",
        ));
    }
    if ip.protect_delete {
        return Err(Refusal::protected("primary IP"));
    }
    ip.gone = Some(now);
    let (subject, labels) = (ip.subject(), ip.labels.clone());
    turn.note(subject, Change::Removed, &labels);
    Ok(call::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize)]
struct Assignment {
    assignee_id: u64,
}

/// `POST /primary_ips/{id}/actions/assign`.
pub(super) fn assign(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?;
    let wanted: Assignment = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let ip = turn
        .state
        .hetzner
        .primary_ips
        .get(&id)
        .ok_or_else(|| Refusal::not_found("primary IP"))?;
    if ip.assignee(turn.now).is_some() {
        return Err(Refusal::rule(
            "primary_ip_already_assigned",
            "primary IP is already assigned",
        ));
    }
    let (family, at) = (ip.family, ip.location.clone());
    if check_takes(turn, project, wanted.assignee_id, family)? != at {
        return Err(Refusal::rule(
            "primary_ip_datacenter_mismatch",
            "primary IP is in another location",
        ));
    }
    assign_to(turn, id, Some(wanted.assignee_id));
    let resources = [("primary_ip", id), ("server", wanted.assignee_id)];
    Ok(begun(turn, project, "assign_primary_ip", &resources))
}

/// `POST /primary_ips/{id}/actions/unassign`.
pub(super) fn unassign(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?;
    let assignee = turn
        .state
        .hetzner
        .primary_ips
        .get(&id)
        .and_then(|ip| ip.assignee(turn.now));
    let server = assignee.and_then(|server| turn.state.hetzner.servers.get(&server));
    let Some(server) = server else {
        return Err(Refusal::rule(
            "primary_ip_not_assigned",
            "primary IP is not assigned",
        ));
    };
    if server.status(turn.now) != Status::Off {
        return Err(Refusal::rule(
            "server_not_stopped",
            "the server must be powered off",
        ));
    }
    let resources = [("primary_ip", id), ("server", server.id)];
    assign_to(turn, id, None);
    Ok(begun(turn, project, "unassign_primary_ip", &resources))
}

#[derive(Deserialize)]
struct Protection {
    delete: bool,
}

/// `POST /primary_ips/{id}/actions/change_protection`.
pub(super) fn change_protection(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?;
    let wanted: Protection = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    edit(turn, id, "protection", |ip| {
        ip.protect_delete = wanted.delete;
    });
    Ok(begun(
        turn,
        project,
        "change_protection",
        &[("primary_ip", id)],
    ))
}

#[derive(Deserialize)]
pub(super) struct Pointer {
    ip: String,
    /// Null sets it back.
    dns_ptr: Option<String>,
}

/// `POST /primary_ips/{id}/actions/change_dns_ptr`.
pub(super) fn change_dns_ptr(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?;
    point(turn, id, asked)?;
    Ok(begun(
        turn,
        project,
        "change_dns_ptr",
        &[("primary_ip", id)],
    ))
}

/// `POST /servers/{id}/actions/change_dns_ptr`: for whichever of its addresses is named.
pub(super) fn change_servers_dns_ptr(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let server = super::servers::known(turn, project, asked)?;
    let wanted: Pointer = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let all = turn.state.hetzner.primary_ips.values();
    let held = all
        .filter(|ip| ip.assignee(turn.now) == Some(server))
        .find(|ip| holds(ip, &wanted.ip));
    let id = held
        .map(|ip| ip.id)
        .ok_or_else(|| Refusal::not_found("IP"))?;
    point(turn, id, asked)?;
    Ok(begun(
        turn,
        project,
        "change_dns_ptr",
        &[("server", server)],
    ))
}

fn holds(ip: &PrimaryIp, address: &str) -> bool {
    match ip.family {
        Family::Ipv4 => ip.ip == address,
        Family::Ipv6 => address.starts_with(&ip.ip),
    }
}

fn point(turn: &mut Turn<'_>, id: u64, asked: &Asked) -> Result<(), Refusal> {
    let wanted: Pointer = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let fits = turn
        .state
        .hetzner
        .primary_ips
        .get(&id)
        .is_some_and(|ip| holds(ip, &wanted.ip));
    if !fits {
        return Err(Refusal::invalid(
            "ip",
            "is not an address of this primary IP",
        ));
    }
    if wanted
        .dns_ptr
        .as_deref()
        .is_some_and(|name| name::check_host_name(name.trim_end_matches('.')).is_err())
    {
        return Err(Refusal::invalid("dns_ptr", "is not a valid hostname"));
    }
    edit(turn, id, "dns_ptr", |ip| ip.dns_ptr = wanted.dns_ptr);
    Ok(())
}

fn edit(turn: &mut Turn<'_>, id: u64, what: &str, change: impl FnOnce(&mut PrimaryIp)) {
    let Some(ip) = turn.state.hetzner.primary_ips.get_mut(&id) else {
        return;
    };
    change(ip);
    let (subject, labels) = (ip.subject(), ip.labels.clone());
    turn.note(subject, Change::Changed(what.to_owned()), &labels);
}

fn begun(turn: &mut Turn<'_>, project: &str, command: &str, resources: &[(&str, u64)]) -> Answer {
    let lasting = turn.options.latency.other;
    let begun = action::begin(turn, project, command, resources, lasting);
    call::json(
        StatusCode::CREATED,
        &json!({ "action": begun.show(turn.now, turn.clock) }),
    )
}

fn known(turn: &Turn<'_>, project: &str, asked: &Asked) -> Result<u64, Refusal> {
    let id = super::id(asked, "id")?;
    let ip = turn.state.hetzner.primary_ips.get(&id);
    let there = ip.is_some_and(|ip| ip.project == project && ip.is_there(turn.now));
    if there {
        Ok(id)
    } else {
        Err(Refusal::not_found("primary IP"))
    }
}

fn shown(turn: &Turn<'_>, id: u64) -> Value {
    let ip = turn.state.hetzner.primary_ips.get(&id);
    ip.map_or(Value::Null, |ip| ip.show(turn.now, turn.clock))
}
