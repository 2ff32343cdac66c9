//! How a world survives its process: each changed row goes into one `SQLite` file before the answer that tells of it goes out.

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use sqlx::{
    Connection, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous},
};
use tokio::sync::{mpsc, oneshot};

use crate::{clock::Millis, state::State, table::Row};

/// Why a world could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot open {}", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    #[error("cannot read what is kept in {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    #[error("{} holds {table}/{key}, which this version cannot read: {reason}", path.display())]
    Row {
        path: PathBuf,
        table: String,
        key: String,
        reason: String,
    },
}

/// A turn's changes, and whom to tell when they are kept.
struct Batch {
    rows: Vec<Row>,
    kept: oneshot::Sender<()>,
}

/// The way to the file. Batches are kept in the order they are handed over.
pub(crate) struct Store {
    queue: mpsc::UnboundedSender<Batch>,
}

/// Told when a batch is kept.
pub(crate) struct Ticket(oneshot::Receiver<()>);

impl Ticket {
    /// True when the changes are kept; false when they never will be.
    pub(crate) async fn kept(self) -> bool {
        self.0.await.is_ok()
    }
}

impl Store {
    /// Whether the writer has given up: nothing can be kept any more.
    pub(crate) fn is_broken(&self) -> bool {
        self.queue.is_closed()
    }

    /// Queues rows. Callers wait for their ticket before they answer, so the queue is never longer than the calls under way.
    pub(crate) fn keep(&self, rows: Vec<Row>) -> Ticket {
        let (kept, ticket) = oneshot::channel();
        // When the writer is gone the sender inside is dropped with the batch, and the ticket says so.
        drop(self.queue.send(Batch { rows, kept }));
        Ticket(ticket)
    }
}

/// A world's file and what it says of time.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) start: Timestamp,
    pub(crate) reached: Millis,
}

/// How long another world may take to let go of the file.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens or makes the file, and fills `state` from it. `start` is used when the file is new.
pub(crate) async fn open(
    path: &Path,
    start: Timestamp,
    state: &mut State,
) -> Result<Opened, OpenError> {
    let at = || path.to_owned();
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        // Two worlds in one file would each know only half of it: the second is refused.
        .locking_mode(SqliteLockingMode::Exclusive)
        .busy_timeout(PATIENCE)
        .journal_mode(SqliteJournalMode::Wal)
        // In WAL mode this survives a killed process; only a power cut may lose the last moments.
        .synchronous(SqliteSynchronous::Normal);
    let mut file = SqliteConnection::connect_with(&options)
        .await
        .map_err(|source| OpenError::Open { path: at(), source })?;
    sqlx::query(
        "create table if not exists rows (tab text not null, key text not null, body text not null, \
         primary key (tab, key)) without rowid",
    )
    .execute(&mut file)
    .await
    .map_err(|source| OpenError::Read { path: at(), source })?;

    let kept = sqlx::query("select tab, key, body from rows")
        .fetch_all(&mut file)
        .await
        .map_err(|source| OpenError::Read { path: at(), source })?;
    let mut time = (start, 0);
    for row in kept {
        let (table, key, body): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        restore(state, &mut time, &table, &key, &body).map_err(|reason| OpenError::Row {
            path: at(),
            table,
            key,
            reason,
        })?;
    }
    state
        .tables()
        .into_iter()
        .for_each(crate::table::Stored::settle);

    let (queue, batches) = mpsc::unbounded_channel();
    start_writer(file, batches);
    let store = Store { queue };
    store
        .keep(vec![time_row("start", &time.0.to_string())])
        .kept()
        .await;
    Ok(Opened {
        store,
        start: time.0,
        reached: time.1,
    })
}

const TIME: &str = "time";

fn time_row(key: &str, value: &str) -> Row {
    Row {
        table: TIME,
        key: key.to_owned(),
        body: Some(value.to_owned()),
    }
}

/// The row that says how far the world has come; goes with every batch.
pub(crate) fn reached(now: Millis) -> Row {
    time_row("reached", &now.to_string())
}

fn restore(
    state: &mut State,
    time: &mut (Timestamp, Millis),
    table: &str,
    key: &str,
    body: &str,
) -> Result<(), String> {
    if table == TIME {
        match key {
            "start" => {
                time.0 = body
                    .parse()
                    .map_err(|error: jiff::Error| error.to_string())?;
            }
            "reached" => {
                time.1 = body
                    .parse()
                    .map_err(|error: std::num::ParseIntError| error.to_string())?;
            }
            unknown => return Err(format!("no such time as {unknown}")),
        }
        return Ok(());
    }
    let mut tables = state.tables();
    let Some(known) = tables.iter_mut().find(|known| known.name() == table) else {
        return Err("there is no such table".to_owned());
    };
    known.restore(key, body)
}

#[allow(
    clippy::disallowed_methods,
    reason = "the writer ends with the world; if it dies, every later change is refused, so nothing goes on unkept"
)]
fn start_writer(file: SqliteConnection, batches: mpsc::UnboundedReceiver<Batch>) {
    tokio::spawn(write(file, batches));
}

/// Keeps batches for as long as there is a world; as many as are waiting go into one transaction.
async fn write(mut file: SqliteConnection, mut batches: mpsc::UnboundedReceiver<Batch>) {
    const MOST_AT_ONCE: usize = 512;
    let mut waiting = Vec::new();
    while batches.recv_many(&mut waiting, MOST_AT_ONCE).await > 0 {
        if let Err(error) = write_together(&mut file, &waiting).await {
            tracing::error!(error = %error, "the world can no longer be kept; every change is refused from now on");
            return;
        }
        for batch in waiting.drain(..) {
            // Nobody waits any more when the caller has gone; the change is kept all the same.
            batch.kept.send(()).ok();
        }
    }
}

async fn write_together(file: &mut SqliteConnection, batches: &[Batch]) -> Result<(), sqlx::Error> {
    let mut transaction = file.begin().await?;
    for row in batches.iter().flat_map(|batch| &batch.rows) {
        let query = match &row.body {
            Some(body) => {
                sqlx::query("insert or replace into rows (tab, key, body) values (?, ?, ?)")
                    .bind(row.table)
                    .bind(&row.key)
                    .bind(body)
            }
            None => sqlx::query("delete from rows where tab = ? and key = ?")
                .bind(row.table)
                .bind(&row.key),
        };
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
