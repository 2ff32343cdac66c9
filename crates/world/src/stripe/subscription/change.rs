//! What a request changes about a subscription: its items, when and how it ends, how it is paid, whether it is collected.

use serde_json::Value;

use super::create::{Beginning, WITHOUT_EFFECT};
use super::proration::Prorating;
use super::{Ending, Item, Pause, Pausing, Status, Subscription};
use crate::stripe::books::Books;
use crate::stripe::customer::set_text;
use crate::stripe::due::Due;
use crate::stripe::form::{Params, merge_metadata};
use crate::stripe::invoice::{Because, attempt};
use crate::stripe::list::Object;
use crate::stripe::refusal::Refusal;

const FEEDBACK: [&str; 8] = [
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
];

/// `trial_end`: a moment, or now.
#[derive(Clone, Copy)]
pub(super) enum Trial {
    Now,
    Until(i64),
}

impl Trial {
    pub(super) fn take(params: &mut Params) -> Result<Option<Self>, Refusal> {
        let mut look = params.clone();
        if look.text("trial_end")?.as_deref() == Some("now") {
            params.ignore(&["trial_end"]);
            return Ok(Some(Self::Now));
        }
        Ok(params.number("trial_end")?.map(Self::Until))
    }

    /// When it ends, if that is still to come.
    pub(super) fn end(self, now: i64) -> Option<i64> {
        match self {
            Self::Now => None,
            Self::Until(end) => Some(end).filter(|end| *end > now),
        }
    }
}

/// What a parameter that can be emptied says.
enum Wish<T> {
    Leave,
    Clear,
    Set(T),
}

impl<T: Clone> Wish<T> {
    fn is_there(&self) -> bool {
        !matches!(self, Self::Leave)
    }

    fn apply(&self, to: &mut Option<T>) {
        match self {
            Self::Leave => {}
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value.clone()),
        }
    }
}

struct Wishes {
    cancel_at_period_end: Option<bool>,
    cancel_at: Wish<i64>,
    method: Option<String>,
    pausing: Wish<Pause>,
    trial: Option<Trial>,
    anchor_now: bool,
    items: Vec<Params>,
    prorating: Prorating,
    beginning: Beginning,
}

impl Wishes {
    fn take(params: &mut Params) -> Result<Self, Refusal> {
        let wishes = Self {
            cancel_at_period_end: params.flag("cancel_at_period_end")?,
            cancel_at: cleared_or_number(params, "cancel_at")?,
            method: params.text("default_payment_method")?,
            pausing: pausing(params)?,
            trial: Trial::take(params)?,
            anchor_now: anchor_now(params)?,
            items: params.groups("items")?,
            prorating: Prorating::take(params)?,
            beginning: Beginning::take(params)?,
        };
        params.ignore(&WITHOUT_EFFECT);
        Ok(wishes)
    }

    /// Whether more is asked for than a subscription that has ended can still change.
    fn need_life(&self) -> bool {
        self.cancel_at_period_end.is_some()
            || self.cancel_at.is_there()
            || self.pausing.is_there()
            || self.trial.is_some()
            || self.anchor_now
            || !self.items.is_empty()
    }
}

