//! How the changes we asked for are going: which actions belong to which server, and one request for
//! many of them. It does not say what an ended action means for the server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::wire::{ActionBody, ActionStatus, Actions as Answer};
use crate::provider::account::{Account, Ask};
use crate::provider::gather::Gather;
use crate::provider::retold::retold;
use crate::provider::{Priority, ProviderError};

/// Ids in one request; the vendor's own client uses the same number (`action_waiter.go`).
const IDS_PER_REQUEST: usize = 25;
/// How long a question waits for others to go with it.
const WINDOW: Duration = Duration::from_millis(50);
/// An answer is used again for so long …
const REUSED_MIN: Duration = Duration::from_secs(4);
/// … and at most so long, when the change takes long.
const REUSED_MAX: Duration = Duration::from_secs(30);
/// That a server has nothing under way is believed for so long.
const IDLE_KEPT: Duration = Duration::from_secs(20);
/// A change nobody asked about any more is forgotten, and so is a server that is gone.
const TRACK_KEPT: Duration = Duration::from_hours(1);

/// What a server is once its actions have ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    Running,
    Off,
    Gone,
    /// Read it to know.
    Unsaid,
}

/// How a server's change goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Going {
    Running { percent: u8 },
    Failed { code: String },
    Ended(Aim),
}

#[derive(Default)]
struct Memory {
    tracks: BTreeMap<i64, Track>,
    idle: BTreeMap<i64, Instant>,
    /// Servers whose deletion, asked for by us, has ended well. Ids only rise: none comes back.
    gone: BTreeMap<i64, Instant>,
}

struct Track {
    aim: Aim,
    begun: Instant,
    asked: Instant,
    actions: BTreeMap<i64, State>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Running {
        percent: u8,
    },
    Succeeded,
    Failed {
        code: String,
    },
    /// Asked for and not in the answer: the provider has forgotten it.
    Lost,
}

/// The actions of one project's servers.
pub(super) struct Actions {
    memory: Arc<Mutex<Memory>>,
    gather: Gather<i64, Result<(), Arc<ProviderError>>>,
}

impl Default for Actions {
    fn default() -> Self {
        Self {
            memory: Arc::default(),
            gather: Gather::new(WINDOW, IDS_PER_REQUEST * 4),
        }
    }
}

impl Actions {
    /// Remembers what a change of `server` set going; it replaces what was known before.
    pub(super) fn follow(
        &self,
        server: i64,
        aim: Aim,
        actions: impl IntoIterator<Item = ActionBody>,
    ) {
        let now = Instant::now();
        let actions: BTreeMap<_, _> = actions
            .into_iter()
            .map(|action| (action.id, State::of(action)))
            .collect();
        let mut memory = lock(&self.memory);
        memory.forget_old(now);
        memory.idle.remove(&server);
        let track = Track {
            aim,
            begun: now,
            asked: now,
            actions,
        };
        memory.tracks.insert(server, track);
    }

    /// Nothing is under way on `server`, as far as anybody knows.
    pub(super) fn rest(&self, server: i64) {
        let mut memory = lock(&self.memory);
        memory.tracks.remove(&server);
        memory.idle.insert(server, Instant::now());
    }

    /// The deletion of `server` has ended well.
    pub(super) fn bury(&self, server: i64) {
        lock(&self.memory).gone.insert(server, Instant::now());
    }

    /// Whether we have seen the end of its deletion: there is nothing to ask.
    pub(super) fn is_gone(&self, server: i64) -> bool {
        lock(&self.memory).gone.contains_key(&server)
    }

    /// Whether it was found at rest a moment ago.
    pub(super) fn rests(&self, server: i64) -> bool {
        let memory = lock(&self.memory);
        let idle = memory.idle.get(&server);
        idle.is_some_and(|since| since.elapsed() < IDLE_KEPT)
    }

    /// How the change of `server` goes; None when we know of none. Asks the provider when what we
    /// know is too old, together with everybody else who asks now.
    pub(super) async fn going(
        &self,
        account: &Arc<Account>,
        server: i64,
    ) -> Result<Option<Going>, ProviderError> {
        {
            let memory = lock(&self.memory);
            let Some(track) = memory.tracks.get(&server) else {
                return Ok(None);
            };
            if !track.is_due(Instant::now()) {
                return Ok(Some(track.going()));
            }
        }
        let account = Arc::clone(account);
        let memory = Arc::clone(&self.memory);
        let poll = move |servers: Vec<i64>| async move {
            let answer = poll(&account, &memory, &servers).await.map_err(Arc::new);
            vec![answer; servers.len()]
        };
        if let Some(Err(error)) = self.gather.ask(server, poll).await {
            return Err(retold(&error));
        }
        Ok(lock(&self.memory).tracks.get(&server).map(Track::going))
    }
}

