//! Counts the requests to providers by endpoint and outcome, for metrics and benches. It decides nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ProviderError;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    Hetzner,
    Cloudflare,
}

impl Provider {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hetzner => "hetzner",
            Self::Cloudflare => "cloudflare",
        }
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallOutcome {
    Done,
    Refused,
    /// The provider asked us to slow down.
    Throttled,
    Unreachable,
    /// The answer was lost.
    Unknown,
    /// Our own budget kept it back: it was never sent.
    Held,
}

/// Endpoints are written as `POST /servers`: a closed set, without ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub provider: Provider,
    pub endpoint: &'static str,
    pub outcome: CallOutcome,
}

/// How many calls of each kind since the start of the process.
#[derive(Debug, Default)]
pub struct Calls(Mutex<BTreeMap<Call, u64>>);

impl Calls {
    pub fn counts(&self) -> BTreeMap<Call, u64> {
        self.lock().clone()
    }

    /// Requests that were sent to `provider`, whatever became of them.
    pub fn sent(&self, provider: Provider) -> u64 {
        let counts = self.lock();
        let sent = counts
            .iter()
            .filter(|(call, _)| call.provider == provider && call.outcome != CallOutcome::Held);
        sent.map(|(_, count)| count).sum()
    }

    pub(super) fn count(&self, call: Call) {
        *self.lock().entry(call).or_insert(0) += 1;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Call, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallOutcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::Unknown => "unknown",
            Self::Held => "held",
        }
    }

    pub(super) fn of<T>(result: &Result<T, ProviderError>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(ProviderError::Refused { .. }) => Self::Refused,
            Err(ProviderError::Throttled { .. }) => Self::Throttled,
            Err(ProviderError::Unreachable(_)) => Self::Unreachable,
            Err(ProviderError::Unknown(_)) => Self::Unknown,
        }
    }
}
