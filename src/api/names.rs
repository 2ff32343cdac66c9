//! Names as validated types: parse once at the edge, then a name in hand is a name that works.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is wrong with a name, in words for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("must have {min} to {max} characters, has {got}")]
    Length { min: usize, max: usize, got: usize },
    #[error("may hold only a-z, 0-9 and '-', and must start and end with a letter or digit")]
    Characters,
    #[error("{0:?} is reserved; choose another name")]
    Reserved(String),
}

/// Names that would be mistaken for ours, or that mail and the web give a meaning of its own.
pub const RESERVED_SUBDOMAINS: &[&str] = &[
    "abuse",
    "account",
    "admin",
    "api",
    "app",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "cdn",
    "clawdet",
    "console",
    "dashboard",
    "dev",
    "dns",
    "docs",
    "ftp",
    "help",
    "hostmaster",
    "imap",
    "login",
    "mail",
    "metrics",
    "mta-sts",
    "noreply",
    "ns1",
    "ns2",
    "ops",
    "pay",
    "payments",
    "pop",
    "postmaster",
    "root",
    "security",
    "smtp",
    "ssl",
    "staging",
    "static",
    "status",
    "stripe",
    "support",
    "test",
    "vpn",
    "webmail",
    "webmaster",
    "www",
];

fn label(text: &str, min: usize, max: usize) -> Result<(), NameError> {
    let got = text.chars().count();
    if !(min..=max).contains(&got) {
        return Err(NameError::Length { min, max, got });
    }
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let ends_well = !text.starts_with('-') && !text.ends_with('-');
    if ends_well && text.bytes().all(inside) {
        Ok(())
    } else {
        Err(NameError::Characters)
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! deserialize_by_parse {
    ($name:ident) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name_type!(
    /// The name of one installation of Clawdet: a DNS label of 1 to 20 characters, part of every
    /// external name, so that two installations can share a provider account.
    InstallationName
);
deserialize_by_parse!(InstallationName);
name_type!(
    /// A Hetzner project as the configuration calls it: a DNS label of 1 to 32 characters.
    ProjectName
);
deserialize_by_parse!(ProjectName);
name_type!(
    /// The customer's choice of name: a DNS label of 3 to 32 characters that is not reserved.
    Subdomain
);
deserialize_by_parse!(Subdomain);
name_type!(
    /// A fully qualified host name without the final dot, such as `ada.clawdet.example`.
    Hostname
);
name_type!(
    /// The uid Kubernetes gave an object; it never comes back, unlike a name.
    Uid
);
name_type!(
    /// `<installation>-<uid>`: derived, so that a retry after a crash finds the server it made
    /// instead of buying another.
    ServerName
);

impl InstallationName {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        label(text, 1, 20).map(|()| Self(text.to_owned()))
    }
}

impl ProjectName {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        label(text, 1, 32).map(|()| Self(text.to_owned()))
    }
}

impl Subdomain {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        label(text, 3, 32)?;
        if RESERVED_SUBDOMAINS.contains(&text) {
            return Err(NameError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The address customers type: the subdomain under the installation's zone.
    pub fn within(&self, zone: &str) -> Hostname {
        Hostname(format!("{}.{zone}", self.0))
    }
}

impl Hostname {
    /// A host name as a provider spells it: lower case, no final dot.
    pub fn observed(text: &str) -> Self {
        Self(text.trim_end_matches('.').to_ascii_lowercase())
    }
}

impl Uid {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl ServerName {
    pub fn derive(installation: &InstallationName, instance: &Uid) -> Self {
        Self(format!("{installation}-{instance}"))
    }

    /// A server name as the provider lists it; it may not be one of ours.
    pub fn observed(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &Result<(), NameError>) {
        assert_eq!(&Subdomain::parse(text).map(|_| ()), expected, "{text}");
    }

    #[test]
    fn a_subdomain_is_a_dns_label_of_3_to_32_that_is_not_ours() {
        check("ada", &Ok(()));
        check("a-1", &Ok(()));
        check(
            "ab",
            &Err(NameError::Length {
                min: 3,
                max: 32,
                got: 2,
            }),
        );
        check(
            &"a".repeat(33),
            &Err(NameError::Length {
                min: 3,
                max: 32,
                got: 33,
            }),
        );
        check("-ada", &Err(NameError::Characters));
        check("ada-", &Err(NameError::Characters));
        check("Ada", &Err(NameError::Characters));
        check("a.da", &Err(NameError::Characters));
        check("www", &Err(NameError::Reserved("www".into())));
    }

    #[test]
    fn the_longest_server_name_fits_a_dns_label() {
        let installation = InstallationName::parse(&"i".repeat(20)).unwrap();
        let uid = Uid::new("00000000-0000-0000-0000-000000000000");
        assert!(ServerName::derive(&installation, &uid).as_str().len() <= 63);
    }

    #[test]
    fn the_reserved_words_are_sorted_so_that_a_reader_finds_one() {
        assert!(RESERVED_SUBDOMAINS.is_sorted());
    }
}
