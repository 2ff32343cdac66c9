//! Reads a list to its end, and says so only when it was complete. It knows no kind of item.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::wire::{Page, Pagination};
use crate::provider::account::{Account, Ask};
use crate::provider::{Priority, ProviderError};

/// The most the API gives in a page. Source: `per_page` in the API's description.
const PER_PAGE: u64 = 50;
/// Requests for one list, those that go back included; past it something is wrong.
const PAGES_MAX: u32 = 1000;
/// A list that was short is begun anew so often.
const ATTEMPTS_MAX: u32 = 3;

/// Why a list is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ListError {
    #[error("page {next} cannot follow page {page}")]
    Disordered { page: u32, next: u32 },
    #[error("the list took more than {PAGES_MAX} pages")]
    Endless,
    #[error("the list speaks of {told} items and gave {got}")]
    Short { told: u64, got: u64 },
}

/// What is listed: where, how it is counted, and what tells one item from another.
pub(super) struct List<T> {
    pub endpoint: &'static str,
    /// Path and filters: `/servers`.
    pub path: String,
    pub id: fn(&T) -> i64,
}

/// Everything, in order of id.
pub(super) async fn all<T: DeserializeOwned>(
    account: &Account,
    priority: Priority,
    list: &List<T>,
) -> Result<Vec<T>, ProviderError> {
    let mut attempt = 1;
    loop {
        match read(account, priority, list).await? {
            Ok(items) => return Ok(items),
            Err(error) if attempt == ATTEMPTS_MAX => {
                return Err(ProviderError::Unreachable(Box::new(error)));
            }
            Err(error) => {
                tracing::info!(path = %list.path, %error, "A list was not complete; reading it anew");
                attempt += 1;
            }
        }
    }
}

async fn read<T: DeserializeOwned>(
    account: &Account,
    priority: Priority,
    list: &List<T>,
) -> Result<Result<Vec<T>, ListError>, ProviderError> {
    let mut items = BTreeMap::new();
    let mut reading = Reading::default();
    let mut page = 1;
    let separator = if list.path.contains('?') { '&' } else { '?' };
    loop {
        let path = format!(
            "{}{separator}sort=id:asc&per_page={PER_PAGE}&page={page}",
            list.path
        );
        let ask = Ask::get(priority, list.endpoint, path);
        let got: Page<T> = account.ask(ask).await?;
        items.extend(got.items.into_iter().map(|item| ((list.id)(&item), item)));
        match reading.follow(page, &got.meta.pagination) {
            Err(error) => return Ok(Err(error)),
            Ok(Some(next)) => page = next,
            Ok(None) => {
                let got = items.len() as u64;
                return Ok(reading.finish(got).map(|()| items.into_values().collect()));
            }
        }
    }
}

/// What the pages so far have said of the whole.
#[derive(Default)]
struct Reading {
    pages: u32,
    told: Option<u64>,
}

impl Reading {
    /// The page to read after `page`. The provider's word for it must be a later one: paging has gone
    /// in circles before. When the list has shrunk, items moved up, past the place where we were: we
    /// go back for them.
    fn follow(&mut self, page: u32, said: &Pagination) -> Result<Option<u32>, ListError> {
        self.pages += 1;
        if self.pages >= PAGES_MAX && said.next_page.is_some() {
            return Err(ListError::Endless);
        }
        let lost = match (self.told, said.total_entries) {
            (Some(before), Some(now)) => before.saturating_sub(now),
            (None, _) | (_, None) => 0,
        };
        self.told = said.total_entries.or(self.told);
        if lost > 0 {
            let back = u32::try_from(lost.div_ceil(PER_PAGE)).unwrap_or(u32::MAX);
            return Ok(Some(page.saturating_sub(back).max(1)));
        }
        match said.next_page {
            Some(next) if next <= page => Err(ListError::Disordered { page, next }),
            next => Ok(next),
        }
    }

    /// More than told is fine: what went after we read it is still among the items.
    fn finish(&self, got: u64) -> Result<(), ListError> {
        match self.told {
            Some(told) if told > got => Err(ListError::Short { told, got }),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
