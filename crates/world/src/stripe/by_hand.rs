//! What a person does to Stripe's books at the console: let a card fail, end a period now, send an event again or later.

use super::State;
use crate::call::empty;
use crate::world::World;
use http::StatusCode;

impl World {
    /// Lets every further payment of a subscription fail, or lets them work again. False when there is none with this id.
    pub async fn fail_payments(&self, subscription: &str, failing: bool) -> bool {
        let answer = self.change("console", |turn| {
            let found = turn.state.stripe.set_card_fails(subscription, failing);
            empty(if found {
                StatusCode::OK
            } else {
                StatusCode::NOT_FOUND
            })
        });
        answer.await.status().is_success()
    }
}

impl State {
    pub(crate) fn set_card_fails(&mut self, subscription: &str, failing: bool) -> bool {
        match self.subscriptions.get_mut(&subscription.to_owned()) {
            Some(subscription) => {
                subscription.card_fails = failing;
                true
            }
            None => false,
        }
    }
}