impl Books<'_> {
    pub(crate) fn update_subscription(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let before = self.state.subscription(id, None)?.clone();
        let mut after = before.clone();
        let wishes = Wishes::take(&mut params)?;
        let (comment, feedback) = cancellation_details(&mut params)?;
        set_text(&mut after.description, params.text("description")?);
        merge_metadata(&mut after.metadata, params.metadata()?)?;
        params.finish()?;
        if before.has_ended() && wishes.need_life() {
            return Err(Refusal::State(
                "A canceled subscription can only update its cancellation_details and metadata."
                    .to_owned(),
            ));
        }
        self.check_still(&before.customer)?;
        self.live_by(&before.customer);
        after.comment = comment.or(after.comment);
        after.feedback = feedback.or(after.feedback);
        self.wish_end(&mut after, &wishes);
        if let Some(method) = &wishes.method {
            let param = Some("default_payment_method");
            after.method = Some(self.attached(method, &before.customer, param)?);
        }
        wishes.pausing.apply(&mut after.pausing);
        self.wish_trial(&mut after, &wishes);
        for change in wishes.items {
            self.change_item(&mut after, change)?;
        }
        let prices = after.items.iter().map(|item| item.price.as_str());
        self.state.refuse_mixed(prices)?;
        self.apply(
            &before,
            after,
            wishes.anchor_now,
            wishes.prorating,
            wishes.beginning,
        )?;
        Ok(self.state.subscription(id, None)?.shown(self.state))
    }

    fn wish_end(&self, after: &mut Subscription, wishes: &Wishes) {
        if let Some(cancel) = wishes.cancel_at_period_end {
            after.cancel_at_period_end = cancel;
        }
        wishes.cancel_at.apply(&mut after.cancel_at);
        if wishes.cancel_at_period_end.is_some() || wishes.cancel_at.is_there() {
            let ends = after.cancel_at_period_end || after.cancel_at.is_some();
            after.canceled_at = ends.then_some(self.at);
            after.ending = ends.then_some(Ending::Requested);
        }
    }

    fn wish_trial(&self, after: &mut Subscription, wishes: &Wishes) {
        let Some(trial) = wishes.trial else {
            return;
        };
        let end = trial.end(self.at);
        after.trial_end = Some(end.unwrap_or(self.at));
        after.anchor = end.unwrap_or(self.at);
        after.periods = 0;
        after.period_end = after.anchor;
        after.status = end.map_or(Status::Active, |_| Status::Trialing);
    }

    /// Keeps the change, and settles the difference as asked.
    fn apply(
        &mut self,
        before: &Subscription,
        mut after: Subscription,
        anchor_now: bool,
        prorating: Prorating,
        beginning: Beginning,
    ) -> Result<(), Refusal> {
        let trial_ends = before.status == Status::Trialing && after.status == Status::Active;
        let begins_anew = anchor_now
            || trial_ends
            || self.state.rhythm_of(before) != self.state.rhythm_of(&after);
        let invoices = begins_anew || prorating == Prorating::Invoice;
        if beginning == Beginning::Refuse && invoices {
            let instrument = self.state.instrument_of(&after);
            let outcome = attempt(instrument.as_ref(), after.card_fails, false);
            if let Some(refusal) = outcome.refusal(None) {
                return Err(refusal);
            }
        }
        if begins_anew {
            after.anchor = self.at;
            after.periods = 1;
            after.period_start = self.at;
            after.period_end = self.period_end(&after)?;
        }
        if prorating != Prorating::Nothing {
            self.settle_difference(before, &after, begins_anew);
        }
        self.plan_what_changed(before, &after);
        if begins_anew {
            let invoice = self.draw_up(&after, Because::SubscriptionUpdate);
            after.latest_invoice = Some(invoice.id.clone());
            self.keep_subscription(&after, "updated");
            self.finalize(&invoice.id)?;
            self.collect(&invoice.id)?;
            return Ok(());
        }
        self.keep_subscription(&after, "updated");
        if prorating == Prorating::Invoice {
            self.invoice_settlement(&after)?;
        }
        Ok(())
    }

    fn plan_what_changed(&mut self, before: &Subscription, after: &Subscription) {
        if after.period_end != before.period_end {
            self.plan_period(after);
        }
        if let Some(at) = after
            .cancel_at
            .filter(|_| after.cancel_at != before.cancel_at)
        {
            self.plan(at, &Due::Cancels(after.id.clone()));
        }
        let resumes = after.pausing.as_ref().and_then(|pause| pause.resumes_at);
        if let Some(at) = resumes.filter(|_| after.pausing != before.pausing) {
            self.plan(at, &Due::Resumes(after.id.clone()));
        }
    }

    /// An item by its id is changed or deleted; without one it is new.
    fn change_item(
        &mut self,
        subscription: &mut Subscription,
        mut change: Params,
    ) -> Result<(), Refusal> {
        let Some(id) = change.text("id")? else {
            let item = self.new_item(change)?;
            subscription.items.push(item);
            return Ok(());
        };
        let missing = || Refusal::NoSuch {
            what: "subscription_item",
            id: id.clone(),
            param: Some("items[0][id]"),
        };
        let at = |item: &Item| item.id == id;
        let place = subscription.items.iter().position(at).ok_or_else(missing)?;
        if change.flag("deleted")? == Some(true) {
            change.ignore(&["clear_usage"]);
            change.finish()?;
            if subscription.items.len() == 1 {
                let why = "A subscription must have at least one active item. To cancel the subscription, call \
                           the cancel endpoint.";
                return Err(Refusal::State(why.to_owned()));
            }
            subscription.items.remove(place);
            return Ok(());
        }
        let (price, quantity) = (change.text("price")?, change.number("quantity")?);
        let metadata = change.metadata()?;
        change.finish()?;
        if let Some(price) = &price {
            self.state.price(price, Some("items[0][price]"))?;
        }
        let item = &mut subscription.items[place];
        item.price = price.unwrap_or_else(|| item.price.clone());
        item.quantity = quantity.unwrap_or(item.quantity).max(1);
        merge_metadata(&mut item.metadata, metadata)
    }
}

pub(super) fn cancellation_details(
    params: &mut Params,
) -> Result<(Option<String>, Option<String>), Refusal> {
    let mut group = params.group("cancellation_details")?;
    let (comment, feedback) = (group.text("comment")?, group.text("feedback")?);
    group.finish()?;
    let known = |word: &String| word.is_empty() || FEEDBACK.contains(&word.as_str());
    if feedback.as_ref().is_some_and(|word| !known(word)) {
        return Err(Refusal::choice("cancellation_details[feedback]", &FEEDBACK));
    }
    Ok((comment, feedback))
}

fn cleared_or_number(params: &mut Params, key: &str) -> Result<Wish<i64>, Refusal> {
    if params.clone().text(key)?.as_deref() == Some("") {
        params.ignore(&[key]);
        return Ok(Wish::Clear);
    }
    Ok(params.number(key)?.map_or(Wish::Leave, Wish::Set))
}

fn pausing(params: &mut Params) -> Result<Wish<Pause>, Refusal> {
    if let Ok(Some(text)) = params.clone().text("pause_collection")
        && text.is_empty()
    {
        params.ignore(&["pause_collection"]);
        return Ok(Wish::Clear);
    }
    let mut group = params.group("pause_collection")?;
    if group.is_empty() {
        return Ok(Wish::Leave);
    }
    let word = group.required("behavior")?;
    let resumes_at = group.number("resumes_at")?;
    group.finish()?;
    let behavior = match word.as_str() {
        "keep_as_draft" => Pausing::KeepAsDraft,
        "mark_uncollectible" => Pausing::MarkUncollectible,
        "void" => Pausing::Void,
        _ => {
            return Err(Refusal::choice(
                "pause_collection[behavior]",
                &["keep_as_draft", "mark_uncollectible", "void"],
            ));
        }
    };
    Ok(Wish::Set(Pause {
        behavior,
        resumes_at,
    }))
}

fn anchor_now(params: &mut Params) -> Result<bool, Refusal> {
    match params.text("billing_cycle_anchor")?.as_deref() {
        None | Some("unchanged") => Ok(false),
        Some("now") => Ok(true),
        Some(_) => Err(Refusal::choice(
            "billing_cycle_anchor",
            &["now", "unchanged"],
        )),
    }
}
