//! What is set: defaults, one file and the environment, parsed into types or refused with every
//! problem named. The only place that reads the environment. What the settings do is not known here.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::api::{InstallationName, ProjectName};

mod form;
mod reader;
mod sections;
mod source;
mod tree;
mod unknown;

pub use source::Source;

/// `site.listen` is `CLAWDET__SITE__LISTEN` in the environment.
const ENVIRONMENT_PREFIX: &str = "CLAWDET__";

/// Everything `clawdet run` needs; `config/default.toml` says what each setting means. No `Debug`:
/// there are secrets inside.
pub struct Config {
    pub installation: InstallationName,
    pub namespace: String,
    /// The DNS zone, in lower case.
    pub zone: String,
    pub site: Site,
    pub kubernetes: Kubernetes,
    pub store: Store,
    pub secrets: Secrets,
    pub hetzner: Hetzner,
    pub cloudflare: Cloudflare,
    pub stripe: Stripe,
    pub guests: Guests,
    pub operator: Operator,
    pub payments: Payments,
    pub sweep: Sweep,
    pub telemetry: Telemetry,
}

pub struct Site {
    pub listen: SocketAddr,
    /// Without a path; `https` unless it is this machine.
    pub public_url: Url,
    pub metrics_listen: SocketAddr,
}

pub enum Kubernetes {
    Embedded {
        database: PathBuf,
        listen: SocketAddr,
        /// Where the kubeconfig for kubectl is written.
        kubeconfig: PathBuf,
    },
    Cluster {
        /// None: the pod's service account.
        kubeconfig: Option<PathBuf>,
        /// None: the kubeconfig's current one.
        context: Option<String>,
    },
}

pub struct Store {
    /// The `SQLite` file.
    pub file: PathBuf,
}

pub struct Secrets {
    pub key_file: PathBuf,
}

pub struct Hetzner {
    pub url: Url,
    /// Best first; at least one, each name once.
    pub projects: Vec<Project>,
}

pub struct Project {
    pub name: ProjectName,
    pub token: SecretString,
    pub ssh_keys: Vec<String>,
    pub firewalls: Vec<String>,
    pub requests_per_hour: u32,
}

pub struct Cloudflare {
    pub url: Url,
    pub token: SecretString,
    pub proxied: bool,
    pub ttl_seconds: u32,
}

pub struct Stripe {
    pub url: Url,
    pub secret_key: SecretString,
    /// At least one; two while one is rolled.
    pub webhook_secrets: Vec<SecretString>,
    /// Without a path; `https` unless it is this machine.
    pub checkout_origins: Vec<Url>,
    pub live_mode: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

pub struct Guests {
    pub scheme: Scheme,
    pub port: u16,
}

pub struct Operator {
    pub resync: Duration,
    pub list_age: Duration,
    pub concurrency: u16,
    pub backoff_min: Duration,
    /// At least `backoff_min`.
    pub backoff_max: Duration,
    pub lease_ttl: Duration,
    /// None: to be made up.
    pub identity: Option<String>,
}

pub struct Payments {
    pub grace_days: u16,
    pub keep_days: u16,
    pub repair_every: Duration,
}

pub struct Sweep {
    pub every: Duration,
    pub dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Auto,
    Pretty,
    Json,
}

#[derive(Clone, Debug)]
pub struct Telemetry {
    pub format: LogFormat,
    /// A valid `EnvFilter`.
    pub filter: String,
}

/// One setting in force, fit to be shown: a secret is `(set)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub key: String,
    pub shown: String,
    pub origin: String,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} # {}", self.key, self.shown, self.origin)
    }
}

/// One mistake. Never repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting, or the argument or variable.
    pub key: String,
    /// None when it is not set anywhere.
    pub origin: Option<String>,
    /// The end of a sentence that begins with the key.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key, what, remedy, ..
        } = self;
        match &self.origin {
            Some(origin) => write!(f, "{key} ({origin}): {what}; {remedy}"),
            None => write!(f, "{key}: {what}; {remedy}"),
        }
    }
}

/// Every mistake there is, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "1 problem in the configuration")?,
            many => write!(f, "{many} problems in the configuration")?,
        }
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Config {
    /// The defaults and over them the sources, the later over the earlier.
    pub fn load(sources: &[Source]) -> Result<Self, Problems> {
        Self::explain(sources).map(|(config, _)| config)
    }

    /// As [`Config::load`], with every setting in force and where it came from.
    pub fn explain(sources: &[Source]) -> Result<(Self, Vec<Setting>), Problems> {
        let all = source::merge(sources).map_err(Problems)?;
        let log = reader::Log::default();
        let config = sections::config(&reader::Section::root(&all, &log));
        let mut problems = log.problems.into_inner();
        problems.extend(unknown::unknown(&all, &log.asked.into_inner()));
        match config {
            Ok(config) if problems.is_empty() => Ok((config, log.settings.into_inner())),
            Ok(_) | Err(reader::Noted) => Err(Problems(problems)),
        }
    }
}

fn process_environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

#[cfg(test)]
mod tests;
