//! How a subscription begins: by a request, or by a paid checkout session.

use serde_json::Value;

use super::change::Trial;
use super::{Item, Status, Subscription};
use crate::history::{Change, Kind};
use crate::stripe::books::Books;
use crate::stripe::due::Due;
use crate::stripe::event::EventKind;
use crate::stripe::form::{Metadata, Params, merge_metadata};
use crate::stripe::invoice::{Attempt, Because, Invoice, attempt};
use crate::stripe::list::Object;
use crate::stripe::refusal::Refusal;

const DAY: i64 = 24 * 3_600;
/// A subscription whose first payment does not come expires after 23 hours.
const INCOMPLETE_SECONDS: i64 = 23 * 3_600;
/// The end of a trial is told three days before.
const TRIAL_NOTICE: i64 = 3 * DAY;
const MOST_ITEMS: usize = 20;
const MOST_TRIAL_DAYS: i64 = 730;
/// Parameters that are taken and change nothing here.
pub(super) const WITHOUT_EFFECT: [&str; 7] = [
    "automatic_tax",
    "billing_mode",
    "collection_method",
    "invoice_settings",
    "off_session",
    "payment_settings",
    "proration_date",
];

/// What a new subscription is to be.
pub(crate) struct Start {
    pub(crate) customer: String,
    pub(crate) items: Vec<Item>,
    pub(crate) metadata: Metadata,
    pub(crate) description: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) trial_end: Option<i64>,
}

/// What is done when the first payment does not succeed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// The subscription waits, and is incomplete.
    Allow,
    /// Nobody tries to pay before the customer does.
    Wait,
    /// Nothing is made.
    Refuse,
}

impl Beginning {
    pub(super) fn take(params: &mut Params) -> Result<Self, Refusal> {
        match params.text("payment_behavior")?.as_deref() {
            None | Some("allow_incomplete") => Ok(Self::Allow),
            Some("default_incomplete") => Ok(Self::Wait),
            Some("error_if_incomplete") => Ok(Self::Refuse),
            Some(_) => Err(Refusal::choice(
                "payment_behavior",
                &[
                    "allow_incomplete",
                    "default_incomplete",
                    "error_if_incomplete",
                ],
            )),
        }
    }
}

