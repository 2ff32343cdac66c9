//! How a setting is written: for each kind of value, what it looks like and how its text is understood.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use url::{Host, Url};

use crate::api::{InstallationName, ProjectName};

/// One kind of value.
pub(super) struct Form<T> {
    /// What to write, as the end of the sentence "Write …".
    pub(super) expects: String,
    /// The value, or what is wrong with the text, as the end of the sentence "The value …".
    pub(super) parse: Box<Parse<T>>,
}

type Parse<T> = dyn Fn(&str) -> Result<T, String>;

fn form<T>(
    expects: impl Into<String>,
    parse: impl Fn(&str) -> Result<T, String> + 'static,
) -> Form<T> {
    Form {
        expects: expects.into(),
        parse: Box::new(parse),
    }
}

pub(super) fn installation() -> Form<InstallationName> {
    form(
        "1 to 20 of a-z, 0-9 and '-', such as clawdet; no two installations may share it",
        |text| InstallationName::parse(text).map_err(|error| error.to_string()),
    )
}

pub(super) fn project() -> Form<ProjectName> {
    form("1 to 32 of a-z, 0-9 and '-', such as main", |text| {
        ProjectName::parse(text).map_err(|error| error.to_string())
    })
}

/// A DNS label as Kubernetes wants it for a namespace.
pub(super) fn label() -> Form<String> {
    form("1 to 63 of a-z, 0-9 and '-', such as clawdet", |text| {
        is_label(text)
            .then(|| text.to_owned())
            .ok_or_else(|| "is not a name Kubernetes accepts".to_owned())
    })
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A DNS zone: at least two labels, lower case, without a dot at the end. At most 200 characters, so
/// that a subdomain of 32 fits into a host name.
pub(super) fn zone() -> Form<String> {
    form("a domain you own, such as clawdet.example", |text| {
        let is_zone = text.len() <= 200 && text.contains('.') && text.split('.').all(is_label);
        is_zone
            .then(|| text.to_owned())
            .ok_or_else(|| "is not a domain in lower case".to_owned())
    })
}

pub(super) fn address() -> Form<SocketAddr> {
    form(
        "an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080",
        |text| {
            text.parse()
                .map_err(|_| "is not an address and a port".to_owned())
        },
    )
}

/// The root of a site: no path, query or name in it, and encrypted on its way to anybody.
pub(super) fn origin() -> Form<Url> {
    form(
        "an https:// address without a path, such as https://clawdet.example",
        |text| {
            let url = encrypted_url(text)?;
            let is_root = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            is_root
                .then_some(url)
                .ok_or_else(|| "has more than a host and a port".to_owned())
        },
    )
}

/// The base of an API.
pub(super) fn api_url() -> Form<Url> {
    form("an https:// address", encrypted_url)
}

/// Plain HTTP may only go to this machine.
fn encrypted_url(text: &str) -> Result<Url, String> {
    let url = web_url(text)?;
    if url.scheme() == "https" || is_this_machine(&url) {
        Ok(url)
    } else {
        Err("is not encrypted, which only an address of this machine need not be".to_owned())
    }
}

fn web_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not an address ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("is not an http:// or https:// address".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password".to_owned());
    }
    Ok(url)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// `sqlite:FILE`, as the path of the file.
pub(super) fn database() -> Form<PathBuf> {
    form("sqlite: and a file, such as sqlite:clawdet.db", |text| {
        let file = text
            .strip_prefix("sqlite:")
            .ok_or_else(|| "names a database this version does not know".to_owned())?;
        let file = file.strip_prefix("//").unwrap_or(file);
        if file.is_empty() || file.contains(['?', '#']) || file.contains(":memory:") {
            return Err("names no file".to_owned());
        }
        Ok(PathBuf::from(file))
    })
}

pub(super) fn file() -> Form<PathBuf> {
    form("the path of a file", |text| Ok(PathBuf::from(text)))
}

/// A positive time, such as `5m`, within limits.
pub(super) fn duration(range: RangeInclusive<Duration>) -> Form<Duration> {
    let shown = |at: &Duration| SignedDuration::try_from(*at).map(|at| format!("{at:#}"));
    let (Ok(from), Ok(to)) = (shown(range.start()), shown(range.end())) else {
        return form("a duration such as 5m", |_| {
            Err("has no possible value".to_owned())
        });
    };
    form(
        format!("a duration from {from} to {to}, such as 30s or 1h 30m"),
        move |text| {
            let parsed: SignedDuration = text
                .parse()
                .map_err(|_| "is not a duration with a unit".to_owned())?;
            Duration::try_from(parsed)
                .ok()
                .filter(|duration| range.contains(duration))
                .ok_or_else(|| "is out of range".to_owned())
        },
    )
}

pub(super) fn number<T>(range: RangeInclusive<T>) -> Form<T>
where
    T: FromStr + PartialOrd + Display + 'static,
{
    form(
        format!("a number from {} to {}", range.start(), range.end()),
        move |text| {
            let number: T = text
                .parse()
                .map_err(|_| "is not such a number".to_owned())?;
            range
                .contains(&number)
                .then_some(number)
                .ok_or_else(|| "is out of range".to_owned())
        },
    )
}

pub(super) fn yes_or_no() -> Form<bool> {
    form("true or false", |text| {
        text.parse()
            .map_err(|_| "is neither true nor false".to_owned())
    })
}

/// One of a closed set of words.
pub(super) fn word<T: Copy + 'static>(words: &'static [(&'static str, T)]) -> Form<T> {
    let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    form(format!("one of {}", all.join(", ")), move |text| {
        words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value)
            .ok_or_else(|| "is none of the known words".to_owned())
    })
}

/// A name at somebody else's: printable, of a sane length.
pub(super) fn name() -> Form<String> {
    form("a name of 1 to 128 characters", |text| {
        let fits = (1..=128).contains(&text.chars().count());
        (fits && !text.contains(char::is_control))
            .then(|| text.to_owned())
            .ok_or_else(|| "is too long or holds control characters".to_owned())
    })
}

/// A key or token: what fits into a header.
pub(super) fn secret() -> Form<secrecy::SecretString> {
    form("the key or token as one line without spaces", |text| {
        let fits = text.len() <= 4096 && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| secrecy::SecretString::from(text))
            .ok_or_else(|| "holds a space, a line break or another sign no token has".to_owned())
    })
}

/// A filter of log lines.
pub(super) fn filter() -> Form<String> {
    form(
        "a level such as info, or info,clawdet::instance=debug",
        |text| {
            text.parse::<tracing_subscriber::EnvFilter>()
                .map(|_| text.to_owned())
                .map_err(|_| "is not a filter of log lines".to_owned())
        },
    )
}
