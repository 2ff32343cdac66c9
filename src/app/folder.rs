//! The folder `dev` keeps its state in: made private, held by one process at a time, emptied on request.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Marks the folder as ours, so that `--fresh` never empties somebody else's, and is locked while in use.
const MARK: &str = ".clawdet-dev";
/// Everything `dev` writes; `--fresh` removes these and nothing else.
const FILES: &[&str] = &[
    "kubernetes.db",
    "kubernetes.db-wal",
    "kubernetes.db-shm",
    "world.db",
    "world.db-wal",
    "world.db-shm",
    "clawdet.db",
    "clawdet.db-wal",
    "clawdet.db-shm",
    "secrets.key",
    "seed",
    "kubeconfig",
    READY,
];
/// Where everything is, written when everything answers.
const READY: &str = "dev.json";

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("another `clawdet dev` uses {0}; stop it, or give this one a --data-dir of its own")]
    InUse(PathBuf),
    #[error("{0} is not empty and was not made by `clawdet dev`; choose another --data-dir")]
    NotOurs(PathBuf),
    #[error("cannot use {path}")]
    Io {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// A folder held by this process until it is dropped.
pub(super) struct Folder {
    path: PathBuf,
    _held: File,
}

impl Folder {
    /// Opens or makes the folder (0700) and holds it; `fresh` forgets what an earlier `dev` left there.
    pub(super) fn open(path: &Path, fresh: bool) -> Result<Self, FolderError> {
        let failed = |cause| FolderError::Io {
            path: path.to_owned(),
            cause,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        let mark = path.join(MARK);
        let is_empty = fs::read_dir(&path).map_err(failed)?.next().is_none();
        if !is_empty && !mark.exists() {
            return Err(FolderError::NotOurs(path));
        }
        let held = private(&mark, false).map_err(failed)?;
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::InUse(path)),
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        let folder = Self { path, _held: held };
        let stale: &[&str] = if fresh { FILES } else { &[READY] };
        for name in stale {
            folder.remove(name).map_err(failed)?;
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The number all simulated randomness comes from: drawn once, then kept.
    pub(super) fn seed(&self) -> Result<u64, FolderError> {
        let path = self.file("seed");
        let failed = |cause| FolderError::Io {
            path: path.clone(),
            cause,
        };
        match fs::read_to_string(&path) {
            Ok(text) => text
                .trim()
                .parse()
                .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let seed = getrandom::u64().map_err(|error| failed(io::Error::other(error)))?;
                self.write("seed", seed.to_string().as_bytes())?;
                Ok(seed)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Says where everything is (0600): whoever finds the file finds everything answering.
    pub(super) fn announce(&self, json: &serde_json::Value) -> Result<PathBuf, FolderError> {
        self.write(READY, format!("{json:#}\n").as_bytes())?;
        Ok(self.file(READY))
    }

    /// Takes the announcement back.
    pub(super) fn withdraw(&self) {
        // What is left is removed at the next start.
        let _ = self.remove(READY);
    }

    /// Whole or not at all: a reader never sees half a file.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), FolderError> {
        let (path, new) = (self.file(name), self.file(&format!("{name}.new")));
        let written = private(&new, true)
            .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, &path));
        written.map_err(|cause| FolderError::Io { path, cause })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn private(path: &Path, empty: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(empty).mode(0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn one_process_holds_a_folder_and_the_next_may_when_it_is_done() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("dev");
        let first = Folder::open(&path, false).unwrap();
        assert!(matches!(
            Folder::open(&path, false),
            Err(FolderError::InUse(_))
        ));
        drop(first);
        Folder::open(&path, false).unwrap();
    }

    #[test]
    fn what_is_kept_is_private_and_whole() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(&home.path().join("dev"), false).unwrap();
        let file = folder.announce(&serde_json::json!({"site": "x"})).unwrap();
        assert_eq!((mode(folder.path()), mode(&file)), (0o700, 0o600));
        folder.withdraw();
        assert!(!file.exists());
    }

    #[test]
    fn a_seed_stays_until_a_fresh_start() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("dev");
        let seed = Folder::open(&path, false).unwrap().seed().unwrap();
        assert_eq!(Folder::open(&path, false).unwrap().seed().unwrap(), seed);
        assert_ne!(Folder::open(&path, true).unwrap().seed().unwrap(), seed);
    }

    #[test]
    fn a_strangers_folder_is_never_touched() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("kubeconfig"), "mine").unwrap();
        assert!(matches!(
            Folder::open(home.path(), true),
            Err(FolderError::NotOurs(_))
        ));
        assert!(home.path().join("kubeconfig").exists());
    }
}
