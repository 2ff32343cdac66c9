//! What is done to a server that exists: power, type, rebuild, image, protection, backups.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    action::{self, Action},
    catalogue,
    image::{self, Image, Type},
    name::IdOrName,
    refusal::Refusal,
    selector::{self, Labels},
    server::{Server, Status},
    servers,
};
use crate::{
    call::{self, Answer, Asked, Turn},
    faults::FaultKind,
    history::Change,
};

/// How many backups of one server are kept.
const BACKUP_SLOTS: usize = 7;

/// The server in the path, if nothing else is going on with it.
pub(super) fn free(turn: &Turn<'_>, project: &str, asked: &Asked) -> Result<u64, Refusal> {
    let id = servers::known(turn, project, asked)?;
    let locked = turn
        .state
        .hetzner
        .servers
        .get(&id)
        .is_some_and(|server| server.is_locked(turn.now));
    if locked || turn.strikes(FaultKind::Locked) {
        Err(Refusal::locked("server"))
    } else {
        Ok(id)
    }
}

fn status(turn: &Turn<'_>, id: u64) -> Status {
    turn.state
        .hetzner
        .servers
        .get(&id)
        .map_or(Status::Unknown, |server| server.status(turn.now))
}

fn must_be_off(turn: &Turn<'_>, id: u64) -> Result<(), Refusal> {
    match status(turn, id) {
        Status::Off => Ok(()),
        Status::Running
        | Status::Initializing
        | Status::Starting
        | Status::Stopping
        | Status::Deleting
        | Status::Migrating
        | Status::Rebuilding
        | Status::Unknown => Err(Refusal::rule(
            "server_not_stopped",
            "the server must be powered off",
        )),
    }
}

/// Answers with an action, and other fields beside it.
pub(super) fn accepted(turn: &Turn<'_>, begun: &Action, mut beside: Value) -> Answer {
    beside["action"] = begun.show(turn.now, turn.clock);
    call::json(StatusCode::CREATED, &beside)
}

/// Begins an action that takes the server through `passing` and leaves it on or off. One that fails leaves it as it was.
fn pass(
    turn: &mut Turn<'_>,
    (project, id, command): (&str, u64, &str),
    lasting: std::time::Duration,
    passing: Status,
    then_on: bool,
) -> Action {
    let begun = action::begin(turn, project, command, &[("server", id)], lasting);
    if !begun.fails {
        servers::edit(turn, id, command, |server| {
            server.set_out(passing, begun.ends, then_on);
        });
    }
    begun
}

pub(super) fn power_on(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let lasting = turn.options.latency.power;
    let begun = match status(turn, id) {
        // It runs: nothing changes, and the action succeeds.
        Status::Running => action::begin(turn, project, "start_server", &[("server", id)], lasting),
        Status::Off
        | Status::Initializing
        | Status::Starting
        | Status::Stopping
        | Status::Deleting
        | Status::Migrating
        | Status::Rebuilding
        | Status::Unknown => pass(
            turn,
            (project, id, "start_server"),
            lasting,
            Status::Starting,
            true,
        ),
    };
    Ok(accepted(turn, &begun, json!({})))
}

pub(super) fn power_off(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let begun = pass(
        turn,
        (project, id, "stop_server"),
        turn.options.latency.power,
        Status::Stopping,
        false,
    );
    Ok(accepted(turn, &begun, json!({})))
}

pub(super) fn reboot(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    restart(turn, project, asked, "reboot_server")
}

pub(super) fn reset(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    restart(turn, project, asked, "reset_server")
}

/// The status stays `running` all through; only what runs on the server notices.
fn restart(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
    command: &str,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let begun = pass(
        turn,
        (project, id, command),
        turn.options.latency.power,
        Status::Running,
        true,
    );
    Ok(accepted(turn, &begun, json!({})))
}

/// Only asks: the action is done long before the server is off.
pub(super) fn shutdown(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let lasting = turn.options.latency.other;
    let begun = action::begin(turn, project, "shutdown_server", &[("server", id)], lasting);
    if status(turn, id) == Status::Running && !begun.fails {
        let off = turn.now.saturating_add(servers::shutdown_lasts(turn));
        servers::edit(turn, id, "shutdown_server", |server| {
            server.set_out(Status::Running, off, false);
            server.locked_until = begun.ends;
        });
    }
    Ok(accepted(turn, &begun, json!({})))
}

