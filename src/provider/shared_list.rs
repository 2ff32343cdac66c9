//! One list in flight serves all who may be content with it. Nobody is given a list that was begun
//! before the moment they named, and no two lists of the same thing run at once.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::time::Instant;

use super::retold::retold;
use super::{BegunAfter, Priority, ProviderError};

/// A complete list, and when its first request was sent.
pub(super) struct Listed<T> {
    pub begun: Instant,
    pub items: Arc<T>,
}

impl<T> Clone for Listed<T> {
    fn clone(&self) -> Self {
        Self {
            begun: self.begun,
            items: Arc::clone(&self.items),
        }
    }
}

type Answer<T> = Result<Listed<T>, Arc<ProviderError>>;
type Work<T> = BoxFuture<'static, Answer<T>>;

pub(super) struct SharedList<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    latest: Option<Listed<T>>,
    under_way: Option<Flight<T>>,
    /// Begins when the one under way has ended; serves everybody who asks until then.
    next: Option<Flight<T>>,
    tickets: u64,
}

/// Weak, so that a list nobody waits for any more is dropped instead of resumed later.
struct Flight<T> {
    ticket: u64,
    begun: Option<Instant>,
    priority: Priority,
    work: Option<WeakShared<Work<T>>>,
}

impl<T> Flight<T> {
    fn alive(&self) -> Option<Shared<Work<T>>> {
        self.work.as_ref()?.upgrade()
    }
}

impl<T> Default for SharedList<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            latest: None,
            under_way: None,
            next: None,
            tickets: 0,
        })))
    }
}

impl<T: Send + Sync + 'static> SharedList<T> {
    /// The newest complete list, whatever its age.
    pub(super) fn latest(&self) -> Option<Listed<T>> {
        lock(&self.0).latest.clone()
    }

    /// A list begun after `asked`: the latest, the one under way, or a new one from `list`, which is
    /// given the highest priority of those who wait for it.
    pub(super) async fn get<F, Fut>(
        &self,
        priority: Priority,
        asked: BegunAfter,
        list: F,
    ) -> Result<Listed<T>, ProviderError>
    where
        F: FnOnce(Priority) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, ProviderError>> + Send,
    {
        let work = {
            let mut state = lock(&self.0);
            // Strictly after: on a coarse clock "the same moment" may be before.
            let latest = state.latest.as_ref();
            if let Some(latest) = latest.filter(|latest| latest.begun > asked.0) {
                return Ok(latest.clone());
            }
            match state.join(priority, asked) {
                Some(work) => work,
                None => self.begin(&mut state, priority, list),
            }
        };
        work.await.map_err(|error| retold(&error))
    }

    fn begin<F, Fut>(&self, state: &mut State<T>, priority: Priority, list: F) -> Shared<Work<T>>
    where
        F: FnOnce(Priority) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, ProviderError>> + Send,
    {
        state.tickets += 1;
        let ticket = state.tickets;
        let before = state.under_way.as_ref().and_then(Flight::alive);
        let shared = Arc::clone(&self.0);
        let work = async move {
            if let Some(before) = before {
                drop(before.await);
            }
            let (begun, priority) = lock(&shared).take_off(ticket, priority);
            let answer = list(priority).await.map(|items| Listed {
                begun,
                items: Arc::new(items),
            });
            lock(&shared).land(ticket, answer.as_ref().ok());
            answer.map_err(Arc::new)
        };
        let work = work.boxed().shared();
        state.next = Some(Flight {
            ticket,
            begun: None,
            priority,
            work: work.downgrade(),
        });
        work
    }
}

impl<T> State<T> {
    fn join(&mut self, priority: Priority, asked: BegunAfter) -> Option<Shared<Work<T>>> {
        if let Some(flight) = &self.under_way
            && flight.begun > Some(asked.0)
            && flight.priority >= priority
            && let Some(work) = flight.alive()
        {
            return Some(work);
        }
        let next = self.next.as_mut()?;
        let work = next.alive()?;
        next.priority = next.priority.max(priority);
        Some(work)
    }

    fn take_off(&mut self, ticket: u64, asked_with: Priority) -> (Instant, Priority) {
        let begun = Instant::now();
        let Some(mut flight) = self.next.take_if(|next| next.ticket == ticket) else {
            return (begun, asked_with);
        };
        let priority = flight.priority;
        flight.begun = Some(begun);
        self.under_way = Some(flight);
        (begun, priority)
    }

    fn land(&mut self, ticket: u64, listed: Option<&Listed<T>>) {
        drop(self.under_way.take_if(|flight| flight.ticket == ticket));
        if let Some(listed) = listed {
            self.latest = Some(listed.clone());
        }
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