/// Asks for the unfinished actions of `servers`, and fills the last request up with those of other
/// servers that are due.
async fn poll(
    account: &Account,
    memory: &Mutex<Memory>,
    servers: &[i64],
) -> Result<(), ProviderError> {
    let ids = lock(memory).due(servers, Instant::now());
    for chunk in ids.chunks(IDS_PER_REQUEST) {
        let query: Vec<String> = chunk.iter().map(|id| format!("id={id}")).collect();
        let path = format!("/actions?{}", query.join("&"));
        let ask = Ask::get(Priority::Create, "GET /actions", path);
        let answer: Answer = account.ask(ask).await?;
        lock(memory).learn(chunk, answer.actions, Instant::now());
    }
    Ok(())
}

impl Memory {
    fn due(&self, servers: &[i64], now: Instant) -> Vec<i64> {
        let of = |server: &i64| self.tracks.get(server).into_iter();
        let mut ids: Vec<i64> = servers
            .iter()
            .flat_map(of)
            .flat_map(Track::unfinished)
            .collect();
        let room = ids.len().next_multiple_of(IDS_PER_REQUEST) - ids.len();
        let mut others: Vec<_> = self
            .tracks
            .iter()
            .filter(|(server, track)| track.is_due(now) && !servers.contains(server))
            .map(|(_, track)| track)
            .collect();
        others.sort_by_key(|track| track.asked);
        ids.extend(others.into_iter().flat_map(Track::unfinished).take(room));
        ids
    }

    fn learn(&mut self, asked: &[i64], answer: Vec<ActionBody>, now: Instant) {
        let mut told: BTreeMap<i64, State> = answer
            .into_iter()
            .map(|action| (action.id, State::of(action)))
            .collect();
        for track in self.tracks.values_mut() {
            for (id, state) in &mut track.actions {
                if asked.contains(id) {
                    *state = told.remove(id).unwrap_or(State::Lost);
                    track.asked = now;
                }
            }
        }
    }

    fn forget_old(&mut self, now: Instant) {
        self.tracks
            .retain(|_, track| track.asked + TRACK_KEPT > now);
        self.idle.retain(|_, since| *since + IDLE_KEPT > now);
        self.gone.retain(|_, since| *since + TRACK_KEPT > now);
    }
}

impl Track {
    fn unfinished(&self) -> impl Iterator<Item = i64> {
        let unfinished = |(_, state): &(&i64, &State)| matches!(state, State::Running { .. });
        self.actions.iter().filter(unfinished).map(|(id, _)| *id)
    }

    /// The longer it takes, the more rarely we ask.
    fn is_due(&self, now: Instant) -> bool {
        let age = now.saturating_duration_since(self.begun);
        let reused = (age / 6).clamp(REUSED_MIN, REUSED_MAX);
        self.unfinished().next().is_some() && self.asked + reused <= now
    }

    fn going(&self) -> Going {
        let failed = self.actions.values().find_map(|state| match state {
            State::Failed { code } => Some(code.clone()),
            State::Running { .. } | State::Succeeded | State::Lost => None,
        });
        if let Some(code) = failed {
            return Going::Failed { code };
        }
        let slowest = self.actions.values().filter_map(|state| match state {
            State::Running { percent } => Some(*percent),
            State::Failed { .. } | State::Succeeded | State::Lost => None,
        });
        if let Some(percent) = slowest.min() {
            return Going::Running { percent };
        }
        let mut states = self.actions.values();
        let is_certain = !self.actions.is_empty() && states.all(|state| *state == State::Succeeded);
        Going::Ended(if is_certain { self.aim } else { Aim::Unsaid })
    }
}

impl State {
    fn of(action: ActionBody) -> Self {
        match action.status {
            ActionStatus::Running | ActionStatus::Unknown => Self::Running {
                percent: action.progress.min(100),
            },
            ActionStatus::Success => Self::Succeeded,
            ActionStatus::Error => Self::Failed {
                code: action
                    .error
                    .map_or_else(|| "unknown".to_owned(), |error| error.code),
            },
        }
    }
}

fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
