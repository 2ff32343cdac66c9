//! What callers do with the record sets of a primary zone: make, list, show, label, delete, and change their records. All of it
//! is refused for a secondary zone, and changes are for a protected set.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{
    list, record,
    refusal::Refusal,
    selector::{self, Labels},
    zone::{self, Mode, Record, RecordSet, RecordType, Zone},
    zone_route::{NewSet, accepted, begin, check_set, keep_new},
};
use crate::{
    call::{self, Answer, Asked, Turn},
    history::Change,
};

/// The most sets on one page, as the description says.
const MOST_PER_PAGE: usize = 100;

/// The zone in the path, if it has record sets at all.
fn primary<'a>(turn: &'a Turn<'_>, project: &str, asked: &Asked) -> Result<&'a Zone, Refusal> {
    let zone = zone::known(turn, project, asked)?;
    zone.must_be(Mode::Primary)?;
    Ok(zone)
}

/// What the path says after the zone.
fn kind(asked: &Asked) -> Result<RecordType, Refusal> {
    RecordType::named(asked.param("rr_type")).ok_or_else(|| Refusal::not_found("rrset"))
}

/// The set in the path.
fn known<'a>(turn: &'a Turn<'_>, project: &str, asked: &Asked) -> Result<&'a RecordSet, Refusal> {
    let zone = primary(turn, project, asked)?;
    let key = zone::key(zone.id, asked.param("rr_name"), kind(asked)?);
    let set = turn.state.hetzner.record_sets.get(&key);
    set.ok_or_else(|| Refusal::not_found("rrset"))
}

/// The set in the path, if it may be changed.
fn open(turn: &Turn<'_>, project: &str, asked: &Asked) -> Result<RecordSet, Refusal> {
    let set = known(turn, project, asked)?;
    if set.protect_change {
        Err(Refusal::protected("rrset"))
    } else {
        Ok(set.clone())
    }
}

/// `POST /zones/{id_or_name}/rrsets`.
pub(super) fn create(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let zone = primary(turn, project, asked)?;
    let wanted: NewSet = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    check_set(&wanted, &zone.name)?;
    let id = zone.id;
    let key = zone::key(id, &wanted.name, wanted.kind);
    let hetzner = &turn.state.hetzner;
    if hetzner.record_sets.contains(&key) {
        return Err(Refusal::taken("rrset", "name"));
    }
    hetzner.check_beside(id, &wanted.name, wanted.kind, wanted.records.len())?;
    let begun = begin(turn, project, id, "create_rrset");
    keep_new(turn, id, wanted);
    let made = turn.state.hetzner.record_sets.get(&key);
    let body = json!({
        "rrset": made.map(RecordSet::show), "action": begun.show(turn.now, turn.clock),
    });
    Ok(call::json(StatusCode::CREATED, &body))
}

/// `GET /zones/{id_or_name}/rrsets`: also filtered by any number of `type`.
pub(super) fn list(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let zone = primary(turn, project, asked)?.id;
    let kinds: Vec<RecordType> = asked
        .query_values("type")
        .map(|name| {
            RecordType::named(name)
                .ok_or_else(|| Refusal::invalid("type", format!("no type '{name}'")))
        })
        .collect::<Result<_, _>>()?;
    let sets = turn.state.hetzner.record_sets_of(zone);
    let rows = sets.filter(|set| kinds.is_empty() || kinds.contains(&set.kind));
    let rows = list::chosen(turn, asked, rows)?;
    list::page_of(turn, asked, ("rrsets", MOST_PER_PAGE), &rows, |set| {
        set.show()
    })
}

/// `GET /zones/{id_or_name}/rrsets/{rr_name}/{rr_type}`.
pub(super) fn get(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let set = known(turn, project, asked)?;
    Ok(call::json(StatusCode::OK, &json!({ "rrset": set.show() })))
}

#[derive(Deserialize)]
struct SetUpdate {
    labels: Option<Labels>,
}

/// `PUT /zones/{id_or_name}/rrsets/{rr_name}/{rr_type}`: only its labels.
pub(super) fn update(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let mut set = known(turn, project, asked)?.clone();
    let update: SetUpdate = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    if let Some(labels) = update.labels {
        selector::check(&labels)?;
        set.labels = labels;
        zone::keep_set(turn, set, Change::Changed("labels".to_owned()));
    }
    get(turn, project, asked)
}

/// `DELETE /zones/{id_or_name}/rrsets/{rr_name}/{rr_type}`.
pub(super) fn delete(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let set = open(turn, project, asked)?;
    if set.kind == RecordType::Soa {
        return Err(Refusal::invalid("type", "a zone keeps its SOA record"));
    }
    let begun = begin(turn, project, set.zone, "delete_rrset");
    if !begun.fails {
        zone::remove_set(turn, &set.key());
    }
    Ok(accepted(turn, &begun))
}

