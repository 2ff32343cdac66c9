//! What goes wrong, and when: planned one by one, or drawn from the seed. How each looks is decided where it is met.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{call::Api, table::draw};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The connection breaks; nothing happened.
    LostBeforeCommit,
    /// The connection breaks; it happened.
    LostAfterCommit,
    /// It happened, and the answer takes two minutes: past every client's patience.
    StalledAfterCommit,
    /// 429 although there was budget.
    Throttled,
    /// 500, 502, 503 or 504; nothing happened.
    ErrorBeforeCommit,
    /// 500, 502, 503 or 504; it happened.
    ErrorAfterCommit,
    /// It happened, and half of the answer's body is missing: a good status over JSON that cannot be read.
    GarbledAfterCommit,
    /// Something else is going on with the resource (Hetzner: 423, Stripe: 429 `lock_timeout`).
    Locked,
    /// Hetzner: no room for this server just now (`resource_unavailable`), or for this volume (`no_space_left_in_location`).
    NoCapacity,
    /// Hetzner: nothing happened, for one of the reasons that lie with it alone: `conflict`, `maintenance`, `timeout` …
    Refused,
    /// Hetzner: accepted, and the action ends in an error after the server exists.
    ActionFails,
    /// Hetzner: accepted, and the action never ends.
    ActionNeverEnds,
    /// A list still shows what was deleted up to ten seconds ago.
    LingeringList,
    /// A list does not show yet what was made up to ten seconds ago. A look-up by name does.
    HiddenNew,
    /// A list leaves out the end of a page; its total still counts everything.
    ShortList,
    /// Stripe: 500, nothing happened, and the same idempotency key gets the same 500 again for a day.
    FailureRemembered,
    /// Stripe: a webhook never arrives, and nobody tries again.
    WebhookLost,
    /// Stripe: a webhook is held back for up to a day, so others overtake it.
    WebhookLate,
    /// Stripe: a webhook that was accepted is sent again.
    WebhookTwice,
}

/// One planned fault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    pub api: Api,
    pub kind: FaultKind,
    /// Only where method and path pattern begin with this, as `POST /v1/servers`; empty: everywhere.
    #[serde(default)]
    pub endpoint: String,
    /// How many that match are let pass first.
    #[serde(default)]
    pub skip: u32,
    /// How often it strikes.
    pub times: u32,
}

impl Fault {
    /// Strikes at the next call that matches, once.
    #[must_use]
    pub fn once(api: Api, kind: FaultKind, endpoint: &str) -> Fault {
        Fault {
            api,
            kind,
            endpoint: endpoint.to_owned(),
            skip: 0,
            times: 1,
        }
    }
}

/// Everything that is set to go wrong. Shared by all APIs of one world.
pub struct Faults {
    set: Mutex<Set>,
}

struct Set {
    seed: u64,
    drawn: BTreeMap<String, u64>,
    planned: Vec<Fault>,
    chances: BTreeMap<(Api, FaultKind), f64>,
    down: BTreeSet<Api>,
    latency: BTreeMap<Api, Duration>,
    /// Location, and the one server type or all of them.
    exhausted: BTreeSet<(String, Option<String>)>,
}

/// What is set to go wrong, as plain values for the console.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    pub planned: Vec<Fault>,
    pub chances: Vec<(Api, FaultKind, f64)>,
    pub down: Vec<Api>,
    pub latency: Vec<(Api, Duration)>,
    pub exhausted: Vec<(String, Option<String>)>,
}

/// How many planned faults are held; more are refused.
const MOST_PLANNED: usize = 10_000;

impl Faults {
    pub(crate) fn new(seed: u64) -> Faults {
        Faults {
            set: Mutex::new(Set {
                seed,
                drawn: BTreeMap::new(),
                planned: Vec::new(),
                chances: BTreeMap::new(),
                down: BTreeSet::new(),
                latency: BTreeMap::new(),
                exhausted: BTreeSet::new(),
            }),
        }
    }

