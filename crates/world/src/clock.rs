//! What time it is in this world. The only reader of `tokio`'s clock, so a paused runtime owns the world's time too.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Milliseconds since the world began. All state is kept in these.
pub type Millis = i64;

pub(crate) const SECOND: Millis = 1_000;
pub(crate) const MINUTE: Millis = 60 * SECOND;
pub(crate) const HOUR: Millis = 60 * MINUTE;
pub(crate) const DAY: Millis = 24 * HOUR;

/// World time as a function of `tokio` time: where it began, how far it had come, how fast it goes.
pub struct Clock {
    start: Timestamp,
    base: Millis,
    wall: Timestamp,
    speed: f64,
    origin: Instant,
    skipped: AtomicI64,
}

impl Clock {
    /// `base` is how far a world that was kept in a file had come, `wall` what a clock on the wall shows now.
    #[must_use]
    pub fn new(start: Timestamp, base: Millis, wall: Timestamp, speed: f64) -> Clock {
        Clock {
            start,
            base,
            wall,
            speed,
            origin: Instant::now(),
            skipped: AtomicI64::new(0),
        }
    }

    #[must_use]
    pub fn now(&self) -> Millis {
        let seconds = self.origin.elapsed().as_secs_f64() * self.speed.max(0.0);
        let passed = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        self.base
            .saturating_add(millis(passed))
            .saturating_add(self.skipped.load(Ordering::Relaxed))
    }

    pub(crate) fn skip(&self, by: Duration) {
        self.skipped.fetch_add(millis(by), Ordering::Relaxed);
    }

    /// A moment as the providers write it.
    #[must_use]
    pub fn stamp(&self, at: Millis) -> Timestamp {
        self.start
            .saturating_add(SignedDuration::from_millis(at))
            .unwrap_or(Timestamp::MAX)
    }

    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Time as a clock on the wall beside this machine shows it: not sped up and never skipped. For what others compare
    /// with their own clock, as a signature's time.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        let passed = SignedDuration::from_millis(millis(self.origin.elapsed()));
        self.wall.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// How long to wait, in `tokio` time, until the world reaches `at`.
    #[must_use]
    pub fn until(&self, at: Millis) -> Duration {
        let left = u64::try_from(at.saturating_sub(self.now())).unwrap_or(0);
        if left == 0 {
            return Duration::ZERO;
        }
        let seconds = Duration::from_millis(left).as_secs_f64() / self.speed;
        // Never, in a world that stands still.
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// A duration in whole milliseconds; the longest there is when it does not fit.
#[must_use]
pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{Clock, HOUR, Millis};

    #[tokio::test(start_paused = true)]
    async fn time_goes_as_fast_as_it_was_told_to_and_never_overflows() {
        let clock = |speed| Clock::new(Timestamp::UNIX_EPOCH, HOUR, Timestamp::UNIX_EPOCH, speed);
        let (still, plain, fast, wild) =
            (clock(0.0), clock(1.0), clock(60.0), clock(f64::INFINITY));
        tokio::time::advance(Duration::from_millis(1_500)).await;
        assert_eq!(
            (still.now(), plain.now(), fast.now()),
            (HOUR, HOUR + 1_500, HOUR + 90_000)
        );
        assert_eq!(fast.until(HOUR + 150_000), Duration::from_secs(1));
        assert_eq!(still.until(HOUR + 1), Duration::MAX);
        assert_eq!(still.until(Millis::MIN), Duration::ZERO);
        assert_eq!(wild.now(), Millis::MAX);
        assert!(plain.until(Millis::MAX) > Duration::from_hours(1_000_000));
        assert_eq!(
            fast.wall().as_millisecond(),
            1_500,
            "the wall's clock is not sped up"
        );
    }
}
