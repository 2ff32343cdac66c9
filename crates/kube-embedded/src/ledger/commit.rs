//! The one task that writes to the journal: everything that waits becomes one commit.

use std::sync::Weak;

use tokio::sync::mpsc;

use super::{Ledger, Queued};
use crate::storage::Journal;

/// Changes in one commit at most, so that the first of them does not wait long.
const BATCH_LIMIT: usize = 256;

/// Runs until the ledger is gone. Only a journal needs the task: a commit must go on when the request
/// that asked for it does not.
#[allow(
    clippy::disallowed_methods,
    reason = "a commit outlives its request; a failed one is reported to whoever waits for it"
)]
pub(super) fn start(
    mut journal: Box<dyn Journal>,
    mut queue: mpsc::Receiver<Queued>,
    ledger: Weak<Ledger>,
) {
    tokio::spawn(async move {
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, BATCH_LIMIT).await > 0 {
            let changes = batch.iter().map(Queued::change).collect();
            let done = journal.append(changes).await;
            let Some(ledger) = ledger.upgrade() else {
                return;
            };
            let batch = std::mem::take(&mut batch);
            match done {
                Ok(()) => ledger.kept(batch),
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "changes were not kept"
                    );
                    ledger.lost(batch, &mut queue);
                }
            }
        }
    });
}