    fn set(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one planned fault. False when too many are planned already.
    pub fn plan(&self, fault: Fault) -> bool {
        let mut set = self.set();
        let room = set.planned.len() < MOST_PLANNED;
        if room && fault.times > 0 {
            set.planned.push(fault);
        }
        room
    }

    /// How likely a kind strikes at each opportunity from now on, 0 to 1.
    pub fn chance(&self, api: Api, kind: FaultKind, probability: f64) {
        let mut set = self.set();
        if probability > 0.0 {
            set.chances.insert((api, kind), probability.min(1.0));
        } else {
            set.chances.remove(&(api, kind));
        }
    }

    /// Takes an API down (every call answers 503) or brings it back.
    pub fn down(&self, api: Api, down: bool) {
        let mut set = self.set();
        if down {
            set.down.insert(api);
        } else {
            set.down.remove(&api);
        }
    }

    /// The most that each call to an API waits, half of it before and half after it takes effect.
    pub fn latency(&self, api: Api, most: Duration) {
        self.set().latency.insert(api, most);
    }

    /// Lets a location run out of one server type, or of all of them; or gives it room again.
    pub fn exhaust(&self, location: &str, server_type: Option<&str>, exhausted: bool) {
        let place = (location.to_owned(), server_type.map(str::to_owned));
        let mut set = self.set();
        if exhausted {
            set.exhausted.insert(place);
        } else {
            set.exhausted.remove(&place);
        }
    }

    /// Heals everything.
    pub fn clear(&self) {
        let mut set = self.set();
        set.planned.clear();
        set.chances.clear();
        set.down.clear();
        set.latency.clear();
        set.exhausted.clear();
    }

    pub fn standing(&self) -> Standing {
        let set = self.set();
        Standing {
            planned: set.planned.clone(),
            chances: set
                .chances
                .iter()
                .map(|((api, kind), chance)| (*api, *kind, *chance))
                .collect(),
            down: set.down.iter().copied().collect(),
            latency: set
                .latency
                .iter()
                .map(|(api, most)| (*api, *most))
                .collect(),
            exhausted: set.exhausted.iter().cloned().collect(),
        }
    }

    /// Whether a fault of this kind strikes here and now; a planned one is used up by it.
    pub(crate) fn strikes(&self, api: Api, kind: FaultKind, endpoint: &str) -> bool {
        let mut set = self.set();
        set.planned_strikes(api, kind, endpoint) || set.drawn_strikes(api, kind)
    }

    pub(crate) fn is_down(&self, api: Api) -> bool {
        self.set().down.contains(&api)
    }

    /// How long this call waits in all, when `base` is what the world's options ask for at most.
    pub(crate) fn delay(&self, api: Api, base: Duration) -> Duration {
        let mut set = self.set();
        let most = set.latency.get(&api).copied().unwrap_or(base);
        if most.is_zero() {
            return Duration::ZERO;
        }
        let drawn = set.roll(&format!("{api:?}/latency"));
        most.mul_f64(unit(drawn))
    }

    pub(crate) fn is_exhausted(&self, location: &str, server_type: &str) -> bool {
        let here = |(place, one): &(String, Option<String>)| {
            place == location && one.as_deref().is_none_or(|one| one == server_type)
        };
        self.set().exhausted.iter().any(here)
    }

    /// A number from this kind's own stream.
    pub(crate) fn roll(&self, api: Api, kind: FaultKind) -> u64 {
        self.set().roll(&stream(api, kind))
    }
}

impl Set {
    fn planned_strikes(&mut self, api: Api, kind: FaultKind, endpoint: &str) -> bool {
        let matches = |fault: &Fault| {
            fault.api == api && fault.kind == kind && endpoint.starts_with(&fault.endpoint)
        };
        let Some(at) = self.planned.iter().position(matches) else {
            return false;
        };
        let fault = &mut self.planned[at];
        if fault.skip > 0 {
            fault.skip -= 1;
            return false;
        }
        fault.times -= 1;
        if fault.times == 0 {
            self.planned.remove(at);
        }
        true
    }

    fn drawn_strikes(&mut self, api: Api, kind: FaultKind) -> bool {
        let Some(chance) = self.chances.get(&(api, kind)).copied() else {
            return false;
        };
        unit(self.roll(&stream(api, kind))) < chance
    }

    fn roll(&mut self, stream: &str) -> u64 {
        let drawn = self.drawn.entry(stream.to_owned()).or_insert(0);
        *drawn += 1;
        draw(self.seed, stream, *drawn)
    }
}

/// What a kind's own stream of chance is called.
fn stream(api: Api, kind: FaultKind) -> String {
    format!("{api:?}/{kind:?}")
}

/// A drawn number as a fraction in 0..1, from its upper 53 bits.
#[allow(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
fn unit(drawn: u64) -> f64 {
    (drawn >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::{Api, Fault, FaultKind, Faults};

    const POST: &str = "POST /v1/servers";

    fn strikes(faults: &Faults, times: usize) -> String {
        let struck = |_| faults.strikes(Api::Hetzner, FaultKind::Locked, POST);
        (0..times)
            .map(struck)
            .map(|struck| if struck { 'x' } else { '.' })
            .collect()
    }

    #[test]
    fn a_planned_fault_lets_some_pass_strikes_and_is_used_up() {
        let faults = Faults::new(1);
        let plan = |endpoint: &str, skip, times| {
            let fault = Fault::once(Api::Hetzner, FaultKind::Locked, endpoint);
            faults.plan(Fault {
                skip,
                times,
                ..fault
            })
        };
        assert!(plan("POST", 2, 2));
        assert!(plan("DELETE", 0, 1));
        assert_eq!(strikes(&faults, 6), "..xx..");
        assert_eq!(
            faults.standing().planned.len(),
            1,
            "the other endpoint's still waits"
        );
        faults.clear();
        assert!(faults.standing().planned.is_empty());
    }

    #[test]
    fn chance_strikes_about_as_often_as_it_was_set_to() {
        let faults = Faults::new(1);
        faults.chance(Api::Hetzner, FaultKind::Locked, 0.25);
        let struck = strikes(&faults, 10_000).matches('x').count();
        assert!((2_300..2_700).contains(&struck), "{struck}");
        faults.chance(Api::Hetzner, FaultKind::Locked, 0.0);
        assert_eq!(strikes(&faults, 100).matches('x').count(), 0);
    }

    #[test]
    fn one_more_draw_of_one_kind_shifts_no_other() {
        let set = |extra: usize| {
            let faults = Faults::new(1);
            faults.chance(Api::Hetzner, FaultKind::Locked, 0.5);
            faults.chance(Api::Hetzner, FaultKind::NoCapacity, 0.5);
            for _ in 0..extra {
                faults.strikes(Api::Hetzner, FaultKind::NoCapacity, POST);
            }
            strikes(&faults, 64)
        };
        assert_eq!(set(0), set(7));
    }
}
