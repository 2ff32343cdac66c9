//! Test clocks: a time of its own for a few customers, which stands still until somebody advances it. What happens as it
//! passes is decided where it happens for everybody (`due`).
//!
//! Sources: Stripe's reference of test clocks (limits, status), its page on testing billing (three customers a clock,
//! objects are removed with it).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::due::Due;
use super::event::EventKind;
use super::form::Params;
use super::list::{Object, Page};
use super::refusal::Refusal;
use super::subscription::Subscription;

const DAY: i64 = 24 * 3_600;
const MOST_CLOCKS: usize = 100;
const MOST_CUSTOMERS: usize = 3;
/// World seconds that advancing takes.
const ADVANCES: i64 = 6;
/// A clock is removed after 30 days of the account's time.
const LIFE: i64 = 30 * DAY;
/// How far a clock without subscriptions may be advanced at once.
const FARTHEST: i64 = 2 * 366 * DAY;
const LONGEST_NAME: usize = 300;
/// Things that fall due in one advance; what is left follows in the next.
const MOST_AT_ONCE: usize = 10_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TestClock {
    pub(crate) id: String,
    created: i64,
    pub(crate) frozen_time: i64,
    /// Where it is on its way to.
    target: Option<i64>,
    name: Option<String>,
}

impl Object for TestClock {
    const NAME: &'static str = "test_helpers.test_clock";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, _: &State) -> Value {
        let details = match self.target {
            Some(target) => json!({ "advancing": { "target_frozen_time": target } }),
            None => json!({}),
        };
        json!({
            "id": self.id,
            "object": Self::NAME,
            "created": self.created,
            "deletes_after": self.created + LIFE,
            "frozen_time": self.frozen_time,
            "livemode": false,
            "name": self.name,
            "status": if self.target.is_some() { "advancing" } else { "ready" },
            "status_details": details,
        })
    }
}

