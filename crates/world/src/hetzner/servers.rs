//! Servers as a caller sees them: made, listed, shown, renamed and relabelled, deleted. What is done to a running one is
//! `server_action`'s.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    action, catalogue,
    catalogue::ServerType,
    image, list,
    name::{self, IdOrName},
    primary_ip::{self, Family},
    refusal::Refusal,
    selector::{self, Labels},
    server::{Scene, Server, ServerView, Status},
    volume,
};
use crate::{
    call::{self, Answer, Asked, Turn},
    clock::{DAY, Millis, millis},
    faults::FaultKind,
    history::{Change, Kind, Subject},
};

/// The longest user data, in bytes.
pub(super) const MOST_USER_DATA: usize = 32 * 1024;
/// How long a server that is gone is still known to the snapshot.
const REMEMBERED: Millis = DAY;

#[derive(Deserialize)]
struct NewServer {
    name: String,
    server_type: IdOrName,
    image: IdOrName,
    location: Option<IdOrName>,
    #[serde(default)]
    labels: Labels,
    user_data: Option<String>,
    #[serde(default)]
    ssh_keys: Vec<IdOrName>,
    #[serde(default)]
    firewalls: Vec<NewFirewall>,
    #[serde(default)]
    volumes: Vec<u64>,
    #[serde(default)]
    public_net: NewPublicNet,
    start_after_create: Option<bool>,
    #[serde(default)]
    networks: Vec<u64>,
    placement_group: Option<u64>,
}

#[derive(Deserialize)]
struct NewFirewall {
    firewall: u64,
}

#[derive(Default, Deserialize)]
struct NewPublicNet {
    enable_ipv4: Option<bool>,
    enable_ipv6: Option<bool>,
    ipv4: Option<u64>,
    ipv6: Option<u64>,
}

#[derive(Serialize)]
struct Created<'a> {
    server: Option<ServerView<'a>>,
    action: Value,
    next_actions: Vec<Value>,
    root_password: Option<String>,
}

/// `POST /servers`: everything is checked before anything is made.
pub(super) fn create(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let wanted: NewServer = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let server_type = wanted_type(&wanted.server_type)?;
    let location = wanted_location(server_type, wanted.location.as_ref())?;
    let image =
        turn.state
            .hetzner
            .usable_image(project, &wanted.image, server_type.architecture)?;
    check_new(turn, project, &wanted)?;
    let addresses = wanted_addresses(turn, project, &wanted.public_net, location)?;
    check_volumes(turn, project, &wanted.volumes, location)?;
    check_room(turn, project, server_type, location)?;

    let id = super::next_id(&mut turn.state.counters);
    let resources = [("server", id)];
    let lasting = turn.options.latency.create_server;
    let begun = action::begin(turn, project, "create_server", &resources, lasting);
    let starts = wanted.start_after_create.unwrap_or(true);
    let next = starts.then(|| action::follow(turn, &begun, "start_server"));
    let mut server = Server {
        id,
        project: project.to_owned(),
        name: wanted.name,
        labels: wanted.labels,
        type_name: server_type.name.to_owned(),
        location: location.to_owned(),
        image: Some(image),
        user_data: wanted.user_data,
        created: turn.now,
        on: false,
        on_since: turn.now,
        passing: None,
        locked_until: turn.now,
        gone: None,
        protect_delete: false,
        protect_rebuild: false,
        backup_window: None,
        rescue_until: 0,
        disk: server_type.disk,
        firewalls: wanted.firewalls.iter().map(|one| one.firewall).collect(),
        addresses: Vec::new(),
        volumes: Vec::new(),
    };
    server.set_out(Status::Initializing, begun.ends, starts && !begun.fails);
    turn.note(subject(&server), Change::Created, &server.labels);
    turn.state
        .hetzner
        .forget_servers_gone_before(turn.now - REMEMBERED);
    turn.state.hetzner.servers.insert(id, server);
    for address in addresses {
        primary_ip::give(turn, project, address, id, location);
    }
    for held in wanted.volumes {
        volume::attach_to(turn, held, Some(id));
    }
    // Only without a key is there a password, and only in this one answer.
    let password = wanted
        .ssh_keys
        .is_empty()
        .then(|| turn.state.counters.text("root password", 20));
    let next: Vec<Value> = next
        .iter()
        .map(|next| next.show(turn.now, turn.clock))
        .collect();
    let body = Created {
        server: shown(turn, id),
        action: begun.show(turn.now, turn.clock),
        next_actions: next,
        root_password: password,
    };
    Ok(call::json(StatusCode::CREATED, &body))
}

pub(super) fn wanted_type(wanted: &IdOrName) -> Result<&'static ServerType, Refusal> {
    let found = catalogue::SERVER_TYPES
        .iter()
        .find(|known| wanted.means(known.id, known.name));
    let found = found.ok_or_else(|| Refusal::invalid("server_type", "server type not found"))?;
    if found.is_withdrawn() {
        return Err(Refusal::invalid(
            "server_type",
            "server type is no longer available",
        ));
    }
    Ok(found)
}

