//! How an invoice is paid or not: attempts, debits that take their time, retries, and what follows for the subscription.

use super::{Because, Invoice, Standing};
use crate::history::{Change, Kind};
use crate::stripe::books::Books;
use crate::stripe::card::{Decline, Instrument, Way};
use crate::stripe::due::Due;
use crate::stripe::event::EventKind;
use crate::stripe::form::Metadata;
use crate::stripe::payment::{Charge, Payment, Progress};
use crate::stripe::refusal::Refusal;
use crate::stripe::subscription::{Ending, Status};

const DAY: i64 = 24 * 3_600;
/// Seconds until a debit arrives or comes back, for the quick and the slow test accounts.
const QUICK_DEBIT: i64 = 5;
const SLOW_DEBIT: i64 = 180;
/// Days from one failed attempt to the next; after the last the subscription ends, as Stripe does by default.
const RETRY_DAYS: [i64; 3] = [3, 5, 7];

/// How an attempt to pay can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    Paid,
    Failed(Decline),
    /// There is nothing to pay with.
    Unable,
    Asks,
    Processing,
}

impl Attempt {
    /// What a request that asked for the attempt is told, unless it is good enough.
    pub(crate) fn refusal(self, payment: Option<serde_json::Value>) -> Option<Refusal> {
        let declined = |decline| Refusal::Declined {
            decline,
            payment: payment.map(Box::new),
        };
        match self {
            Self::Paid | Self::Processing => None,
            Self::Failed(decline) => Some(declined(decline)),
            Self::Asks => Some(Refusal::Coded {
                code: "invoice_payment_intent_requires_action",
                message: "This payment requires additional user action before it can be completed successfully."
                    .to_owned(),
            }),
            Self::Unable => Some(Refusal::Coded {
                code: "resource_missing",
                message: "This customer has no attached payment source or default payment method. Please \
                          consider adding a default payment method."
                    .to_owned(),
            }),
        }
    }
}

/// What an instrument does at once. `asked` says that the customer has just agreed to it with the bank.
pub(crate) fn attempt(instrument: Option<&Instrument>, card_fails: bool, asked: bool) -> Attempt {
    let Some(instrument) = instrument else {
        return Attempt::Unable;
    };
    if card_fails {
        return Attempt::Failed(Decline::Generic);
    }
    match instrument.way {
        Way::CardPays | Way::CardDisputes => Attempt::Paid,
        Way::CardDeclined(decline) => Attempt::Failed(decline),
        Way::CardFailsLater => Attempt::Failed(Decline::Generic),
        Way::CardAsks if asked => Attempt::Paid,
        Way::CardAsks => Attempt::Asks,
        Way::Debit { .. } => Attempt::Processing,
    }
}

