//! Where built tools are kept: outside the tree, keyed by what they are made from, so that a second
//! run costs nothing and a change of a pin is a new folder.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// One tool's folder: `<cache>/<name>-<hash of its pins>`.
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder for a tool made from the files in `pins`.
    pub(crate) fn of(name: &str, pins: &Path) -> Result<Folder> {
        let hash = hash_of(pins)?;
        Ok(Folder {
            path: cache()?.join(format!("{name}-{hash}")),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether what is in it is whole.
    pub(crate) fn is_done(&self) -> bool {
        self.done().is_file()
    }

    /// Written last: a folder without it was left by a build that was ended.
    fn done(&self) -> PathBuf {
        self.path.join("done")
    }
}

/// The folder for a tool made from `pins`, made by `make` unless it is there already.
///
/// Only one process makes it at a time; the others wait for it.
pub(crate) fn ensure(
    name: &str,
    pins: &Path,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let folder = Folder::of(name, pins)?;
    if folder.is_done() {
        return Ok(folder.path);
    }
    fs::create_dir_all(cache()?).context("make the cache folder")?;
    let lock = folder.path.with_extension("lock");
    let lock = File::create(&lock).with_context(|| format!("open {}", lock.display()))?;
    lock.lock().context("wait for another build")?;
    if folder.is_done() {
        return Ok(folder.path);
    }
    if folder.path.exists() {
        fs::remove_dir_all(&folder.path).context("remove what an ended build left")?;
    }
    fs::create_dir_all(&folder.path).context("make the tool's folder")?;
    make(&folder.path)?;
    fs::write(folder.done(), name).context("mark the tool as whole")?;
    Ok(folder.path)
}

fn cache() -> Result<PathBuf> {
    Ok(home()?.join("tools"))
}

/// Where all that outlives a run is kept.
pub(crate) fn home() -> Result<PathBuf> {
    let home = env::home_dir().context("find the home folder")?;
    Ok(home.join(".cache/clawdet"))
}

/// Twelve hex digits over the names and contents of the files directly in a folder.
fn hash_of(pins: &Path) -> Result<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(pins)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .with_context(|| format!("read {}", pins.display()))?;
    files.retain(|file| file.is_file());
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let text = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        let name = file.file_name().unwrap_or_default().as_encoded_bytes();
        for part in [name, &text] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
    }
    Ok(hex::encode(&hash.finalize()[..6]))
}

#[cfg(test)]
mod tests {
    use super::hash_of;
    use std::fs;

    #[test]
    fn a_changed_pin_is_a_new_folder_and_the_same_pins_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("go.mod");
        fs::write(&file, "one").unwrap();
        let before = hash_of(folder.path()).unwrap();
        assert_eq!(before, hash_of(folder.path()).unwrap());
        fs::write(&file, "two").unwrap();
        assert_ne!(before, hash_of(folder.path()).unwrap());
        fs::rename(&file, folder.path().join("go.sum")).unwrap();
        fs::write(folder.path().join("go.sum"), "one").unwrap();
        assert_ne!(before, hash_of(folder.path()).unwrap());
    }
}
