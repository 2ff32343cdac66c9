//! How an invoice is drawn up: its lines, and how a draft becomes final.

use super::{Because, Invoice, Line, Standing};
use crate::history::Change;
use crate::stripe::State;
use crate::stripe::books::Books;
use crate::stripe::due::Due;
use crate::stripe::event::EventKind;
use crate::stripe::refusal::Refusal;
use crate::stripe::subscription::{Pausing, Status, Subscription};

/// A renewal's invoice stays a draft for about an hour, so that it can still be changed.
/// Source: Stripe's page on the life of a subscription invoice.
const DRAFT_SECONDS: i64 = 3_600;

impl Books<'_> {
    /// A draft of the invoice for the subscription's current period, with what earlier changes left to settle.
    pub(crate) fn draw_up(&mut self, subscription: &Subscription, because: Because) -> Invoice {
        let mut lines = self.state.settled_lines(subscription);
        for line in &mut lines {
            line.id = self.id("il");
        }
        for mut line in self.state.period_lines(subscription) {
            line.id = self.id("il");
            lines.push(line);
        }
        self.draft(subscription, because, lines)
    }

    /// A draft with what earlier changes left to settle and nothing else.
    pub(crate) fn draw_up_settlement(&mut self, subscription: &Subscription) -> Invoice {
        let mut lines = self.state.settled_lines(subscription);
        for line in &mut lines {
            line.id = self.id("il");
        }
        self.draft(subscription, Because::SubscriptionUpdate, lines)
    }

    fn draft(
        &mut self,
        subscription: &Subscription,
        because: Because,
        lines: Vec<Line>,
    ) -> Invoice {
        let id = self.id("in");
        for item in lines.iter().filter_map(|line| line.waited_as.clone()) {
            if let Some(item) = self.state.items.get_mut(&item) {
                item.invoice = Some(id.clone());
            }
        }
        let invoice = self
            .state
            .compose(subscription, because, id, lines, self.at);
        self.keep_invoice(&invoice, Change::Created);
        self.tell(EventKind::InvoiceCreated, &invoice);
        invoice
    }

    /// Lets a renewal's invoice wait as a draft.
    pub(crate) fn leave_as_draft(&mut self, id: &str) {
        let at = self.at + DRAFT_SECONDS;
        if let Some(invoice) = self.state.invoices.get_mut(&id.to_owned()) {
            invoice.finalizes_at = Some(at);
        }
        self.plan(at, &Due::Finalizes(id.to_owned()));
    }

    /// What becomes of a draft when its hour is over.
    pub(crate) fn finish_draft(&mut self, id: &str) -> Result<(), Refusal> {
        let invoice = self.state.invoice(id, None)?.clone();
        if invoice.standing != Standing::Draft {
            return Ok(());
        }
        self.live_by(&invoice.customer);
        let subscription = self.state.subscription(&invoice.subscription, None)?;
        match subscription.pausing.as_ref().map(|pause| pause.behavior) {
            None => {
                self.finalize(id)?;
                self.collect(id).map(|_| ())
            }
            Some(Pausing::KeepAsDraft) => Ok(()),
            Some(Pausing::Void) => {
                self.finalize(id)?;
                self.void(id).map(|_| ())
            }
            Some(Pausing::MarkUncollectible) => {
                self.finalize(id)?;
                self.give_up(id).map(|_| ())
            }
        }
    }

    /// A draft gets its number, and the customer's credit is set against it.
    pub(crate) fn finalize(&mut self, id: &str) -> Result<Invoice, Refusal> {
        let mut invoice = self.state.invoice(id, None)?.clone();
        if let Some(customer) = self.state.customers.get_mut(&invoice.customer) {
            let number = customer.next_invoice;
            customer.next_invoice += 1;
            invoice.number = Some(format!("{}-{number:04}", customer.invoice_prefix()));
            customer.balance = after(invoice.total, customer.balance);
            invoice.ending_balance = Some(customer.balance);
        }
        invoice.standing = Standing::Open;
        invoice.finalizes_at = None;
        invoice.finalized_at = Some(self.at);
        self.keep_invoice(&invoice, Change::Changed("finalized".to_owned()));
        self.tell(EventKind::InvoiceFinalized, &invoice);
        Ok(invoice)
    }
}

