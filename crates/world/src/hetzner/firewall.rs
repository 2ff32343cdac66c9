//! Firewalls and their rules. What they are applied to is `firewall_resource`'s. No packet is ever stopped.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    action,
    firewall_resource::{Resource, apply_all, check_resources},
    list,
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
    pub(super) selectors: Vec<String>,
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

pub(super) fn edit(turn: &mut Turn<'_>, id: u64, what: &str, change: impl FnOnce(&mut Firewall)) {
    let Some(firewall) = turn.state.hetzner.firewalls.get_mut(&id) else {
        return;
    };
    change(firewall);
    let (subject, labels) = (firewall.subject(), firewall.labels.clone());
    turn.note(subject, Change::Changed(what.to_owned()), &labels);
}

pub(super) fn known<'a>(
    turn: &'a Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<&'a Firewall, Refusal> {
    let id = super::id(asked, "id")?;
    let firewall = turn
        .state
        .hetzner
        .firewalls
        .get(&id)
        .filter(|firewall| firewall.project == project);
    firewall.ok_or_else(|| Refusal::not_found("firewall"))
}