#[derive(Deserialize)]
struct TypeChange {
    server_type: IdOrName,
    upgrade_disk: bool,
}

/// Only when off; starts it again afterwards. A disk grows and never shrinks.
pub(super) fn change_type(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let wanted: TypeChange = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let wanted_type = servers::wanted_type(&wanted.server_type)?;
    must_be_off(turn, id)?;
    let server = turn
        .state
        .hetzner
        .servers
        .get(&id)
        .ok_or_else(|| Refusal::not_found("server"))?;
    let had = catalogue::server_type_named(&server.type_name);
    let same_make = had.is_some_and(|had| had.architecture == wanted_type.architecture);
    let fits =
        same_make && wanted_type.is_sold_in(&server.location) && wanted_type.disk >= server.disk;
    if !fits || server.type_name == wanted_type.name {
        return Err(Refusal::rule(
            "invalid_server_type",
            "the server type does not fit this server",
        ));
    }
    if turn.faults.is_exhausted(&server.location, wanted_type.name)
        || turn.strikes(FaultKind::NoCapacity)
    {
        return Err(Refusal::no_capacity());
    }
    let lasting = turn.options.latency.change_type;
    let begun = pass(
        turn,
        (project, id, "change_server_type"),
        lasting,
        Status::Migrating,
        true,
    );
    if !begun.fails {
        servers::edit(turn, id, "server_type", |server| {
            wanted_type.name.clone_into(&mut server.type_name);
            server.disk = if wanted.upgrade_disk {
                wanted_type.disk
            } else {
                server.disk
            };
        });
    }
    Ok(accepted(turn, &begun, json!({})))
}

#[derive(Deserialize)]
struct Rebuild {
    image: IdOrName,
    user_data: Option<String>,
}

/// The disk's content is gone; the server starts from the image.
pub(super) fn rebuild(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let wanted: Rebuild = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    servers::check_user_data(wanted.user_data.as_deref())?;
    let server = turn
        .state
        .hetzner
        .servers
        .get(&id)
        .ok_or_else(|| Refusal::not_found("server"))?;
    if server.protect_rebuild {
        return Err(Refusal::protected("server"));
    }
    let image = turn
        .state
        .hetzner
        .usable_image(project, &wanted.image, architecture(server))?;
    let lasting = turn.options.latency.rebuild;
    let begun = pass(
        turn,
        (project, id, "rebuild_server"),
        lasting,
        Status::Rebuilding,
        true,
    );
    if !begun.fails {
        servers::edit(turn, id, "image", |server| {
            server.image = Some(image);
            server.user_data = wanted.user_data.or_else(|| server.user_data.clone());
        });
    }
    let password = turn.state.counters.text("root password", 20);
    Ok(accepted(turn, &begun, json!({ "root_password": password })))
}

fn architecture(server: &Server) -> &'static str {
    catalogue::server_type_named(&server.type_name).map_or("x86", |known| known.architecture)
}

#[derive(Deserialize)]
struct NewImage {
    description: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Type>,
    #[serde(default)]
    labels: Labels,
}