#[derive(Deserialize)]
struct Protection {
    change: bool,
}

/// `POST …/actions/change_protection`.
pub(super) fn change_protection(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let mut set = known(turn, project, asked)?.clone();
    let wanted: Protection = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    set.protect_change = wanted.change;
    Ok(change(turn, project, "change_rrset_protection", set))
}

#[derive(Deserialize)]
struct NewTtl {
    ttl: Option<u32>,
}

/// `POST …/actions/change_ttl`: null for the zone's own.
pub(super) fn change_ttl(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let mut set = open(turn, project, asked)?;
    let wanted: NewTtl = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    record::check_ttl(wanted.ttl)?;
    set.ttl = wanted.ttl;
    Ok(change(turn, project, "change_rrset_ttl", set))
}

#[derive(Deserialize)]
struct Records {
    records: Vec<Record>,
    ttl: Option<u32>,
}

/// `POST …/actions/set_records`: replaces them all.
pub(super) fn set_records(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let mut set = open(turn, project, asked)?;
    let wanted: Records = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    record::check_records(set.kind, &wanted.records)?;
    set.records = wanted.records;
    check_beside(turn, &set)?;
    Ok(change(turn, project, "set_rrset_records", set))
}

/// `POST …/actions/add_records`: to the set there is, or to a new one.
pub(super) fn add_records(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let zone = primary(turn, project, asked)?;
    let wanted: Records = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let (id, kind, name) = (zone.id, kind(asked)?, asked.param("rr_name"));
    let new = NewSet {
        name: name.to_owned(),
        kind,
        ttl: wanted.ttl,
        labels: Labels::new(),
        records: wanted.records,
    };
    check_set(&new, &zone.name)?;
    let held = turn
        .state
        .hetzner
        .record_sets
        .contains(&zone::key(id, name, kind));
    if !held {
        turn.state
            .hetzner
            .check_beside(id, name, kind, new.records.len())?;
        let begun = begin(turn, project, id, "add_rrset_records");
        if !begun.fails {
            keep_new(turn, id, new);
        }
        return Ok(accepted(turn, &begun));
    }
    let mut set = open(turn, project, asked)?;
    let twice = |record: &Record| set.records.iter().any(|held| held.value == record.value);
    if new.records.iter().any(twice) {
        return Err(Refusal::invalid("records", "a record is there already"));
    }
    set.records.extend(new.records);
    check_beside(turn, &set)?;
    Ok(change(turn, project, "add_rrset_records", set))
}

/// `POST …/actions/remove_records`: with its last record the set goes too.
pub(super) fn remove_records(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let mut set = open(turn, project, asked)?;
    let wanted: Records = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    record::check_records(set.kind, &wanted.records)?;
    for record in &wanted.records {
        position(&set, record)?;
        set.records.retain(|held| held.value != record.value);
    }
    if !set.records.is_empty() {
        return Ok(change(turn, project, "remove_rrset_records", set));
    }
    let begun = begin(turn, project, set.zone, "remove_rrset_records");
    if !begun.fails {
        zone::remove_set(turn, &set.key());
    }
    Ok(accepted(turn, &begun))
}

/// `POST …/actions/update_records`: their comments. It answers with 200, as the description says.
pub(super) fn update_records(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let mut set = open(turn, project, asked)?;
    let wanted: Records = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    record::check_records(set.kind, &wanted.records)?;
    for record in wanted.records {
        let at = position(&set, &record)?;
        set.records[at] = record;
    }
    let mut answer = change(turn, project, "update_rrset_records", set);
    *answer.status_mut() = StatusCode::OK;
    Ok(answer)
}

fn position(set: &RecordSet, record: &Record) -> Result<usize, Refusal> {
    let mut held = set.records.iter();
    held.position(|held| held.value == record.value)
        .ok_or_else(|| Refusal::invalid("records", "a record is not there"))
}

fn check_beside(turn: &Turn<'_>, set: &RecordSet) -> Result<(), Refusal> {
    let hetzner = &turn.state.hetzner;
    hetzner.check_beside(set.zone, &set.name, set.kind, set.records.len())
}

/// Replaces a set, with an action that tells of it.
fn change(turn: &mut Turn<'_>, project: &str, command: &str, set: RecordSet) -> Answer {
    let begun = begin(turn, project, set.zone, command);
    if !begun.fails {
        zone::keep_set(turn, set, Change::Changed(command.to_owned()));
    }
    accepted(turn, &begun)
}