impl Books<'_> {
    pub(crate) fn create_subscription(&mut self, mut params: Params) -> Result<Value, Refusal> {
        let customer = params.required("customer")?;
        self.state.live_customer(&customer, Some("customer"))?;
        self.check_still(&customer)?;
        self.live_by(&customer);
        let items = self.first_items(&mut params)?;
        let beginning = Beginning::take(&mut params)?;
        let method = params.text("default_payment_method")?;
        let description = params.text("description")?;
        let mut metadata = Metadata::new();
        merge_metadata(&mut metadata, params.metadata()?)?;
        let trial_end = self.first_trial(&mut params)?;
        let ends_without_method = ends_without_method(&mut params)?;
        let cancel_at_period_end = params.flag("cancel_at_period_end")?.unwrap_or(false);
        let cancel_at = params.number("cancel_at")?;
        params.ignore(&WITHOUT_EFFECT);
        params.finish()?;
        let method = method
            .map(|method| self.attached(&method, &customer, Some("default_payment_method")))
            .transpose()?;
        let mut subscription = self.started(Start {
            customer,
            items,
            metadata,
            description,
            method,
            trial_end,
        })?;
        subscription.ends_without_method = ends_without_method;
        subscription.cancel_at_period_end = cancel_at_period_end;
        subscription.cancel_at = cancel_at;
        self.begin(subscription, beginning)
    }

    fn first_items(&mut self, params: &mut Params) -> Result<Vec<Item>, Refusal> {
        let groups = params.groups("items")?;
        if groups.is_empty() {
            return Err(Refusal::Missing("items".to_owned()));
        }
        if groups.len() > MOST_ITEMS {
            let why = format!("A subscription can have up to {MOST_ITEMS} items.");
            return Err(Refusal::param("items", why));
        }
        let mut items = Vec::with_capacity(groups.len());
        for group in groups {
            items.push(self.new_item(group)?);
        }
        self.state
            .refuse_mixed(items.iter().map(|item| item.price.as_str()))?;
        Ok(items)
    }

    pub(super) fn new_item(&mut self, mut group: Params) -> Result<Item, Refusal> {
        let price = group.required("price")?;
        let quantity = group.number("quantity")?.unwrap_or(1);
        let mut metadata = Metadata::new();
        merge_metadata(&mut metadata, group.metadata()?)?;
        group.finish()?;
        let found = self.state.price(&price, Some("items[0][price]"))?;
        if !found.active {
            let why = "The price specified is inactive. This field only accepts active prices.";
            return Err(Refusal::param("items[0][price]", why));
        }
        if quantity < 1 {
            let why = "This value must be greater than or equal to 1.";
            return Err(Refusal::integer("items[0][quantity]", why));
        }
        Ok(Item {
            id: self.id("si"),
            price,
            quantity,
            metadata,
        })
    }

    fn first_trial(&self, params: &mut Params) -> Result<Option<i64>, Refusal> {
        let days = params.number("trial_period_days")?;
        let until = Trial::take(params)?;
        match (days, until) {
            (Some(_), Some(_)) => Err(Refusal::State(
                "You may only specify one of these parameters: trial_end, trial_period_days."
                    .to_owned(),
            )),
            (Some(days), None) if (1..=MOST_TRIAL_DAYS).contains(&days) => {
                Ok(Some(self.at + days * DAY))
            }
            (Some(_), None) => {
                let why = "This value must be between 1 and 730.";
                Err(Refusal::integer("trial_period_days", why))
            }
            (None, until) => Ok(until.and_then(|trial| trial.end(self.at))),
        }
    }

    /// A subscription from now on, not yet in the books.
    pub(crate) fn started(&mut self, start: Start) -> Result<Subscription, Refusal> {
        let mut subscription = Subscription {
            id: self.id("sub"),
            created: self.at,
            customer: start.customer,
            items: start.items,
            status: start.trial_end.map_or(Status::Active, |_| Status::Trialing),
            metadata: start.metadata,
            description: start.description,
            anchor: start.trial_end.unwrap_or(self.at),
            periods: i64::from(start.trial_end.is_none()),
            period_start: self.at,
            period_end: self.at,
            trial_end: start.trial_end,
            ends_without_method: false,
            cancel_at_period_end: false,
            cancel_at: None,
            canceled_at: None,
            ended_at: None,
            ending: None,
            comment: None,
            feedback: None,
            pausing: None,
            latest_invoice: None,
            method: start.method,
            card_fails: false,
        };
        subscription.period_end = match start.trial_end {
            Some(end) => end,
            None => self.period_end(&subscription)?,
        };
        Ok(subscription)
    }

    /// Enters a subscription with its first invoice, and tries to have it paid.
    fn begin(
        &mut self,
        mut subscription: Subscription,
        beginning: Beginning,
    ) -> Result<Value, Refusal> {
        let instrument = self.state.instrument_of(&subscription);
        let free = subscription.status == Status::Trialing;
        let outcome = if free {
            Attempt::Paid
        } else {
            attempt(instrument.as_ref(), false, false)
        };
        let hopeless = match beginning {
            Beginning::Refuse => true,
            Beginning::Allow => outcome == Attempt::Unable,
            Beginning::Wait => false,
        };
        if hopeless && let Some(refusal) = outcome.refusal(None) {
            return Err(refusal);
        }
        let waits = beginning == Beginning::Wait && !free;
        if waits || !matches!(outcome, Attempt::Paid | Attempt::Processing) {
            subscription.status = Status::Incomplete;
        }
        let mut invoice = self.enter_begun(&mut subscription)?;
        if waits {
            self.await_payment(&mut invoice);
        } else {
            self.attempt_payment(&mut invoice, instrument.as_ref(), outcome);
            self.follow_payment(&mut invoice, instrument.as_ref(), outcome)?;
        }
        Ok(self
            .state
            .subscription(&subscription.id, None)?
            .shown(self.state))
    }

    /// Enters a subscription and its first invoice, finalized and not yet paid.
    pub(crate) fn enter_begun(
        &mut self,
        subscription: &mut Subscription,
    ) -> Result<Invoice, Refusal> {
        let invoice = self.draw_up(subscription, Because::SubscriptionCreate);
        subscription.latest_invoice = Some(invoice.id.clone());
        self.state
            .subscriptions
            .insert(subscription.id.clone(), subscription.clone());
        self.note(
            Kind::Subscription,
            &subscription.id,
            Change::Created,
            &subscription.metadata,
        );
        self.tell(EventKind::SubscriptionCreated, subscription);
        self.plan_period(subscription);
        if subscription.status == Status::Incomplete {
            let due = Due::IncompleteExpires(subscription.id.clone());
            self.plan(self.at + INCOMPLETE_SECONDS, &due);
        }
        if let Some(end) = subscription.trial_end {
            let due = Due::TrialEndsSoon(subscription.id.clone());
            self.plan((end - TRIAL_NOTICE).max(self.at), &due);
        }
        if let Some(at) = subscription.cancel_at {
            self.plan(at, &Due::Cancels(subscription.id.clone()));
        }
        self.finalize(&invoice.id)
    }
}

fn ends_without_method(params: &mut Params) -> Result<bool, Refusal> {
    let mut settings = params.group("trial_settings")?;
    let mut behavior = settings.group("end_behavior")?;
    settings.finish()?;
    let missing = behavior.text("missing_payment_method")?;
    behavior.finish()?;
    match missing.as_deref() {
        None | Some("create_invoice") => Ok(false),
        Some("cancel") => Ok(true),
        Some(_) => Err(Refusal::choice(
            "trial_settings[end_behavior][missing_payment_method]",
            &["cancel", "create_invoice"],
        )),
    }
}
