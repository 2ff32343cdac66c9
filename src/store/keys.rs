//! The key file: where the wrapping keys of the embedded secret store are kept, apart from what they
//! seal. What they seal is not known here.
//!
//! One key a line, `<version> <32 bytes in base64>`; lines with `#` are passed over. The highest version
//! seals. The file belongs to one user: mode 0600, or 0400 where it is mounted.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::envelope::{KEY_BYTES, Keyring, WrappingKey};

const FILE_BYTES_MAX: u64 = 64 * 1024;
const HEADER: &str = "# Keys of the secret store, the highest version in use. Back this up apart from the database:\n\
                      # without it the secrets cannot be read by anybody.\n";

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error(
        "the key file {} is missing while the database holds secrets sealed with it; restore it from the backup",
        path.display()
    )]
    Missing { path: PathBuf },
    #[error("the key file {} may be read by others (mode {mode:03o}); run chmod 600 on it, and rotate the keys if others had access", path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("line {line} of the key file {} is not a version and 32 bytes in base64", path.display())]
    Malformed { path: PathBuf, line: usize },
    #[error("the key file {} holds no key, or is too long", path.display())]
    Empty { path: PathBuf },
    #[error("the key file {} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("the key file {} cannot be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("the operating system gives no randomness for the key file")]
    Random(#[source] getrandom::Error),
}

/// Reads the key file. Where there is none, one is made if `may_create`; otherwise the keys are lost.
pub fn load(path: &Path, may_create: bool) -> Result<Keyring, KeyFileError> {
    match File::open(path) {
        Ok(file) => read(path, file),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && may_create => {
            create(path)?;
            let file = File::open(path).map_err(|cause| KeyFileError::Read {
                path: path.to_owned(),
                cause,
            })?;
            read(path, file)
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(KeyFileError::Missing {
            path: path.to_owned(),
        }),
        Err(cause) => Err(KeyFileError::Read {
            path: path.to_owned(),
            cause,
        }),
    }
}

fn read(path: &Path, file: File) -> Result<Keyring, KeyFileError> {
    let unreadable = |cause| KeyFileError::Read {
        path: path.to_owned(),
        cause,
    };
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    let mut keys = BTreeMap::new();
    for (place, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parsed = parse(line).filter(|(version, _)| !keys.contains_key(version));
        let (version, key) = parsed.ok_or_else(|| KeyFileError::Malformed {
            path: path.to_owned(),
            line: place + 1,
        })?;
        keys.insert(version, key);
    }
    Keyring::new(keys).ok_or_else(|| KeyFileError::Empty {
        path: path.to_owned(),
    })
}

fn parse(line: &str) -> Option<(u32, WrappingKey)> {
    let (version, key) = line.split_once(' ')?;
    let bytes = Zeroizing::new(STANDARD.decode(key.trim()).ok()?);
    if bytes.len() != KEY_BYTES {
        return None;
    }
    let mut key = WrappingKey::default();
    key.copy_from_slice(&bytes);
    Some((version.parse().ok()?, key))
}

/// Makes the file whole or not at all: a second process that starts at the same time finds either no
/// file or all of it, and the first one wins.
fn create(path: &Path) -> Result<(), KeyFileError> {
    let mut key = WrappingKey::default();
    getrandom::fill(&mut key[..]).map_err(KeyFileError::Random)?;
    let encoded = Zeroizing::new(STANDARD.encode(&key[..]));
    let text = Zeroizing::new(format!("{HEADER}1 {}\n", encoded.as_str()));
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let done = write_new(&draft, text.as_bytes()).and_then(|()| link(&draft, path));
    let cleaned = std::fs::remove_file(&draft);
    done.and(cleaned).map_err(|cause| KeyFileError::Write {
        path: path.to_owned(),
        cause,
    })
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Gives the draft its name unless somebody else has it, durably.
fn link(draft: &Path, path: &Path) -> io::Result<()> {
    match std::fs::hard_link(draft, path) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        done => done?,
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn fault(path: &Path) -> String {
        load(path, false).err().unwrap().to_string()
    }

    #[test]
    fn it_is_made_once_for_this_user_only_and_then_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let sealed = load(&path, true)
            .ok()
            .unwrap()
            .seal(b"value", "place")
            .unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = load(&path, true).ok().unwrap();
        assert_eq!(&again.open(&sealed, "place").unwrap()[..], b"value");
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "no draft is left over");
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        load(&path, true).ok().unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let said = fault(&path);
        assert!(
            said.contains("mode 640") && said.contains("chmod 600"),
            "{said}"
        );
    }

    #[test]
    fn a_damaged_file_is_refused_by_line_and_nothing_of_it_is_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let key = STANDARD.encode([7; KEY_BYTES]);
        for (text, expected) in [
            (format!("1 {key}\n1 {key}\n"), "line 2"),
            ("# none\n".to_owned(), "holds no key"),
            ("1 Y2FuYXJ5\n".to_owned(), "line 1"),
            (format!("one {key}\n"), "line 1"),
        ] {
            write_new(&path, text.as_bytes()).unwrap();
            let said = fault(&path);
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains(&key) && !said.contains("Y2Fu"), "{said}");
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_missing_file_is_not_replaced_when_secrets_depend_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(fault(&path).contains("restore it from the backup"));
        assert!(!path.exists());
    }
}
