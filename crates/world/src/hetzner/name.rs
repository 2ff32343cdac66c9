//! Names: which are well-formed, and the two ways to point at something.

use serde::Deserialize;

use super::refusal::Refusal;

/// A label of a host name: letters, digits and inner dashes, at most 63.
pub(super) fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// A server's name must be a host name (RFC 1123).
pub(super) fn check_host_name(name: &str) -> Result<(), Refusal> {
    let fits = name.len() <= 253 && name.split('.').all(is_host_label);
    if fits {
        Ok(())
    } else {
        Err(Refusal::invalid("name", "is not a valid hostname"))
    }
}

/// A volume's name: letters, digits and inner `-_.`, at most 64.
pub(super) fn check_volume_name(name: &str) -> Result<(), Refusal> {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let fits = name.len() <= 64
        && ends(name.chars().next())
        && ends(name.chars().next_back())
        && name.chars().all(inner);
    if fits {
        Ok(())
    } else {
        Err(Refusal::invalid("name", "is not a valid volume name"))
    }
}

/// Every other name must only be there and not be endless.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = !name.trim().is_empty() && name.len() <= 128;
    if fits {
        Ok(())
    } else {
        Err(Refusal::invalid("name", "must have 1 to 128 characters"))
    }
}

/// What many fields take: an id, as a number or written out, or a name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum IdOrName {
    Id(u64),
    Name(String),
}

impl IdOrName {
    pub(super) fn means(&self, id: u64, name: &str) -> bool {
        match self {
            IdOrName::Id(wanted) => *wanted == id,
            IdOrName::Name(wanted) => wanted == name || wanted.parse() == Ok(id),
        }
    }
}
