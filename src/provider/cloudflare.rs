//! One Cloudflare zone as [`Dns`]: its records in one shared picture, changes of many hosts in one
//! batch. A record is ours by its comment; nobody outside this folder sees the vendor's words.

mod batch;
mod refusal;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use secrecy::SecretString;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use url::Url;

pub use batch::Publishing;

use self::batch::HostChange;
use self::wire::{BatchDone, Envelope, RecordBody, ResultInfo, ZoneBody};
use super::account::{Account, Ask, Dialect, TokenError};
use super::budget::{Budget, Law};
use super::calls::{Calls, Provider};
use super::gather::Gather;
use super::retold::retold;
use super::transport::Transport;
use super::view::{OWNERSHIP_AGE, View};
use super::{BegunAfter, Dns, Priority, ProviderError, Record, RecordChange, Refusal, Zone};
use crate::api::{Hostname, InstallationName, Uid};

/// Fewer than the API allows, so that a page stays well below the limit of an answer's size.
const PER_PAGE: u32 = 1000;
const PAGES_MAX: u32 = 1000;
const ATTEMPTS_MAX: u32 = 3;
/// How long a change waits for others to go with it.
const WINDOW: Duration = Duration::from_millis(100);
/// Hosts in one round.
const HOSTS_MAX: usize = 100;

/// What the configuration says of the zone.
pub struct ZoneSettings {
    pub installation: InstallationName,
    /// `assistants.example`
    pub zone: String,
    /// With the version: `https://api.cloudflare.com/client/v4`.
    pub url: Url,
    /// May edit DNS in the zone and read the zone, nothing else.
    pub token: SecretString,
    pub law: Law,
    pub publishing: Publishing,
}

pub struct Cloudflare(Arc<Inner>);

struct Inner {
    installation: InstallationName,
    zone: String,
    publishing: Publishing,
    account: Account,
    zone_id: OnceCell<String>,
    records: View<String, Record, Zone>,
    changes: Gather<HostChange, Result<(), Arc<ProviderError>>>,
}

impl Cloudflare {
    pub fn new(
        settings: ZoneSettings,
        transport: Transport,
        calls: &Arc<Calls>,
    ) -> Result<Self, TokenError> {
        let dialect = Dialect {
            provider: Provider::Cloudflare,
            refusal: refusal::refusal,
            remaining: refusal::remaining,
            block: refusal::BLOCK,
        };
        let account = Account::new(
            dialect,
            &settings.url,
            &settings.token,
            settings.law,
            transport,
            Arc::clone(calls),
        )?;
        Ok(Self(Arc::new(Inner {
            installation: settings.installation,
            zone: settings.zone,
            publishing: settings.publishing,
            account,
            zone_id: OnceCell::new(),
            records: View::new(|record| record.id.clone(), Zone::new),
            changes: Gather::new(WINDOW, HOSTS_MAX),
        })))
    }

    /// The request budget, for metrics.
    pub fn budget(&self) -> &Budget {
        self.0.account.budget()
    }
}

/// Why a list of records is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum ListError {
    #[error("the list speaks of {told} records and gave {got}")]
    Short { told: u64, got: u64 },
    #[error("the list has {0} pages")]
    Endless(u32),
    #[error("the list shrank while it was read: a record may have slipped past")]
    Shrunk,
}

impl Inner {
    async fn zone_id(&self, priority: Priority) -> Result<&str, ProviderError> {
        let id = self
            .zone_id
            .get_or_try_init(|| self.look_up_zone(priority))
            .await?;
        Ok(id)
    }

    async fn look_up_zone(&self, priority: Priority) -> Result<String, ProviderError> {
        let query = serde_urlencoded::to_string([("name", &self.zone)])
            .map_err(|error| ProviderError::Unreachable(Box::new(error)))?;
        let ask = Ask::get(priority, "GET /zones", format!("/zones?{query}"));
        let found: Envelope<Vec<ZoneBody>> = self.account.ask(ask).await?;
        let zone = found.result.into_iter().find(|zone| zone.name == self.zone);
        zone.map(|zone| zone.id)
            .ok_or_else(|| ProviderError::Refused {
                why: Refusal::Denied,
                message: format!("the token shows no zone named {}", self.zone),
            })
    }

    /// Every record of the zone, complete.
    async fn list(&self, priority: Priority) -> Result<Vec<Record>, ProviderError> {
        let mut attempt = 1;
        loop {
            match self.read_list(priority).await? {
                Ok(records) => return Ok(records),
                Err(error) if attempt == ATTEMPTS_MAX => {
                    return Err(ProviderError::Unreachable(Box::new(error)));
                }
                Err(error) => {
                    tracing::info!(zone = %self.zone, %error, "A list was not complete; reading it anew");
                    attempt += 1;
                }
            }
        }
    }

    async fn read_list(
        &self,
        priority: Priority,
    ) -> Result<Result<Vec<Record>, ListError>, ProviderError> {
        let zone = self.zone_id(priority).await?;
        let mut records = BTreeMap::new();
        let mut page = 1;
        let mut told = None;
        loop {
            let path = format!("/zones/{zone}/dns_records?per_page={PER_PAGE}&page={page}");
            let ask = Ask::get(priority, "GET /zones/{id}/dns_records", path);
            let got: Envelope<Vec<RecordBody>> = self.account.ask(ask).await?;
            for body in got.result {
                let record = body.seen(&self.installation);
                records.insert(record.id.clone(), record);
            }
            let said = got.result_info.unwrap_or_default();
            if said.total_count < told {
                return Ok(Err(ListError::Shrunk));
            }
            told = said.total_count;
            match follow(page, records.len(), &said) {
                Err(error) => return Ok(Err(error)),
                Ok(Some(next)) => page = next,
                Ok(None) => return Ok(Ok(records.into_values().collect())),
            }
        }
    }

