//! What is in Stripe's books as plain values, for tests that assert on the world and for the console.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::State;
use super::catalog::money;
use super::invoice::Standing;

/// A subscription as plain values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscriptionRow {
    pub id: String,
    pub customer: String,
    pub email: Option<String>,
    /// As Stripe writes it: `active`, `past_due`, …
    pub status: String,
    /// Ids of the subscription items, in order.
    pub items: Vec<String>,
    pub prices: Vec<String>,
    pub metadata: BTreeMap<String, String>,
    pub created: Timestamp,
    pub period_end: Timestamp,
    pub cancel_at_period_end: bool,
    pub ended: Option<Timestamp>,
    /// Somebody made the card fail from now on.
    pub card_fails: bool,
    /// What has been paid for it so far and not given back, such as `€19.00`.
    pub paid: String,
    /// The same in the currency's smallest unit.
    pub paid_amount: i64,
    /// Payments that can be given back, newest last.
    pub payments: Vec<String>,
}

/// A refund as plain values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundRow {
    pub id: String,
    /// The subscription whose invoice was paid.
    pub subscription: Option<String>,
    pub payment: String,
    /// In the currency's smallest unit.
    pub amount: i64,
    pub currency: String,
    pub created: Timestamp,
}

/// A webhook that waits, as plain values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeliveryRow {
    pub event: String,
    pub due: Timestamp,
    pub attempts: u32,
    pub last_error: Option<String>,
}

/// An event as plain values, without its object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventRow {
    pub id: String,
    pub kind: String,
    pub created: Timestamp,
    /// Sent to the webhook endpoint at all.
    pub delivered: bool,
    /// Not accepted yet.
    pub pending: bool,
}

fn time(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap_or(Timestamp::MAX)
}

impl State {
    /// Every subscription in every state, oldest first.
    pub(crate) fn subscription_rows(&self) -> Vec<SubscriptionRow> {
        let mut paid: BTreeMap<&str, (i64, Vec<String>)> = BTreeMap::new();
        for invoice in self.invoices.values() {
            let payment = invoice
                .payment
                .as_ref()
                .and_then(|id| self.payments.get(id));
            if invoice.standing == Standing::Paid
                && let Some(payment) = payment
            {
                let (sum, payments) = paid.entry(&invoice.subscription).or_default();
                *sum += payment.amount - payment.refunded;
                if payment.refunded < payment.amount {
                    payments.push(payment.id.clone());
                }
            }
        }
        self.subscriptions
            .values()
            .map(|subscription| {
                let (sum, payments) = paid.remove(subscription.id.as_str()).unwrap_or_default();
                let price = subscription
                    .items
                    .first()
                    .and_then(|item| self.prices.get(&item.price));
                SubscriptionRow {
                    id: subscription.id.clone(),
                    customer: subscription.customer.clone(),
                    email: self
                        .customers
                        .get(&subscription.customer)
                        .and_then(|customer| customer.email.clone()),
                    status: subscription.status.word().to_owned(),
                    items: subscription
                        .items
                        .iter()
                        .map(|item| item.id.clone())
                        .collect(),
                    prices: subscription
                        .items
                        .iter()
                        .map(|item| item.price.clone())
                        .collect(),
                    metadata: subscription.metadata.clone(),
                    created: time(subscription.created),
                    period_end: time(subscription.period_end),
                    cancel_at_period_end: subscription.cancel_at_period_end,
                    ended: subscription.ended_at.map(time),
                    card_fails: subscription.card_fails,
                    paid: money(sum, price.map_or("eur", |price| &price.currency)),
                    paid_amount: sum,
                    payments,
                }
            })
            .collect()
    }

    /// Every refund, oldest first.
    pub(crate) fn refund_rows(&self) -> Vec<RefundRow> {
        self.refunds
            .values()
            .map(|refund| RefundRow {
                id: refund.id.clone(),
                subscription: self
                    .payments
                    .get(&refund.payment)
                    .and_then(|payment| self.invoices.get(&payment.invoice))
                    .map(|invoice| invoice.subscription.clone()),
                payment: refund.payment.clone(),
                amount: refund.amount,
                currency: refund.currency.clone(),
                created: time(refund.created),
            })
            .collect()
    }

    /// Webhooks that wait, the next first.
    pub(crate) fn delivery_rows(&self, most: usize) -> Vec<DeliveryRow> {
        self.deliveries
            .values()
            .take(most)
            .map(|delivery| DeliveryRow {
                event: delivery.event.clone(),
                due: time(delivery.due),
                attempts: delivery.attempts,
                last_error: delivery.last_error.clone(),
            })
            .collect()
    }

    /// The last events, newest first.
    pub(crate) fn event_rows(&self, most: usize) -> Vec<EventRow> {
        self.events
            .values()
            .rev()
            .take(most)
            .map(|event| EventRow {
                id: event.id.clone(),
                kind: event.kind.word().to_owned(),
                created: time(event.created),
                delivered: event.kind.is_delivered(),
                pending: event.pending,
            })
            .collect()
    }
}
