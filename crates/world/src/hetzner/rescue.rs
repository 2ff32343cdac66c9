//! The rescue system: switched on for the next start, used up by it, and lapsed after an hour without one.

use serde::Deserialize;
use serde_json::json;

use super::{
    action,
    refusal::Refusal,
    server_action::{accepted, free},
    servers,
};
use crate::{
    call::{Answer, Asked, Turn},
    clock::{MINUTE, Millis},
};

/// How long it waits for a start.
const LASTS: Millis = 60 * MINUTE;

#[derive(Deserialize)]
struct Rescue {
    #[serde(rename = "type")]
    _system: Option<System>,
    #[serde(default)]
    ssh_keys: Vec<u64>,
}

/// There is only one to choose.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum System {
    Linux64,
}

/// `POST /servers/{id}/actions/enable_rescue`: the password is told here and never again.
pub(super) fn enable(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    let wanted: Rescue = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let known = |id: &u64| {
        let key = turn.state.hetzner.ssh_keys.get(id);
        key.is_some_and(|key| key.project == project)
    };
    if !wanted.ssh_keys.iter().all(known) {
        return Err(Refusal::invalid("ssh_keys", "SSH key not found"));
    }
    let begun = action::begin(
        turn,
        project,
        "enable_rescue",
        &[("server", id)],
        turn.options.latency.other,
    );
    if !begun.fails {
        let until = turn.now + LASTS;
        servers::edit(turn, id, "enable_rescue", |server| {
            server.rescue_until = until;
        });
    }
    let password = turn.state.counters.text("root password", 20);
    Ok(accepted(turn, &begun, json!({ "root_password": password })))
}

/// `POST /servers/{id}/actions/disable_rescue`.
pub(super) fn disable(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = free(turn, project, asked)?;
    Ok(super::server_action::set(
        turn,
        (project, id, "disable_rescue"),
        |server| server.rescue_until = 0,
    ))
}
