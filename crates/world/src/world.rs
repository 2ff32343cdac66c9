//! The world itself: one state behind one lock, and the only ways to have a turn at it.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, response::Response};
use http::StatusCode;
use tokio::{sync::watch, time::Instant};

use crate::{
    Snapshot,
    call::{Answer, Api, Asked, Blow, Fate, Lost, Turn, empty, send},
    calls::{self, Call, Calls, Struck},
    clock::{Clock, MINUTE, Millis},
    cloudflare, console,
    faults::Faults,
    guest, hetzner,
    history::{Entry, History, Outcome},
    options::Options,
    snapshot,
    state::State,
    storage::{self, OpenError, Store, Ticket},
    stripe,
    table::draw,
    webhook::WebhookTarget,
};

/// A simulated outside world. Clones are the same world.
#[derive(Clone)]
pub struct World {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    clock: Clock,
    faults: Faults,
    kept: Mutex<Kept>,
    store: Option<Store>,
    webhook_target: Mutex<Option<WebhookTarget>>,
    changes: watch::Sender<u64>,
    calls: Mutex<Calls>,
    /// The sequence of the last call.
    asked: watch::Sender<u64>,
}

/// What the lock guards.
struct Kept {
    state: State,
    history: History,
    traffic: Traffic,
    /// How many requests came; their ids are drawn by it.
    requests: u64,
}

/// How much each API was called; not kept over a restart.
#[derive(Default)]
pub(crate) struct Traffic {
    pub(crate) totals: BTreeMap<Api, BTreeMap<String, u64>>,
    /// By API and minute of world time; the last hour only.
    pub(crate) minutes: BTreeMap<Api, BTreeMap<Millis, u64>>,
    /// Calls that were answered with 429, by API.
    pub(crate) throttled: BTreeMap<Api, u64>,
}

impl Traffic {
    fn count(&mut self, now: Millis, api: Api, endpoint: &str) {
        const MINUTES_KEPT: usize = 60;
        *self
            .totals
            .entry(api)
            .or_default()
            .entry(endpoint.to_owned())
            .or_default() += 1;
        let minutes = self.minutes.entry(api).or_default();
        *minutes.entry(now / MINUTE).or_default() += 1;
        while minutes.len() > MINUTES_KEPT {
            minutes.pop_first();
        }
    }
}

/// What a turn came to.
struct Done {
    request_id: String,
    answer: Answer,
    ticket: Option<Ticket>,
    struck: Vec<Struck>,
}

/// A call under way. It is remembered when it is answered, and also when its caller gives up.
struct Arrived<'w> {
    world: &'w World,
    call: Call,
    began: Instant,
}

impl Drop for Arrived<'_> {
    fn drop(&mut self) {
        let mut call = self.call.clone();
        call.milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.world.remember(call);
    }
}

impl World {
    /// A world that is kept nowhere.
    #[must_use]
    pub fn new(options: Options) -> World {
        let clock = Clock::new(options.start, 0, options.start, options.speed);
        let state = State::new(&options);
        World::assemble(options, clock, state, None)
    }

    /// A world kept in a file: every acknowledged change survives the process, and a world opened again goes on with the same
    /// servers from the time it had reached, or from `options.start` if that is later.
    pub async fn open(options: Options, path: &Path) -> Result<World, OpenError> {
        let mut state = State::new(&options);
        let opened = storage::open(path, options.start, &mut state).await?;
        let since = options.start.duration_since(opened.start).as_millis();
        let base = opened.reached.max(Millis::try_from(since).unwrap_or(0));
        let clock = Clock::new(opened.start, base, options.start, options.speed);
        Ok(World::assemble(options, clock, state, Some(opened.store)))
    }

    fn assemble(options: Options, clock: Clock, state: State, store: Option<Store>) -> World {
        let history = History::new(options.history_limit);
        let faults = Faults::new(options.seed);
        // A world that goes on has had requests before: the time it had reached keeps their ids apart.
        let requests = clock.now().unsigned_abs() << 16;
        let kept = Mutex::new(Kept {
            state,
            history,
            traffic: Traffic::default(),
            requests,
        });
        let webhook_target = Mutex::new(None);
        let changes = watch::Sender::new(0);
        let calls = Mutex::new(Calls::default());
        let asked = watch::Sender::new(0);
        World {
            inner: Arc::new(Inner {
                options,
                clock,
                faults,
                kept,
                store,
                webhook_target,
                changes,
                calls,
                asked,
            }),
        }
    }

