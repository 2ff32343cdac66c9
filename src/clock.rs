//! What time it is. The only place that reads the machine's clock; it does not sleep.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Wall time, either the machine's or one that follows tokio's clock (so that tests own it).
#[derive(Clone, Copy, Debug)]
pub struct Clock(Source);

#[derive(Clone, Copy, Debug)]
enum Source {
    System,
    Tokio { start: Timestamp, origin: Instant },
}

impl Clock {
    /// The machine's wall clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows `start` now and advances with tokio's time, also when that is paused.
    pub fn from(start: Timestamp) -> Self {
        Self(Source::Tokio {
            start,
            origin: Instant::now(),
        })
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    pub fn now(&self) -> Timestamp {
        match self.0 {
            Source::System => Timestamp::now(),
            Source::Tokio { start, origin } => add(start, origin.elapsed()),
        }
    }
}

/// `at` plus `by`, held at the end of time rather than overflowing.
pub fn add(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}
