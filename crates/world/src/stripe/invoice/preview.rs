//! What a subscription's next invoice would say: `POST /v1/invoices/create_preview`. Nothing is kept of it.

use serde_json::Value;

use super::{Because, Line};
use crate::stripe::State;
use crate::stripe::books::Books;
use crate::stripe::form::Params;
use crate::stripe::list::Object;
use crate::stripe::refusal::Refusal;
use crate::stripe::subscription::{Item, Subscription};

impl Books<'_> {
    pub(crate) fn preview_invoice(&mut self, mut params: Params) -> Result<Value, Refusal> {
        let customer = params.text("customer")?;
        let id = params.required("subscription")?;
        let mut details = params.group("subscription_details")?;
        params.finish()?;
        let changes = details.groups("items")?;
        let invoices_at_once = match details.text("proration_behavior")?.as_deref() {
            None | Some("create_prorations" | "none") => false,
            Some("always_invoice") => true,
            Some(_) => {
                return Err(Refusal::choice(
                    "subscription_details[proration_behavior]",
                    &["always_invoice", "create_prorations", "none"],
                ));
            }
        };
        let at = details.number("proration_date")?;
        details.finish()?;
        let before = self.state.subscription(&id, Some("subscription"))?.clone();
        if customer.is_some_and(|customer| customer != before.customer) || before.has_ended() {
            return Err(Refusal::Coded {
                code: "invoice_upcoming_none",
                message: format!("No upcoming invoices for customer: {}", before.customer),
            });
        }
        self.live_by(&before.customer);
        let mut after = before.clone();
        for change in changes {
            self.state.preview_change(&mut after, change)?;
        }
        let at = at.unwrap_or(self.at);
        let mut lines = self.state.settled_lines(&before);
        lines.extend(self.state.difference(&before, &after, false, at));
        if !invoices_at_once {
            after.periods += 1;
            after.period_start = after.period_end;
            after.period_end = self.period_end(&after)?;
            after.trial_end = None;
            after.status = crate::stripe::subscription::Status::Active;
            lines.extend(self.state.period_lines(&after));
        }
        Ok(self.shown_preview(&after, lines))
    }

    fn shown_preview(&self, subscription: &Subscription, mut lines: Vec<Line>) -> Value {
        for (number, line) in lines.iter_mut().enumerate() {
            line.id = format!("il_tmp_{number}");
        }
        let id = format!("upcoming_{}", subscription.id);
        let because = Because::Upcoming;
        let invoice = self
            .state
            .compose(subscription, because, id, lines, self.at);
        invoice.shown(self.state)
    }
}

impl State {
    /// As a request would change an item, without its id when it is new.
    fn preview_change(&self, after: &mut Subscription, mut change: Params) -> Result<(), Refusal> {
        let (id, price) = (change.text("id")?, change.text("price")?);
        let quantity = change.number("quantity")?;
        let deleted = change.flag("deleted")?.unwrap_or(false);
        change.finish()?;
        if let Some(price) = &price {
            self.price(price, Some("subscription_details[items][0][price]"))?;
        }
        let Some(id) = id else {
            after.items.push(Item {
                id: "si_tmp".to_owned(),
                price: price.ok_or_else(|| Refusal::Missing("price".to_owned()))?,
                quantity: quantity.unwrap_or(1),
                metadata: crate::stripe::form::Metadata::new(),
            });
            return Ok(());
        };
        if deleted {
            after.items.retain(|item| item.id != id);
            return Ok(());
        }
        let item = after.items.iter_mut().find(|item| item.id == id);
        let Some(item) = item else {
            return Err(Refusal::NoSuch {
                what: "subscription_item",
                id,
                param: Some("subscription_details[items][0][id]"),
            });
        };
        item.price = price.unwrap_or_else(|| item.price.clone());
        item.quantity = quantity.unwrap_or(item.quantity);
        Ok(())
    }
}
