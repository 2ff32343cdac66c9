//! Subscriptions: what is kept about one, and how it ends. How one begins is in `create`, what requests change in
//! `change`, what falls due with it in `schedule`, and how it looks in `shown`; when the next period begins is decided in
//! `due`.

mod change;
mod create;
mod proration;
mod schedule;
mod shown;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::due::Due;
use super::event::EventKind;
use super::form::{Metadata, Params};
use super::list::Object;
use super::refusal::Refusal;
use crate::history::{Change, Kind};

pub(crate) use create::Start;
pub(crate) use proration::Settlement;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// The first payment has not come yet.
    Incomplete,
    /// It never came.
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Canceled,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Canceled => "canceled",
        }
    }
}

/// Why a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    Requested,
    PaymentFailed,
}

impl Ending {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Requested => "cancellation_requested",
            Self::PaymentFailed => "payment_failed",
        }
    }
}

/// What becomes of invoices while collecting is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pausing {
    KeepAsDraft,
    MarkUncollectible,
    Void,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pause {
    pub(crate) behavior: Pausing,
    pub(crate) resumes_at: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) price: String,
    pub(crate) quantity: i64,
    #[serde(default)]
    pub(crate) metadata: Metadata,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) items: Vec<Item>,
    pub(crate) status: Status,
    pub(crate) metadata: Metadata,
    pub(crate) description: Option<String>,
    /// Periods are counted from here.
    pub(crate) anchor: i64,
    /// How many periods have begun since the anchor.
    pub(crate) periods: i64,
    pub(crate) period_start: i64,
    pub(crate) period_end: i64,
    pub(crate) trial_end: Option<i64>,
    /// A trial that ends without anything to pay with ends the subscription.
    #[serde(default)]
    pub(crate) ends_without_method: bool,
    pub(crate) cancel_at_period_end: bool,
    #[serde(default)]
    pub(crate) cancel_at: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) ending: Option<Ending>,
    #[serde(default)]
    pub(crate) comment: Option<String>,
    #[serde(default)]
    pub(crate) feedback: Option<String>,
    #[serde(default)]
    pub(crate) pausing: Option<Pause>,
    pub(crate) latest_invoice: Option<String>,
    /// The payment method of its own; without one the customer's is used.
    #[serde(default)]
    pub(crate) method: Option<String>,
    /// A person at the console made the card fail from now on.
    pub(crate) card_fails: bool,
}

impl Subscription {
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.status, Status::Canceled | Status::IncompleteExpired)
    }
}

impl Books<'_> {
    /// Keeps a changed subscription, and tells of it with the values it had where they changed.
    pub(crate) fn keep_subscription(&mut self, subscription: &Subscription, what: &str) {
        let before = self
            .state
            .subscriptions
            .get(&subscription.id)
            .map(|before| before.shown(self.state));
        self.state
            .subscriptions
            .insert(subscription.id.clone(), subscription.clone());
        let previous = before.map(|before| differing(&before, &subscription.shown(self.state)));
        let change = Change::Changed(what.to_owned());
        self.note(
            Kind::Subscription,
            &subscription.id,
            change,
            &subscription.metadata,
        );
        let previous = Some(previous.unwrap_or_else(|| json!({})));
        self.tell_with(EventKind::SubscriptionUpdated, subscription, previous);
    }

    /// When the current period of a subscription ends.
    pub(crate) fn period_end(&self, subscription: &Subscription) -> Result<i64, Refusal> {
        let first = subscription.items.first().map_or("", |item| &item.price);
        let price = self.state.price(first, None)?;
        Ok(price.period_end(subscription.anchor, subscription.periods))
    }

    pub(crate) fn cancel_subscription(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let invoice_now = params.flag("invoice_now")?.unwrap_or(false);
        let prorate = params.flag("prorate")?.unwrap_or(false);
        let (comment, feedback) = change::cancellation_details(&mut params)?;
        params.finish()?;
        let subscription = self.state.subscription(id, None)?;
        if subscription.has_ended() {
            return Err(Refusal::NoSuch {
                what: Subscription::NAME,
                id: id.to_owned(),
                param: None,
            });
        }
        let mut subscription = subscription.clone();
        self.check_still(&subscription.customer)?;
        self.live_by(&subscription.customer);
        subscription.comment = comment.or(subscription.comment);
        subscription.feedback = feedback.or(subscription.feedback);
        if prorate {
            self.settle_rest(&subscription);
        }
        self.state
            .subscriptions
            .insert(subscription.id.clone(), subscription.clone());
        self.end_subscription(id, Ending::Requested)?;
        if invoice_now {
            self.invoice_settlement(&subscription)?;
        }
        Ok(self.state.subscription(id, None)?.shown(self.state))
    }

    /// Ends a subscription now. What it still owes stays owed, and is not tried again; a first invoice that was never
    /// paid is void.
    pub(crate) fn end_subscription(&mut self, id: &str, why: Ending) -> Result<(), Refusal> {
        let mut subscription = self.state.subscription(id, None)?.clone();
        let began = subscription.status != Status::Incomplete;
        subscription.status = if began {
            Status::Canceled
        } else {
            Status::IncompleteExpired
        };
        subscription.canceled_at = subscription.canceled_at.or(Some(self.at));
        subscription.ended_at = Some(self.at);
        subscription.ending = Some(why);
        self.state
            .subscriptions
            .insert(subscription.id.clone(), subscription.clone());
        self.note(
            Kind::Subscription,
            &subscription.id,
            Change::Removed,
            &subscription.metadata,
        );
        if !began && let Some(invoice) = &subscription.latest_invoice {
            self.void(invoice)?;
        }
        self.tell(EventKind::SubscriptionDeleted, &subscription);
        Ok(())
    }

    fn plan_period(&mut self, subscription: &Subscription) {
        let due = Due::PeriodEnds(subscription.id.clone());
        self.plan(subscription.period_end, &due);
    }
}

/// The old values of the fields that differ.
pub(crate) fn differing(before: &Value, after: &Value) -> Value {
    let changed = before.as_object().into_iter().flatten();
    changed
        .filter(|(key, value)| after.get(key.as_str()) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

impl State {
    pub(crate) fn subscription(
        &self,
        id: &str,
        param: Option<&'static str>,
    ) -> Result<&Subscription, Refusal> {
        self.subscriptions
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: Subscription::NAME,
                id: id.to_owned(),
                param,
            })
    }

    /// Whether a customer's subscription waits for money.
    pub(crate) fn is_delinquent(&self, customer: &str) -> bool {
        self.subscriptions.values().any(|subscription| {
            subscription.customer == customer && subscription.status == Status::PastDue
        })
    }
}
