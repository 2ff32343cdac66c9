//! Paying on the hosted page: what a customer's card or account does to a session, and what is then in the books.
//! How the page looks is decided in `page`.

use super::books::Books;
use super::card::{Decline, Instrument};
use super::customer::Newcomer;
use super::event::EventKind;
use super::form::Metadata;
use super::invoice::{Attempt, attempt};
use super::refusal::Refusal;
use super::session::{Money, Payer, Session, Stage};
use super::subscription::{Item, Start, Subscription};
use crate::history::Change;

const DAY: i64 = 24 * 3_600;

/// What the page has to show next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Go to the success URL.
    Done(String),
    /// Let the customer answer the bank.
    Confirm,
    /// Say why, and let the customer try again; nothing was bought.
    Declined(Decline),
    /// The session is not open any more.
    Closed,
}

impl Books<'_> {
    /// The customer presses "Subscribe".
    pub(crate) fn pay_session(
        &mut self,
        id: &str,
        payer: Payer,
        instrument: Instrument,
    ) -> Result<Next, Refusal> {
        let mut session = self.state.session(id)?.clone();
        if session.stage != Stage::Open {
            return Ok(Next::Closed);
        }
        session.payer = Some(payer);
        session.confirming = None;
        let outcome = attempt(Some(&instrument), false, false);
        match outcome {
            Attempt::Paid | Attempt::Processing => self.complete(session, &instrument, outcome),
            Attempt::Failed(decline) => {
                self.keep_session(&session, Change::Changed("declined".to_owned()));
                Ok(Next::Declined(decline))
            }
            Attempt::Unable => Ok(Next::Declined(Decline::Generic)),
            Attempt::Asks => {
                session.confirming = Some(instrument);
                self.keep_session(&session, Change::Changed("confirming".to_owned()));
                Ok(Next::Confirm)
            }
        }
    }

    /// The customer answers the bank's question.
    pub(crate) fn answer_bank(&mut self, id: &str, agreed: bool) -> Result<Next, Refusal> {
        let mut session = self.state.session(id)?.clone();
        if session.stage != Stage::Open {
            return Ok(Next::Closed);
        }
        let Some(instrument) = session.confirming.take() else {
            return Ok(Next::Declined(Decline::Generic));
        };
        if agreed {
            return self.complete(session, &instrument, Attempt::Paid);
        }
        self.keep_session(&session, Change::Changed("not confirmed".to_owned()));
        Ok(Next::Declined(Decline::NotConfirmed))
    }

    /// Everything that is in the books once a session is complete: customer, subscription, invoice, payment.
    fn complete(
        &mut self,
        mut session: Session,
        instrument: &Instrument,
        outcome: Attempt,
    ) -> Result<Next, Refusal> {
        let customer = self.customer_of(&mut session)?;
        let mut subscription = self.start_subscription(&session, customer, instrument)?;
        let mut invoice = self.enter_begun(&mut subscription)?;
        self.attempt_payment(&mut invoice, Some(instrument), outcome);
        let settled = invoice.due == 0 || outcome == Attempt::Paid;
        if !settled {
            self.follow_payment(&mut invoice, Some(instrument), outcome)?;
        }
        session.stage = Stage::Complete;
        session.money = match (invoice.due, settled) {
            (0, _) => Money::NoPaymentRequired,
            (_, true) => Money::Paid,
            (_, false) => Money::Unpaid,
        };
        session.subscription = Some(subscription.id);
        session.invoice = Some(invoice.id);
        self.keep_session(&session, Change::Changed("complete".to_owned()));
        self.tell(EventKind::SessionCompleted, &session);
        Ok(Next::Done(session.success_location()))
    }

    fn customer_of(&mut self, session: &mut Session) -> Result<String, Refusal> {
        if let Some(customer) = &session.customer {
            self.state.live_customer(customer, Some("customer"))?;
            return Ok(customer.clone());
        }
        let payer = session.payer.as_ref();
        let newcomer = Newcomer {
            email: payer.map(|payer| payer.email.clone()),
            name: payer.map(|payer| payer.name.clone()),
            ..Newcomer::default()
        };
        let customer = self.new_customer(newcomer).id;
        session.customer = Some(customer.clone());
        Ok(customer)
    }

    fn start_subscription(
        &mut self,
        session: &Session,
        customer: String,
        instrument: &Instrument,
    ) -> Result<Subscription, Refusal> {
        self.live_by(&customer);
        let mut items = Vec::with_capacity(session.lines.len());
        for line in &session.lines {
            items.push(Item {
                id: self.id("si"),
                price: line.price.clone(),
                quantity: line.quantity,
                metadata: Metadata::new(),
            });
        }
        let method = Some(self.saved(instrument.clone(), &customer));
        let trial_end = (session.trial_days > 0).then(|| self.at + session.trial_days * DAY);
        self.started(Start {
            customer,
            items,
            metadata: session.subscription_metadata.clone(),
            description: session.subscription_description.clone(),
            method,
            trial_end,
        })
    }

    /// The debit of a completed session has arrived, or has come back.
    pub(crate) fn settle_session(&mut self, invoice: &str, arrived: bool) {
        let paid_for = |session: &&Session| session.invoice.as_deref() == Some(invoice);
        let Some(mut session) = self.state.sessions.values().find(paid_for).cloned() else {
            return;
        };
        if arrived {
            session.money = Money::Paid;
            self.keep_session(&session, Change::Changed("paid".to_owned()));
            self.tell(EventKind::SessionAsyncSucceeded, &session);
        } else {
            self.keep_session(&session, Change::Changed("payment failed".to_owned()));
            self.tell(EventKind::SessionAsyncFailed, &session);
        }
    }
}
