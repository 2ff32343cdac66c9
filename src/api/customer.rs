//! `Customer`: who pays, for what, and whether they do.

#![allow(
    unreachable_pub,
    reason = "KubeSchema repeats the type in a private scope"
)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Condition;

/// A paying customer. No personal data beyond a display name lives here.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Deserialize, Serialize)]
#[kube(
    group = "clawdet.com",
    version = "v1alpha1",
    kind = "Customer",
    plural = "customers",
    shortname = "cust",
    namespaced,
    doc = "A paying customer. No personal data beyond a display name lives here.",
    status = "CustomerStatus",
    category = "clawdet",
    derive = "PartialEq",
    printcolumn(name = "Plan", type_ = "string", json_path = ".spec.plan"),
    printcolumn(name = "Standing", type_ = "string", json_path = ".spec.standing"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(
        name = "Next",
        type_ = "string",
        json_path = ".status.nextAction.action",
        priority = 1
    ),
    printcolumn(
        name = "Next at",
        type_ = "string",
        json_path = ".status.nextAction.at",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct CustomerSpec {
    /// A name to show; the only personal datum in a resource.
    #[schemars(length(min = 1, max = 128))]
    pub display_name: String,
    /// The Plan they pay for.
    #[schemars(length(min = 1, max = 63))]
    pub plan: String,
    /// Who they are at the payment provider; empty for a customer made by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<BillingIds>,
    /// Whether they pay. Closed is final: a late payment resurrects nothing.
    #[serde(default)]
    #[x_kube(validation = Rule::new("oldSelf != 'Closed' || self == 'Closed'").message("a closed account stays closed; a returning customer gets a new Customer"))]
    pub standing: Standing,
    /// Since when the standing holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_since: Option<Time>,
}

/// Whether a customer pays.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
pub enum Standing {
    #[default]
    Active,
    PastDue,
    Suspended,
    Closed,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::PastDue => "PastDue",
            Self::Suspended => "Suspended",
            Self::Closed => "Closed",
        }
    }
}

/// Ids at the payment provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BillingIds {
    /// Such as `cus_NffrFeUfNV2Hib`.
    #[schemars(length(min = 1, max = 128))]
    pub customer: String,
    /// Such as `sub_1MowQVLkdIwHu7ixeRlqHVzs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub subscription: Option<String>,
}

/// What the operator saw of a customer.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerStatus {
    /// The generation of the spec this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The names of their instances, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub instances: Vec<String>,
    /// What happens next by itself, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_action: Option<NextAction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::condition::conditions_schema")]
    pub conditions: Vec<Condition>,
}

/// Something that will happen unless somebody acts.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct NextAction {
    /// `Suspend` or `Delete`.
    #[schemars(length(max = 32))]
    pub action: String,
    /// When.
    pub at: Time,
}