/// A snapshot outlives its server; a backup takes one of seven slots, the oldest making room.
pub(super) fn create_image(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let server_id = free(turn, project, asked)?;
    let wanted: NewImage = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    selector::check(&wanted.labels)?;
    let server = turn
        .state
        .hetzner
        .servers
        .get(&server_id)
        .ok_or_else(|| Refusal::not_found("server"))?
        .clone();
    super::check_count(turn.state.hetzner.images.len(), "image_limit")?;
    let kind = wanted.kind.unwrap_or(Type::Snapshot);
    if kind == Type::Backup {
        if server.backup_window.is_none() {
            return Err(Refusal::rule(
                "invalid_input",
                "backups are not enabled for this server",
            ));
        }
        make_room_for_a_backup(turn, server_id);
    }
    let id = super::next_id(&mut turn.state.counters);
    let resources = [("server", server_id), ("image", id)];
    let begun = action::begin(
        turn,
        project,
        "create_image",
        &resources,
        turn.options.latency.create_image,
    );
    let system = server
        .image
        .filter(|id| catalogue::IMAGES.iter().any(|image| image.id == *id));
    let made = Image {
        id,
        project: project.to_owned(),
        kind,
        description: wanted
            .description
            .unwrap_or_else(|| format!("{} {}", server.name, turn.stamp(turn.now))),
        labels: wanted.labels,
        created: turn.now,
        ready: begun.ends,
        server: server_id,
        server_name: server.name.clone(),
        disk: server.disk,
        architecture: architecture(&server).to_owned(),
        system,
        protect_delete: false,
    };
    let shown = image::show(turn, &made);
    if !begun.fails {
        image::keep(turn, made, Change::Created);
    }
    servers::edit(turn, server_id, "create_image", |server| {
        server.locked_until = begun.ends;
    });
    Ok(accepted(turn, &begun, json!({ "image": shown })))
}

fn make_room_for_a_backup(turn: &mut Turn<'_>, server: u64) {
    let all = turn.state.hetzner.images.values();
    let backups: Vec<u64> = all
        .filter(|image| image.kind == Type::Backup && image.server == server)
        .map(|image| image.id)
        .collect();
    let over = (backups.len() + 1).saturating_sub(BACKUP_SLOTS);
    for id in backups.into_iter().take(over) {
        if let Some(image) = turn.state.hetzner.images.remove(&id) {
            turn.note(image.subject(), Change::Removed, &image.labels);
        }
    }
}

#[derive(Deserialize)]
struct Protection {
    delete: Option<bool>,
    rebuild: Option<bool>,
}

/// Both must be the same, as the description says.
pub(super) fn change_protection(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let wanted: Protection = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let server = turn
        .state
        .hetzner
        .servers
        .get(&id)
        .ok_or_else(|| Refusal::not_found("server"))?;
    let delete = wanted.delete.unwrap_or(server.protect_delete);
    let rebuild = wanted.rebuild.unwrap_or(server.protect_rebuild);
    if delete != rebuild {
        return Err(Refusal::invalid(
            "rebuild",
            "delete and rebuild protection must be the same",
        ));
    }
    Ok(set(turn, (project, id, "change_protection"), |server| {
        server.protect_delete = delete;
        server.protect_rebuild = rebuild;
    }))
}

/// Changes one thing about a server, with an action that tells of it.
pub(super) fn set(
    turn: &mut Turn<'_>,
    (project, id, command): (&str, u64, &str),
    change: impl FnOnce(&mut Server),
) -> Answer {
    let begun = action::begin(
        turn,
        project,
        command,
        &[("server", id)],
        turn.options.latency.other,
    );
    if !begun.fails {
        servers::edit(turn, id, command, change);
    }
    accepted(turn, &begun, json!({}))
}

pub(super) fn enable_backup(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    Ok(set(turn, (project, id, "enable_backup"), |server| {
        server.backup_window = Some("22-02".to_owned());
    }))
}

/// The backups there are go with it.
pub(super) fn disable_backup(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    image::remove_backups_of(turn, id);
    Ok(set(turn, (project, id, "disable_backup"), |server| {
        server.backup_window = None;
    }))
}

/// Needs a running server; its agent does it.
pub(super) fn reset_password(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    if status(turn, id) != Status::Running {
        return Err(Refusal::rule("invalid_input", "the server must be running"));
    }
    let begun = action::begin(
        turn,
        project,
        "reset_password",
        &[("server", id)],
        turn.options.latency.other,
    );
    let password = turn.state.counters.text("root password", 20);
    Ok(accepted(turn, &begun, json!({ "root_password": password })))
}

/// An address that nothing answers at: there is no screen behind it.
pub(super) fn request_console(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let begun = action::begin(
        turn,
        project,
        "request_console",
        &[("server", id)],
        turn.options.latency.other,
    );
    let password = turn.state.counters.text("console password", 20);
    let url = format!("wss://console.invalid/?server_id={id}");
    Ok(accepted(
        turn,
        &begun,
        json!({ "wss_url": url, "password": password }),
    ))
}
