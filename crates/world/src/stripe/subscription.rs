//! Subscriptions: what is kept about one, and how a request changes or ends it. How one looks is in `shown`; when the
//! next period begins is decided in `due`.

mod shown;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::card::Instrument;
use super::event::EventKind;
use super::form::{Metadata, Params, merge_metadata};
use super::list::Object;
use super::refusal::Refusal;
use crate::history::{Change, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Trialing,
    Active,
    PastDue,
    Canceled,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) price: String,
    pub(crate) quantity: i64,
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
    pub(crate) cancel_at_period_end: bool,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) ending: Option<Ending>,
    pub(crate) latest_invoice: Option<String>,
    pub(crate) instrument: Instrument,
    /// A person at the console made the card fail from now on.
    pub(crate) card_fails: bool,
}

impl Subscription {
    pub(crate) fn has_ended(&self) -> bool {
        self.status == Status::Canceled
    }
}

impl Books<'_> {
    /// Keeps a changed subscription, and tells of it with the status it had if that changed.
    pub(crate) fn keep_subscription(&mut self, subscription: &Subscription, what: &str) {
        let before = self
            .state
            .subscriptions
            .insert(subscription.id.clone(), subscription.clone());
        let previous = before
            .filter(|before| before.status != subscription.status)
            .map(|before| json!({ "status": before.status.word() }));
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

    pub(crate) fn update_subscription(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let mut subscription = self.state.subscription(id, None)?.clone();
        let cancel = params.flag("cancel_at_period_end")?;
        let description = params.text("description")?;
        let metadata = params.metadata()?;
        params.text("proration_behavior")?;
        let changes = params.groups("items")?;
        params.finish()?;
        if subscription.has_ended() && (cancel.is_some() || !changes.is_empty()) {
            return Err(Refusal::State(
                "A canceled subscription can only update its cancellation_details and metadata."
                    .to_owned(),
            ));
        }
        for change in changes {
            self.change_item(&mut subscription, change)?;
        }
        if let Some(cancel) = cancel {
            subscription.cancel_at_period_end = cancel;
            subscription.canceled_at = cancel.then_some(self.at);
            subscription.ending = cancel.then_some(Ending::Requested);
        }
        super::customer::set_text(&mut subscription.description, description);
        merge_metadata(&mut subscription.metadata, metadata);
        self.keep_subscription(&subscription, "updated");
        Ok(subscription.shown(self.state))
    }

    fn change_item(
        &mut self,
        subscription: &mut Subscription,
        mut change: Params,
    ) -> Result<(), Refusal> {
        let id = change.required("id")?;
        let price = change.text("price")?;
        let quantity = change.number("quantity")?;
        change.finish()?;
        if let Some(price) = &price {
            self.state.price(price, Some("items[0][price]"))?;
        }
        let item = subscription
            .items
            .iter_mut()
            .find(|item| item.id == id)
            .ok_or(Refusal::NoSuch {
                what: "subscription_item",
                id,
                param: Some("items[0][id]"),
            })?;
        item.price = price.unwrap_or_else(|| item.price.clone());
        item.quantity = quantity.unwrap_or(item.quantity).max(1);
        Ok(())
    }

    pub(crate) fn cancel_subscription(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        params.flag("invoice_now")?;
        params.flag("prorate")?;
        params.finish()?;
        if self.state.subscription(id, None)?.has_ended() {
            return Err(Refusal::NoSuch {
                what: Subscription::NAME,
                id: id.to_owned(),
                param: None,
            });
        }
        self.end_subscription(id, Ending::Requested)?;
        Ok(self.state.subscription(id, None)?.shown(self.state))
    }

    /// Ends a subscription now. What it still owes stays owed.
    pub(crate) fn end_subscription(&mut self, id: &str, why: Ending) -> Result<(), Refusal> {
        let mut subscription = self.state.subscription(id, None)?.clone();
        subscription.status = Status::Canceled;
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
        self.tell(EventKind::SubscriptionDeleted, &subscription);
        Ok(())
    }
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
