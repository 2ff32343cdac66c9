//! One provider account's request budget: a token bucket shared by everybody, in which deletions go
//! first and resyncs last. It never sleeps; who gets no token is told when to come back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Priority, ProviderError};

/// The provider's law: so many at once, and so many more each second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    pub capacity: u32,
    pub refill_per_second: f64,
}

impl Law {
    /// Hetzner Cloud, for each project: 3,600 requests an hour, one back each second.
    /// Source: <https://docs.hetzner.cloud/#rate-limiting>
    pub const HETZNER: Self = Self {
        capacity: 3600,
        refill_per_second: 1.0,
    };
    /// Cloudflare, for each user: 1,200 requests in five minutes, then five minutes of refusal.
    /// Source: <https://developers.cloudflare.com/fundamentals/api/reference/limits/>
    pub const CLOUDFLARE: Self = Self {
        capacity: 1200,
        refill_per_second: 4.0,
    };

    /// A full bucket of an hour's requests, refilled evenly.
    pub fn hourly(requests: u32) -> Self {
        Self {
            capacity: requests,
            refill_per_second: f64::from(requests) / 3600.0,
        }
    }
}

/// The share of the bucket a class leaves for the classes above it.
fn reserve(priority: Priority) -> f64 {
    match priority {
        Priority::Resync => 0.40,
        Priority::Create => 0.05,
        Priority::Customer => 0.02,
        Priority::Delete => 0.0,
    }
}

#[derive(Debug)]
pub struct Budget {
    law: Law,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
    /// The provider refuses everything until then.
    shut_until: Option<Instant>,
}

impl Budget {
    /// A full bucket.
    pub fn new(law: Law) -> Self {
        let bucket = Bucket {
            tokens: f64::from(law.capacity),
            at: Instant::now(),
            shut_until: None,
        };
        Self {
            law,
            bucket: Mutex::new(bucket),
        }
    }

    /// Takes one token, or says with [`ProviderError::Throttled`] when there will be one.
    pub fn take(&self, priority: Priority) -> Result<(), ProviderError> {
        let mut bucket = self.refilled();
        if let Some(wait) = bucket
            .shut_until
            .map(|until| until.saturating_duration_since(bucket.at))
            && !wait.is_zero()
        {
            return Err(ProviderError::Throttled { retry_after: wait });
        }
        let needed = reserve(priority) * f64::from(self.law.capacity) + 1.0;
        if bucket.tokens >= needed {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let seconds = (needed - bucket.tokens) / self.law.refill_per_second;
        Err(ProviderError::Throttled {
            retry_after: Duration::from_secs_f64(seconds),
        })
    }

    /// What the provider's own headers say is left; believed only when it is less than we thought,
    /// since others may spend from the same account.
    pub fn learn_remaining(&self, remaining: u32) {
        let mut bucket = self.refilled();
        bucket.tokens = bucket.tokens.min(f64::from(remaining));
    }

    /// The provider refused for want of budget: nobody asks until then. What is left is known only from
    /// its headers ([`Budget::learn_remaining`]): a refusal without them may be of another kind.
    pub fn learn_refused(&self, retry_after: Duration) {
        let mut bucket = self.refilled();
        bucket.shut_until = Some(bucket.at + retry_after);
    }

    /// Requests that could be sent at once now.
    pub fn remaining(&self) -> f64 {
        self.refilled().tokens
    }

    /// As [`Budget::remaining`] in whole requests.
    pub fn requests_left(&self) -> u64 {
        // Never below zero, and far below what a u64 holds.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "see above"
        )]
        let whole = self.remaining().max(0.0) as u64;
        whole
    }

    fn refilled(&self) -> std::sync::MutexGuard<'_, Bucket> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let gained =
            now.saturating_duration_since(bucket.at).as_secs_f64() * self.law.refill_per_second;
        bucket.tokens = (bucket.tokens + gained).min(f64::from(self.law.capacity));
        bucket.at = now;
        bucket
    }
}

#[cfg(test)]
mod tests;