/// A customer's balance after an invoice of this total. Credit is below zero; a total below zero adds to it.
fn after(total: i64, balance: i64) -> i64 {
    if total < 0 {
        balance + total
    } else {
        (balance + total).min(0).max(balance)
    }
}

impl State {
    /// An invoice as a draft that nobody has kept yet.
    pub(super) fn compose(
        &self,
        subscription: &Subscription,
        because: Because,
        id: String,
        lines: Vec<Line>,
        at: i64,
    ) -> Invoice {
        let total: i64 = lines.iter().map(|line| line.amount).sum();
        let customer = self.customers.get(&subscription.customer);
        let balance = customer.map_or(0, |customer| customer.balance);
        let used = balance - after(total, balance);
        Invoice {
            id,
            created: at,
            number: None,
            customer: subscription.customer.clone(),
            subscription: subscription.id.clone(),
            metadata: subscription.metadata.clone(),
            own_metadata: crate::stripe::form::Metadata::new(),
            because,
            currency: self.currency_of(subscription),
            total,
            due: if total < 0 { 0 } else { total + used },
            starting_balance: balance,
            ending_balance: None,
            lines,
            standing: Standing::Draft,
            attempts: 0,
            next_attempt: None,
            finalizes_at: None,
            payment: None,
            finalized_at: None,
            paid_at: None,
            voided_at: None,
            given_up_at: None,
            period_start: subscription.period_start,
            period_end: subscription.period_end,
        }
    }

    pub(crate) fn currency_of(&self, subscription: &Subscription) -> String {
        subscription
            .items
            .first()
            .and_then(|item| self.prices.get(&item.price))
            .map_or_else(|| "eur".to_owned(), |price| price.currency.clone())
    }

    /// One line for each item of a subscription and its current period. A trial costs nothing.
    pub(super) fn period_lines(&self, subscription: &Subscription) -> Vec<Line> {
        let free = subscription.status == Status::Trialing;
        let mut lines = Vec::with_capacity(subscription.items.len());
        for item in &subscription.items {
            let Some(price) = self.prices.get(&item.price) else {
                continue;
            };
            let product = self.products.get(&price.product);
            let name = product.map_or("", |product| product.name.as_str());
            let amount = price.unit_amount.saturating_mul(item.quantity);
            let described = if free {
                format!("Free trial for {} × {name}", item.quantity)
            } else {
                price.described(name, item.quantity)
            };
            lines.push(Line {
                id: String::new(),
                amount: if free { 0 } else { amount },
                price: price.id.clone(),
                product: price.product.clone(),
                quantity: item.quantity,
                description: described,
                item: item.id.clone(),
                start: subscription.period_start,
                end: subscription.period_end,
                prorates: false,
                waited_as: None,
            });
        }
        lines
    }

    /// What earlier changes of a subscription left to settle.
    pub(super) fn settled_lines(&self, subscription: &Subscription) -> Vec<Line> {
        self.items
            .values()
            .filter(|item| item.subscription == subscription.id && item.invoice.is_none())
            .map(|item| Line {
                id: String::new(),
                waited_as: Some(item.id.clone()),
                ..item.line.clone()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn credit_is_used_up_before_anything_is_paid_and_grows_with_what_is_owed_back() {
        assert_eq!(after(1_900, 0), 0);
        assert_eq!(after(1_900, -500), 0);
        assert_eq!(after(300, -500), -200);
        assert_eq!(after(-700, -500), -1_200);
        assert_eq!(after(0, -500), -500);
    }
}
