//! What firewalls are applied to, and how they come on and off: servers by id, and servers by their labels.

use std::collections::BTreeSet;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    action,
    firewall::{Firewall, edit, known},
    refusal::Refusal,
    selector::Selector,
};
use crate::call::{self, Answer, Asked, Turn};

/// What a firewall is applied to, as requests say it.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Resource {
    Server { server: ServerId },
    LabelSelector { label_selector: SelectorText },
}

impl Resource {
    fn server(&self) -> Option<u64> {
        match self {
            Resource::Server { server } => Some(server.id),
            Resource::LabelSelector { .. } => None,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct ServerId {
    id: u64,
}

#[derive(Deserialize)]
pub(super) struct SelectorText {
    selector: String,
}

pub(super) fn check_resources(
    turn: &Turn<'_>,
    project: &str,
    resources: &[Resource],
) -> Result<(), Refusal> {
    let mut servers = resources.iter().filter_map(Resource::server);
    let mut seen = BTreeSet::new();
    if servers.any(|id| !seen.insert(id)) {
        return Err(Refusal::rule(
            "server_already_added",
            "a server is there more than once",
        ));
    }
    for resource in resources {
        match resource {
            Resource::Server { server } => {
                let known = turn
                    .state
                    .hetzner
                    .servers_of(project, turn.now)
                    .any(|known| known.id == server.id);
                if !known {
                    return Err(Refusal::rule(
                        "firewall_resource_not_found",
                        "server not found",
                    ));
                }
            }
            Resource::LabelSelector { label_selector } => {
                Selector::parse(&label_selector.selector)?;
            }
        }
    }
    Ok(())
}

/// Applies it to resources, or takes it off them; an action for each.
pub(super) fn apply_all(
    turn: &mut Turn<'_>,
    project: &str,
    id: u64,
    resources: &[Resource],
    on: bool,
) -> Vec<Value> {
    let mut actions = Vec::new();
    let command = if on {
        "apply_firewall"
    } else {
        "remove_firewall"
    };
    for resource in resources {
        let mut touched = vec![("firewall", id)];
        match resource {
            Resource::Server { server } => {
                touched.push(("server", server.id));
                super::servers::edit(turn, server.id, "firewalls", |server| {
                    server.firewalls.retain(|applied| *applied != id);
                    server.firewalls.extend(on.then_some(id));
                });
            }
            Resource::LabelSelector { label_selector } => edit(turn, id, "selectors", |firewall| {
                firewall
                    .selectors
                    .retain(|text| *text != label_selector.selector);
                firewall
                    .selectors
                    .extend(on.then(|| label_selector.selector.clone()));
            }),
        }
        let begun = action::begin(turn, project, command, &touched, turn.options.latency.other);
        actions.push(begun.show(turn.now, turn.clock));
    }
    actions
}

#[derive(Deserialize)]
struct Application {
    apply_to: Vec<Resource>,
}

/// `POST /firewalls/{id}/actions/apply_to_resources`.
pub(super) fn apply(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let wanted: Application = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let firewall = known(turn, project, asked)?;
    check_resources(turn, project, &wanted.apply_to).map_err(Refusal::of_a_path)?;
    let already = wanted
        .apply_to
        .iter()
        .any(|resource| is_applied(turn, firewall, resource));
    if already {
        return Err(Refusal::rule(
            "firewall_already_applied",
            "firewall is already applied",
        ));
    }
    let id = firewall.id;
    let actions = apply_all(turn, project, id, &wanted.apply_to, true);
    Ok(call::json(
        StatusCode::CREATED,
        &json!({ "actions": actions }),
    ))
}

fn is_applied(turn: &Turn<'_>, firewall: &Firewall, resource: &Resource) -> bool {
    match resource {
        Resource::Server { server } => turn
            .state
            .hetzner
            .servers
            .get(&server.id)
            .is_some_and(|known| known.firewalls.contains(&firewall.id)),
        Resource::LabelSelector { label_selector } => {
            firewall.selectors.contains(&label_selector.selector)
        }
    }
}

#[derive(Deserialize)]
struct Removal {
    remove_from: Vec<Resource>,
}

/// `POST /firewalls/{id}/actions/remove_from_resources`: one that is not applied is taken off once more.
pub(super) fn remove(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let wanted: Removal = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let firewall = known(turn, project, asked)?;
    check_resources(turn, project, &wanted.remove_from).map_err(Refusal::of_a_path)?;
    let by_label = |id| {
        let server = turn.state.hetzner.servers.get(&id);
        server.is_some_and(|server| {
            !server.firewalls.contains(&firewall.id) && firewall.selects(&server.labels)
        })
    };
    let mut servers = wanted.remove_from.iter().filter_map(Resource::server);
    if servers.any(by_label) {
        return Err(Refusal::rule(
            "firewall_managed_by_label_selector",
            "the server has the firewall by its labels",
        ));
    }
    let id = firewall.id;
    let actions = apply_all(turn, project, id, &wanted.remove_from, false);
    Ok(call::json(
        StatusCode::CREATED,
        &json!({ "actions": actions }),
    ))
}
