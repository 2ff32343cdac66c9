//! What callers do with zones: make, list, show, label, delete, protect, and carry whole files in and out. What they do with
//! single record sets is `record_set_route`'s.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    action::{self, Action},
    list, record,
    refusal::Refusal,
    selector::{self, Labels},
    zone::{self, Mode, NAMESERVERS, Nameserver, Record, RecordSet, RecordType, Zone, edit, known},
    zonefile,
};
use crate::{
    call::{self, Answer, Asked, Turn},
    history::Change,
};

/// Seconds, when a zone is made without a time of its own.
const TTL: u32 = 3_600;
/// How many primary name servers a secondary zone may have.
const MOST_NAMESERVERS: usize = 10;

/// A record set as requests bring it.
#[derive(Deserialize)]
pub(super) struct NewSet {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: RecordType,
    pub(super) ttl: Option<u32>,
    #[serde(default)]
    pub(super) labels: Labels,
    pub(super) records: Vec<Record>,
}

#[derive(Deserialize)]
struct NewZone {
    name: String,
    mode: Mode,
    ttl: Option<u32>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    primary_nameservers: Vec<Nameserver>,
    #[serde(default)]
    rrsets: Vec<NewSet>,
    zonefile: Option<String>,
}

/// `POST /zones`: with its SOA and NS records, and those that are brought along.
pub(super) fn create(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let wanted: NewZone = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    check_new(turn, &wanted)?;
    let mut sets = wanted.rrsets;
    if let Some(text) = &wanted.zonefile {
        sets.extend(zonefile::read(text, &wanted.name)?);
    }
    check_sets(&sets, &wanted.name)?;
    let id = super::next_id(&mut turn.state.counters);
    let begun = begin(turn, project, id, "create_zone");
    let made = Zone {
        id,
        project: project.to_owned(),
        name: wanted.name,
        labels: wanted.labels,
        mode: wanted.mode,
        ttl: wanted.ttl.unwrap_or(TTL),
        primary_nameservers: wanted.primary_nameservers,
        protect_delete: false,
        created: turn.now,
        published: begun.ends,
    };
    turn.note(made.subject(), Change::Created, &made.labels);
    turn.state.hetzner.zones.insert(id, made);
    if wanted.mode == Mode::Primary {
        for set in own_sets().into_iter().chain(sets) {
            keep_new(turn, id, set);
        }
    }
    let body = json!({ "zone": shown(turn, id), "action": begun.show(turn.now, turn.clock) });
    Ok(call::json(StatusCode::CREATED, &body))
}

fn check_new(turn: &Turn<'_>, wanted: &NewZone) -> Result<(), Refusal> {
    record::check_zone_name(&wanted.name)?;
    record::check_ttl(wanted.ttl)?;
    selector::check(&wanted.labels)?;
    let brought = !wanted.rrsets.is_empty() || wanted.zonefile.is_some();
    match wanted.mode {
        Mode::Primary => {
            if !wanted.primary_nameservers.is_empty() {
                return Err(Refusal::invalid(
                    "primary_nameservers",
                    "only a secondary zone has them",
                ));
            }
            if !wanted.rrsets.is_empty() && wanted.zonefile.is_some() {
                return Err(Refusal::invalid("zonefile", "cannot come with rrsets"));
            }
        }
        Mode::Secondary if brought => {
            return Err(Refusal::invalid(
                "mode",
                "the records of a secondary zone come from its primary name servers",
            ));
        }
        Mode::Secondary => check_nameservers(&wanted.primary_nameservers)?,
    }
    // A zone's name is its owner's alone, whichever project they use.
    let mut zones = turn.state.hetzner.zones.values();
    if zones.any(|known| known.name == wanted.name) {
        return Err(Refusal::taken("zone", "name"));
    }
    super::check_count(turn.state.hetzner.zones.len(), "zone_limit")
}

fn check_nameservers(nameservers: &[Nameserver]) -> Result<(), Refusal> {
    let fits = (1..=MOST_NAMESERVERS).contains(&nameservers.len())
        && nameservers
            .iter()
            .all(|one| one.address.parse::<std::net::IpAddr>().is_ok());
    if fits {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "primary_nameservers",
            "must be from 1 to 10 IP addresses",
        ))
    }
}

