//! What we ask of the outside world, in our words. One vendor, one file in `provider/`; nobody above
//! sees a vendor's types, and nobody here has an opinion about what should be bought.

mod account;
pub mod budget;
pub mod calls;
pub mod cloudflare;
#[cfg(test)]
mod contract;
mod gather;
pub mod guests;
pub mod hetzner;
mod retold;
#[cfg(test)]
mod scripted;
mod shared_list;
pub mod stripe;
#[cfg(test)]
pub(crate) mod testing;
pub mod transport;
mod view;

pub use account::TokenError;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::api::plan::Interval;
use crate::api::{Hostname, Placement, ProjectName, ServerName, Uid};

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Sorted by what the caller can do about it, not by what the vendor called it.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Come back later; nothing happened.
    #[error("the provider (or our own budget) asks us to slow down")]
    Throttled { retry_after: Duration },
    /// The request certainly did not take effect.
    #[error("the provider could not be reached")]
    Unreachable(#[source] BoxError),
    /// It may have happened: never send it again, observe first.
    #[error("the provider's answer was lost; it may have happened")]
    Unknown(#[source] BoxError),
    /// The provider understood and said no; nothing happened.
    #[error("the provider refused: {message}")]
    Refused { why: Refusal, message: String },
}

/// Refusals sorted by remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something already has the name: look it up, adopt it or stall.
    NameTaken,
    /// No capacity for this server type in this place: try the next placement.
    NoCapacity,
    /// The project's limit is reached: try the next project.
    LimitReached,
    /// Locked or in conflict with another action: try again shortly.
    Busy,
    NotFound,
    /// Delete protection is on.
    Protected,
    /// A record with the same name and content is there already.
    AlreadyExists,
    /// Compare-and-swap lost: read again.
    Stale,
    /// The credentials do not allow it: a person has to act.
    Denied,
    /// The request itself is wrong: a person has to act.
    Invalid,
}

impl ProviderError {
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { why, .. } => Some(*why),
            Self::Throttled { .. } | Self::Unreachable(_) | Self::Unknown(_) => None,
        }
    }
}

/// Who waits for a call: when the budget runs low, the lower classes wait first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    Resync,
    Create,
    Customer,
    Delete,
}

/// A shared list is good enough if it was begun at this moment or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BegunAfter(pub Instant);

/// One server at a provider: which project, which id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId {
    pub project: ProjectName,
    pub id: i64,
}

impl std::fmt::Display for ServerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.project, self.id)
    }
}

/// Whose an external thing is, by the mark it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Ours, for the instance with this uid.
    Ours(Uid),
    /// Somebody else's, or unmarked.
    Stranger,
}

impl Owner {
    pub fn is(&self, uid: &Uid) -> bool {
        matches!(self, Self::Ours(owner) if owner == uid)
    }
}

/// A server as the provider shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub id: ServerId,
    pub name: ServerName,
    pub owner: Owner,
    /// Whether all our labels are as we write them (the owner can be right and `managed-by` lost).
    pub labels_intact: bool,
    pub power: ServerPower,
    /// The provider is changing it; other changes are refused meanwhile.
    pub locked: bool,
    pub protected: bool,
    pub server_type: String,
    pub location: String,
    pub ipv4: Option<Ipv4Addr>,
    pub ipv6: Option<Ipv6Addr>,
    pub created: Timestamp,
    /// What it costs in an hour before tax, in millionths of a cent; 0 when the price is unknown.
    pub hourly_price_microcents: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerPower {
    Running,
    /// Initializing, starting, rebuilding, migrating: on its way to running.
    Starting,
    /// Stopping: on its way to off.
    Stopping,
    Off,
    Deleting,
    /// A word we do not know; treated as busy.
    Unknown,
}

/// A primary IP that outlived (or never had) a server, with our mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpareAddress {
    pub project: ProjectName,
    pub id: i64,
    pub owner: Owner,
    pub assigned: bool,
    pub created: Timestamp,
}

