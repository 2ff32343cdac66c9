//! What callers do with volumes: make, list, show, rename, attach, detach, grow, protect, delete. What a volume is and what
//! becomes of it when its server goes is `volume`'s.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    action, catalogue, list,
    name::{self, IdOrName},
    refusal::Refusal,
    selector::{self, Labels},
    volume::{self, Format, Volume, attach_to, edit},
};
use crate::{
    call::{self, Answer, Asked, Turn},
    faults::FaultKind,
    history::Change,
};

/// GB, as the description says.
const SIZES: std::ops::RangeInclusive<u64> = 10..=10_240;

#[derive(Deserialize)]
struct NewVolume {
    name: String,
    size: u64,
    location: Option<IdOrName>,
    server: Option<u64>,
    format: Option<Format>,
    automount: Option<bool>,
    #[serde(default)]
    labels: Labels,
}

/// `POST /volumes`: in a location, or for a server at once.
pub(super) fn create(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let wanted: NewVolume = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    check_new(turn, project, &wanted)?;
    let location = place(turn, project, &wanted)?;
    if turn.faults.is_exhausted(&location, "volume") || turn.strikes(FaultKind::NoCapacity) {
        return Err(Refusal::rule(
            "no_space_left_in_location",
            "there is no volume space left in the location",
        ));
    }
    let id = super::next_id(&mut turn.state.counters);
    let lasting = turn.options.latency.other;
    let begun = action::begin(turn, project, "create_volume", &[("volume", id)], lasting);
    let made = Volume {
        id,
        project: project.to_owned(),
        name: wanted.name,
        labels: wanted.labels,
        size: wanted.size,
        location,
        format: wanted.format,
        created: turn.now,
        ready: begun.ends,
        protect_delete: false,
        server: None,
        attached_until: None,
    };
    turn.note(made.subject(), Change::Created, &made.labels);
    turn.state.hetzner.volumes.insert(id, made);
    let next: Vec<Value> = wanted
        .server
        .map(|server| {
            attach_to(turn, id, Some(server));
            let next = action::follow(turn, &begun, "attach_volume");
            next.show(turn.now, turn.clock)
        })
        .into_iter()
        .collect();
    let body = json!({
        "volume": shown(turn, id), "action": begun.show(turn.now, turn.clock), "next_actions": next,
    });
    Ok(call::json(StatusCode::CREATED, &body))
}

fn check_new(turn: &Turn<'_>, project: &str, wanted: &NewVolume) -> Result<(), Refusal> {
    name::check_volume_name(&wanted.name)?;
    selector::check(&wanted.labels)?;
    check_size(wanted.size)?;
    if wanted.automount == Some(true) && wanted.server.is_none() {
        return Err(Refusal::invalid(
            "automount",
            "only a volume with a server is mounted",
        ));
    }
    check_name_free(turn, project, &wanted.name, None)?;
    super::check_count(turn.state.hetzner.volumes.len(), "volume_limit")
}

fn check_size(size: u64) -> Result<(), Refusal> {
    if SIZES.contains(&size) {
        Ok(())
    } else {
        Err(Refusal::invalid("size", "must be from 10 to 10240 GB"))
    }
}

fn check_name_free(
    turn: &Turn<'_>,
    project: &str,
    name: &str,
    except: Option<u64>,
) -> Result<(), Refusal> {
    let mut all = turn.state.hetzner.volumes.values();
    let taken =
        all.any(|known| known.project == project && known.name == name && Some(known.id) != except);
    if taken {
        Err(Refusal::taken("volume", "name"))
    } else {
        Ok(())
    }
}

/// The location of a new volume: the one that is named, or its server's.
fn place(turn: &Turn<'_>, project: &str, wanted: &NewVolume) -> Result<String, Refusal> {
    match (&wanted.location, wanted.server) {
        (Some(location), None) => catalogue::LOCATIONS
            .iter()
            .find(|known| location.means(known.id, known.name))
            .map(|known| known.name.to_owned())
            .ok_or_else(|| Refusal::invalid("location", "location not found")),
        (None, Some(server)) => check_server(turn, project, server),
        (None, None) | (Some(_), Some(_)) => Err(Refusal::invalid(
            "location",
            "either location or server must be given",
        )),
    }
}

/// Whether a server can take one more volume now; its location.
fn check_server(turn: &Turn<'_>, project: &str, id: u64) -> Result<String, Refusal> {
    let mut there = turn.state.hetzner.servers_of(project, turn.now);
    let server = there
        .find(|known| known.id == id)
        .ok_or_else(|| Refusal::not_found("server"))?;
    if server.is_locked(turn.now) || turn.strikes(FaultKind::Locked) {
        return Err(Refusal::locked("server"));
    }
    volume::check_takes(server.volumes.len(), 1)?;
    Ok(server.location.clone())
}

/// `GET /volumes`: also filtered by any number of `status`.
pub(super) fn list(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let statuses: Vec<&str> = asked.query_values("status").collect();
    let now = turn.now;
    let rows = turn.state.hetzner.volumes.values().filter(|volume| {
        volume.project == project && (statuses.is_empty() || statuses.contains(&volume.status(now)))
    });
    let rows = list::chosen(turn, asked, rows)?;
    list::page(turn, asked, "volumes", &rows, |volume| {
        volume.show(now, turn.clock)
    })
}

