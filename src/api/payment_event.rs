//! `PaymentEvent`: the ledger, one per event of the payment provider.

#![allow(
    unreachable_pub,
    reason = "KubeSchema repeats the type in a private scope"
)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Condition;

/// One event of the payment provider, kept exactly once. A doorbell: what it says is re-read, never
/// trusted.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Deserialize, Serialize)]
#[kube(
    group = "clawdet.com",
    version = "v1alpha1",
    kind = "PaymentEvent",
    plural = "paymentevents",
    shortname = "pay",
    namespaced,
    doc = "One event of the payment provider, kept exactly once; its subject is re-read, its words are never trusted.",
    status = "PaymentEventStatus",
    category = "clawdet",
    derive = "PartialEq",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(
        name = "Applied",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Applied")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Applied")].reason"#
    ),
    printcolumn(
        name = "Event",
        type_ = "string",
        json_path = ".spec.eventId",
        priority = 1
    ),
    printcolumn(
        name = "Subject",
        type_ = "string",
        json_path = ".spec.subject",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[kube(validation = Rule::new("self.spec == oldSelf.spec").message("a ledger entry is never changed"))]
#[serde(rename_all = "camelCase")]
pub struct PaymentEventSpec {
    /// The event's id exactly as the payment provider spells it.
    #[schemars(length(min = 1, max = 128))]
    pub event_id: String,
    /// Such as `checkout.session.completed`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 128))]
    pub kind: String,
    /// The id of the object the event is about.
    #[schemars(length(max = 255))]
    pub subject: String,
    /// When it happened, by the payment provider's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
    /// Whether real money is meant.
    #[serde(default)]
    pub live_mode: bool,
    /// How we learned of it.
    #[serde(default)]
    pub source: EventSource,
}

/// How an event reached the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum EventSource {
    #[default]
    Webhook,
    /// Found by the sweep after its webhook was lost.
    Sweep,
}

/// What became of an event.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentEventStatus {
    /// The Customer it led to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The Instance it led to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::condition::conditions_schema")]
    pub conditions: Vec<Condition>,
}

/// The object name for a payment provider's id: lower case as Kubernetes wants it, with a digest of
/// the exact spelling, since two ids may differ in case alone and neither may be lost.
///
/// `prefix` is the kind's, such as `evt` for `evt_1Abc`; the id's own prefix is not repeated.
pub fn ledger_name(prefix: &str, id: &str) -> String {
    let readable: String = id
        .split_once('_')
        .map_or(id, |(_, rest)| rest)
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        .take(32)
        .collect();
    let digest = Sha256::digest(id.as_bytes());
    let tag = hex::encode(&digest[..5]);
    if readable.is_empty() {
        format!("{prefix}-{tag}")
    } else {
        format!("{prefix}-{readable}-{tag}")
    }
}

#[cfg(test)]
mod tests {
    use super::ledger_name;

    #[test]
    fn ids_that_differ_in_case_alone_get_names_of_their_own() {
        assert_ne!(
            ledger_name("evt", "evt_1AbC"),
            ledger_name("evt", "evt_1aBc")
        );
        assert!(ledger_name("evt", "evt_1AbC").starts_with("evt-1abc-"));
    }

    #[test]
    fn any_id_gives_a_name_kubernetes_accepts() {
        for id in ["", "_", "evt_", "evt_ÄÖ/..", &"x".repeat(500)] {
            let name = ledger_name("evt", id);
            assert!(
                name.len() <= 63
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{name}"
            );
            assert!(!name.ends_with('-'), "{name}");
        }
    }
}
