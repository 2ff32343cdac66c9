//! Firewalls: rules, and the servers they are applied to. No packet is ever stopped.

use std::collections::BTreeSet;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    action, list,
    list::Listed,
    name,
    refusal::Refusal,
    selector::{self, Labels, Selector},
};
use crate::{
    call::{self, Answer, Asked, Turn},
    clock::Millis,
    history::{Change, Kind, Subject},
};

const MOST_RULES: usize = 50;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Firewall {
    pub(super) id: u64,
    pub(super) project: String,
    name: String,
    labels: Labels,
    rules: Vec<Rule>,
    /// Label selectors it is applied to. The servers it is applied to by id are kept with the servers.
    selectors: Vec<String>,
    created: Millis,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rule {
    direction: Direction,
    protocol: Protocol,
    #[serde(default)]
    port: Option<String>,
    #[serde(default)]
    source_ips: Vec<String>,
    #[serde(default)]
    destination_ips: Vec<String>,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    In,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Tcp,
    Udp,
    Icmp,
    Esp,
    Gre,
}

/// What a firewall is applied to, as requests say it.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Resource {
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
struct ServerId {
    id: u64,
}

#[derive(Deserialize)]
struct SelectorText {
    selector: String,
}

impl Listed for Firewall {
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
        None
    }
}

impl Firewall {
    /// Whether one of its label selectors chooses a server with these labels.
    pub(super) fn selects(&self, labels: &Labels) -> bool {
        let chosen = |text: &String| Selector::parse(text).is_ok_and(|one| one.chooses(labels));
        self.selectors.iter().any(chosen)
    }

    fn subject(&self) -> Subject {
        Subject {
            kind: Kind::Firewall,
            id: self.id.to_string(),
            name: self.name.clone(),
        }
    }
}

fn show(turn: &Turn<'_>, firewall: &Firewall) -> Value {
    let there = || turn.state.hetzner.servers_of(&firewall.project, turn.now);
    let as_server = |id: u64| json!({ "type": "server", "server": { "id": id } });
    let mut applied: Vec<Value> = there()
        .filter(|server| server.firewalls.contains(&firewall.id))
        .map(|server| as_server(server.id))
        .collect();
    for text in &firewall.selectors {
        let chosen = Selector::parse(text).ok();
        let servers: Vec<Value> = there()
            .filter(|server| {
                chosen
                    .as_ref()
                    .is_some_and(|chosen| chosen.chooses(&server.labels))
            })
            .map(|server| as_server(server.id))
            .collect();
        applied.push(json!({
            "type": "label_selector", "label_selector": { "selector": text }, "applied_to_resources": servers,
        }));
    }
    json!({
        "id": firewall.id, "name": firewall.name, "labels": firewall.labels, "rules": firewall.rules,
        "created": turn.stamp(firewall.created), "applied_to": applied,
    })
}

#[derive(Deserialize)]
struct NewFirewall {
    name: String,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    apply_to: Vec<Resource>,
}

/// `POST /firewalls`.
pub(super) fn create(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let wanted: NewFirewall = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    name::check_name(&wanted.name)?;
    selector::check(&wanted.labels)?;
    check_rules(&wanted.rules)?;
    check_name_free(turn, project, &wanted.name, None)?;
    super::check_count(turn.state.hetzner.firewalls.len(), "firewall_limit")?;
    check_resources(turn, project, &wanted.apply_to)?;
    let id = super::next_id(&mut turn.state.counters);
    let firewall = Firewall {
        id,
        project: project.to_owned(),
        name: wanted.name,
        labels: wanted.labels,
        rules: wanted.rules,
        selectors: Vec::new(),
        created: turn.now,
    };
    turn.note(firewall.subject(), Change::Created, &firewall.labels);
    turn.state.hetzner.firewalls.insert(id, firewall);
    let actions = apply_all(turn, project, id, &wanted.apply_to, true);
    let shown = turn
        .state
        .hetzner
        .firewalls
        .get(&id)
        .map(|firewall| show(turn, firewall));
    Ok(call::json(
        StatusCode::CREATED,
        &json!({ "firewall": shown, "actions": actions }),
    ))
}

fn check_rules(rules: &[Rule]) -> Result<(), Refusal> {
    if rules.len() > MOST_RULES {
        return Err(Refusal::invalid("rules", "too many rules"));
    }
    for rule in rules {
        let needs_port = matches!(rule.protocol, Protocol::Tcp | Protocol::Udp);
        if needs_port != rule.port.is_some() {
            return Err(Refusal::invalid(
                "rules",
                "a port belongs to tcp and udp rules, and to no others",
            ));
        }
        let empty = match rule.direction {
            Direction::In => rule.source_ips.is_empty(),
            Direction::Out => rule.destination_ips.is_empty(),
        };
        if empty {
            return Err(Refusal::invalid(
                "rules",
                "a rule needs the addresses of its other side",
            ));
        }
        let all = rule.source_ips.iter().chain(&rule.destination_ips);
        if let Some(wrong) = all.into_iter().find(|block| !is_address_block(block)) {
            return Err(Refusal::invalid(
                "rules",
                format!("'{wrong}' is no CIDR block"),
            ));
        }
    }
    Ok(())
}

