//! Who may come in, and how often: the project's token and its rate budget. Everything behind it knows its project.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, Method};
use subtle::ConstantTimeEq;

use super::refusal::Refusal;
use crate::{
    call::{Answer, Asked, Turn},
    clock::Millis,
    faults::FaultKind,
};

/// Requests an hour, for each project.
pub(crate) const PER_HOUR: i64 = 3_600;
/// One request in the bucket's unit. At one request a second a millisecond gives back exactly one thousandth.
const REQUEST: i64 = 1_000;
const FULL: i64 = PER_HOUR * REQUEST;

/// A project's budget: full at first, one request back every second, never above full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    left: i64,
    at: Millis,
}

impl Bucket {
    pub(crate) fn full(now: Millis) -> Bucket {
        Bucket {
            left: FULL,
            at: now,
        }
    }

    fn left_at(self, now: Millis) -> i64 {
        FULL.min(self.left.saturating_add(now - self.at))
    }

    /// Takes one request out, if there is one.
    pub(crate) fn take(&mut self, now: Millis) -> bool {
        self.left = self.left_at(now);
        self.at = now;
        let enough = self.left >= REQUEST;
        if enough {
            self.left -= REQUEST;
        }
        enough
    }

    /// Whole requests left.
    pub(crate) fn remaining(self, now: Millis) -> i64 {
        self.left_at(now) / REQUEST
    }

    /// When it is full again if nobody asks.
    pub(crate) fn full_at(self, now: Millis) -> Millis {
        now + (FULL - self.left_at(now))
    }
}

/// The project a request's token opens.
pub(super) fn project(turn: &Turn<'_>, asked: &Asked) -> Result<String, Refusal> {
    let given = asked.bearer().unwrap_or_default().as_bytes();
    let mut found = None;
    // Every project is looked at, whichever it is.
    for project in &turn.options.projects {
        if bool::from(project.token.as_bytes().ct_eq(given)) {
            found = Some(project.name.clone());
        }
    }
    if found.is_none() {
        found = read_only(turn, given);
    }
    found.ok_or_else(Refusal::unauthorized)
}

/// The project that a read-only token opens.
fn read_only(turn: &Turn<'_>, given: &[u8]) -> Option<String> {
    let mut found = None;
    for project in &turn.options.projects {
        if bool::from(project.read_only_token().as_bytes().ct_eq(given)) {
            found = Some(project.name.clone());
        }
    }
    found
}

/// A read-only token only reads.
pub(super) fn check_rights(turn: &Turn<'_>, asked: &Asked) -> Result<(), Refusal> {
    let given = asked.bearer().unwrap_or_default().as_bytes();
    if asked.method != Method::GET && read_only(turn, given).is_some() {
        Err(Refusal::read_only())
    } else {
        Ok(())
    }
}

/// Refuses for a reason that lies with Hetzner, when that is planned.
pub(super) fn check_mood(turn: &Turn<'_>) -> Result<(), Refusal> {
    if turn.strikes(FaultKind::Refused) {
        Err(Refusal::drawn(
            turn.faults.roll(turn.api, FaultKind::Refused),
        ))
    } else {
        Ok(())
    }
}

/// Takes one request from the project's budget.
pub(super) fn spend(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<(), Refusal> {
    let now = turn.now;
    let bucket = turn
        .state
        .hetzner
        .buckets
        .entry(project.to_owned())
        .or_insert_with(|| Bucket::full(now));
    if bucket.take(now) {
        return Ok(());
    }
    let start: String = asked.bearer().unwrap_or_default().chars().take(4).collect();
    Err(Refusal::throttled(PER_HOUR, &start))
}

/// Adds what every answer of this API bears.
pub(super) fn sign(turn: &Turn<'_>, project: Option<&str>, answer: &mut Answer) {
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            answer
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    };
    set("x-correlation-id", turn.request_id.clone());
    let Some(bucket) = project.and_then(|project| turn.state.hetzner.buckets.get(project)) else {
        return;
    };
    let full_at = turn.stamp(bucket.full_at(turn.now)).as_second();
    set("ratelimit-limit", PER_HOUR.to_string());
    set(
        "ratelimit-remaining",
        bucket.remaining(turn.now).to_string(),
    );
    set("ratelimit-reset", full_at.to_string());
}

/// Whole requests left to each project that has asked for anything.
pub(super) fn budget(buckets: &BTreeMap<String, Bucket>, now: Millis) -> BTreeMap<String, u64> {
    let left = |bucket: &Bucket| u64::try_from(bucket.remaining(now)).unwrap_or(0);
    buckets
        .iter()
        .map(|(project, bucket)| (project.clone(), left(bucket)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Bucket, PER_HOUR};

    #[test]
    fn a_full_bucket_gives_an_hours_requests_and_then_one_a_second() {
        let mut bucket = Bucket::full(0);
        let taken = (0..5_000).filter(|_| bucket.take(0)).count();
        assert_eq!(i64::try_from(taken).unwrap(), PER_HOUR);
        assert!(!bucket.take(999));
        assert!(bucket.take(1_000));
        assert!(!bucket.take(1_000));
        assert_eq!(bucket.full_at(1_000), 1_000 + PER_HOUR * 1_000);
    }

    #[test]
    fn an_idle_bucket_never_holds_more_than_an_hour() {
        let mut bucket = Bucket::full(0);
        assert!(bucket.take(0));
        assert_eq!(bucket.remaining(1_000_000_000), PER_HOUR);
    }
}