impl Books<'_> {
    pub(crate) fn create_clock(&mut self, mut params: Params) -> Result<Value, Refusal> {
        let frozen_time = params
            .number("frozen_time")?
            .ok_or_else(|| Refusal::Missing("frozen_time".to_owned()))?;
        let name = params.text("name")?;
        params.finish()?;
        if !(0..=self.now + 100 * 366 * DAY).contains(&frozen_time) {
            return Err(Refusal::integer("frozen_time", "Invalid timestamp"));
        }
        if name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
            let why = format!("Invalid string: at most {LONGEST_NAME} characters");
            return Err(Refusal::param("name", why));
        }
        if self.state.clocks.len() >= MOST_CLOCKS {
            let why = format!("You can have up to {MOST_CLOCKS} test clocks.");
            return Err(Refusal::State(why));
        }
        let clock = TestClock {
            id: self.id("clock"),
            created: self.now,
            frozen_time,
            target: None,
            name,
        };
        self.state.clocks.insert(clock.id.clone(), clock.clone());
        self.tell(EventKind::ClockCreated, &clock);
        let due = Due::ClockDeletes(clock.id.clone());
        self.state.agenda.plan(None, self.now + LIFE, &due);
        Ok(clock.shown(self.state))
    }

    /// Begins to advance; what happens meanwhile has happened once the clock is ready.
    pub(crate) fn advance_clock(&mut self, id: &str, mut params: Params) -> Result<Value, Refusal> {
        let to = params
            .number("frozen_time")?
            .ok_or_else(|| Refusal::Missing("frozen_time".to_owned()))?;
        params.finish()?;
        let mut clock = self.state.clock(id, None)?.clone();
        if clock.target.is_some() {
            return Err(Refusal::ClockAdvances);
        }
        if to <= clock.frozen_time {
            let why = "The new frozen time must be after the test clock's current frozen time.";
            return Err(Refusal::integer("frozen_time", why));
        }
        if to > self.state.farthest(&clock) {
            let why = "The new frozen time cannot be more than two intervals in the future from the \
                       shortest subscription in this test clock, or two years without subscriptions.";
            return Err(Refusal::integer("frozen_time", why));
        }
        clock.target = Some(to);
        self.state.clocks.insert(clock.id.clone(), clock.clone());
        self.tell(EventKind::ClockAdvancing, &clock);
        let due = Due::ClockReady(clock.id.clone());
        self.state.agenda.plan(None, self.now + ADVANCES, &due);
        Ok(clock.shown(self.state))
    }

    /// A clock gets where it was on its way to: everything that is due by it happens, each thing at its own moment.
    pub(crate) fn arrive(&mut self, id: &str) -> Result<(), Refusal> {
        let Some(target) = self.state.clock(id, None)?.target else {
            return Ok(());
        };
        for _ in 0..MOST_AT_ONCE {
            let Some((at, due)) = self.state.agenda.pop_of(id, target) else {
                break;
            };
            self.set_clock(id, at, Some(target));
            self.live_by_clock(Some(id.to_owned()));
            if let Err(refusal) = self.fall_due(&due) {
                tracing::warn!(?due, %refusal, "what was due by a test clock could not be done");
            }
        }
        self.set_clock(id, target, None);
        let clock = self.state.clock(id, None)?.clone();
        self.tell(EventKind::ClockReady, &clock);
        Ok(())
    }

    fn set_clock(&mut self, id: &str, frozen_time: i64, target: Option<i64>) {
        if let Some(clock) = self.state.clocks.get_mut(&id.to_owned()) {
            // What was planned for a moment before this one does not turn it back.
            clock.frozen_time = clock.frozen_time.max(frozen_time);
            clock.target = target;
        }
    }

    pub(crate) fn delete_clock(&mut self, id: &str, params: Params) -> Result<Value, Refusal> {
        params.finish()?;
        self.state.clock(id, None)?;
        self.end_clock(id)?;
        Ok(json!({ "id": id, "object": TestClock::NAME, "deleted": true }))
    }

    /// Removes a clock with the customers that live by it.
    pub(crate) fn end_clock(&mut self, id: &str) -> Result<(), Refusal> {
        let Some(clock) = self.state.clocks.get(&id.to_owned()).cloned() else {
            return Ok(());
        };
        for customer in self.state.customers_of(id) {
            self.remove_customer(&customer)?;
        }
        self.state.agenda.forget(id);
        self.state.clocks.remove(&id.to_owned());
        self.tell(EventKind::ClockDeleted, &clock);
        Ok(())
    }

    /// Whether a clock can take one more customer.
    pub(crate) fn check_clock(&self, id: &str) -> Result<(), Refusal> {
        self.state.clock(id, Some("test_clock"))?;
        if self.state.customers_of(id).len() < MOST_CUSTOMERS {
            return Ok(());
        }
        let why = format!("You can only have up to {MOST_CUSTOMERS} customers per test clock.");
        Err(Refusal::param("test_clock", why))
    }

    /// Nothing that lives by a clock can be changed while the clock advances.
    pub(crate) fn check_still(&self, customer: &str) -> Result<(), Refusal> {
        let clock = self.state.customers.get(&customer.to_owned());
        let clock = clock.and_then(|customer| customer.test_clock.as_ref());
        let advances = clock
            .and_then(|id| self.state.clocks.get(id))
            .is_some_and(|clock| clock.target.is_some());
        if advances {
            Err(Refusal::ClockAdvances)
        } else {
            Ok(())
        }
    }
}

impl State {
    pub(crate) fn clock(
        &self,
        id: &str,
        param: Option<&'static str>,
    ) -> Result<&TestClock, Refusal> {
        self.clocks
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: "testhelpers_testclock",
                id: id.to_owned(),
                param,
            })
    }

    pub(crate) fn list_clocks(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        params.finish()?;
        let found: Vec<_> = self.clocks.values().rev().collect();
        page.list("/v1/test_helpers/test_clocks", &found, self)
    }

    fn customers_of(&self, clock: &str) -> Vec<String> {
        self.customers
            .values()
            .filter(|customer| !customer.deleted && customer.test_clock.as_deref() == Some(clock))
            .map(|customer| customer.id.clone())
            .collect()
    }

    /// The last moment a clock may be advanced to: two intervals of its shortest subscription, or two years.
    fn farthest(&self, clock: &TestClock) -> i64 {
        let customers = self.customers_of(&clock.id);
        let ends = |subscription: &Subscription| {
            let first = subscription.items.first()?;
            let price = self.prices.get(&first.price)?;
            Some(price.period_end(clock.frozen_time, 2))
        };
        self.subscriptions
            .values()
            .filter(|found| !found.has_ended() && customers.contains(&found.customer))
            .filter_map(ends)
            .min()
            .unwrap_or(clock.frozen_time + FARTHEST)
    }
}
