//! What falls due with time in Stripe's books: sessions expire, debits settle, periods end, failed payments are tried
//! again. Nothing runs in the background: whoever looks first catches up, each thing at its own moment.

use serde::{Deserialize, Serialize};

use super::State;
use super::books::{Books, Cause, Note};
use super::event::KEPT_SECONDS;
use super::invoice::{Attempt, Because, Standing};
use super::refusal::Refusal;
use super::subscription::{Ending, Status};
use crate::table::{Counters, Stored, Table};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Due {
    SessionExpires(String),
    Settles {
        invoice: String,
        arrives: bool,
    },
    PeriodEnds(String),
    Retry(String),
    KeyExpires(String),
    /// A draft of an invoice is finished and paid.
    Finalizes(String),
    /// The first payment of a subscription never came.
    IncompleteExpires(String),
    TrialEndsSoon(String),
    Cancels(String),
    Resumes(String),
    ClockReady(String),
    ClockDeletes(String),
}

impl Due {
    fn subject(&self) -> (&'static str, &str) {
        match self {
            Self::SessionExpires(id) => ("session", id),
            Self::Settles { invoice, .. } => ("debit", invoice),
            Self::PeriodEnds(id) => ("period", id),
            Self::Retry(id) => ("retry", id),
            Self::KeyExpires(key) => ("key", key),
            Self::Finalizes(id) => ("draft", id),
            Self::IncompleteExpires(id) => ("incomplete", id),
            Self::TrialEndsSoon(id) => ("trial", id),
            Self::Cancels(id) => ("cancel", id),
            Self::Resumes(id) => ("resume", id),
            Self::ClockReady(id) => ("clock", id),
            Self::ClockDeletes(id) => ("clock_end", id),
        }
    }
}

/// What is planned, by moment. An entry may have become pointless; that is found out when it falls due.
pub(crate) struct Agenda {
    table: Table<String, Due>,
    /// What is planned by a test clock: the key begins with the clock's id.
    clocks: Table<String, Due>,
}

impl Agenda {
    pub(crate) fn new() -> Self {
        Self {
            table: Table::new("stripe_agenda"),
            clocks: Table::new("stripe_clock_agenda"),
        }
    }

    pub(crate) fn tables(&mut self) -> [&mut dyn Stored; 2] {
        [&mut self.table, &mut self.clocks]
    }

    /// `at` is in Unix seconds, by that test clock or the world's.
    pub(crate) fn plan(&mut self, clock: Option<&str>, at: i64, due: &Due) {
        let (kind, id) = due.subject();
        let key = format!("{at:012}/{kind}/{id}");
        match clock {
            None => self.table.insert(key, due.clone()),
            Some(clock) => self.clocks.insert(format!("{clock}/{key}"), due.clone()),
        };
    }

    /// Takes the first that is due by a test clock that shows `until`, with its moment.
    pub(crate) fn pop_of(&mut self, clock: &str, until: i64) -> Option<(i64, Due)> {
        let (key, at, due) = self.of(clock).next()?;
        if at > until {
            return None;
        }
        self.clocks.remove(&key);
        Some((at, due))
    }

    /// Forgets everything that is planned by a test clock.
    pub(crate) fn forget(&mut self, clock: &str) {
        let keys: Vec<String> = self.of(clock).map(|(key, ..)| key).collect();
        for key in keys {
            self.clocks.remove(&key);
        }
    }

    fn of(&self, clock: &str) -> impl Iterator<Item = (String, i64, Due)> {
        let first = format!("{clock}/");
        let beyond = format!("{clock}0");
        self.clocks.range(first..beyond).filter_map(|(key, due)| {
            let at = key.split('/').nth(1)?.parse().ok()?;
            Some((key.clone(), at, due.clone()))
        })
    }

    /// The moment of what is due first, in Unix seconds.
    pub(crate) fn next(&self) -> Option<i64> {
        let (key, _) = self.table.iter().next()?;
        key.get(..12)?.parse().ok()
    }

    /// Takes the first that is due, with its moment.
    fn pop(&mut self, now: i64) -> Option<(i64, Due)> {
        let (key, due) = self.table.iter().next()?;
        let at: i64 = key.get(..12)?.parse().ok()?;
        if at > now {
            return None;
        }
        let (key, due) = (key.clone(), due.clone());
        self.table.remove(&key);
        Some((at, due))
    }
}

