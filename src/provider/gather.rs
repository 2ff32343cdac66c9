//! Questions asked at nearly the same time go out together. It knows neither the questions nor the
//! answers; nobody waits longer than the window for company.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, WeakShared};

type Answers<A> = BoxFuture<'static, Arc<Vec<A>>>;

pub(super) struct Gather<Q, A> {
    window: Duration,
    most: usize,
    open: Mutex<Option<Round<Q, A>>>,
}

struct Round<Q, A> {
    /// None once the round has left.
    waiting: Arc<Mutex<Option<Vec<Q>>>>,
    /// Weak, so that a round whose askers have all gone is forgotten.
    answers: Option<WeakShared<Answers<A>>>,
}

impl<Q, A> Gather<Q, A>
where
    Q: Send + 'static,
    A: Clone + Send + Sync + 'static,
{
    /// Waits `window` for up to `most` questions.
    pub(super) fn new(window: Duration, most: usize) -> Self {
        Self {
            window,
            most,
            open: Mutex::new(None),
        }
    }

    /// Asks together with whoever comes within the window. `answer` gets all questions and gives one
    /// answer for each, in order; only one caller's is run. None when it gave too few.
    pub(super) async fn ask<F, Fut>(&self, question: Q, answer: F) -> Option<A>
    where
        F: FnOnce(Vec<Q>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<A>> + Send,
    {
        let (place, answers) = {
            let mut open = lock(&self.open);
            match self.join(open.as_ref(), question) {
                Ok(joined) => joined,
                Err(question) => {
                    let waiting = Arc::new(Mutex::new(Some(vec![question])));
                    let window = self.window;
                    let queue = Arc::clone(&waiting);
                    let work = async move {
                        tokio::time::sleep(window).await;
                        let questions = lock(&queue).take().unwrap_or_default();
                        Arc::new(answer(questions).await)
                    };
                    let answers = work.boxed().shared();
                    *open = Some(Round {
                        waiting,
                        answers: answers.downgrade(),
                    });
                    (0, answers)
                }
            }
        };
        answers.await.get(place).cloned()
    }

    /// A place in the open round, or the question back when there is none.
    #[allow(clippy::type_complexity, reason = "a private pair, named by its use")]
    fn join(
        &self,
        round: Option<&Round<Q, A>>,
        question: Q,
    ) -> Result<(usize, futures::future::Shared<Answers<A>>), Q> {
        let Some(round) = round else {
            return Err(question);
        };
        let Some(answers) = round.answers.as_ref().and_then(WeakShared::upgrade) else {
            return Err(question);
        };
        let mut waiting = lock(&round.waiting);
        match waiting.as_mut() {
            Some(questions) if questions.len() < self.most => {
                questions.push(question);
                Ok((questions.len() - 1, answers))
            }
            Some(_) | None => Err(question),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
