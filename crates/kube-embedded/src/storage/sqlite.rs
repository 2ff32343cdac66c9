//! The journal in one `SQLite` file: the latest state of each object, and the last version.
//!
//! WAL with `synchronous = FULL`: a commit is on the disk before it is acknowledged, so that neither
//! kill -9 nor a power cut loses what a client was told. The price, one flush a commit, is shared: the
//! ledger hands over everything that waits as one transaction.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Row};

use super::{Change, Journal, Snapshot, StorageError};

/// "database is locked", and the same within one process: <https://sqlite.org/rescode.html>
const BUSY: [&str; 2] = ["5", "261"];

/// A server that is on its way out, in this process or another, lets go within this time.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct Sqlite {
    connection: SqliteConnection,
}

impl Sqlite {
    pub(crate) async fn open(path: &Path) -> Result<Self, StorageError> {
        let failed = |source: sqlx::Error| match source.as_database_error() {
            Some(error)
                if error
                    .code()
                    .is_some_and(|code| BUSY.contains(&code.as_ref())) =>
            {
                StorageError::InUse {
                    path: path.to_owned(),
                }
            }
            _ => StorageError::Open {
                path: path.to_owned(),
                source,
            },
        };
        // It holds Secrets; SQLite gives its other files the mode of this one.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|error| failed(error.into()))?;
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            // Exclusive keeps the lock for as long as the connection: one process at a time.
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(LOCK_PATIENCE)
            .connect()
            .await
            .map_err(failed)?;
        sqlx::raw_sql(
            "CREATE TABLE IF NOT EXISTS objects (
                 resource TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
                 PRIMARY KEY (resource, key)) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS last (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL);
             INSERT INTO last VALUES (1, 0) ON CONFLICT DO NOTHING;",
        )
        .execute(&mut connection)
        .await
        .map_err(failed)?;
        Ok(Self { connection })
    }

    async fn read(&mut self) -> Result<Snapshot, sqlx::Error> {
        let version: i64 = sqlx::query("SELECT version FROM last")
            .fetch_one(&mut self.connection)
            .await?
            .try_get(0)?;
        let rows = sqlx::query("SELECT resource, key, version, body FROM objects")
            .fetch_all(&mut self.connection)
            .await?;
        let objects = rows.iter().map(|row| {
            Ok(Change {
                resource: row.try_get(0)?,
                key: row.try_get(1)?,
                version: row.try_get::<i64, _>(2)?.cast_unsigned(),
                body: Some(Bytes::from(row.try_get::<Vec<u8>, _>(3)?)),
            })
        });
        Ok(Snapshot {
            version: version.cast_unsigned(),
            objects: objects.collect::<Result<_, sqlx::Error>>()?,
        })
    }

    async fn write(&mut self, changes: Vec<Change>) -> Result<(), sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        let mut last = 0;
        for change in changes {
            last = last.max(change.version);
            let query = match change.body {
                Some(body) => sqlx::query(
                    "INSERT INTO objects VALUES ($1, $2, $3, $4) ON CONFLICT (resource, key)
                     DO UPDATE SET version = excluded.version, body = excluded.body",
                )
                .bind(change.resource)
                .bind(change.key)
                .bind(change.version.cast_signed())
                .bind(Vec::from(body)),
                None => sqlx::query("DELETE FROM objects WHERE resource = $1 AND key = $2")
                    .bind(change.resource)
                    .bind(change.key),
            };
            query.execute(&mut *transaction).await?;
        }
        sqlx::query("UPDATE last SET version = max(version, $1)")
            .bind(last.cast_signed())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }
}

impl Journal for Sqlite {
    fn load(&mut self) -> BoxFuture<'_, Result<Snapshot, StorageError>> {
        Box::pin(async { self.read().await.map_err(StorageError::Load) })
    }

    fn append(&mut self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), StorageError>> {
        Box::pin(async { self.write(changes).await.map_err(StorageError::Append) })
    }
}