fn wanted_location(
    server_type: &ServerType,
    wanted: Option<&IdOrName>,
) -> Result<&'static str, Refusal> {
    let Some(wanted) = wanted else {
        return Ok(server_type.home());
    };
    let found = catalogue::LOCATIONS
        .iter()
        .find(|known| wanted.means(known.id, known.name));
    let found = found.ok_or_else(|| Refusal::invalid("location", "location not found"))?;
    if server_type.is_sold_in(found.name) {
        Ok(found.name)
    } else {
        Err(Refusal::invalid(
            "location",
            "unsupported location for server type",
        ))
    }
}

/// Everything about a new server that is right or wrong by itself, and that its name is free.
fn check_new(turn: &Turn<'_>, project: &str, wanted: &NewServer) -> Result<(), Refusal> {
    name::check_host_name(&wanted.name)?;
    selector::check(&wanted.labels)?;
    check_user_data(wanted.user_data.as_deref())?;
    let hetzner = &turn.state.hetzner;
    for key in &wanted.ssh_keys {
        let known = hetzner
            .ssh_keys
            .values()
            .any(|known| known.project == project && key.means(known.id, &known.name));
        if !known {
            return Err(Refusal::invalid("ssh_keys", "SSH key not found"));
        }
    }
    for wanted in &wanted.firewalls {
        let known = hetzner
            .firewalls
            .get(&wanted.firewall)
            .is_some_and(|known| known.project == project);
        if !known {
            return Err(Refusal::invalid("firewalls", "firewall not found"));
        }
    }
    // Neither is simulated, so none is there.
    if !wanted.networks.is_empty() {
        return Err(Refusal::not_found("network"));
    }
    if wanted.placement_group.is_some() {
        return Err(Refusal::not_found("placement group"));
    }
    check_name_free(turn, project, &wanted.name, None)
}

pub(super) fn check_user_data(user_data: Option<&str>) -> Result<(), Refusal> {
    let fits = user_data.is_none_or(|text| text.len() <= MOST_USER_DATA);
    if fits {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "user_data",
            "must not be longer than 32 KiB",
        ))
    }
}

/// A name is free only once the server that had it is gone for good.
fn check_name_free(
    turn: &Turn<'_>,
    project: &str,
    name: &str,
    except: Option<u64>,
) -> Result<(), Refusal> {
    let mut there = turn.state.hetzner.servers_of(project, turn.now);
    let taken = there.any(|server| server.name == name && Some(server.id) != except);
    if taken {
        Err(Refusal::taken("server", "name"))
    } else {
        Ok(())
    }
}

/// The volumes to attach must be free and in the server's location.
fn check_volumes(
    turn: &Turn<'_>,
    project: &str,
    wanted: &[u64],
    location: &str,
) -> Result<(), Refusal> {
    volume::check_takes(0, wanted.len())?;
    for id in wanted {
        let volume = turn.state.hetzner.free_volume(project, *id, turn.now)?;
        if volume.location != location {
            return Err(Refusal::invalid(
                "volumes",
                "a volume is in another location",
            ));
        }
    }
    Ok(())
}

fn check_room(
    turn: &Turn<'_>,
    project: &str,
    server_type: &ServerType,
    location: &str,
) -> Result<(), Refusal> {
    let limit = turn
        .options
        .projects
        .iter()
        .find(|known| known.name == project)
        .map_or(0, |known| known.server_limit);
    let there = turn.state.hetzner.servers_of(project, turn.now).count();
    if u64::try_from(there).unwrap_or(u64::MAX) >= u64::from(limit) {
        return Err(Refusal::limit("server_limit", "server limit exceeded"));
    }
    if turn.faults.is_exhausted(location, server_type.name) || turn.strikes(FaultKind::NoCapacity) {
        return Err(Refusal::no_capacity());
    }
    Ok(())
}

/// The addresses to give: ones of the caller's own, or new ones.
fn wanted_addresses(
    turn: &Turn<'_>,
    project: &str,
    wanted: &NewPublicNet,
    location: &str,
) -> Result<Vec<(Family, Option<u64>)>, Refusal> {
    let mut addresses = Vec::new();
    for (family, enabled, own) in [
        (Family::Ipv4, wanted.enable_ipv4, wanted.ipv4),
        (Family::Ipv6, wanted.enable_ipv6, wanted.ipv6),
    ] {
        if !enabled.unwrap_or(true) {
            continue;
        }
        if let Some(id) = own {
            primary_ip::check_assignable(turn, project, id, family, location)?;
        }
        addresses.push((family, own));
    }
    if addresses.is_empty() {
        return Err(Refusal::invalid(
            "public_net",
            "a server needs at least one network interface",
        ));
    }
    Ok(addresses)
}