impl Books<'_> {
    /// One attempt to pay an invoice, with everything that follows for it. Nothing to pay counts as paid.
    pub(crate) fn attempt_payment(
        &mut self,
        invoice: &mut Invoice,
        instrument: Option<&Instrument>,
        outcome: Attempt,
    ) {
        invoice.attempts += 1;
        if invoice.due == 0 {
            return self.mark_paid(invoice);
        }
        let payment = self.payment_for(invoice, instrument, outcome);
        match outcome {
            Attempt::Paid => self.receive(invoice, &payment),
            Attempt::Processing => {
                self.tell(EventKind::PaymentProcessing, &payment);
                self.keep_invoice(invoice, Change::Changed("processing".to_owned()));
            }
            Attempt::Failed(_) => {
                self.tell(EventKind::PaymentFailed, &payment);
                self.tell(EventKind::ChargeFailed, &Charge(&payment));
                self.keep_invoice(invoice, Change::Changed("payment failed".to_owned()));
                self.tell(EventKind::InvoicePaymentFailed, invoice);
            }
            Attempt::Unable => {
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

    /// The payment of an invoice before anybody tried it.
    pub(crate) fn await_payment(&mut self, invoice: &mut Invoice) {
        let payment = self.payment_for(invoice, None, Attempt::Unable);
        self.tell(EventKind::PaymentCreated, &payment);
        self.keep_invoice(invoice, Change::Changed("awaits payment".to_owned()));
    }

    fn receive(&mut self, invoice: &mut Invoice, payment: &Payment) {
        self.tell(EventKind::PaymentSucceeded, payment);
        self.tell(EventKind::ChargeSucceeded, &Charge(payment));
        self.mark_paid(invoice);
        let disputes = |instrument: &Instrument| instrument.way == Way::CardDisputes;
        if payment.instrument.as_ref().is_some_and(disputes) {
            self.open_dispute(payment);
        }
    }

    fn payment_for(
        &mut self,
        invoice: &mut Invoice,
        instrument: Option<&Instrument>,
        outcome: Attempt,
    ) -> Payment {
        let id = match &invoice.payment {
            Some(id) => id.clone(),
            None => self.id("pi"),
        };
        invoice.payment = Some(id.clone());
        let (progress, charged) = match outcome {
            Attempt::Paid => (Progress::Succeeded, true),
            Attempt::Processing => (Progress::Processing, true),
            Attempt::Failed(decline) => (Progress::Failed(decline), true),
            Attempt::Unable => (Progress::Waits, false),
            Attempt::Asks => (Progress::Asks, false),
        };
        let before = self.state.payments.get(&id);
        let payment = Payment {
            created: before.map_or(self.now, |payment| payment.created),
            charge: charged.then(|| self.id("ch")),
            id,
            customer: invoice.customer.clone(),
            invoice: invoice.id.clone(),
            amount: invoice.due,
            currency: invoice.currency.clone(),
            progress,
            instrument: instrument.cloned(),
            method: instrument.and_then(|used| self.state.method_with(&invoice.customer, used)),
            refunded: 0,
            disputed: false,
        };
        self.keep_payment(&payment);
        payment
    }

    pub(crate) fn keep_payment(&mut self, payment: &Payment) {
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

    pub(super) fn mark_paid(&mut self, invoice: &mut Invoice) {
        invoice.standing = Standing::Paid;
        invoice.paid_at = Some(self.at);
        invoice.next_attempt = None;
        self.keep_invoice(invoice, Change::Changed("paid".to_owned()));
        self.tell(EventKind::InvoicePaid, invoice);
        self.tell(EventKind::InvoicePaymentSucceeded, invoice);
    }

    /// A debit that was under way has arrived, or has come back. Gives what was debited.
    pub(crate) fn settle_debit(
        &mut self,
        invoice: &mut Invoice,
        arrived: bool,
    ) -> Option<Instrument> {
        let payment = self.state.payments.get(invoice.payment.as_ref()?);
        let mut payment = payment.cloned()?;
        if arrived {
            payment.progress = Progress::Succeeded;
            self.keep_payment(&payment);
            self.receive(invoice, &payment);
        } else {
            payment.progress = Progress::Failed(Decline::InsufficientFunds);
            self.keep_payment(&payment);
            self.tell(EventKind::PaymentFailed, &payment);
            self.tell(EventKind::ChargeFailed, &Charge(&payment));
            self.keep_invoice(invoice, Change::Changed("payment failed".to_owned()));
            self.tell(EventKind::InvoicePaymentFailed, invoice);
        }
        payment.instrument
    }

    /// Plans the next attempt after a failed one, or ends the subscription after the last.
    fn plan_retry(&mut self, invoice: &mut Invoice) -> Result<(), Refusal> {
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
        self.tell(EventKind::InvoiceUpdated, invoice);
        self.plan(at, &Due::Retry(invoice.id.clone()));
        Ok(())
    }

    /// An attempt with what the subscription is paid with, and what follows for the subscription.
    pub(crate) fn collect(&mut self, invoice: &str) -> Result<Attempt, Refusal> {
        let of = &self.state.invoice(invoice, None)?.subscription;
        let instrument = self.state.instrument_of(self.state.subscription(of, None)?);
        self.collect_with(invoice, instrument.as_ref())
    }

    /// As [`Books::collect`], with another instrument.
    pub(crate) fn collect_with(
        &mut self,
        invoice: &str,
        instrument: Option<&Instrument>,
    ) -> Result<Attempt, Refusal> {
        let mut invoice = self.state.invoice(invoice, None)?.clone();
        let subscription = self.state.subscription(&invoice.subscription, None)?;
        let outcome = if invoice.due == 0 {
            Attempt::Paid
        } else {
            attempt(instrument, subscription.card_fails, false)
        };
        self.attempt_payment(&mut invoice, instrument, outcome);
        self.follow_payment(&mut invoice, instrument, outcome)?;
        Ok(outcome)
    }

    /// What an attempt means for the subscription: paid makes it active, failed makes it past due. An ended one stays ended.
    pub(crate) fn follow_payment(
        &mut self,
        invoice: &mut Invoice,
        instrument: Option<&Instrument>,
        outcome: Attempt,
    ) -> Result<(), Refusal> {
        match outcome {
            Attempt::Paid => self.set_standing(&invoice.subscription, Status::Active),
            Attempt::Processing => {
                if let Some(Way::Debit { arrives, slow }) = instrument.map(|it| it.way) {
                    let at = self.now + if slow { SLOW_DEBIT } else { QUICK_DEBIT };
                    let invoice = invoice.id.clone();
                    // Money moves by the account's clock, whatever the customer lives by.
                    let due = Due::Settles { invoice, arrives };
                    self.state.agenda.plan(None, at, &due);
                }
                Ok(())
            }
            Attempt::Failed(_) | Attempt::Unable | Attempt::Asks => {
                let status = self.state.subscription(&invoice.subscription, None)?.status;
                if status == Status::Incomplete {
                    return Ok(());
                }
                self.set_standing(&invoice.subscription, Status::PastDue)?;
                if invoice.because == Because::SubscriptionUpdate {
                    return Ok(());
                }
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
}
