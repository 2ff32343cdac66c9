//! DNS zones and their record sets as they are kept and shown. Nothing here answers a DNS query.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{State, list::Listed, refusal::Refusal, selector::Labels};
use crate::{
    call::{Asked, Turn},
    clock::{Clock, Millis},
    history::{Change, Kind, Subject},
};

/// The name servers that every zone is given.
pub(super) const NAMESERVERS: [&str; 3] = [
    "hydrogen.ns.hetzner.com.",
    "oxygen.ns.hetzner.com.",
    "helium.ns.hetzner.de.",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Primary,
    Secondary,
}

/// No `Debug`: it may hold a key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Nameserver {
    pub(super) address: String,
    #[serde(default = "dns_port")]
    port: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tsig_algorithm: Option<TsigAlgorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tsig_key: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TsigAlgorithm {
    HmacMd5,
    HmacSha1,
    HmacSha256,
}

fn dns_port() -> u16 {
    53
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Zone {
    pub(super) id: u64,
    pub(super) project: String,
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) mode: Mode,
    /// Seconds.
    pub(super) ttl: u32,
    pub(super) primary_nameservers: Vec<Nameserver>,
    pub(super) protect_delete: bool,
    pub(super) created: Millis,
    /// When the last change is with the name servers.
    pub(super) published: Millis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum RecordType {
    A,
    Aaaa,
    Caa,
    Cname,
    Ds,
    Hinfo,
    Https,
    Mx,
    Ns,
    Ptr,
    Rp,
    Soa,
    Srv,
    Svcb,
    Tlsa,
    Txt,
}

impl RecordType {
    pub(super) fn named(name: &str) -> Option<RecordType> {
        serde_json::from_value(Value::from(name)).ok()
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            RecordType::A => "A",
            RecordType::Aaaa => "AAAA",
            RecordType::Caa => "CAA",
            RecordType::Cname => "CNAME",
            RecordType::Ds => "DS",
            RecordType::Hinfo => "HINFO",
            RecordType::Https => "HTTPS",
            RecordType::Mx => "MX",
            RecordType::Ns => "NS",
            RecordType::Ptr => "PTR",
            RecordType::Rp => "RP",
            RecordType::Soa => "SOA",
            RecordType::Srv => "SRV",
            RecordType::Svcb => "SVCB",
            RecordType::Tlsa => "TLSA",
            RecordType::Txt => "TXT",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(super) value: String,
    #[serde(default)]
    pub(super) comment: String,
}

/// All records of one name and type.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordSet {
    pub(super) zone: u64,
    /// Rises with every set that is made; only for the order of lists.
    pub(super) number: u64,
    /// Relative to the zone; `@` is the zone itself.
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: RecordType,
    /// Seconds; the zone's own when absent.
    pub(super) ttl: Option<u32>,
    pub(super) labels: Labels,
    pub(super) records: Vec<Record>,
    pub(super) protect_change: bool,
    pub(super) created: Millis,
}

impl Listed for Zone {
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

impl Listed for RecordSet {
    fn id(&self) -> u64 {
        self.number
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

impl Zone {
    pub(super) fn subject(&self) -> Subject {
        Subject {
            kind: Kind::Zone,
            id: self.id.to_string(),
            name: self.name.clone(),
        }
    }

    /// Operations on its records are refused for a zone that another name server fills.
    pub(super) fn must_be(&self, mode: Mode) -> Result<(), Refusal> {
        if self.mode == mode {
            Ok(())
        } else {
            Err(Refusal::rule(
                "incorrect_zone_mode",
                "the operation does not fit the mode of the zone",
            ))
        }
    }
}

impl RecordSet {
    pub(super) fn key(&self) -> String {
        key(self.zone, &self.name, self.kind)
    }

    pub(super) fn subject(&self) -> Subject {
        Subject {
            kind: Kind::RecordSet,
            id: format!("{}/{}/{}", self.zone, self.name, self.kind.name()),
            name: self.name.clone(),
        }
    }

    pub(super) fn show(&self) -> Value {
        json!({
            "id": format!("{}/{}", self.name, self.kind.name()), "name": self.name, "type": self.kind,
            "ttl": self.ttl, "labels": self.labels, "protection": { "change": self.protect_change },
            "records": self.records, "zone": self.zone,
        })
    }
}

/// What a record set is kept under: names come in order within their zone.
pub(super) fn key(zone: u64, name: &str, kind: RecordType) -> String {
    format!("{zone}/{name}/{}", kind.name())
}

impl State {
    pub(super) fn record_sets_of(&self, zone: u64) -> impl Iterator<Item = &RecordSet> {
        self.record_sets
            .values()
            .filter(move |set| set.zone == zone)
    }

    pub(super) fn show_zone(&self, zone: &Zone, now: Millis, clock: &Clock) -> Value {
        let records: usize = self
            .record_sets_of(zone.id)
            .map(|set| set.records.len())
            .sum();
        let mut shown = json!({
            "id": zone.id, "name": zone.name, "labels": zone.labels, "mode": zone.mode, "ttl": zone.ttl,
            "created": clock.stamp(zone.created), "protection": { "delete": zone.protect_delete },
            "status": if zone.published > now { "updating" } else { "ok" },
            "record_count": records, "registrar": "other",
            "authoritative_nameservers": {
                "assigned": NAMESERVERS, "delegated": [], "delegation_last_check": null,
                "delegation_status": "unknown",
            },
        });
        if zone.mode == Mode::Secondary {
            shown["primary_nameservers"] = json!(zone.primary_nameservers);
        }
        shown
    }
}

/// The zone in the path, by its id or its name.
pub(super) fn known<'a>(
    turn: &'a Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<&'a Zone, Refusal> {
    let wanted = asked.param("id");
    let zones = &turn.state.hetzner.zones;
    let found = match wanted.parse() {
        Ok(id) => zones.get(&id),
        Err(_) => zones.values().find(|zone| zone.name == wanted),
    };
    found
        .filter(|zone| zone.project == project)
        .ok_or_else(|| Refusal::not_found("zone"))
}

/// Changes a zone and writes it into history.
pub(super) fn edit(turn: &mut Turn<'_>, id: u64, what: &str, change: impl FnOnce(&mut Zone)) {
    let Some(zone) = turn.state.hetzner.zones.get_mut(&id) else {
        return;
    };
    change(zone);
    let (subject, labels) = (zone.subject(), zone.labels.clone());
    turn.note(subject, Change::Changed(what.to_owned()), &labels);
}

/// Makes or replaces a record set and writes it into history.
pub(super) fn keep_set(turn: &mut Turn<'_>, set: RecordSet, change: Change) {
    turn.note(set.subject(), change, &set.labels);
    turn.state.hetzner.record_sets.insert(set.key(), set);
}

/// Takes a record set away and writes it into history.
pub(super) fn remove_set(turn: &mut Turn<'_>, key: &String) {
    if let Some(set) = turn.state.hetzner.record_sets.remove(key) {
        turn.note(set.subject(), Change::Removed, &set.labels);
    }
}
