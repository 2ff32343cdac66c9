//! `Plan`: what is sold, for which price, and where its servers are bought.

#![allow(
    unreachable_pub,
    reason = "KubeSchema repeats the type in a private scope"
)]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Condition;

/// What is sold: prices, and the ordered places where its servers are bought.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Deserialize, Serialize)]
#[kube(
    group = "clawdet.com",
    version = "v1alpha1",
    kind = "Plan",
    plural = "plans",
    namespaced,
    doc = "What is sold: prices, and the ordered places where its servers are bought.",
    status = "PlanStatus",
    category = "clawdet",
    derive = "PartialEq",
    printcolumn(name = "Display", type_ = "string", json_path = ".spec.displayName"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "In use", type_ = "integer", json_path = ".status.inUse"),
    printcolumn(
        name = "First choice",
        type_ = "string",
        json_path = ".spec.placement[0].serverType",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct PlanSpec {
    /// The name customers see.
    #[schemars(length(min = 1, max = 64))]
    pub display_name: String,
    /// One sentence for the pricing page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub description: Option<String>,
    /// What it costs: ids of the payment provider's prices, shown in this order.
    #[schemars(length(min = 1, max = 8))]
    pub prices: Vec<Price>,
    /// Where to buy a server, best first; the next is tried when one has no capacity.
    #[schemars(length(min = 1, max = 16))]
    pub placement: Vec<Placement>,
    /// The operating system image servers start from.
    #[serde(default = "default_image")]
    #[schemars(length(min = 1, max = 64))]
    pub image: String,
    /// What an instance may spend on models in a month, in cents of the installation's currency.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100_000_000))]
    pub model_budget_cents_per_month: i64,
    /// How backups are made. Recorded now; acted on by the guest agent once there is one.
    #[serde(default)]
    pub backups: BackupPolicy,
}

fn default_image() -> String {
    "debian-12".to_owned()
}

/// One price of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// The price's id at the payment provider, such as `price_basic_monthly`.
    #[schemars(length(min = 1, max = 128))]
    pub id: String,
    /// How often it is charged.
    pub interval: Interval,
    /// The amount in cents, for display; the payment provider's own figure is what is charged.
    #[schemars(range(min = 0, max = 100_000_000))]
    pub amount_cents: i64,
    /// ISO 4217 code in lower case, such as `eur`.
    #[schemars(regex(pattern = "^[a-z]{3}$"))]
    pub currency: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Interval {
    Month,
    Year,
}

/// A kind of server in a place.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// The provider's server type, such as `cx23`.
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[a-z0-9-]+$"))]
    pub server_type: String,
    /// The provider's location, such as `nbg1`.
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[a-z0-9-]+$"))]
    pub location: String,
}

/// How often backups are made and how many are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupPolicy {
    /// Whether backups are made at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How many of the newest are kept.
    #[serde(default = "default_kept")]
    #[schemars(range(min = 1, max = 90))]
    pub keep: u32,
}

impl Default for BackupPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            keep: default_kept(),
        }
    }
}

fn yes() -> bool {
    true
}

fn default_kept() -> u32 {
    7
}

/// What the operator saw of a plan.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStatus {
    /// The generation of the spec this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many instances name this plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::condition::conditions_schema")]
    pub conditions: Vec<Condition>,
}