/// `GET /volumes/{id}`.
pub(super) fn get(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?.id;
    Ok(call::json(
        StatusCode::OK,
        &json!({ "volume": shown(turn, id) }),
    ))
}

#[derive(Deserialize)]
struct VolumeUpdate {
    name: Option<String>,
    labels: Option<Labels>,
}

/// `PUT /volumes/{id}`.
pub(super) fn update(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?.id;
    let update: VolumeUpdate = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    if let Some(name) = &update.name {
        name::check_volume_name(name)?;
        check_name_free(turn, project, name, Some(id))?;
    }
    if let Some(labels) = &update.labels {
        selector::check(labels)?;
    }
    edit(turn, id, "name or labels", |volume| {
        volume.name = update.name.unwrap_or_else(|| volume.name.clone());
        volume.labels = update.labels.unwrap_or_else(|| volume.labels.clone());
    });
    get(turn, project, asked)
}

/// `DELETE /volumes/{id}`: only when no server has it.
pub(super) fn delete(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let volume = known(turn, project, asked)?.clone();
    if volume.protect_delete {
        return Err(Refusal::protected("volume"));
    }
    if volume.server(turn.now).is_some() {
        return Err(Refusal::rule(
            "resource_in_use",
            "volume is still attached to a server",
        ));
    }
    turn.note(volume.subject(), Change::Removed, &volume.labels);
    turn.state.hetzner.volumes.remove(&volume.id);
    Ok(call::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize)]
struct Attachment {
    server: u64,
}

/// `POST /volumes/{id}/actions/attach`: to a server in the same location.
pub(super) fn attach(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let wanted: Attachment = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let at = turn
        .state
        .hetzner
        .free_volume(project, id, turn.now)?
        .location
        .clone();
    if check_server(turn, project, wanted.server)? != at {
        return Err(Refusal::invalid(
            "server",
            "the server is in another location",
        ));
    }
    let resources = [("volume", id), ("server", wanted.server)];
    let begun = begin(turn, project, "attach_volume", &resources);
    if !begun.fails {
        attach_to(turn, id, Some(wanted.server));
    }
    Ok(accepted(turn, &begun))
}

/// `POST /volumes/{id}/actions/detach`.
pub(super) fn detach(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let server = known(turn, project, asked)?
        .server(turn.now)
        .ok_or_else(|| Refusal::rule("invalid_input", "volume is not attached to a server"))?;
    let resources = [("volume", id), ("server", server)];
    let begun = begin(turn, project, "detach_volume", &resources);
    if !begun.fails {
        attach_to(turn, id, None);
    }
    Ok(accepted(turn, &begun))
}

#[derive(Deserialize)]
struct NewSize {
    size: u64,
}

/// `POST /volumes/{id}/actions/resize`: it only grows.
pub(super) fn resize(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let wanted: NewSize = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    check_size(wanted.size)?;
    if wanted.size <= known(turn, project, asked)?.size {
        return Err(Refusal::invalid("size", "a volume can only grow"));
    }
    let begun = begin(turn, project, "resize_volume", &[("volume", id)]);
    if !begun.fails {
        edit(turn, id, "size", |volume| volume.size = wanted.size);
    }
    Ok(accepted(turn, &begun))
}

#[derive(Deserialize)]
struct Protection {
    delete: Option<bool>,
}

/// `POST /volumes/{id}/actions/change_protection`.
pub(super) fn change_protection(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?.id;
    let wanted: Protection = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let begun = begin(turn, project, "change_protection", &[("volume", id)]);
    if !begun.fails {
        edit(turn, id, "protection", |volume| {
            volume.protect_delete = wanted.delete.unwrap_or(volume.protect_delete);
        });
    }
    Ok(accepted(turn, &begun))
}

fn begin(
    turn: &mut Turn<'_>,
    project: &str,
    command: &str,
    resources: &[(&str, u64)],
) -> action::Action {
    let lasting = turn.options.latency.other;
    action::begin(turn, project, command, resources, lasting)
}

fn accepted(turn: &Turn<'_>, begun: &action::Action) -> Answer {
    call::json(
        StatusCode::CREATED,
        &json!({ "action": begun.show(turn.now, turn.clock) }),
    )
}

/// The volume in the path, if it is whole and nothing is planned to hold it.
fn free(turn: &Turn<'_>, project: &str, asked: &Asked) -> Result<u64, Refusal> {
    let volume = known(turn, project, asked)?;
    if volume.ready > turn.now || turn.strikes(FaultKind::Locked) {
        Err(Refusal::locked("volume"))
    } else {
        Ok(volume.id)
    }
}

fn known<'a>(turn: &'a Turn<'_>, project: &str, asked: &Asked) -> Result<&'a Volume, Refusal> {
    let id = super::id(asked, "id")?;
    let volume = turn.state.hetzner.volumes.get(&id);
    volume
        .filter(|volume| volume.project == project)
        .ok_or_else(|| Refusal::not_found("volume"))
}

fn shown(turn: &Turn<'_>, id: u64) -> Value {
    let volume = turn.state.hetzner.volumes.get(&id);
    volume.map_or(Value::Null, |volume| volume.show(turn.now, turn.clock))
}
