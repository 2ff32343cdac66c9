//! What a person does to Stripe's books at the console: let a card fail, end a period now, send an event again or later.

use http::StatusCode;

use super::books::{Books, Cause};
use super::refusal::Refusal;
use super::{State, catch_up, note_all, second};
use crate::call::{Turn, empty};
use crate::world::World;

impl World {
    /// Lets every further payment of a subscription fail, or lets them work again. False when there is none with this id.
    pub async fn fail_payments(&self, subscription: &str, failing: bool) -> bool {
        self.by_hand(|turn| turn.state.stripe.set_card_fails(subscription, failing))
            .await
    }

    /// Ends a subscription's period now, so that it is renewed or ends. False when none with this id is running.
    pub async fn end_period_by_hand(&self, subscription: &str) -> bool {
        self.by_hand(|turn| {
            let now = second(turn);
            let state = &mut *turn.state;
            let counters = &mut state.counters;
            let mut books = Books::open(&mut state.stripe, counters, now, Cause::default());
            let done = books.end_period_now(subscription);
            let notes = std::mem::take(&mut books.notes);
            note_all(turn, notes);
            done.is_ok()
        })
        .await
    }

    /// Sends an event's webhook so many seconds from now, whether or not it was sent before. False when there is no such event.
    pub async fn send_event_by_hand(&self, event: &str, after_seconds: u32) -> bool {
        self.by_hand(|turn| {
            let due = second(turn) + i64::from(after_seconds);
            let stripe = &mut turn.state.stripe;
            let there = stripe.events.contains(&event.to_owned());
            if there {
                stripe.deliveries.enqueue(event, due, due);
            }
            there
        })
        .await
    }

    async fn by_hand(&self, act: impl FnOnce(&mut Turn<'_>) -> bool) -> bool {
        let answer = self.change("console", |turn| {
            catch_up(turn);
            empty(if act(turn) {
                StatusCode::OK
            } else {
                StatusCode::NOT_FOUND
            })
        });
        answer.await.status().is_success()
    }
}

impl State {
    fn set_card_fails(&mut self, subscription: &str, failing: bool) -> bool {
        match self.subscriptions.get_mut(&subscription.to_owned()) {
            Some(subscription) => {
                subscription.card_fails = failing;
                true
            }
            None => false,
        }
    }
}

impl Books<'_> {
    /// From here on periods are counted from now.
    fn end_period_now(&mut self, id: &str) -> Result<(), Refusal> {
        let mut subscription = self.state.subscription(id, None)?.clone();
        if subscription.has_ended() {
            return Err(Refusal::State("The subscription has ended.".to_owned()));
        }
        self.live_by(&subscription.customer);
        subscription.anchor = self.at;
        subscription.periods = 0;
        subscription.period_end = self.at;
        self.state
            .subscriptions
            .insert(subscription.id.clone(), subscription);
        self.end_period(id)?;
        // A person who ends a period wants to see it paid, without the draft's hour.
        match self.state.subscription(id, None)?.latest_invoice.clone() {
            Some(invoice) => self.finish_draft(&invoice),
            None => Ok(()),
        }
    }
}