/// Every server of every project, complete, that carries our installation's mark or our name prefix.
#[derive(Clone, Debug)]
pub struct Fleet {
    servers: BTreeMap<ServerId, Server>,
    by_owner: BTreeMap<Uid, Vec<ServerId>>,
    by_name: BTreeMap<ServerName, Vec<ServerId>>,
    begun: Instant,
}

impl Fleet {
    /// `begun` is when the first request of the list was sent.
    pub fn new(servers: impl IntoIterator<Item = Server>, begun: Instant) -> Self {
        let servers: BTreeMap<_, _> = servers.into_iter().map(|s| (s.id.clone(), s)).collect();
        let mut by_owner: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (id, server) in &servers {
            if let Owner::Ours(uid) = &server.owner {
                by_owner.entry(uid.clone()).or_default().push(id.clone());
            }
            by_name
                .entry(server.name.clone())
                .or_default()
                .push(id.clone());
        }
        Self {
            servers,
            by_owner,
            by_name,
            begun,
        }
    }

    pub fn begun(&self) -> Instant {
        self.begun
    }

    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.servers.values()
    }

    pub fn len(&self) -> usize {
        self.servers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    pub fn get(&self, id: &ServerId) -> Option<&Server> {
        self.servers.get(id)
    }

    /// All servers that carry this instance's mark or name, each once, by id.
    pub fn of(&self, uid: &Uid, name: &ServerName) -> Vec<&Server> {
        let marked = self.by_owner.get(uid).into_iter().flatten();
        let named = self.by_name.get(name).into_iter().flatten();
        let ids: std::collections::BTreeSet<_> = marked.chain(named).collect();
        ids.into_iter()
            .filter_map(|id| self.servers.get(id))
            .collect()
    }
}

/// Everything needed to buy one server, in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOrder {
    pub project: ProjectName,
    pub name: ServerName,
    pub owner: Uid,
    pub placement: Placement,
    pub image: String,
    /// cloud-init text, at most 32 KiB, without any lasting secret.
    pub user_data: String,
    pub protect: bool,
}

/// How the last change of a server goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is under way.
    Idle,
    Running {
        percent: u8,
    },
    Failed {
        code: String,
    },
}

/// Buys, changes and returns servers.
///
/// Every method may be called twice: the caller may have crashed after the previous attempt took
/// effect. Every change checks installation **and** uid on what it is about to change.
///
/// What a method of this process has done or read, every list it gives afterwards shows, also one that
/// was begun before: only what may have been done (an answer was lost) needs a newer list.
#[async_trait]
pub trait Servers: Send + Sync {
    /// The configured projects, best first.
    fn projects(&self) -> Vec<ProjectName>;
    /// Every server of ours in every project, from one shared complete list that was begun after
    /// `asked`. An incomplete list is an error, never a short answer.
    async fn fleet(
        &self,
        priority: Priority,
        asked: BegunAfter,
    ) -> Result<Arc<Fleet>, ProviderError>;
    /// The server with this exact name in one project, read now.
    async fn find(
        &self,
        priority: Priority,
        project: &ProjectName,
        name: &ServerName,
    ) -> Result<Option<Server>, ProviderError>;
    /// The server with this id, read now, unless this process has seen the end of its deletion: an id is
    /// never given twice.
    async fn get(&self, priority: Priority, id: &ServerId)
    -> Result<Option<Server>, ProviderError>;
    async fn create(&self, order: &ServerOrder) -> Result<Server, ProviderError>;
    /// How the newest action on this server goes; many callers share one request. Once it is
    /// [`Progress::Idle`], lists show the server as the action has left it.
    async fn progress(&self, id: &ServerId) -> Result<Progress, ProviderError>;
    async fn power_on(&self, id: &ServerId) -> Result<(), ProviderError>;
    /// Asks the operating system to stop (ACPI).
    async fn shut_down(&self, id: &ServerId) -> Result<(), ProviderError>;
    /// Cuts the power.
    async fn power_off(&self, id: &ServerId) -> Result<(), ProviderError>;
    /// Writes our labels for `owner` and the derived name, as they were ordered.
    async fn restore_identity(
        &self,
        id: &ServerId,
        name: &ServerName,
        owner: &Uid,
    ) -> Result<(), ProviderError>;
    async fn set_protection(&self, id: &ServerId, protect: bool) -> Result<(), ProviderError>;
    /// Deletes the server if it still carries `owner`'s mark, read now; anything else is refused.
    async fn delete(&self, id: &ServerId, owner: &Uid) -> Result<(), ProviderError>;
    /// Primary IPs with our mark in every project, complete, from a list begun after `asked`. Other than
    /// the fleet it does not show what this process has done since.
    async fn spare_addresses(
        &self,
        priority: Priority,
        asked: BegunAfter,
    ) -> Result<Vec<SpareAddress>, ProviderError>;
    async fn release_address(&self, address: &SpareAddress) -> Result<(), ProviderError>;
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// A DNS record at or below an instance's host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub id: String,
    pub host: Hostname,
    pub owner: Owner,
    /// None for a record that is neither A nor AAAA.
    pub target: Option<Target>,
    pub proxied: bool,
}

