//! Hetzner Cloud's shapes as they come over the wire, and what they mean in our words. Tolerant: a word
//! we do not know and a field that is missing are no errors, unless nothing could be said without it.
//!
//! Source: the API's `OpenAPI` description (`GET /servers`, `/primary_ips`, `/actions`) and the
//! changelog of the vendor's Go client for what changed in 2025 and 2026.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::api::{
    InstallationName, LABEL_INSTALLATION, LABEL_INSTANCE_UID, LABEL_MANAGED_BY, MANAGED_BY,
    ProjectName, ServerName, Uid,
};
use crate::provider::{Owner, Server, ServerId, ServerPower, SpareAddress};

pub(super) type Labels = BTreeMap<String, String>;

/// `null` where a value should be is no value, like a field that is missing.
fn lenient<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}

#[derive(Deserialize)]
pub(super) struct Page<T> {
    #[serde(alias = "servers", alias = "primary_ips")]
    pub items: Vec<T>,
    #[serde(default, deserialize_with = "lenient")]
    pub meta: Meta,
}

#[derive(Default, Deserialize)]
pub(super) struct Meta {
    #[serde(default, deserialize_with = "lenient")]
    pub pagination: Pagination,
}

#[derive(Default, Deserialize)]
pub(super) struct Pagination {
    pub next_page: Option<u32>,
    pub total_entries: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct OneServer {
    pub server: ServerBody,
}

#[derive(Deserialize)]
pub(super) struct Created {
    pub server: ServerBody,
    pub action: Option<ActionBody>,
    #[serde(default, deserialize_with = "lenient")]
    pub next_actions: Vec<ActionBody>,
}

#[derive(Deserialize)]
pub(super) struct OneAction {
    pub action: Option<ActionBody>,
}

#[derive(Deserialize)]
pub(super) struct Actions {
    pub actions: Vec<ActionBody>,
}

#[derive(Deserialize)]
pub(super) struct ActionBody {
    pub id: i64,
    pub status: ActionStatus,
    #[serde(default, deserialize_with = "lenient")]
    pub progress: u8,
    pub error: Option<ActionError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActionStatus {
    Running,
    Success,
    Error,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
pub(super) struct ActionError {
    #[serde(default)]
    pub code: String,
}

#[derive(Deserialize)]
pub(super) struct Firewalls {
    pub firewalls: Vec<Named>,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub id: i64,
    pub name: String,
}

#[derive(Deserialize)]
pub(super) struct ServerBody {
    pub id: i64,
    pub name: String,
    status: Status,
    created: Timestamp,
    #[serde(default, deserialize_with = "lenient")]
    pub labels: Labels,
    #[serde(default, deserialize_with = "lenient")]
    locked: bool,
    #[serde(default, deserialize_with = "lenient")]
    protection: Protection,
    #[serde(default, deserialize_with = "lenient")]
    public_net: PublicNet,
    server_type: Option<ServerType>,
    location: Option<Location>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Running,
    Initializing,
    Starting,
    Stopping,
    Off,
    Deleting,
    Migrating,
    Rebuilding,
    #[serde(other)]
    Unknown,
}

#[derive(Default, Deserialize)]
struct Protection {
    #[serde(default, deserialize_with = "lenient")]
    delete: bool,
}

#[derive(Default, Deserialize)]
struct PublicNet {
    ipv4: Option<PublicAddress>,
    ipv6: Option<PublicAddress>,
}

#[derive(Deserialize)]
struct PublicAddress {
    ip: String,
}

#[derive(Deserialize)]
struct ServerType {
    name: String,
    /// Not worth losing a list for, whatever its shape.
    #[serde(default)]
    prices: Value,
}

#[derive(Deserialize)]
struct Location {
    name: String,
}

impl ServerBody {
    /// What it is to `installation`.
    pub(super) fn seen(self, project: &ProjectName, installation: &InstallationName) -> Server {
        let owner = owner(&self.labels, installation);
        let location = self.location.map(|location| location.name);
        let location = location.unwrap_or_default();
        let server_type = self.server_type;
        let price = server_type
            .as_ref()
            .and_then(|kind| hourly_price(&kind.prices, &location));
        Server {
            id: ServerId {
                project: project.clone(),
                id: self.id,
            },
            labels_intact: labels_intact(&self.labels, installation),
            owner,
            name: ServerName::observed(self.name),
            power: power(self.status),
            locked: self.locked,
            protected: self.protection.delete,
            server_type: server_type.map(|kind| kind.name).unwrap_or_default(),
            location,
            ipv4: self
                .public_net
                .ipv4
                .and_then(|address| address.ip.parse().ok()),
            ipv6: self
                .public_net
                .ipv6
                .and_then(|network| host_in(&network.ip)),
            created: self.created,
            hourly_price_microcents: price.unwrap_or(0),
        }
    }
}

fn power(status: Status) -> ServerPower {
    match status {
        Status::Running => ServerPower::Running,
        Status::Initializing | Status::Starting | Status::Migrating | Status::Rebuilding => {
            ServerPower::Starting
        }
        Status::Stopping => ServerPower::Stopping,
        Status::Off => ServerPower::Off,
        Status::Deleting => ServerPower::Deleting,
        Status::Unknown => ServerPower::Unknown,
    }
}

/// A server gets a /64 of its own; the vendor's images configure the first address in it.
fn host_in(network: &str) -> Option<Ipv6Addr> {
    let (address, bits) = network.split_once('/').unwrap_or((network, "128"));
    let address: Ipv6Addr = address.parse().ok()?;
    if bits == "128" {
        return Some(address);
    }
    Some(Ipv6Addr::from(u128::from(address) | 1))
}

/// In millionths of a cent, before tax, when there is one for the location.
fn hourly_price(prices: &Value, location: &str) -> Option<u64> {
    let here = prices
        .as_array()?
        .iter()
        .find(|price| price["location"] == location)?;
    microcents(here["price_hourly"]["net"].as_str()?)
}

/// `0.0060000000` of the account's currency (cents are its hundredth) in millionths of a cent,
/// digits past the eighth cut off. None when it is no plain decimal.
fn microcents(amount: &str) -> Option<u64> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<8}").get(..8)?.parse().ok()?;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(100_000_000)?
        .checked_add(fraction)
}

/// Our labels for an instance, as a server bears them from the request that makes it.
pub(super) fn labels(installation: &InstallationName, owner: &Uid) -> Labels {
    Labels::from([
        (LABEL_MANAGED_BY.to_owned(), MANAGED_BY.to_owned()),
        (LABEL_INSTALLATION.to_owned(), installation.to_string()),
        (LABEL_INSTANCE_UID.to_owned(), owner.to_string()),
    ])
}

/// The mark counts; `managed-by` is for people and may be lost.
pub(super) fn owner(labels: &Labels, installation: &InstallationName) -> Owner {
    match labels.get(LABEL_INSTANCE_UID) {
        Some(uid) if is_installations(labels, installation) && !uid.is_empty() => {
            Owner::Ours(Uid::new(uid))
        }
        Some(_) | None => Owner::Stranger,
    }
}

fn is_installations(labels: &Labels, installation: &InstallationName) -> bool {
    labels
        .get(LABEL_INSTALLATION)
        .is_some_and(|name| name == installation.as_str())
}

fn labels_intact(labels: &Labels, installation: &InstallationName) -> bool {
    owner(labels, installation) != Owner::Stranger
        && labels
            .get(LABEL_MANAGED_BY)
            .is_some_and(|value| value == MANAGED_BY)
}

/// Whether someone who is not `owner` has put their mark on it: another instance or installation.
pub(super) fn is_claimed_by_another(
    labels: &Labels,
    installation: &InstallationName,
    owner: &Uid,
) -> bool {
    let other_installation =
        labels.contains_key(LABEL_INSTALLATION) && !is_installations(labels, installation);
    let other_instance = labels
        .get(LABEL_INSTANCE_UID)
        .is_some_and(|uid| uid != owner.as_str());
    other_installation || other_instance
}

#[derive(Deserialize)]
pub(super) struct AddressBody {
    pub id: i64,
    created: Timestamp,
    /// The only field that is always right about use: `assignee_type` is `unassigned` since 2026-08-01
    /// and was `server` for every address before.
    assignee_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    labels: Labels,
}

#[derive(Deserialize)]
pub(super) struct OneAddress {
    pub primary_ip: AddressBody,
}

impl AddressBody {
    pub(super) fn seen(
        self,
        project: &ProjectName,
        installation: &InstallationName,
    ) -> SpareAddress {
        SpareAddress {
            project: project.clone(),
            id: self.id,
            owner: owner(&self.labels, installation),
            assigned: self.assignee_id.is_some(),
            created: self.created,
        }
    }
}

#[cfg(test)]
mod tests;
