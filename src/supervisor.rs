//! Keeps the tasks of the process: one that ends before it should ends the process, and all are given
//! time to finish when it is asked to stop. What the tasks do is not known here.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::provider::BoxError;

/// Why the process must end.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    #[error("the task {task:?} ended by itself, which it must not")]
    Ended { task: String },
    #[error("the task {task:?} failed")]
    Failed {
        task: String,
        #[source]
        cause: BoxError,
    },
    #[error("the task {task:?} panicked")]
    Panicked {
        task: String,
        #[source]
        cause: JoinError,
    },
    #[error("{tasks} did not stop within {limit:?} and had to be cut off")]
    Slow { tasks: String, limit: Duration },
    #[error("the signals to stop cannot be watched")]
    Signals(#[source] io::Error),
}

/// What a task ends with: nothing, or a result.
pub trait Ending: Send + 'static {
    fn cause(self) -> Option<BoxError>;
}

impl Ending for () {
    fn cause(self) -> Option<BoxError> {
        None
    }
}

impl<E: Into<BoxError> + Send + 'static> Ending for Result<(), E> {
    fn cause(self) -> Option<BoxError> {
        self.err().map(Into::into)
    }
}

type Ended = Result<(Id, Option<BoxError>), JoinError>;

/// The only place that spawns tasks. Dropping it cuts all of them off.
#[derive(Default)]
pub struct Supervisor {
    tasks: JoinSet<Option<BoxError>>,
    names: BTreeMap<Id, String>,
    stop: CancellationToken,
}

impl Supervisor {
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the tasks shall finish.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task that runs until [`Supervisor::stop`] is cancelled, and not less.
    pub fn spawn<T: Ending>(
        &mut self,
        name: impl Into<String>,
        task: impl Future<Output = T> + Send + 'static,
    ) {
        let handle = self.tasks.spawn(async move { task.await.cause() });
        self.names.insert(handle.id(), name.into());
    }

    /// Waits until `asked` resolves or a task ends, then stops all, for `limit` at most.
    ///
    /// The first thing that went wrong is returned; what follows from it is only logged.
    pub async fn run(
        mut self,
        asked: impl Future<Output = ()>,
        limit: Duration,
    ) -> Result<(), SupervisorError> {
        let fault = tokio::select! {
            () = asked => None,
            Some(ended) = self.tasks.join_next_with_id() => {
                let task = self.forget(&ended);
                Some(fault(&task, ended).unwrap_or(SupervisorError::Ended { task }))
            }
        };
        self.stop.cancel();
        if let Some(error) = &fault {
            let cause = crate::cause::chain(error);
            tracing::error!(%cause, "A task died, so the process ends");
        }
        let stopped = self.wait(limit).await;
        fault.map_or(stopped, Err)
    }

    async fn wait(&mut self, limit: Duration) -> Result<(), SupervisorError> {
        let mut first = None;
        let all = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                let task = self.forget(&ended);
                tracing::debug!(task, "Stopped");
                if let Some(error) = fault(&task, ended) {
                    let cause = crate::cause::chain(&error);
                    tracing::error!(%cause, "A task went wrong while it was stopped");
                    first.get_or_insert(error);
                }
            }
        };
        if tokio::time::timeout(limit, all).await.is_err() {
            self.tasks.abort_all();
            let tasks: Vec<String> = self.names.values().cloned().collect();
            let tasks = tasks.join(", ");
            tracing::error!(tasks, ?limit, "Tasks had to be cut off");
            first.get_or_insert(SupervisorError::Slow { tasks, limit });
        }
        first.map_or(Ok(()), Err)
    }

    /// The name of a task that ended.
    fn forget(&mut self, ended: &Ended) -> String {
        let id = match ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        self.names.remove(&id).unwrap_or_default()
    }
}

fn fault(task: &str, ended: Ended) -> Option<SupervisorError> {
    let task = task.to_owned();
    match ended {
        Ok((_, None)) => None,
        Ok((_, Some(cause))) => Some(SupervisorError::Failed { task, cause }),
        Err(cause) => Some(SupervisorError::Panicked { task, cause }),
    }
}

/// Begins to watch for SIGINT (Ctrl-C) and SIGTERM at once; the future resolves with the first.
pub fn asked_to_stop() -> Result<impl Future<Output = ()>, SupervisorError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(SupervisorError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(SupervisorError::Signals)?;
    Ok(async move {
        let name = tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        };
        tracing::info!(signal = name, "Asked to stop");
    })
}

#[cfg(test)]
mod tests;
