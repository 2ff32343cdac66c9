//! Accounts for tests, over a way the test brings.

use std::sync::Arc;

use http::HeaderMap;

use super::account::{Account, Dialect};
use super::budget::Law;
use super::calls::{Calls, Provider};
use super::transport::Transport;

/// An account that knows no refusals.
pub(super) fn hetzner_account(transport: Transport) -> Account {
    let dialect = Dialect {
        provider: Provider::Hetzner,
        refusal: |_| None,
        remaining: |_: &HeaderMap| None,
        block: std::time::Duration::from_secs(10),
    };
    let url = "http://hetzner.test/v1".parse().unwrap();
    let law = Law { capacity: 100_000, refill_per_second: 1.0 };
    Account::new(dialect, &url, &"token".to_owned().into(), law, transport, Arc::new(Calls::default())).unwrap()
}
