//! Where the objects outlive the process: nowhere (memory), or one `SQLite` file.
//!
//! Reads never come here: the ledger holds every object. A journal is read once, at start, and then
//! only appended to.

pub(crate) mod sqlite;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::future::BoxFuture;

/// What is kept of the objects when the process ends.
pub struct Storage(pub(crate) Kind);

pub(crate) enum Kind {
    Memory,
    Journal(Box<dyn Journal>),
}

impl Storage {
    /// Nothing is kept; no file is touched and no thread is used.
    pub fn memory() -> Self {
        Self(Kind::Memory)
    }

    /// Everything is kept in the file at `path`, made if it is not there.
    ///
    /// The file belongs to one process at a time; a second one gets [`StorageError::InUse`].
    pub async fn sqlite(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let journal = sqlite::Sqlite::open(path.as_ref()).await?;
        Ok(Self(Kind::Journal(Box::new(journal))))
    }
}

/// A place that keeps changes.
pub(crate) trait Journal: Send + 'static {
    /// The latest state of every object that is not deleted.
    fn load(&mut self) -> BoxFuture<'_, Result<Snapshot, StorageError>>;

    /// Keeps all of the changes or, with an error, none; `Ok` means they survive a power cut.
    fn append(&mut self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), StorageError>>;
}

/// What a journal held at start.
#[derive(Default)]
pub(crate) struct Snapshot {
    /// The highest version ever given out, also to objects that are gone.
    pub(crate) version: u64,
    pub(crate) objects: Vec<Change>,
}

/// One object as of one version.
#[derive(Clone)]
pub(crate) struct Change {
    /// The resource as it is stored, e.g. `leases.coordination.k8s.io`.
    pub(crate) resource: String,
    /// `<namespace>/<name>`; the namespace is empty for cluster-wide resources.
    pub(crate) key: String,
    pub(crate) version: u64,
    /// The object as JSON, or nothing if this version deletes it.
    pub(crate) body: Option<Bytes>,
}

/// Why the storage did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("{} is in use by another process", path.display())]
    InUse { path: PathBuf },
    #[error("cannot open {} as a database", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    #[error("cannot read the objects from the database")]
    Load(#[source] sqlx::Error),
    #[error("the database holds something at {key} that is no object")]
    Damaged { key: String },
    #[error("cannot write to the database")]
    Append(#[source] sqlx::Error),
}
