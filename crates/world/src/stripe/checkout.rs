//! Paying on the hosted page: what a customer's card or account does to a session, and what is then in the books.
//! How the page looks is decided in `page`.

use super::books::Books;
use super::card::{Decline, Instrument};
use super::due::Due;
use super::event::EventKind;
use super::form::Metadata;
use super::invoice::{Attempt, Because, attempt};
use super::refusal::Refusal;
use super::session::{Money, Payer, Session, Stage};
use super::subscription::{Item, Status, Subscription};
use crate::history::{Change, Kind};

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
        let outcome = attempt(&instrument, false, false);
        match outcome {
            Attempt::Paid | Attempt::Processing => self.complete(session, &instrument, outcome),
            Attempt::Failed(decline) => {
                self.keep_session(&session, Change::Changed("declined".to_owned()));
                Ok(Next::Declined(decline))
            }
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
        let mut invoice = self.new_invoice(&subscription, Because::SubscriptionCreate);
        subscription.latest_invoice = Some(invoice.id.clone());
        self.open_subscription(&subscription);
        self.attempt_payment(&mut invoice, instrument, outcome);
        let settled = invoice.total == 0 || outcome == Attempt::Paid;
        if !settled {
            self.follow_payment(&mut invoice, instrument, outcome)?;
        }
        session.stage = Stage::Complete;
        session.money = match (invoice.total, settled) {
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
        let (email, name) = match &session.payer {
            Some(payer) => (Some(payer.email.clone()), Some(payer.name.clone())),
            None => (None, None),
        };
        let customer = self.new_customer(email, name, None, Metadata::new()).id;
        session.customer = Some(customer.clone());
        Ok(customer)
    }

    fn start_subscription(
        &mut self,
        session: &Session,
        customer: String,
        instrument: &Instrument,
    ) -> Result<Subscription, Refusal> {
        let trial_end = (session.trial_days > 0).then(|| self.at + session.trial_days * DAY);
        let mut items = Vec::with_capacity(session.lines.len());
        for line in &session.lines {
            items.push(Item {
                id: self.id("si"),
                price: line.price.clone(),
                quantity: line.quantity,
            });
        }
        let mut subscription = Subscription {
            id: self.id("sub"),
            created: self.at,
            customer,
            items,
            status: trial_end.map_or(Status::Active, |_| Status::Trialing),
            metadata: session.subscription_metadata.clone(),
            description: session.subscription_description.clone(),
            anchor: trial_end.unwrap_or(self.at),
            periods: i64::from(trial_end.is_none()),
            period_start: self.at,
            period_end: self.at,
            trial_end,
            cancel_at_period_end: false,
            canceled_at: None,
            ended_at: None,
            ending: None,
            latest_invoice: None,
            instrument: instrument.clone(),
            card_fails: false,
        };
        subscription.period_end = match trial_end {
            Some(end) => end,
            None => self.period_end(&subscription)?,
        };
        Ok(subscription)
    }

    /// When the current period of a subscription ends.
    pub(crate) fn period_end(&self, subscription: &Subscription) -> Result<i64, Refusal> {
        let first = subscription.items.first().map_or("", |item| &item.price);
        let price = self.state.price(first, None)?;
        Ok(price.period_end(subscription.anchor, subscription.periods))
    }

    fn open_subscription(&mut self, subscription: &Subscription) {
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
        let due = Due::PeriodEnds(subscription.id.clone());
        self.state.agenda.plan(subscription.period_end, &due);
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