fn is_address_block(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let Ok(length) = length.parse::<u8>() else {
        return false;
    };
    match address.parse() {
        Ok(std::net::IpAddr::V4(_)) => length <= 32,
        Ok(std::net::IpAddr::V6(_)) => length <= 128,
        Err(_) => false,
    }
}

fn check_name_free(
    turn: &Turn<'_>,
    project: &str,
    name: &str,
    except: Option<u64>,
) -> Result<(), Refusal> {
    let mut all = turn.state.hetzner.firewalls.values();
    let taken =
        all.any(|known| known.project == project && known.name == name && Some(known.id) != except);
    if taken {
        Err(Refusal::taken("firewall", "name"))
    } else {
        Ok(())
    }
}

fn check_resources(turn: &Turn<'_>, project: &str, resources: &[Resource]) -> Result<(), Refusal> {
    let servers = resources.iter().filter_map(Resource::server);
    let mut seen = BTreeSet::new();
    if servers.into_iter().any(|id| !seen.insert(id)) {
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
fn apply_all(
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

/// `GET /firewalls`.
pub(super) fn list(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let rows = turn
        .state
        .hetzner
        .firewalls
        .values()
        .filter(|firewall| firewall.project == project);
    let rows = list::chosen(turn, asked, rows)?;
    list::page(turn, asked, "firewalls", &rows, |firewall| {
        show(turn, firewall)
    })
}

/// `GET /firewalls/{id}`.
pub(super) fn get(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let firewall = known(turn, project, asked)?;
    Ok(call::json(
        StatusCode::OK,
        &json!({ "firewall": show(turn, firewall) }),
    ))
}

#[derive(Deserialize)]
struct FirewallUpdate {
    name: Option<String>,
    labels: Option<Labels>,
}

/// `PUT /firewalls/{id}`.
pub(super) fn update(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?.id;
    let update: FirewallUpdate = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    if let Some(name) = &update.name {
        name::check_name(name)?;
        check_name_free(turn, project, name, Some(id))?;
    }
    if let Some(labels) = &update.labels {
        selector::check(labels)?;
    }
    edit(turn, id, "name or labels", |firewall| {
        firewall.name = update.name.unwrap_or_else(|| firewall.name.clone());
        firewall.labels = update.labels.unwrap_or_else(|| firewall.labels.clone());
    });
    get(turn, project, asked)
}

/// `DELETE /firewalls/{id}`: not while it is applied to anything.
pub(super) fn delete(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let firewall = known(turn, project, asked)?.clone();
    let used = turn
        .state
        .hetzner
        .servers_of(project, turn.now)
        .any(|server| server.firewalls.contains(&firewall.id));
    if used || !firewall.selectors.is_empty() {
        return Err(Refusal::rule("resource_in_use", "firewall is still in use"));
    }
    turn.note(firewall.subject(), Change::Removed, &firewall.labels);
    turn.state.hetzner.firewalls.remove(&firewall.id);
    Ok(call::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize)]
struct NewRules {
    rules: Vec<Rule>,
}

/// `POST /firewalls/{id}/actions/set_rules`: replaces them all.
pub(super) fn set_rules(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?.id;
    let wanted: NewRules = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    check_rules(&wanted.rules)?;
    edit(turn, id, "rules", |firewall| firewall.rules = wanted.rules);
    let begun = action::begin(
        turn,
        project,
        "set_firewall_rules",
        &[("firewall", id)],
        turn.options.latency.other,
    );
    let actions = [begun.show(turn.now, turn.clock)];
    Ok(call::json(
        StatusCode::CREATED,
        &json!({ "actions": actions }),
    ))
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

fn edit(turn: &mut Turn<'_>, id: u64, what: &str, change: impl FnOnce(&mut Firewall)) {
    let Some(firewall) = turn.state.hetzner.firewalls.get_mut(&id) else {
        return;
    };
    change(firewall);
    let (subject, labels) = (firewall.subject(), firewall.labels.clone());
    turn.note(subject, Change::Changed(what.to_owned()), &labels);
}

fn known<'a>(turn: &'a Turn<'_>, project: &str, asked: &Asked) -> Result<&'a Firewall, Refusal> {
    let id = super::id(asked, "id")?;
    let firewall = turn
        .state
        .hetzner
        .firewalls
        .get(&id)
        .filter(|firewall| firewall.project == project);
    firewall.ok_or_else(|| Refusal::not_found("firewall"))
}