/// Every record of the zone, complete.
#[derive(Clone, Debug)]
pub struct Zone {
    by_host: BTreeMap<Hostname, Vec<Record>>,
    by_owner: BTreeMap<Uid, Vec<Record>>,
    begun: Instant,
}

impl Zone {
    /// `begun` is when the first request of the list was sent.
    pub fn new(records: impl IntoIterator<Item = Record>, begun: Instant) -> Self {
        let mut zone = Self {
            by_host: BTreeMap::new(),
            by_owner: BTreeMap::new(),
            begun,
        };
        for record in records {
            if let Owner::Ours(uid) = &record.owner {
                zone.by_owner
                    .entry(uid.clone())
                    .or_default()
                    .push(record.clone());
            }
            zone.by_host
                .entry(record.host.clone())
                .or_default()
                .push(record);
        }
        zone
    }

    pub fn begun(&self) -> Instant {
        self.begun
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.by_host.values().flatten()
    }

    pub fn at(&self, host: &Hostname) -> &[Record] {
        self.by_host.get(host).map_or(&[], Vec::as_slice)
    }

    pub fn of(&self, uid: &Uid) -> &[Record] {
        self.by_owner.get(uid).map_or(&[], Vec::as_slice)
    }
}

/// A set of changes for one host, sent in one transaction (and with other hosts' in one request).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordChange {
    pub delete: Vec<String>,
    /// Record id, and what it shall say.
    pub update: Vec<(String, Target)>,
    pub create: Vec<Target>,
}

/// Publishes addresses under names. What this process has changed, every list it gives shows.
#[async_trait]
pub trait Dns: Send + Sync {
    /// The zone's name, such as `clawdet.example`.
    fn zone_name(&self) -> &str;
    /// Every record, from one shared complete list begun after `asked`.
    async fn zone(&self, priority: Priority, asked: BegunAfter)
    -> Result<Arc<Zone>, ProviderError>;
    /// Applies a change to the records of `host`, marked as `owner`'s. Refused with
    /// [`Refusal::AlreadyExists`] when the zone is not what the caller saw: list again.
    async fn change(
        &self,
        priority: Priority,
        host: &Hostname,
        owner: &Uid,
        change: &RecordChange,
    ) -> Result<(), ProviderError>;
}

/// Where a secret lives: by instance uid, never by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretPath(pub String);

/// Named secret values. No `Debug`.
pub type SecretValues = BTreeMap<String, secrecy::SecretString>;

/// One version of a secret. No `Debug`.
pub struct SecretVersion {
    pub values: SecretValues,
    /// Rises by one with each write; 0 means never written.
    pub version: u64,
}

