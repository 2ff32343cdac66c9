//! Conditions as every kind here carries them: states that are true when good, plus `Stalled`.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reason;

/// The Kubernetes condition, as stored in `status.conditions`.
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// Every condition type of every kind. `Stalled` is the one that is bad when true.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ConditionType {
    Ready,
    Stalled,
    SecretsIssued,
    ServerRunning,
    AddressPublished,
    Healthy,
    InGoodStanding,
    Applied,
    Placeable,
}

impl ConditionType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Stalled => "Stalled",
            Self::SecretsIssued => "SecretsIssued",
            Self::ServerRunning => "ServerRunning",
            Self::AddressPublished => "AddressPublished",
            Self::Healthy => "Healthy",
            Self::InGoodStanding => "InGoodStanding",
            Self::Applied => "Applied",
            Self::Placeable => "Placeable",
        }
    }
}

/// True, false, or not known because the world could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(is: bool) -> Self {
        if is { Self::True } else { Self::False }
    }
}

/// One condition as decided now, before it is compared with what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub kind: ConditionType,
    pub truth: Truth,
    pub reason: Reason,
    /// A sentence for a person: what, why, what to do. No secrets, counters or timestamps.
    pub message: String,
}

/// The stored form of `claims`; a transition time moves only when the truth does, so that writing
/// the same claims twice writes the same bytes.
pub fn conditions(
    previous: &[Condition],
    claims: &[Claim],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let second = Timestamp::from_second(now.as_second()).unwrap_or(now);
    claims
        .iter()
        .map(|claim| {
            let kept = previous
                .iter()
                .find(|old| old.type_ == claim.kind.as_str() && old.status == claim.truth.as_str());
            Condition {
                type_: claim.kind.as_str().to_owned(),
                status: claim.truth.as_str().to_owned(),
                reason: claim.reason.as_str().to_owned(),
                message: claim.message.clone(),
                observed_generation: generation,
                last_transition_time: kept
                    .map_or(Time(second), |old| old.last_transition_time.clone()),
            }
        })
        .collect()
}

/// Schema of `status.conditions`: a list merged by `type`, so that two managers can each own some.
pub fn conditions_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "description": "What is true of this object now, one entry per aspect.",
        "type": "array",
        "maxItems": 32,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {"type": "string", "maxLength": 64, "description": "The aspect, true when good (except Stalled)."},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "Whether it is so."},
                "reason": {"type": "string", "maxLength": 64, "description": "One word why; see docs/runbooks."},
                "message": {"type": "string", "maxLength": 1024, "description": "What, why and what to do, for a person."},
                "observedGeneration": {"type": "integer", "format": "int64", "description": "The generation of the spec this was decided on."},
                "lastTransitionTime": {"type": "string", "format": "date-time", "description": "When the status last changed."}
            }
        }
    })
}
