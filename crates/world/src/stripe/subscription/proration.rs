//! What a change in the middle of a period costs or gives back, to the second, and where that waits until it is invoiced.
//!
//! Source: Stripe's page on prorations.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Item, Subscription};
use crate::stripe::State;
use crate::stripe::books::Books;
use crate::stripe::catalog::{Interval, Price};
use crate::stripe::event::EventKind;
use crate::stripe::form::Params;
use crate::stripe::invoice::Line;
use crate::stripe::list::Object;
use crate::stripe::refusal::Refusal;

/// What is done about the rest of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prorating {
    /// It waits for the next invoice.
    Next,
    /// It is invoiced at once.
    Invoice,
    Nothing,
}

impl Prorating {
    pub(super) fn take(params: &mut Params) -> Result<Self, Refusal> {
        match params.text("proration_behavior")?.as_deref() {
            None | Some("create_prorations") => Ok(Self::Next),
            Some("always_invoice") => Ok(Self::Invoice),
            Some("none") => Ok(Self::Nothing),
            Some(_) => Err(Refusal::choice(
                "proration_behavior",
                &["always_invoice", "create_prorations", "none"],
            )),
        }
    }
}

/// An amount that waits for an invoice; Stripe calls it an invoice item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settlement {
    pub(crate) id: String,
    created: i64,
    pub(crate) customer: String,
    pub(crate) subscription: String,
    currency: String,
    pub(crate) line: Line,
    /// The invoice it is on by now.
    pub(crate) invoice: Option<String>,
}

impl Object for Settlement {
    const NAME: &'static str = "invoiceitem";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, state: &State) -> Value {
        let line = &self.line;
        let customer = state.customers.get(&self.customer);
        json!({
            "id": self.id,
            "object": Self::NAME,
            "amount": line.amount,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "date": self.created,
            "description": line.description,
            "discountable": false,
            "discounts": [],
            "invoice": self.invoice,
            "livemode": false,
            "metadata": {},
            "net_amount": line.amount,
            "parent": {
                "type": "subscription_details",
                "subscription_details": { "subscription": self.subscription, "subscription_item": line.item },
            },
            "period": { "start": line.start, "end": line.end },
            "pricing": {
                "type": "price_details",
                "price_details": { "price": line.price, "product": line.product },
                "unit_amount_decimal": (line.amount / line.quantity.max(1)).to_string(),
            },
            "proration": true,
            "proration_details": { "discount_amounts": [] },
            "quantity": line.quantity,
            "quantity_decimal": line.quantity.to_string(),
            "tax_rates": [],
            "test_clock": customer.and_then(|customer| customer.test_clock.clone()),
        })
    }
}

impl Books<'_> {
    /// Enters what a change gives back and costs for the rest of the period. A new period is charged as a whole, so then
    /// only the rest of the old one is given back.
    pub(super) fn settle_difference(
        &mut self,
        before: &Subscription,
        after: &Subscription,
        begins_anew: bool,
    ) {
        if before.trial_end.is_some_and(|end| end >= self.at) {
            return;
        }
        let lines = self.state.difference(before, after, begins_anew, self.at);
        self.enter(before, lines);
    }

    /// Enters what is given back for the rest of the period of a subscription that ends.
    pub(super) fn settle_rest(&mut self, subscription: &Subscription) {
        let none = Subscription {
            items: Vec::new(),
            ..subscription.clone()
        };
        let lines = self.state.difference(subscription, &none, true, self.at);
        self.enter(subscription, lines);
    }

    fn enter(&mut self, subscription: &Subscription, lines: Vec<Line>) {
        for line in lines {
            let item = Settlement {
                id: self.id("ii"),
                created: self.at,
                customer: subscription.customer.clone(),
                subscription: subscription.id.clone(),
                currency: self.state.currency_of(subscription),
                line,
                invoice: None,
            };
            self.state.items.insert(item.id.clone(), item.clone());
            self.tell(EventKind::ItemCreated, &item);
        }
    }

    /// Invoices what waits to be settled now, if anything does.
    pub(super) fn invoice_settlement(
        &mut self,
        subscription: &Subscription,
    ) -> Result<(), Refusal> {
        let waits =
            |item: &Settlement| item.subscription == subscription.id && item.invoice.is_none();
        if !self.state.items.values().any(waits) {
            return Ok(());
        }
        let invoice = self.draw_up_settlement(subscription);
        let of = self.state.subscriptions.get_mut(&subscription.id);
        if let Some(of) = of {
            of.latest_invoice = Some(invoice.id.clone());
        }
        self.finalize(&invoice.id)?;
        self.collect(&invoice.id)?;
        Ok(())
    }
}

impl State {
    /// How often a subscription is paid.
    pub(super) fn rhythm_of(&self, subscription: &Subscription) -> Option<(Interval, i64)> {
        let first = subscription.items.first()?;
        let price = self.prices.get(&first.price)?;
        Some((price.interval, price.interval_count))
    }

    /// The lines that make up for a change at `at`: old items given back, new ones charged, for the rest of the period.
    pub(crate) fn difference(
        &self,
        before: &Subscription,
        after: &Subscription,
        begins_anew: bool,
        at: i64,
    ) -> Vec<Line> {
        let kept = |item: &Item, others: &[Item]| {
            others.iter().any(|other| {
                (&other.id, &other.price, other.quantity) == (&item.id, &item.price, item.quantity)
            })
        };
        let given_back = before
            .items
            .iter()
            .filter(|item| begins_anew || !kept(item, &after.items))
            .filter_map(|item| self.rest(before, item, at, true));
        let charged = after
            .items
            .iter()
            .filter(|item| !begins_anew && !kept(item, &before.items))
            .filter_map(|item| self.rest(before, item, at, false));
        given_back.chain(charged).collect()
    }

    /// A line for the rest of the period of one item.
    fn rest(&self, of: &Subscription, item: &Item, at: i64, back: bool) -> Option<Line> {
        let price = self.prices.get(&item.price)?;
        let name = self.products.get(&price.product)?.name.clone();
        let amount = share(price, item.quantity, of, at);
        let day = Timestamp::from_second(at).ok()?.strftime("%d %b %Y");
        let what = if back { "Unused" } else { "Remaining" };
        let many = if item.quantity == 1 {
            String::new()
        } else {
            format!("{} × ", item.quantity)
        };
        Some(Line {
            id: String::new(),
            amount: if back { -amount } else { amount },
            price: price.id.clone(),
            product: price.product.clone(),
            quantity: item.quantity,
            description: format!("{what} time on {many}{name} after {day}"),
            item: item.id.clone(),
            start: at,
            end: of.period_end,
            prorates: true,
            waited_as: None,
        })
    }
}

/// The part of a period's amount that is left at `at`, rounded to the nearest.
fn share(price: &Price, quantity: i64, of: &Subscription, at: i64) -> i64 {
    let whole = i128::from((of.period_end - of.period_start).max(1));
    let left = i128::from((of.period_end - at).clamp(0, of.period_end - of.period_start));
    let amount = i128::from(price.unit_amount) * i128::from(quantity);
    i64::try_from((2 * amount * left + whole) / (2 * whole)).unwrap_or(i64::MAX)
}
