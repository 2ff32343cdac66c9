//! What callers do with primary IPs: make, list, show, rename, delete, assign, point. What an address is and what becomes of it
//! when its server goes is `primary_ip`'s.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    action, catalogue, list, name,
    primary_ip::{Family, PrimaryIp, Wish, assign_to, make},
    refusal::Refusal,
    selector::{self, Labels},
    server::Status,
    servers,
};
use crate::{
    call::{self, Answer, Asked, Turn},
    history::Change,
};

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
    super::check_count(turn.state.hetzner.primary_ips.len(), "primary_ip_limit")?;
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
    if !hetzner.show_address(server, family, turn.now).is_null() {
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
        return Err(Refusal::rule("invalid_input", "primary IP is not assigned"));
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
    let server = servers::known(turn, project, asked)?;
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