/// `GET /servers`: also filtered by any number of `status`.
pub(super) fn list(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let statuses: Vec<Status> = asked
        .query_values("status")
        .map(status_named)
        .collect::<Result<_, _>>()?;
    let now = turn.now;
    let rows = turn.state.hetzner.servers.values().filter(|server| {
        server.project == project && (statuses.is_empty() || statuses.contains(&server.status(now)))
    });
    let rows = list::chosen(turn, asked, rows)?;
    let scene = scene(turn);
    list::page(turn, asked, "servers", &rows, |server| scene.server(server))
}

fn status_named(name: &str) -> Result<Status, Refusal> {
    serde_json::from_value(Value::from(name))
        .map_err(|_| Refusal::invalid("status", format!("no status '{name}'")))
}

/// `GET /servers/{id}`.
pub(super) fn get(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?;
    Ok(call::json(
        StatusCode::OK,
        &BTreeMap::from([("server", shown(turn, id))]),
    ))
}

#[derive(Deserialize)]
struct ServerUpdate {
    name: Option<String>,
    labels: Option<Labels>,
}

/// `PUT /servers/{id}`: labels replace the whole set.
pub(super) fn update(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?;
    let update: ServerUpdate = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    if let Some(name) = &update.name {
        name::check_host_name(name)?;
        check_name_free(turn, project, name, Some(id))?;
    }
    if let Some(labels) = &update.labels {
        selector::check(labels)?;
    }
    edit(turn, id, "name or labels", |server| {
        server.name = update.name.unwrap_or_else(|| server.name.clone());
        server.labels = update.labels.unwrap_or_else(|| server.labels.clone());
    });
    Ok(call::json(
        StatusCode::OK,
        &BTreeMap::from([("server", shown(turn, id))]),
    ))
}

/// `DELETE /servers/{id}`.
pub(super) fn delete(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?;
    let server = turn
        .state
        .hetzner
        .servers
        .get(&id)
        .ok_or_else(|| Refusal::not_found("server"))?;
    if server.gone.is_some() || turn.strikes(FaultKind::Locked) {
        return Err(Refusal::locked("server"));
    }
    if server.protect_delete {
        return Err(Refusal::protected("server"));
    }
    let lasting = turn.options.latency.delete_server;
    let begun = action::begin(turn, project, "delete_server", &[("server", id)], lasting);
    if !begun.fails {
        remove(turn, id, begun.ends);
    }
    Ok(call::json(
        StatusCode::OK,
        &json!({ "action": begun.show(turn.now, turn.clock) }),
    ))
}

/// Takes a server away at `gone`, with what goes with it.
pub(super) fn remove(turn: &mut Turn<'_>, id: u64, gone: Millis) {
    let Some(server) = turn.state.hetzner.servers.get_mut(&id) else {
        return;
    };
    server.gone = Some(gone);
    let (subject, labels) = (subject(server), server.labels.clone());
    let volumes = server.volumes.clone();
    turn.note_from(gone, subject, Change::Removed, &labels);
    primary_ip::release(turn, id, gone);
    volume::release(turn, &volumes, gone);
    image::remove_backups_of(turn, id);
}

/// Changes a server and writes it into history.
pub(super) fn edit(turn: &mut Turn<'_>, id: u64, what: &str, change: impl FnOnce(&mut Server)) {
    let Some(server) = turn.state.hetzner.servers.get_mut(&id) else {
        return;
    };
    change(server);
    let (subject, labels) = (subject(server), server.labels.clone());
    turn.note(subject, Change::Changed(what.to_owned()), &labels);
}

/// The id in the path, if this project has such a server.
pub(super) fn known(turn: &Turn<'_>, project: &str, asked: &Asked) -> Result<u64, Refusal> {
    let id = super::id(asked, "id")?;
    let server = turn.state.hetzner.servers.get(&id);
    let there = server.is_some_and(|server| server.project == project && server.is_there(turn.now));
    if there {
        Ok(id)
    } else {
        Err(Refusal::not_found("server"))
    }
}

pub(super) fn subject(server: &Server) -> Subject {
    Subject {
        kind: Kind::Server,
        id: server.id.to_string(),
        name: server.name.clone(),
    }
}

pub(super) fn scene<'a>(turn: &'a Turn<'_>) -> Scene<'a> {
    Scene {
        state: &turn.state.hetzner,
        faults: turn.faults,
        clock: turn.clock,
        now: turn.now,
    }
}

fn shown<'a>(turn: &'a Turn<'_>, id: u64) -> Option<ServerView<'a>> {
    let scene = scene(turn);
    scene
        .state
        .servers
        .get(&id)
        .map(|server| scene.server(server))
}

/// How long shutting down takes after its action has ended.
pub(super) fn shutdown_lasts(turn: &Turn<'_>) -> Millis {
    millis(turn.options.latency.shutdown)
}
