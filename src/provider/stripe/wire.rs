//! The shapes Stripe speaks, as much of them as we read, and what they are in our words.
//!
//! Tolerant: what we can do without may be missing, and words we do not know are no error.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super as ours;
use super::ID_LENGTH_MAX;
use crate::api::plan::Interval;
use crate::provider::SubscriptionStatus;

/// Longer than the name of any kind of event.
const KIND_LENGTH_MAX: usize = 128;
/// Longer than the id of any event.
const EVENT_ID_LENGTH_MAX: usize = 128;

#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) data: Vec<Value>,
    #[serde(default)]
    pub(super) has_more: bool,
}

pub(super) fn id_of(item: &Value) -> Option<&str> {
    item.get("id")?.as_str().filter(|id| super::is_id(id))
}

/// An item of a list, or None with a word in the log.
pub(super) fn parse<T: DeserializeOwned>(item: Value) -> Option<T> {
    let id = id_of(&item).unwrap_or_default().to_owned();
    serde_json::from_value(item)
        .inspect_err(|error| tracing::warn!(%id, %error, "An item of Stripe's list cannot be read"))
        .ok()
}

/// A field that is an id, or the whole object when it was asked to be expanded.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Id(String),
    Object { id: String },
}

impl Reference {
    fn into_id(self) -> String {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    #[serde(default)]
    livemode: bool,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: Subject,
}

#[derive(Deserialize)]
struct Subject {
    /// Some objects, such as `balance`, have none.
    id: Option<String>,
}

impl Event {
    /// None when an id could not be kept whole.
    pub(super) fn into_event(self) -> Option<ours::BillingEvent> {
        let subject = self.data.object.id.unwrap_or_default();
        let fits = (1..=EVENT_ID_LENGTH_MAX).contains(&self.id.len())
            && (1..=KIND_LENGTH_MAX).contains(&self.kind.len())
            && subject.len() <= ID_LENGTH_MAX;
        fits.then_some(ours::BillingEvent {
            id: self.id,
            kind: self.kind,
            subject,
            created: Timestamp::from_second(self.created).ok()?,
            live_mode: self.livemode,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Price {
    #[serde(default)]
    active: bool,
    /// Null for tiers and for fractions of a cent.
    unit_amount: Option<i64>,
    currency: String,
    /// Null for what is paid once.
    recurring: Option<Recurring>,
}

#[derive(Deserialize)]
struct Recurring {
    interval: String,
    #[serde(default = "one")]
    interval_count: u32,
}

fn one() -> u32 {
    1
}

impl From<Price> for ours::SellingPrice {
    fn from(price: Price) -> Self {
        let interval = price.recurring.and_then(|recurring| {
            match (recurring.interval.as_str(), recurring.interval_count) {
                ("month", 1) => Some(Interval::Month),
                ("year", 1) => Some(Interval::Year),
                _ => None,
            }
        });
        Self {
            amount_cents: price.unit_amount,
            currency: price.currency.to_ascii_lowercase(),
            interval,
            on_sale: price.active,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct StartedSession {
    pub(super) url: String,
}

#[derive(Deserialize)]
pub(super) struct Session {
    id: String,
    #[serde(default)]
    payment_status: String,
    subscription: Option<Reference>,
}

impl From<Session> for ours::CheckoutSession {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            paid: matches!(
                session.payment_status.as_str(),
                "paid" | "no_payment_required"
            ),
            subscription: session.subscription.map(Reference::into_id),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Subscription {
    id: String,
    customer: Reference,
    status: String,
    items: Items,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
    latest_invoice: Option<Reference>,
    #[serde(default)]
    livemode: bool,
}

#[derive(Deserialize)]
struct Items {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
}

impl From<Subscription> for ours::Subscription {
    fn from(subscription: Subscription) -> Self {
        let mut items = subscription.items.data.into_iter();
        Self {
            // Without an item the subscription itself is what was bought.
            item: items
                .next()
                .map_or_else(|| subscription.id.clone(), |item| item.id),
            id: subscription.id,
            customer: subscription.customer.into_id(),
            status: status(&subscription.status),
            metadata: subscription.metadata.unwrap_or_default(),
            latest_invoice: subscription.latest_invoice.map(Reference::into_id),
            live_mode: subscription.livemode,
        }
    }
}

fn status(word: &str) -> SubscriptionStatus {
    match word {
        "incomplete" => SubscriptionStatus::Incomplete,
        "incomplete_expired" => SubscriptionStatus::IncompleteExpired,
        "trialing" => SubscriptionStatus::Trialing,
        "active" => SubscriptionStatus::Active,
        "past_due" => SubscriptionStatus::PastDue,
        "unpaid" => SubscriptionStatus::Unpaid,
        "canceled" => SubscriptionStatus::Canceled,
        "paused" => SubscriptionStatus::Paused,
        _ => SubscriptionStatus::Unknown,
    }
}

#[derive(Deserialize)]
pub(super) struct Invoice {
    id: String,
    #[serde(default)]
    status: Option<String>,
    /// Since API version 2025-03-31 the way to the subscription leads through the parent.
    parent: Option<InvoiceParent>,
}

#[derive(Deserialize)]
struct InvoiceParent {
    subscription_details: Option<InvoiceSubscription>,
}

#[derive(Deserialize)]
struct InvoiceSubscription {
    subscription: Option<Reference>,
}

impl From<Invoice> for ours::Invoice {
    fn from(invoice: Invoice) -> Self {
        let details = invoice
            .parent
            .and_then(|parent| parent.subscription_details);
        Self {
            id: invoice.id,
            paid: invoice.status.as_deref() == Some("paid"),
            subscription: details
                .and_then(|details| details.subscription)
                .map(Reference::into_id),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Failure {
    error: FailureDetail,
}

#[derive(Deserialize)]
struct FailureDetail {
    code: Option<String>,
    message: Option<String>,
}

impl Failure {
    pub(super) fn message(self) -> String {
        let FailureDetail { code, message } = self.error;
        let parts: Vec<_> = [code, message].into_iter().flatten().collect();
        parts.join(": ")
    }
}

/// The order as Stripe's form: nested names in brackets.
/// Source: <https://docs.stripe.com/api/checkout/sessions/create>
pub(super) fn checkout_form(
    order: &ours::CheckoutOrder,
) -> Result<String, serde_urlencoded::ser::Error> {
    let mut fields = vec![
        ("mode".to_owned(), "subscription"),
        ("line_items[0][price]".to_owned(), &order.price),
        ("line_items[0][quantity]".to_owned(), "1"),
        ("success_url".to_owned(), &order.success_url),
        ("cancel_url".to_owned(), &order.cancel_url),
    ];
    for (key, value) in &order.metadata {
        fields.push((format!("metadata[{key}]"), value));
        fields.push((format!("subscription_data[metadata][{key}]"), value));
    }
    serde_urlencoded::to_string(fields)
}