    pub fn hetzner(&self) -> Router {
        hetzner::router(self)
    }

    pub fn cloudflare(&self) -> Router {
        cloudflare::router(self)
    }

    pub fn stripe(&self) -> Router {
        stripe::router(self)
    }

    /// Every server's own gateway; which one is meant is read from the Host header.
    pub fn guests(&self) -> Router {
        guest::router(self)
    }

    pub fn console(&self) -> Router {
        console::router(self)
    }

    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Everything that changed, oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<Entry> {
        self.history_since(0)
    }

    /// What changed after the entry with this sequence.
    #[must_use]
    pub fn history_since(&self, sequence: u64) -> Vec<Entry> {
        self.kept().history.since(sequence)
    }

    /// The sequence of the newest entry; 0 before the first.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.kept().history.last()
    }

    /// What is there now, as plain values.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let now = self.inner.clock.now();
        let kept = self.kept();
        snapshot::of(now, &self.inner.clock, &kept.state, &kept.traffic)
    }

    /// A number that rises with every change, for whoever wants to follow along.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    /// The last calls, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.remembered().all()
    }

    /// A number that rises with every call that has ended.
    #[must_use]
    pub(crate) fn asked(&self) -> watch::Receiver<u64> {
        self.inner.asked.subscribe()
    }

    /// Remembers a call that has ended, or what a person ordered.
    pub(crate) fn remember(&self, call: Call) {
        self.remembered().push(call);
        self.inner.asked.send_modify(|ended| *ended += 1);
    }

    fn remembered(&self) -> MutexGuard<'_, Calls> {
        self.inner
            .calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets world time jump ahead, for what takes simulated days.
    pub fn skip(&self, by: Duration) {
        self.inner.clock.skip(by);
        self.inner.changes.send_modify(|version| *version += 1);
    }

    pub fn deliver_webhooks_to(&self, target: WebhookTarget) {
        *self
            .inner
            .webhook_target
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(target);
    }

    pub(crate) fn webhook_target(&self) -> Option<WebhookTarget> {
        self.inner
            .webhook_target
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A handler that panicked held the lock; the state it left is whole, since rows are replaced one at a time.
        self.inner
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A look at the state outside of any request.
    pub(crate) fn look<T>(&self, at: impl FnOnce(Millis, &State) -> T) -> T {
        let now = self.inner.clock.now();
        at(now, &self.kept().state)
    }

    /// One request, from its fate to its answer. `work` runs at most once, alone, and all at once; a caller that gives up
    /// before it ran has changed nothing, one that gives up afterwards has.
    pub async fn call(
        &self,
        api: Api,
        asked: &Asked,
        work: impl FnOnce(&mut Turn<'_>) -> Answer,
    ) -> Response {
        let now = self.inner.clock.stamp(self.inner.clock.now());
        let mut arrived = Arrived {
            world: self,
            call: Call {
                target: calls::target(asked),
                ..Call::arriving(now, api, asked.endpoint())
            },
            began: Instant::now(),
        };
        let answer = self.answer(&mut arrived.call, work).await;
        if answer.extensions().get::<Lost>().is_none() {
            arrived.call.outcome = Outcome::Answered(answer.status().as_u16());
        }
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            *self.kept().traffic.throttled.entry(api).or_default() += 1;
        }
        answer
    }

    async fn answer(
        &self,
        call: &mut Call,
        work: impl FnOnce(&mut Turn<'_>) -> Answer,
    ) -> Response {
        let (api, endpoint) = (call.api, call.endpoint.clone());
        let fate = Fate::of(
            &self.inner.faults,
            api,
            &endpoint,
            self.inner.options.latency.request,
        );
        call.struck.extend(fate.struck);
        pause(&fate).await;
        if let Some(blow) = fate.before {
            let request_id = self.arrive(api, &endpoint);
            call.request_id.clone_from(&request_id);
            return blow.answer(api, &request_id, empty(StatusCode::OK)).await;
        }
        if self.inner.store.as_ref().is_some_and(Store::is_broken) {
            return send(empty(StatusCode::SERVICE_UNAVAILABLE));
        }
        let done = self.turn(api, &endpoint, api.name(), fate.after, work);
        call.request_id.clone_from(&done.request_id);
        call.struck.extend(done.struck);
        if !settled(done.ticket).await {
            return send(empty(StatusCode::SERVICE_UNAVAILABLE));
        }
        pause(&fate).await;
        match fate.after {
            Some(blow) => blow.answer(api, &done.request_id, done.answer).await,
            None => send(done.answer),
        }
    }

    /// A change that is no request: a person's hand at the console, or something that falls due.
    pub async fn change(&self, caller: &str, work: impl FnOnce(&mut Turn<'_>) -> Answer) -> Answer {
        let done = self.turn(Api::Console, caller, caller, None, work);
        if settled(done.ticket).await {
            done.answer
        } else {
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
    }

    /// Keeps how far time has come, so that a quiet world does not fall back when it is opened again.
    pub(crate) fn keep_time(&self) {
        if let Some(store) = &self.inner.store {
            drop(store.keep(vec![storage::reached(self.inner.clock.now())]));
        }
    }

    /// Counts a request that goes no further.
    fn arrive(&self, api: Api, endpoint: &str) -> String {
        let now = self.inner.clock.now();
        self.kept()
            .arrive(self.inner.options.seed, now, api, endpoint)
    }

    fn turn(
        &self,
        api: Api,
        endpoint: &str,
        caller: &str,
        after: Option<Blow>,
        work: impl FnOnce(&mut Turn<'_>) -> Answer,
    ) -> Done {
        let inner = &*self.inner;
        let mut guard = self.kept();
        let kept = &mut *guard;
        let now = inner.clock.now();
        let request_id = kept.arrive(inner.options.seed, now, api, endpoint);
        let mut turn = Turn {
            now,
            state: &mut kept.state,
            options: &inner.options,
            faults: &inner.faults,
            clock: &inner.clock,
            api,
            endpoint: endpoint.to_owned(),
            request_id: request_id.clone(),
            caller: caller.to_owned(),
            noted: Vec::new(),
            struck: RefCell::default(),
        };
        let answer = work(&mut turn);
        let Turn { noted, struck, .. } = turn;
        if !noted.is_empty() {
            inner.changes.send_modify(|version| *version += 1);
        }
        for mut entry in noted {
            entry.outcome = outcome(after, &answer);
            kept.history.push(entry);
        }
        Done {
            request_id,
            answer,
            ticket: inner.keep(now, &mut kept.state),
            struck: struck.into_inner(),
        }
    }
}

impl Kept {
    /// Counts a request and names it.
    fn arrive(&mut self, seed: u64, now: Millis, api: Api, endpoint: &str) -> String {
        self.traffic.count(now, api, endpoint);
        self.requests += 1;
        format!("{:016x}", draw(seed, "request", self.requests))
    }
}

impl Inner {
    /// Hands what changed to storage, still under the lock, so that the file sees turns in their order.
    fn keep(&self, now: Millis, state: &mut State) -> Option<Ticket> {
        let Some(store) = &self.store else {
            state
                .tables()
                .into_iter()
                .for_each(crate::table::Stored::settle);
            return None;
        };
        let mut rows = Vec::new();
        for table in state.tables() {
            table.drain(&mut rows);
        }
        if rows.is_empty() {
            return None;
        }
        rows.push(storage::reached(now));
        Some(store.keep(rows))
    }
}

fn outcome(after: Option<Blow>, answer: &Answer) -> Outcome {
    match after {
        None => Outcome::Answered(answer.status().as_u16()),
        Some(Blow::Broken(status)) => Outcome::Answered(status.as_u16()),
        Some(Blow::Lost | Blow::Stalled | Blow::Garbled | Blow::Throttled) => Outcome::Lost,
    }
}

async fn pause(fate: &Fate) {
    if !fate.pause.is_zero() {
        tokio::time::sleep(fate.pause).await;
    }
}

async fn settled(ticket: Option<Ticket>) -> bool {
    match ticket {
        Some(ticket) => ticket.kept().await,
        None => true,
    }
}
