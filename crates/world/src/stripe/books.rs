//! One entry into Stripe's books: its moments, the state, ids, and whatever has to be told afterwards (events and
//! history). Which objects change, and how, is decided by the rooms for each of them.
//!
//! There are two moments, because a customer may live by a test clock: `now` is the account's, and goes on events,
//! payments and refunds; `at` is the customer's, and goes on what is billed.
//! Source: <https://github.com/stripe/stripe-python/issues/1183> (payment intents do not follow a test clock).

use serde_json::Value;

use super::State;
use super::due::Due;
use super::event::{Event, EventKind};
use super::form::Metadata;
use super::list::Object;
use crate::history::{Change, Kind, Subject};
use crate::table::Counters;

/// Which request caused a change; none for what simply fell due.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cause {
    pub(crate) request: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

/// One line for the world's history.
pub(crate) struct Note {
    /// Unix seconds.
    pub(crate) at: i64,
    pub(crate) subject: Subject,
    pub(crate) change: Change,
    pub(crate) labels: Metadata,
}

pub(crate) struct Books<'b> {
    pub(crate) state: &'b mut State,
    pub(crate) counters: &'b mut Counters,
    /// Unix seconds, by the world's clock.
    pub(crate) now: i64,
    /// Unix seconds, by the clock of the customer it is about.
    pub(crate) at: i64,
    /// The test clock `at` is by.
    clock: Option<String>,
    pub(crate) cause: Cause,
    pub(crate) notes: Vec<Note>,
}

impl<'b> Books<'b> {
    pub(crate) fn open(
        state: &'b mut State,
        counters: &'b mut Counters,
        now: i64,
        cause: Cause,
    ) -> Self {
        Self {
            state,
            counters,
            now,
            at: now,
            clock: None,
            cause,
            notes: Vec::new(),
        }
    }

    /// From here on things happen at the moment this customer lives in.
    pub(crate) fn live_by(&mut self, customer: &str) {
        let clock = self.state.customers.get(&customer.to_owned());
        let clock = clock.and_then(|customer| customer.test_clock.clone());
        self.live_by_clock(clock);
    }

    pub(crate) fn live_by_clock(&mut self, clock: Option<String>) {
        let shows = clock.as_ref().and_then(|id| self.state.clocks.get(id));
        self.at = shows.map_or(self.now, |clock| clock.frozen_time);
        self.clock = clock;
    }

    /// Plans something by the clock of the customer it is about.
    pub(crate) fn plan(&mut self, at: i64, due: &Due) {
        self.state.agenda.plan(self.clock.as_deref(), at, due);
    }

    /// A new id. Ids of one prefix sort by creation, as Stripe's do.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        let purpose = format!("stripe/{prefix}");
        let number = self.counters.next(&purpose);
        let chance = self.counters.text(&purpose, 14);
        format!("{prefix}_1{}{chance}", base36(number))
    }

    pub(crate) fn note(&mut self, kind: Kind, id: &str, change: Change, labels: &Metadata) {
        self.notes.push(Note {
            at: self.now,
            subject: Subject {
                kind,
                id: id.to_owned(),
                name: id.to_owned(),
            },
            change,
            labels: labels.clone(),
        });
    }

    /// Tells the world that `object` changed: an event that can be listed, and a webhook if they are asked for.
    pub(crate) fn tell(&mut self, kind: EventKind, object: &impl Object) {
        self.tell_with(kind, object, None);
    }

    /// As [`Books::tell`], with the values that were there before.
    pub(crate) fn tell_with(
        &mut self,
        kind: EventKind,
        object: &impl Object,
        previous: Option<Value>,
    ) {
        let id = self.id("evt");
        let event = Event {
            created: self.now,
            kind,
            object: object.shown(self.state),
            previous,
            request: self.cause.request.clone(),
            idempotency_key: self.cause.idempotency_key.clone(),
            pending: kind.is_delivered(),
            id,
        };
        if event.pending {
            self.state.deliveries.enqueue(&event.id, self.now, self.now);
        }
        self.state.events.insert(event.id.clone(), event);
    }
}

/// Eight digits, so that text order is number order.
fn base36(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = ['0'; 8];
    for digit in digits.iter_mut().rev() {
        // Below 36, so the index is always there.
        let index = usize::try_from(number % 36).unwrap_or(0);
        *digit = char::from(DIGITS[index]);
        number /= 36;
    }
    digits.iter().collect()
}
