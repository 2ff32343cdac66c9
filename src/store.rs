//! The database of one installation: one SQLite file, opened once. All SQL of the program is below this
//! module; what the rows mean to anybody is not known here.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

pub mod envelope;
pub mod keys;
pub mod secrets;

/// Writers wait in line inside `SQLite`, so a few connections are plenty.
const CONNECTIONS_MAX: u32 = 4;
/// How long one waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database file {} cannot be created or made private to this user", path.display())]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("the database {} cannot be opened", path.display())]
    Open {
        path: PathBuf,
        #[source]
        cause: sqlx::Error,
    },
    #[error("the database {} cannot be brought to this version", path.display())]
    Migrate {
        path: PathBuf,
        #[source]
        cause: sqlx::migrate::MigrateError,
    },
}

/// The open database; clones share its connections.
#[derive(Clone)]
pub struct Database {
    pool: SqlitePool,
}

impl Database {
    /// Opens the file, made if it is missing and readable by this user only, and brings it to this
    /// version. What was committed survives a crash of the process and of the machine.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path).map_err(|cause| StoreError::File {
            path: path.to_owned(),
            cause,
        })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What was destroyed is overwritten and not just unlinked.
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .connect_with(options)
            .await
            .map_err(|cause| StoreError::Open {
                path: path.to_owned(),
                cause,
            })?;
        sqlx::migrate!()
            .run(&pool)
            .await
            .map_err(|cause| StoreError::Migrate {
                path: path.to_owned(),
                cause,
            })?;
        Ok(Self { pool })
    }

    /// Waits until every connection is given back, and closes them.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// `SQLite` gives its journal the mode of the database file, so the file must be there with it first.
fn make_private(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

#[cfg(test)]
mod tests;
