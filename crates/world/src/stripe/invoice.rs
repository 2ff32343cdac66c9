//! Invoices: how one is made for a period, and how it is paid or not. How it looks is in `shown`.

mod shown;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::State;
use super::books::Books;
use super::card::{Decline, Instrument, Way};
use super::due::Due;
use super::event::EventKind;
use super::form::{Metadata, Params};
use super::list::Object;
use super::payment::{Charge, Payment, Progress};
use super::refusal::Refusal;
use super::subscription::{Ending, Status, Subscription};
use crate::history::{Change, Kind};

pub(crate) use shown::InvoicePayment;

const DAY: i64 = 24 * 3_600;
/// Seconds until a debit arrives or comes back, for the quick and the slow test accounts.
const QUICK_DEBIT: i64 = 5;
const SLOW_DEBIT: i64 = 180;
/// Days from one failed attempt to the next; after the last the subscription ends, as Stripe does by default.
pub(crate) const RETRY_DAYS: [i64; 3] = [3, 5, 7];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Open,
    Paid,
    Void,
}

impl Standing {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Void => "void",
        }
    }
}

/// Why an invoice was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Because {
    SubscriptionCreate,
    SubscriptionCycle,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    id: String,
    amount: i64,
    price: String,
    product: String,
    quantity: i64,
    description: String,
    item: String,
}

impl Line {
    pub(crate) fn amount(&self) -> i64 {
        self.amount
    }

    pub(crate) fn quantity(&self) -> i64 {
        self.quantity
    }

    pub(crate) fn product_name(&self, state: &State) -> String {
        let product = state.products.get(&self.product);
        product.map_or_else(|| self.price.clone(), |product| product.name.clone())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Invoice {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) number: String,
    pub(crate) customer: String,
    pub(crate) subscription: String,
    /// The subscription's metadata when the invoice was made.
    pub(crate) metadata: Metadata,
    pub(crate) because: Because,
    pub(crate) lines: Vec<Line>,
    pub(crate) currency: String,
    pub(crate) total: i64,
    pub(crate) standing: Standing,
    pub(crate) attempts: u32,
    pub(crate) next_attempt: Option<i64>,
    /// The payment that is to pay it; the same one over all attempts.
    pub(crate) payment: Option<String>,
    pub(crate) paid_at: Option<i64>,
    pub(crate) period_start: i64,
    pub(crate) period_end: i64,
}

/// How an attempt to pay can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    Paid,
    Failed(Decline),
    Asks,
    Processing,
}

/// What an instrument does at once. `asked` says that the customer has just agreed to it with the bank.
pub(crate) fn attempt(instrument: &Instrument, card_fails: bool, asked: bool) -> Attempt {
    if card_fails {
        return Attempt::Failed(Decline::Generic);
    }
    match instrument.way {
        Way::CardPays => Attempt::Paid,
        Way::CardDeclined(decline) => Attempt::Failed(decline),
        Way::CardAsks if asked => Attempt::Paid,
        Way::CardAsks => Attempt::Asks,
        Way::Debit { .. } => Attempt::Processing,
    }
}