/// So many at one look; a world that slept for years catches up over several.
const MOST_AT_ONCE: usize = 100_000;

/// Lets everything happen that is due by `now` (Unix seconds).
pub(crate) fn catch_up(state: &mut State, counters: &mut Counters, now: i64) -> Vec<Note> {
    let mut notes = Vec::new();
    for _ in 0..MOST_AT_ONCE {
        let Some((at, due)) = state.agenda.pop(now) else {
            break;
        };
        let mut books = Books::open(state, counters, at, Cause::default());
        if let Err(refusal) = books.fall_due(&due) {
            // Only a hole in the books leads here: an object that is named somewhere and exists nowhere.
            tracing::warn!(?due, %refusal, "what was due could not be done");
        }
        notes.append(&mut books.notes);
    }
    forget_old_events(state, now);
    notes
}

fn forget_old_events(state: &mut State, now: i64) {
    let old: Vec<String> = state
        .events
        .values()
        .take_while(|event| event.created < now - KEPT_SECONDS)
        .map(|event| event.id.clone())
        .collect();
    for id in old {
        state.events.remove(&id);
    }
}

impl Books<'_> {
    pub(crate) fn fall_due(&mut self, due: &Due) -> Result<(), Refusal> {
        match due {
            Due::SessionExpires(id) => self.expire_if_open(id),
            Due::Settles { invoice, arrives } => self.settle(invoice, *arrives),
            Due::PeriodEnds(id) => self.end_period(id),
            Due::Retry(id) => self.retry(id),
            Due::KeyExpires(key) => {
                self.state.keys.remove(key);
                Ok(())
            }
            Due::Finalizes(id) => self.finish_draft(id),
            Due::IncompleteExpires(id) => self.expire_incomplete(id),
            Due::TrialEndsSoon(id) => self.tell_of_trial(id),
            Due::Cancels(id) => self.cancel_as_planned(id),
            Due::Resumes(id) => self.resume_as_planned(id),
            Due::ClockReady(id) => self.arrive(id),
            Due::ClockDeletes(id) => self.end_clock(id),
        }
    }

    fn settle(&mut self, invoice: &str, arrives: bool) -> Result<(), Refusal> {
        let mut invoice = self.state.invoice(invoice, None)?.clone();
        if invoice.standing != Standing::Open {
            return Ok(());
        }
        self.live_by(&invoice.customer);
        let paid_with = self.settle_debit(&mut invoice, arrives);
        let Some(instrument) = paid_with else {
            return Ok(());
        };
        let outcome = if arrives {
            Attempt::Paid
        } else {
            Attempt::Failed(super::card::Decline::InsufficientFunds)
        };
        self.settle_session(&invoice.id, arrives);
        self.follow_payment(&mut invoice, Some(&instrument), outcome)
    }

    fn retry(&mut self, invoice: &str) -> Result<(), Refusal> {
        let invoice = self.state.invoice(invoice, None)?;
        let wanted = invoice.standing == Standing::Open && invoice.next_attempt == Some(self.at);
        if wanted {
            let id = invoice.id.clone();
            self.collect(&id)?;
        }
        Ok(())
    }

    pub(crate) fn end_period(&mut self, id: &str) -> Result<(), Refusal> {
        let mut subscription = self.state.subscription(id, None)?.clone();
        let runs = matches!(
            subscription.status,
            Status::Trialing | Status::Active | Status::PastDue
        );
        if !runs || subscription.period_end != self.at {
            return Ok(());
        }
        if subscription.cancel_at_period_end {
            return self.end_subscription(id, Ending::Requested);
        }
        if subscription.status == Status::Trialing {
            let paid_with = self.state.instrument_of(&subscription);
            if paid_with.is_none() && subscription.ends_without_method {
                return self.end_subscription(id, Ending::Requested);
            }
            subscription.status = Status::Active;
        }
        subscription.periods += 1;
        subscription.period_start = subscription.period_end;
        subscription.period_end = self.period_end(&subscription)?;
        let invoice = self.draw_up(&subscription, Because::SubscriptionCycle);
        subscription.latest_invoice = Some(invoice.id.clone());
        self.keep_subscription(&subscription, "renewed");
        let next = Due::PeriodEnds(subscription.id.clone());
        self.plan(subscription.period_end, &next);
        self.leave_as_draft(&invoice.id);
        Ok(())
    }
}