    /// Sends the changes of many hosts; one answer for each.
    async fn send_all(&self, changes: Vec<HostChange>) -> Vec<Result<(), Arc<ProviderError>>> {
        let mut answers: Vec<Result<(), Arc<ProviderError>>> = Vec::new();
        for batch in batch::split(&changes) {
            let together: Vec<&HostChange> = batch
                .iter()
                .filter_map(|place| changes.get(*place))
                .collect();
            let answer = self.send(&together).await;
            let is_refused = answer
                .as_ref()
                .is_err_and(|error| error.refusal().is_some());
            if is_refused && together.len() > 1 {
                // One bad change spoils the transaction: each for itself finds out whose it was.
                for change in together {
                    answers.push(self.send(&[change]).await.map_err(Arc::new));
                }
            } else {
                let answer = answer.map_err(Arc::new);
                answers.extend(together.iter().map(|_| answer.clone()));
            }
        }
        answers
    }

    /// One batch: all of it happens, or nothing.
    async fn send(&self, changes: &[&HostChange]) -> Result<(), ProviderError> {
        let priority = changes.iter().map(|change| change.priority).max();
        let priority = priority.unwrap_or(Priority::Resync);
        let zone = self.zone_id(priority).await?;
        let ask = Ask {
            priority,
            method: Method::POST,
            endpoint: "POST /zones/{id}/dns_records/batch",
            path: format!("/zones/{zone}/dns_records/batch"),
            body: Some(batch::body(changes, &self.installation, self.publishing)),
        };
        let done: Envelope<BatchDone> = self.account.ask(ask).await?;
        self.note(done.result);
        Ok(())
    }

    fn note(&self, done: BatchDone) {
        for deleted in done.deletes.unwrap_or_default() {
            self.records.note_gone(deleted.id);
        }
        let patched = done.patches.unwrap_or_default().into_iter();
        for record in patched.chain(done.posts.unwrap_or_default()) {
            self.records.note(record.seen(&self.installation));
        }
    }
}

/// The page after this one, if there is one; an error when the whole is not what it was said to be.
fn follow(page: u32, got: usize, said: &ResultInfo) -> Result<Option<u32>, ListError> {
    let got = got as u64;
    match (said.total_pages, said.total_count) {
        (Some(pages), _) if pages > PAGES_MAX => Err(ListError::Endless(pages)),
        (Some(pages), _) if page < pages => Ok(Some(page + 1)),
        (_, Some(told)) if got < told => Err(ListError::Short { told, got }),
        (_, Some(_) | None) => Ok(None),
    }
}

/// What the change is about must be what the caller saw: what is deleted or changed is `owner`'s, and
/// nothing stands where something is to be created (the provider would take a second address).
fn check(
    zone: &Zone,
    host: &Hostname,
    owner: &Uid,
    change: &RecordChange,
) -> Result<(), ProviderError> {
    let refused = |why, message: String| Err(ProviderError::Refused { why, message });
    let updated = change.update.iter().map(|(id, _)| id);
    for id in change.delete.iter().chain(updated) {
        let found = zone.of(owner).iter().find(|record| &record.id == id);
        if found.is_none_or(|record| &record.host != host) {
            return refused(
                Refusal::Stale,
                format!("record {id} of {host} does not carry the instance's mark"),
            );
        }
    }
    let clash = zone.at(host).iter().find(|record| {
        !change.delete.contains(&record.id)
            && record.target.is_some_and(|there| {
                let same_kind = |new| std::mem::discriminant(&there) == std::mem::discriminant(new);
                change.create.iter().any(same_kind)
            })
    });
    match clash {
        Some(record) => refused(
            Refusal::AlreadyExists,
            format!("record {} is at {host} already", record.id),
        ),
        None => Ok(()),
    }
}

#[async_trait]
impl Dns for Cloudflare {
    fn zone_name(&self) -> &str {
        &self.0.zone
    }

    async fn zone(
        &self,
        priority: Priority,
        asked: BegunAfter,
    ) -> Result<Arc<Zone>, ProviderError> {
        let inner = Arc::clone(&self.0);
        let list = move |priority| async move { inner.list(priority).await };
        self.0.records.get(priority, asked, list).await
    }

    async fn change(
        &self,
        priority: Priority,
        host: &Hostname,
        owner: &Uid,
        change: &RecordChange,
    ) -> Result<(), ProviderError> {
        let now = Instant::now();
        let asked = BegunAfter(now.checked_sub(OWNERSHIP_AGE).unwrap_or(now));
        let zone = self.zone(priority, asked).await?;
        check(&zone, host, owner, change)?;
        let question = HostChange {
            priority,
            host: host.clone(),
            owner: owner.clone(),
            change: change.clone(),
        };
        let inner = Arc::clone(&self.0);
        let send = move |changes| async move { inner.send_all(changes).await };
        match self.0.changes.ask(question, send).await {
            Some(answer) => answer.map_err(|error| retold(&error)),
            None => Err(ProviderError::Unknown(
                "the batch gave no answer for this host".into(),
            )),
        }
    }
}

#[cfg(test)]
mod tests;