impl Books<'_> {
    /// The invoice for the subscription's current period, open and not yet paid.
    pub(crate) fn new_invoice(&mut self, subscription: &Subscription, because: Because) -> Invoice {
        let free = subscription.status == Status::Trialing;
        let lines = self.lines(subscription, free);
        let currency = subscription
            .items
            .first()
            .and_then(|item| self.state.prices.get(&item.price))
            .map_or_else(|| "eur".to_owned(), |price| price.currency.clone());
        let invoice = Invoice {
            id: self.id("in"),
            created: self.at,
            number: self.next_number(&subscription.customer),
            customer: subscription.customer.clone(),
            subscription: subscription.id.clone(),
            metadata: subscription.metadata.clone(),
            because,
            total: lines.iter().map(|line| line.amount).sum(),
            lines,
            currency,
            standing: Standing::Open,
            attempts: 0,
            next_attempt: None,
            payment: None,
            paid_at: None,
            period_start: subscription.period_start,
            period_end: subscription.period_end,
        };
        self.keep_invoice(&invoice, Change::Created);
        self.tell(EventKind::InvoiceCreated, &invoice);
        self.tell(EventKind::InvoiceFinalized, &invoice);
        invoice
    }

    fn lines(&mut self, subscription: &Subscription, free: bool) -> Vec<Line> {
        let mut lines = Vec::with_capacity(subscription.items.len());
        for item in &subscription.items {
            let id = self.id("il");
            let Some(price) = self.state.prices.get(&item.price) else {
                continue;
            };
            let product = self.state.products.get(&price.product);
            let name = product.map_or("", |product| product.name.as_str());
            let amount = price.unit_amount.saturating_mul(item.quantity);
            lines.push(Line {
                id,
                amount: if free { 0 } else { amount },
                price: price.id.clone(),
                product: price.product.clone(),
                quantity: item.quantity,
                description: price.described(name, item.quantity),
                item: item.id.clone(),
            });
        }
        lines
    }

    fn next_number(&mut self, customer: &str) -> String {
        match self.state.customers.get_mut(&customer.to_owned()) {
            Some(customer) => {
                let number = customer.next_invoice;
                customer.next_invoice += 1;
                format!("{}-{number:04}", customer.invoice_prefix())
            }
            None => String::new(),
        }
    }

    pub(crate) fn keep_invoice(&mut self, invoice: &Invoice, change: Change) {
        self.state
            .invoices
            .insert(invoice.id.clone(), invoice.clone());
        self.note(Kind::Invoice, &invoice.id, change, &invoice.metadata);
    }

    /// One attempt to pay an invoice, with everything that follows for it. Nothing to pay counts as paid.
    pub(crate) fn attempt_payment(
        &mut self,
        invoice: &mut Invoice,
        instrument: &Instrument,
        outcome: Attempt,
    ) {
        invoice.attempts += 1;
        if invoice.total == 0 {
            return self.mark_paid(invoice);
        }
        let payment = self.payment_for(invoice, instrument, outcome);
        match outcome {
            Attempt::Paid => {
                self.tell(EventKind::PaymentSucceeded, &payment);
                self.tell(EventKind::ChargeSucceeded, &Charge(&payment));
                self.mark_paid(invoice);
            }
            Attempt::Processing => {
                self.tell(EventKind::PaymentProcessing, &payment);
                self.keep_invoice(invoice, Change::Changed("processing".to_owned()));
            }
            Attempt::Failed(_) => {
                self.tell(EventKind::PaymentFailed, &payment);
                self.keep_invoice(invoice, Change::Changed("payment failed".to_owned()));
                self.tell(EventKind::InvoicePaymentFailed, invoice);
            }
            Attempt::Asks => {
                self.tell(EventKind::PaymentRequiresAction, &payment);
                self.keep_invoice(invoice, Change::Changed("action required".to_owned()));
                self.tell(EventKind::InvoiceActionRequired, invoice);
                self.tell(EventKind::InvoicePaymentFailed, invoice);
            }
        }
    }

    fn payment_for(
        &mut self,
        invoice: &mut Invoice,
        instrument: &Instrument,
        outcome: Attempt,
    ) -> Payment {
        let id = match &invoice.payment {
            Some(id) => id.clone(),
            None => self.id("pi"),
        };
        invoice.payment = Some(id.clone());
        let created = self
            .state
            .payments
            .get(&id)
            .map_or(self.at, |payment| payment.created);
        let (progress, charged) = match outcome {
            Attempt::Paid => (Progress::Succeeded, true),
            Attempt::Processing => (Progress::Processing, true),
            Attempt::Failed(decline) => (Progress::Failed(decline), true),
            Attempt::Asks => (Progress::Asks, false),
        };
        let payment = Payment {
            charge: charged.then(|| self.id("ch")),
            id,
            created,
            customer: invoice.customer.clone(),
            invoice: invoice.id.clone(),
            amount: invoice.total,
            currency: invoice.currency.clone(),
            progress,
            instrument: instrument.clone(),
            refunded: 0,
        };
        self.keep_payment(&payment);
        payment
    }

    fn keep_payment(&mut self, payment: &Payment) {
        let before = self
            .state
            .payments
            .insert(payment.id.clone(), payment.clone());
        let change = match before {
            None => Change::Created,
            Some(_) => Change::Changed(format!("{:?}", payment.progress).to_lowercase()),
        };
        self.note(Kind::Payment, &payment.id, change, &Metadata::new());
    }

    fn mark_paid(&mut self, invoice: &mut Invoice) {
        invoice.standing = Standing::Paid;
        invoice.paid_at = Some(self.at);
        invoice.next_attempt = None;
        self.keep_invoice(invoice, Change::Changed("paid".to_owned()));
        self.tell(EventKind::InvoicePaid, invoice);
        self.tell(EventKind::InvoicePaymentSucceeded, invoice);
    }

    /// A debit that was under way has arrived, or has come back.
    pub(crate) fn settle_debit(&mut self, invoice: &mut Invoice, arrived: bool) {
        let payment = invoice
            .payment
            .as_ref()
            .and_then(|id| self.state.payments.get(id));
        let Some(mut payment) = payment.cloned() else {
            return;
        };
        if arrived {
            payment.progress = Progress::Succeeded;
            self.keep_payment(&payment);
            self.tell(EventKind::PaymentSucceeded, &payment);
            self.tell(EventKind::ChargeSucceeded, &Charge(&payment));
            self.mark_paid(invoice);
        } else {
            payment.progress = Progress::Failed(Decline::InsufficientFunds);
            self.keep_payment(&payment);
            self.tell(EventKind::PaymentFailed, &payment);
            self.keep_invoice(invoice, Change::Changed("payment failed".to_owned()));
            self.tell(EventKind::InvoicePaymentFailed, invoice);
        }
    }

    /// Plans the next attempt after a failed one, or ends the subscription after the last.
    pub(crate) fn plan_retry(&mut self, invoice: &mut Invoice) -> Result<(), Refusal> {
        let failed = usize::try_from(invoice.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let ended = self
            .state
            .subscription(&invoice.subscription, None)?
            .has_ended();
        let Some(days) = RETRY_DAYS.get(failed).filter(|_| !ended) else {
            invoice.next_attempt = None;
            self.keep_invoice(invoice, Change::Changed("given up".to_owned()));
            return if ended {
                Ok(())
            } else {
                self.end_subscription(&invoice.subscription, Ending::PaymentFailed)
            };
        };
        let at = self.at + days * DAY;
        invoice.next_attempt = Some(at);
        self.keep_invoice(invoice, Change::Changed("retry planned".to_owned()));
        self.state.agenda.plan(at, &Due::Retry(invoice.id.clone()));
        Ok(())
    }

    /// An attempt with what the subscription is paid with, and what follows for the subscription.
    pub(crate) fn collect(&mut self, invoice: &str) -> Result<Attempt, Refusal> {
        let mut invoice = self.state.invoice(invoice, None)?.clone();
        let subscription = self.state.subscription(&invoice.subscription, None)?;
        let instrument = subscription.instrument.clone();
        let outcome = if invoice.total == 0 {
            Attempt::Paid
        } else {
            attempt(&instrument, subscription.card_fails, false)
        };
        self.attempt_payment(&mut invoice, &instrument, outcome);
        self.follow_payment(&mut invoice, &instrument, outcome)?;
        Ok(outcome)
    }

    /// What an attempt means for the subscription: paid makes it active, failed makes it past due. An ended one stays ended.
    pub(crate) fn follow_payment(
        &mut self,
        invoice: &mut Invoice,
        instrument: &Instrument,
        outcome: Attempt,
    ) -> Result<(), Refusal> {
        match (outcome, instrument.way) {
            (Attempt::Paid, _) => self.set_standing(&invoice.subscription, Status::Active),
            (Attempt::Processing, Way::Debit { arrives, slow }) => {
                let at = self.at + if slow { SLOW_DEBIT } else { QUICK_DEBIT };
                let invoice = invoice.id.clone();
                self.state
                    .agenda
                    .plan(at, &Due::Settles { invoice, arrives });
                Ok(())
            }
            (Attempt::Processing, Way::CardPays | Way::CardDeclined(_) | Way::CardAsks) => Ok(()),
            (Attempt::Failed(_) | Attempt::Asks, _) => {
                self.set_standing(&invoice.subscription, Status::PastDue)?;
                self.plan_retry(invoice)
            }
        }
    }

    fn set_standing(&mut self, subscription: &str, status: Status) -> Result<(), Refusal> {
        let mut subscription = self.state.subscription(subscription, None)?.clone();
        let stays = subscription.status == status || subscription.has_ended();
        if !stays && subscription.status != Status::Trialing {
            subscription.status = status;
            self.keep_subscription(&subscription, status.word());
        }
        Ok(())
    }

    /// `POST /v1/invoices/{id}/pay`: an attempt with what the subscription is paid with.
    pub(crate) fn pay_invoice(&mut self, id: &str, params: Params) -> Result<Value, Refusal> {
        params.finish()?;
        let invoice = self.state.invoice(id, None)?;
        if invoice.standing != Standing::Open {
            return Err(Refusal::State(format!(
                "Invoice is already {}",
                invoice.standing.word()
            )));
        }
        match self.collect(id)? {
            Attempt::Failed(decline) => Err(Refusal::Declined {
                code: decline.code(),
            }),
            Attempt::Asks => Err(Refusal::Declined {
                code: "authentication_required",
            }),
            Attempt::Paid | Attempt::Processing => {
                Ok(self.state.invoice(id, None)?.shown(self.state))
            }
        }
    }

    /// `POST /v1/invoices/{id}/void`.
    pub(crate) fn void_invoice(&mut self, id: &str, params: Params) -> Result<Value, Refusal> {
        params.finish()?;
        let mut invoice = self.state.invoice(id, None)?.clone();
        if invoice.standing != Standing::Open {
            return Err(Refusal::State(format!(
                "You can only void an open invoice; this one is {}.",
                invoice.standing.word()
            )));
        }
        invoice.standing = Standing::Void;
        invoice.next_attempt = None;
        self.keep_invoice(&invoice, Change::Changed("voided".to_owned()));
        self.tell(EventKind::InvoiceVoided, &invoice);
        Ok(invoice.shown(self.state))
    }
}

impl State {
    pub(crate) fn invoice(
        &self,
        id: &str,
        param: Option<&'static str>,
    ) -> Result<&Invoice, Refusal> {
        self.invoices
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: Invoice::NAME,
                id: id.to_owned(),
                param,
            })
    }
}
