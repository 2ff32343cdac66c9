//! Actions: what was begun, how far it is, and how it ended; all of it a function of now.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{list, list::Listed, refusal::Refusal, selector::Labels, zone};
use crate::{
    call::{self, Answer, Asked, Turn},
    clock::{Clock, Millis, millis},
    faults::FaultKind,
};

/// How many actions are remembered over all projects; the oldest are forgotten first.
const MOST_ACTIONS: usize = 20_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Action {
    pub(super) id: u64,
    project: String,
    command: String,
    started: Millis,
    /// `Millis::MAX` for one that never ends.
    pub(super) ends: Millis,
    pub(super) fails: bool,
    resources: Vec<(String, u64)>,
}

impl Listed for Action {
    fn id(&self) -> u64 {
        self.id
    }

    fn name(&self) -> &str {
        &self.command
    }

    fn labels(&self) -> Option<&Labels> {
        None
    }

    fn created(&self) -> Millis {
        self.started
    }
}

impl Action {
    fn status(&self, now: Millis) -> &'static str {
        match (now < self.ends, self.fails) {
            (true, _) => "running",
            (false, true) => "error",
            (false, false) => "success",
        }
    }

    fn progress(&self, now: Millis) -> Millis {
        if now >= self.ends {
            return 100;
        }
        // One that never ends creeps on and stays below a hundred.
        let whole = (self.ends.saturating_sub(self.started)).max(1);
        ((now - self.started).saturating_mul(100) / whole).clamp(0, 99)
    }

    /// Whether it is about a resource of this kind, and about this one if one is named.
    fn touches(&self, kind: &str, one: Option<u64>) -> bool {
        let mut resources = self.resources.iter();
        resources.any(|(of, id)| of == kind && one.is_none_or(|one| *id == one))
    }

    pub(super) fn show(&self, now: Millis, clock: &Clock) -> Value {
        let ended = now >= self.ends;
        let failed = ended && self.fails;
        let resources: Vec<Value> = self
            .resources
            .iter()
            .map(|(kind, id)| json!({ "id": id, "type": kind }))
            .collect();
        json!({
            "id": self.id, "command": self.command, "status": self.status(now), "progress": self.progress(now),
            "started": clock.stamp(self.started), "finished": ended.then(|| clock.stamp(self.ends)),
            "resources": resources,
            "error": failed.then(|| json!({ "code": "action_failed", "message": "Action failed" })),
        })
    }
}

/// Begins an action that takes `lasting`; whether it will fail or never end is decided now.
pub(super) fn begin(
    turn: &mut Turn<'_>,
    project: &str,
    command: &str,
    resources: &[(&str, u64)],
    lasting: std::time::Duration,
) -> Action {
    let never_ends = turn.strikes(FaultKind::ActionNeverEnds);
    let fails = turn.strikes(FaultKind::ActionFails);
    let ends = if never_ends {
        Millis::MAX
    } else {
        turn.now.saturating_add(millis(lasting))
    };
    let resources = resources
        .iter()
        .map(|(kind, id)| ((*kind).to_owned(), *id))
        .collect();
    record(turn, project, command, resources, ends, fails)
}

/// Begins an action that follows another: it ends and fails as that one does.
pub(super) fn follow(turn: &mut Turn<'_>, first: &Action, command: &str) -> Action {
    let (project, resources) = (first.project.clone(), first.resources.clone());
    record(turn, &project, command, resources, first.ends, first.fails)
}

fn record(
    turn: &mut Turn<'_>,
    project: &str,
    command: &str,
    resources: Vec<(String, u64)>,
    ends: Millis,
    fails: bool,
) -> Action {
    let id = super::next_id(&mut turn.state.counters);
    let action = Action {
        id,
        project: project.to_owned(),
        command: command.to_owned(),
        started: turn.now,
        ends,
        fails,
        resources,
    };
    let actions = &mut turn.state.hetzner.actions;
    actions.insert(id, action.clone());
    let oldest = actions.iter().next().map(|(id, _)| *id);
    if let Some(oldest) = oldest.filter(|_| actions.len() > MOST_ACTIONS) {
        actions.remove(&oldest);
    }
    action
}

/// `GET /actions`: only with ids, and all in one answer without pages; the ids nobody knows are silently left out.
pub(super) fn list(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    if asked.query_value("id").is_none() {
        return Err(Refusal::gone("listing all actions"));
    }
    let rows = rows(turn, project, asked, |_| true)?;
    let shown: Vec<Value> = rows
        .iter()
        .map(|action| action.show(turn.now, turn.clock))
        .collect();
    Ok(call::json(StatusCode::OK, &json!({ "actions": shown })))
}

/// `GET /servers/actions` and its like: all actions of one kind of resource.
pub(super) fn list_of_kind(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let kind = kind_of(asked).unwrap_or_default();
    listed(turn, project, asked, |action| action.touches(kind, None))
}

/// `GET /servers/{id}/actions` and its like.
pub(super) fn list_of_one(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let kind = kind_of(asked).unwrap_or_default();
    let one = whose(turn, project, asked, kind)?;
    listed(turn, project, asked, |action| {
        action.touches(kind, Some(one))
    })
}

/// The resource in the path; zones may be named.
fn whose(turn: &Turn<'_>, project: &str, asked: &Asked, kind: &str) -> Result<u64, Refusal> {
    if kind == "zone" {
        Ok(zone::known(turn, project, asked)?.id)
    } else {
        super::id(asked, "id")
    }
}

/// `GET /actions/{id}`, `GET /servers/actions/{id}` and `GET /servers/{id}/actions/{action_id}`.
pub(super) fn get(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let kind = kind_of(asked);
    let (id, one) = if asked.params.contains_key("action_id") {
        let one = whose(turn, project, asked, kind.unwrap_or_default())?;
        (super::id(asked, "action_id")?, Some(one))
    } else {
        (super::id(asked, "id")?, None)
    };
    let action = turn.state.hetzner.actions.get(&id).filter(|action| {
        action.project == project && kind.is_none_or(|kind| action.touches(kind, one))
    });
    let action = action.ok_or_else(|| Refusal::not_found("action"))?;
    Ok(call::json(
        StatusCode::OK,
        &json!({ "action": action.show(turn.now, turn.clock) }),
    ))
}

fn listed(
    turn: &Turn<'_>,
    project: &str,
    asked: &Asked,
    belongs: impl Fn(&Action) -> bool,
) -> Result<Answer, Refusal> {
    let rows = rows(turn, project, asked, belongs)?;
    list::page(turn, asked, "actions", &rows, |action| {
        action.show(turn.now, turn.clock)
    })
}

fn rows<'a>(
    turn: &'a Turn<'_>,
    project: &str,
    asked: &Asked,
    belongs: impl Fn(&Action) -> bool,
) -> Result<Vec<&'a Action>, Refusal> {
    let ids: Vec<u64> = asked
        .query_values("id")
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| Refusal::invalid("id", "must be a number"))?;
    let statuses: Vec<&str> = asked.query_values("status").collect();
    let now = turn.now;
    let rows = turn.state.hetzner.actions.values().filter(|action| {
        action.project == project
            && belongs(action)
            && (ids.is_empty() || ids.contains(&action.id))
            && (statuses.is_empty() || statuses.contains(&action.status(now)))
    });
    list::chosen(turn, asked, rows)
}

/// The kind of resource in `/v1/servers/…`, as actions name it; nothing for `/v1/actions`.
fn kind_of(asked: &Asked) -> Option<&str> {
    let kind = asked.pattern.split('/').nth(2)?;
    kind.strip_suffix('s').filter(|kind| *kind != "action")
}
