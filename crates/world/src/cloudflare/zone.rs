//! One zone: its plan, when it becomes active, and how it is shown. Its records are elsewhere (`records`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::derived_id;
use super::record::{is_host_name, shown_time};
use super::refusal::Refusal;
use crate::history::{Kind, Subject};
use crate::options::CloudflarePlan;
use crate::table::derived_text;

/// From a zone's creation to its name servers being found at the registrar.
const ACTIVATION: SignedDuration = SignedDuration::from_mins(1);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Zone {
    pub(super) id: String,
    /// Lower case, without the last dot.
    pub(super) name: String,
    pub(super) created: Timestamp,
    /// Until here it is pending.
    pub(super) active_from: Timestamp,
}

/// What a new zone is asked to be.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    name: Option<String>,
}

impl Wish {
    /// The zone's name, fit to be one.
    pub(super) fn name(self) -> Result<String, Refusal> {
        let name = self.name.unwrap_or_default();
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name.contains('.') && !name.starts_with('*') && is_host_name(&name) {
            Ok(name)
        } else {
            Err(Refusal::ZoneName(name))
        }
    }
}

/// What the zone's plan and name mean for a record in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'z> {
    pub(super) zone: &'z str,
    pub(super) plan: CloudflarePlan,
}

impl Place<'_> {
    /// Whether a complete name lies in the zone.
    pub(super) fn holds(self, name: &str) -> bool {
        is_within(name, self.zone)
    }
}

/// Whether `name` is `zone` or lies below it.
pub(super) fn is_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

impl Zone {
    /// A zone that has always been there.
    pub(super) fn settled(id: String, name: String, created: Timestamp) -> Self {
        Self {
            id,
            name,
            created,
            active_from: created,
        }
    }

    pub(super) fn new(id: String, name: String, now: Timestamp) -> Self {
        Self {
            active_from: now + ACTIVATION,
            ..Self::settled(id, name, now)
        }
    }

    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        self.active_from <= now
    }

    pub(super) fn status(&self, now: Timestamp) -> &'static str {
        if self.is_active(now) {
            "active"
        } else {
            "pending"
        }
    }

    pub(super) fn subject(&self) -> Subject {
        Subject {
            kind: Kind::Zone,
            id: self.id.clone(),
            name: self.name.clone(),
        }
    }

    /// As Cloudflare shows it.
    pub(super) fn shown(&self, now: Timestamp, seed: u64, plan: CloudflarePlan) -> Value {
        let created = shown_time(self.created);
        let activated = self.is_active(now).then(|| shown_time(self.active_from));
        json!({
            "id": self.id,
            "name": self.name,
            "status": self.status(now),
            "paused": false,
            "type": "full",
            "development_mode": 0,
            "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
            "original_name_servers": null,
            "original_registrar": null,
            "original_dnshost": null,
            "modified_on": activated.as_ref().unwrap_or(&created),
            "created_on": created,
            "activated_on": activated,
            "meta": {
                "step": 2,
                "custom_certificate_quota": 0,
                "page_rule_quota": 3,
                "phishing_detected": false,
            },
            "owner": { "id": null, "type": "user", "email": null },
            "account": account(seed),
            "tenant": { "id": null, "name": null },
            "tenant_unit": { "id": null },
            "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
            "plan": shown_plan(seed, plan),
        })
    }
}

/// The account every zone belongs to.
pub(super) fn account(seed: u64) -> Value {
    json!({
        "id": derived_id(seed, "cloudflare/account"),
        "name": derived_text(seed, "cloudflare/account", 8),
    })
}

fn shown_plan(seed: u64, plan: CloudflarePlan) -> Value {
    let (name, price, legacy) = match plan {
        CloudflarePlan::Free => ("Free Website", 0, "free"),
        CloudflarePlan::Pro => ("Pro Website", 25, "pro"),
    };
    json!({
        "id": derived_id(seed, "cloudflare/plan"),
        "name": name,
        "price": price,
        "currency": "USD",
        "frequency": if price == 0 { "" } else { "monthly" },
        "is_subscribed": price > 0,
        "can_subscribe": false,
        "legacy_id": legacy,
        "legacy_discount": false,
        "externally_managed": false,
    })
}