/// Sets that come all at once are held to what each alone is, and to each other.
fn check_sets(sets: &[NewSet], zone: &str) -> Result<(), Refusal> {
    for (at, set) in sets.iter().enumerate() {
        check_set(set, zone)?;
        let earlier = &sets[..at];
        let clash = |other: &NewSet| {
            other.name == set.name
                && (other.kind == set.kind
                    || other.kind == RecordType::Cname
                    || set.kind == RecordType::Cname)
        };
        if earlier.iter().any(clash) {
            return Err(Refusal::invalid("rrsets", "two sets exclude each other"));
        }
    }
    Ok(())
}

/// Everything about a new set that is right or wrong by itself.
pub(super) fn check_set(set: &NewSet, zone: &str) -> Result<(), Refusal> {
    record::check_set_name(&set.name, zone)?;
    record::check_ttl(set.ttl)?;
    selector::check(&set.labels)?;
    if set.kind == RecordType::Soa {
        return Err(Refusal::invalid(
            "type",
            "a zone has its SOA record already",
        ));
    }
    if set.kind == RecordType::Cname && (set.name == "@" || set.records.len() > 1) {
        return Err(Refusal::invalid(
            "type",
            "a CNAME stands alone, and never at the zone itself",
        ));
    }
    record::check_records(set.kind, &set.records)
}

/// What every zone has from the beginning.
fn own_sets() -> Vec<NewSet> {
    let set = |kind, values: Vec<String>| NewSet {
        name: "@".to_owned(),
        kind,
        ttl: None,
        labels: Labels::new(),
        records: values
            .into_iter()
            .map(|value| Record {
                value,
                comment: String::new(),
            })
            .collect(),
    };
    let [first, ..] = NAMESERVERS;
    let soa = format!("{first} dns.hetzner.com. 1 86400 10800 3600000 3600");
    vec![
        set(RecordType::Soa, vec![soa]),
        set(
            RecordType::Ns,
            NAMESERVERS.iter().map(ToString::to_string).collect(),
        ),
    ]
}

/// Makes a set; it replaces the one that the zone has of its own.
pub(super) fn keep_new(turn: &mut Turn<'_>, zone: u64, set: NewSet) {
    let made = RecordSet {
        zone,
        number: super::next_id(&mut turn.state.counters),
        name: set.name,
        kind: set.kind,
        ttl: set.ttl,
        labels: set.labels,
        records: set.records,
        protect_change: false,
        created: turn.now,
    };
    zone::keep_set(turn, made, Change::Created);
}

/// Begins an action on a zone; until it ends the zone is being published.
pub(super) fn begin(turn: &mut Turn<'_>, project: &str, zone: u64, command: &str) -> Action {
    let lasting = turn.options.latency.other;
    let begun = action::begin(turn, project, command, &[("zone", zone)], lasting);
    if let Some(zone) = turn.state.hetzner.zones.get_mut(&zone) {
        zone.published = zone.published.max(begun.ends);
    }
    begun
}

pub(super) fn accepted(turn: &Turn<'_>, begun: &Action) -> Answer {
    call::json(
        StatusCode::CREATED,
        &json!({ "action": begun.show(turn.now, turn.clock) }),
    )
}

/// `GET /zones`: also filtered by `mode`.
pub(super) fn list(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let mode = match asked.query_value("mode") {
        None => None,
        Some("primary") => Some(Mode::Primary),
        Some("secondary") => Some(Mode::Secondary),
        Some(_) => return Err(Refusal::invalid("mode", "must be primary or secondary")),
    };
    let hetzner = &turn.state.hetzner;
    let rows = hetzner
        .zones
        .values()
        .filter(|zone| zone.project == project && mode.is_none_or(|mode| zone.mode == mode));
    let rows = list::chosen(turn, asked, rows)?;
    list::page(turn, asked, "zones", &rows, |zone| {
        hetzner.show_zone(zone, turn.now, turn.clock)
    })
}

/// `GET /zones/{id_or_name}`.
pub(super) fn get(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?.id;
    Ok(call::json(
        StatusCode::OK,
        &json!({ "zone": shown(turn, id) }),
    ))
}

#[derive(Deserialize)]
struct ZoneUpdate {
    labels: Option<Labels>,
}

/// `PUT /zones/{id_or_name}`: only its labels.
pub(super) fn update(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?.id;
    let update: ZoneUpdate = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    if let Some(labels) = update.labels {
        selector::check(&labels)?;
        edit(turn, id, "labels", |zone| zone.labels = labels);
    }
    get(turn, project, asked)
}

