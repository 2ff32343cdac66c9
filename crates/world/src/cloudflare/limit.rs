//! How many requests Cloudflare takes: 1,200 in five minutes for one user, and whoever asks more is
//! shut out for five minutes. It counts; it does not answer.
//!
//! Source: Cloudflare's page on API limits, read 2026-04-20.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) const REQUESTS: u32 = 1_200;
pub(crate) const WINDOW: SignedDuration = SignedDuration::from_mins(5);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Limit {
    window_began: Option<Timestamp>,
    used: u32,
    shut_until: Option<Timestamp>,
}

/// What the limit says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass { remaining: u32, reset_seconds: i64 },
    Shut { retry_seconds: i64 },
}

impl Limit {
    pub(crate) fn take(&mut self, now: Timestamp) -> Verdict {
        if let Some(until) = self.shut_until.filter(|until| *until > now) {
            return Verdict::Shut {
                retry_seconds: seconds_up(until.duration_since(now)),
            };
        }
        let began = match self.window_began {
            Some(began) if now.duration_since(began) < WINDOW => began,
            Some(_) | None => {
                self.used = 0;
                now
            }
        };
        self.window_began = Some(began);
        if self.used >= REQUESTS {
            self.shut_until = Some(now + WINDOW);
            return Verdict::Shut {
                retry_seconds: WINDOW.as_secs(),
            };
        }
        self.used += 1;
        Verdict::Pass {
            remaining: REQUESTS - self.used,
            reset_seconds: seconds_up(WINDOW - now.duration_since(began)),
        }
    }

    /// Requests left in the window that holds `now`; none while shut out.
    pub(crate) fn remaining(&self, now: Timestamp) -> u32 {
        let shut = self.shut_until.is_some_and(|until| until > now);
        let fresh = self
            .window_began
            .is_none_or(|began| now.duration_since(began) >= WINDOW);
        match (shut, fresh) {
            (true, _) => 0,
            (false, true) => REQUESTS,
            (false, false) => REQUESTS - self.used,
        }
    }
}

fn seconds_up(span: SignedDuration) -> i64 {
    span.as_secs() + i64::from(span.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_more_than_the_limit_is_shut_out_for_five_minutes() {
        let start = Timestamp::UNIX_EPOCH;
        let mut limit = Limit::default();
        for _ in 0..REQUESTS {
            assert!(matches!(limit.take(start), Verdict::Pass { .. }));
        }
        assert_eq!(limit.take(start), Verdict::Shut { retry_seconds: 300 });
        let almost = start + SignedDuration::from_secs(299);
        assert_eq!(limit.take(almost), Verdict::Shut { retry_seconds: 1 });
        assert_eq!(limit.remaining(almost), 0);
        let after = start + SignedDuration::from_secs(300);
        assert_eq!(
            limit.take(after),
            Verdict::Pass {
                remaining: REQUESTS - 1,
                reset_seconds: 300
            }
        );
    }
}