/// Keeps secrets. Modelled on Vault's KV v2: every write is compare-and-swap.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// None when nothing is there; being refused is an error and never "nothing".
    async fn read(&self, path: &SecretPath) -> Result<Option<SecretVersion>, ProviderError>;
    /// Writes if the current version is `expected` (0 = must not exist); gives the new version.
    /// [`Refusal::Stale`] when it is not.
    async fn write(
        &self,
        path: &SecretPath,
        values: &SecretValues,
        expected: u64,
    ) -> Result<u64, ProviderError>;
    /// Removes every version; fine when nothing is there.
    async fn destroy(&self, path: &SecretPath) -> Result<(), ProviderError>;
}

/// What a server's gateway says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestState {
    /// Nothing answers, or not yet.
    Silent,
    /// `/startupz` answered; with the version if it told.
    Started { version: Option<String> },
}

/// Asks the software on a server how it is.
#[async_trait]
pub trait Guests: Send + Sync {
    async fn startup(&self, address: Ipv4Addr) -> GuestState;
}

/// One event of the payment provider; only ids are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingEvent {
    pub id: String,
    pub kind: String,
    /// The id of the object it is about; empty when it has none.
    pub subject: String,
    pub created: Timestamp,
    pub live_mode: bool,
}

/// A checkout as the payment provider shows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutSession {
    pub id: String,
    /// Paid, or nothing was due.
    pub paid: bool,
    pub subscription: Option<String>,
}

/// A subscription as the payment provider shows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub id: String,
    pub customer: String,
    pub status: SubscriptionStatus,
    /// The first item's id.
    pub item: String,
    /// What our own checkout wrote on it.
    pub metadata: BTreeMap<String, String>,
    pub latest_invoice: Option<String>,
    pub live_mode: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionStatus {
    Incomplete,
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Canceled,
    Paused,
    /// A word we do not know: changes nothing.
    Unknown,
}

/// An invoice as the payment provider shows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    pub id: String,
    pub paid: bool,
    pub subscription: Option<String>,
}

/// A recurring price as the payment provider would charge it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SellingPrice {
    /// In the currency's smallest unit; None for a price that is not one fixed amount.
    pub amount_cents: Option<i64>,
    /// ISO 4217 in lower case.
    pub currency: String,
    /// None for what is neither paid every month nor every year.
    pub interval: Option<Interval>,
    /// Archived prices cannot be bought any more.
    pub on_sale: bool,
}

/// What a customer is about to buy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutOrder {
    pub price: String,
    /// Written on the checkout and on the subscription it makes.
    pub metadata: BTreeMap<String, String>,
    pub success_url: String,
    pub cancel_url: String,
    /// The same order twice within a day gives the same session.
    pub idempotency_key: String,
}

/// Why a webhook's body is not believed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("the signature does not hold")]
    Signature(#[source] BoxError),
    /// Signed, and yet not an event we can name.
    #[error("the body is not an event")]
    Unreadable(#[source] BoxError),
}

/// Takes money and tells who has paid.
#[async_trait]
pub trait Billing: Send + Sync {
    /// The event in a webhook's raw body, if its signature header holds at `now`.
    fn open_webhook(
        &self,
        raw_body: &[u8],
        signature: &str,
        now: Timestamp,
    ) -> Result<BillingEvent, WebhookError>;
    /// Starts a hosted checkout; gives the URL to send the browser to.
    async fn start_checkout(&self, order: &CheckoutOrder) -> Result<String, ProviderError>;
    async fn price(&self, id: &str) -> Result<Option<SellingPrice>, ProviderError>;
    async fn session(&self, id: &str) -> Result<Option<CheckoutSession>, ProviderError>;
    async fn subscription(&self, id: &str) -> Result<Option<Subscription>, ProviderError>;
    async fn invoice(&self, id: &str) -> Result<Option<Invoice>, ProviderError>;
    /// Every subscription in every state, complete.
    async fn subscriptions(&self) -> Result<Vec<Subscription>, ProviderError>;
    /// Every event of these kinds (at most 20) since a moment (the provider keeps 30 days), complete,
    /// oldest first.
    async fn events_since(
        &self,
        since: Timestamp,
        kinds: &[&str],
    ) -> Result<Vec<BillingEvent>, ProviderError>;
}