/// `DELETE /zones/{id_or_name}`: with all its records.
pub(super) fn delete(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let zone = known(turn, project, asked)?.clone();
    if zone.protect_delete {
        return Err(Refusal::protected("zone"));
    }
    let begun = begin(turn, project, zone.id, "delete_zone");
    if !begun.fails {
        remove_sets(turn, zone.id);
        turn.note(zone.subject(), Change::Removed, &zone.labels);
        turn.state.hetzner.zones.remove(&zone.id);
    }
    Ok(accepted(turn, &begun))
}

fn remove_sets(turn: &mut Turn<'_>, zone: u64) {
    let sets = turn.state.hetzner.record_sets_of(zone);
    for key in sets.map(RecordSet::key).collect::<Vec<_>>() {
        zone::remove_set(turn, &key);
    }
}

#[derive(Deserialize)]
struct Protection {
    delete: Option<bool>,
}

/// `POST /zones/{id_or_name}/actions/change_protection`.
pub(super) fn change_protection(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = known(turn, project, asked)?.id;
    let wanted: Protection = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    Ok(set(turn, (project, id, "change_protection"), |zone| {
        zone.protect_delete = wanted.delete.unwrap_or(zone.protect_delete);
    }))
}

#[derive(Deserialize)]
struct NewTtl {
    ttl: u32,
}

/// `POST /zones/{id_or_name}/actions/change_ttl`: for the sets without one of their own.
pub(super) fn change_ttl(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let zone = known(turn, project, asked)?;
    zone.must_be(Mode::Primary)?;
    let id = zone.id;
    let wanted: NewTtl = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    record::check_ttl(Some(wanted.ttl))?;
    Ok(set(turn, (project, id, "change_zone_ttl"), |zone| {
        zone.ttl = wanted.ttl;
    }))
}

#[derive(Deserialize)]
struct NewNameservers {
    primary_nameservers: Vec<Nameserver>,
}

/// `POST /zones/{id_or_name}/actions/change_primary_nameservers`.
pub(super) fn change_nameservers(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let zone = known(turn, project, asked)?;
    zone.must_be(Mode::Secondary)?;
    let id = zone.id;
    let wanted: NewNameservers = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    check_nameservers(&wanted.primary_nameservers)?;
    let doing = (project, id, "change_primary_nameservers");
    Ok(set(turn, doing, |zone| {
        zone.primary_nameservers = wanted.primary_nameservers;
    }))
}

/// Changes one thing about a zone, with an action that tells of it.
fn set(
    turn: &mut Turn<'_>,
    (project, id, command): (&str, u64, &str),
    change: impl FnOnce(&mut Zone),
) -> Answer {
    let begun = begin(turn, project, id, command);
    if !begun.fails {
        edit(turn, id, command, change);
    }
    accepted(turn, &begun)
}

#[derive(Deserialize)]
struct ZoneFile {
    zonefile: String,
}

/// `POST /zones/{id_or_name}/actions/import_zonefile`: replaces all sets, unless one is protected.
pub(super) fn import(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let zone = known(turn, project, asked)?.clone();
    zone.must_be(Mode::Primary)?;
    let wanted: ZoneFile = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    let sets = zonefile::read(&wanted.zonefile, &zone.name)?;
    check_sets(&sets, &zone.name)?;
    let hetzner = &turn.state.hetzner;
    if hetzner
        .record_sets_of(zone.id)
        .any(|set| set.protect_change)
    {
        return Err(Refusal::protected("rrset"));
    }
    let begun = begin(turn, project, zone.id, "import_zonefile");
    if !begun.fails {
        remove_sets(turn, zone.id);
        for set in own_sets().into_iter().chain(sets) {
            keep_new(turn, zone.id, set);
        }
    }
    Ok(accepted(turn, &begun))
}

/// `GET /zones/{id_or_name}/zonefile`.
pub(super) fn export(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let zone = known(turn, project, asked)?;
    zone.must_be(Mode::Primary)?;
    let text = zonefile::write(zone, turn.state.hetzner.record_sets_of(zone.id));
    Ok(call::json(StatusCode::OK, &json!({ "zonefile": text })))
}

fn shown(turn: &Turn<'_>, id: u64) -> Value {
    let hetzner = &turn.state.hetzner;
    let zone = hetzner.zones.get(&id);
    zone.map_or(Value::Null, |zone| {
        hetzner.show_zone(zone, turn.now, turn.clock)
    })
}
