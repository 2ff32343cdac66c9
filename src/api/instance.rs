//! `Instance`: one assistant on a server of its own.

#![allow(
    unreachable_pub,
    reason = "KubeSchema repeats the type in a private scope"
)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::{BackupPolicy, Placement};
use super::{Condition, names::RESERVED_SUBDOMAINS};

/// One assistant: a server, a host name, its secrets, and the software on it.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Deserialize, Serialize)]
#[kube(
    group = "clawdet.com",
    version = "v1alpha1",
    kind = "Instance",
    plural = "instances",
    shortname = "inst",
    namespaced,
    doc = "One assistant: a server, a host name, its secrets, and the software on it.",
    status = "InstanceStatus",
    category = "clawdet",
    derive = "PartialEq",
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
    printcolumn(name = "URL", type_ = "string", json_path = ".status.url"),
    printcolumn(name = "Power", type_ = "string", json_path = ".spec.power"),
    printcolumn(
        name = "Customer",
        type_ = "string",
        json_path = ".spec.customerRef",
        priority = 1
    ),
    printcolumn(
        name = "Plan",
        type_ = "string",
        json_path = ".spec.plan",
        priority = 1
    ),
    printcolumn(
        name = "Server",
        type_ = "string",
        json_path = ".status.server.id",
        priority = 1
    ),
    printcolumn(
        name = "Address",
        type_ = "string",
        json_path = ".status.server.ipv4",
        priority = 1
    ),
    printcolumn(
        name = "Location",
        type_ = "string",
        json_path = ".status.server.location",
        priority = 1
    ),
    printcolumn(
        name = "Progress",
        type_ = "string",
        json_path = ".status.progress",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct InstanceSpec {
    /// The Customer it belongs to, in the same namespace.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("an instance cannot be given to another customer"))]
    pub customer_ref: String,
    /// The name under the installation's zone: a DNS label of 3 to 32 characters. Cannot be changed.
    #[schemars(schema_with = "subdomain_schema")]
    pub subdomain: String,
    /// The Plan it runs on, in the same namespace.
    #[schemars(length(min = 1, max = 63))]
    pub plan: String,
    /// Where to buy the server, best first, instead of the plan's own list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16))]
    pub placement: Option<Vec<Placement>>,
    /// Which software runs: a channel or an exact version. Recorded now; acted on by the guest agent
    /// once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseChoice>,
    /// Whether the server runs.
    #[serde(default)]
    pub power: Power,
    /// The model the assistant uses, if not the plan's default. Recorded now; acted on by the guest
    /// agent once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub model: Option<String>,
    /// Where the assistant can be reached besides the web. Recorded now; acted on by the guest agent
    /// once there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["kind".into()]))]
    pub channels: Vec<ChannelChoice>,
    /// When updates may interrupt the assistant (UTC). Recorded now; acted on by the guest agent once
    /// there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_window: Option<MaintenanceWindow>,
    /// How backups are made, instead of the plan's policy. Recorded now; acted on by the guest agent
    /// once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backups: Option<BackupPolicy>,
    /// What deleting this object does: `Delete` returns everything, `Protect` refuses until changed.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Power {
    #[default]
    Running,
    Stopped,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum DeletionPolicy {
    #[default]
    Delete,
    Protect,
}

/// A channel or a version, never both.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("has(self.channel) != has(self.version)").message("give a channel or a version, not both"))]
pub struct ReleaseChoice {
    /// Follow a channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Stay at exactly this version, such as `2026.9.6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 32),
        regex(pattern = "^[0-9]+\\.[0-9]+\\.[0-9]+$")
    )]
    pub version: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Channel {
    Stable,
    Beta,
}

/// A way to reach the assistant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ChannelChoice {
    pub kind: ChannelKind,
    /// Off keeps its settings and stops it.
    #[serde(default = "yes")]
    pub enabled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ChannelKind {
    Telegram,
}

fn yes() -> bool {
    true
}

/// Hours in which updates may interrupt the assistant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceWindow {
    /// Days of the week; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 7))]
    pub days: Vec<Day>,
    /// The hour it opens, UTC.
    #[schemars(range(min = 0, max = 23))]
    pub start_hour: u8,
    /// How many hours it stays open.
    #[schemars(range(min = 1, max = 24))]
    pub hours: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

fn subdomain_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let reserved = RESERVED_SUBDOMAINS
        .iter()
        .map(|word| format!("'{word}'"))
        .collect::<Vec<_>>()
        .join(", ");
    schemars::json_schema!({
        "type": "string",
        "minLength": 3,
        "maxLength": 32,
        "x-kubernetes-validations": [
            {
                "rule": "self == oldSelf",
                "message": "a subdomain cannot be changed; delete the instance and make one with the new name",
            },
            {
                "rule": "self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
                "message": "may hold only a-z, 0-9 and '-', and must start and end with a letter or digit",
            },
            {
                "rule": format!("!(self in [{reserved}])"),
                "message": "this name is reserved; choose another",
            },
        ],
    })
}

/// What the operator saw of an instance.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceStatus {
    /// The generation of the spec this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the assistant answers, once it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub url: Option<String>,
    /// The server it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerStatus>,
    /// The software version the server answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub release: Option<String>,
    /// How far provisioning has come, such as `3/5 SoftwareStarting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub progress: Option<String>,
    /// When the last backup was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<Time>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::condition::conditions_schema")]
    pub conditions: Vec<Condition>,
}

/// The server of an instance, as last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerStatus {
    /// The configured project it was bought in.
    pub project: String,
    /// The provider's id.
    pub id: i64,
    /// Its name at the provider.
    pub name: String,
    /// The provider's server type.
    pub server_type: String,
    /// Where it stands.
    pub location: String,
    /// Its public IPv4 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<String>,
    /// Its public IPv6 address (the first of its network).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<String>,
}
