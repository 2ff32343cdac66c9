//! Decides what a candidate does with a Lease as it was read. Pure.

use std::time::Duration;

use jiff::Timestamp;

/// A Lease as read from the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// None: nobody holds it.
    pub holder: Option<String>,
    pub renewed: Option<Timestamp>,
    pub ttl: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Somebody else leads.
    Follow,
    /// We lead and say so again.
    Renew,
    /// Nobody leads (any more).
    Take,
}

/// `hold` is None when there is no Lease yet.
pub fn plan(hold: Option<&Hold>, identity: &str, now: Timestamp) -> Move {
    let Some(hold) = hold else {
        return Move::Take;
    };
    match &hold.holder {
        None => Move::Take,
        Some(holder) if holder == identity => Move::Renew,
        Some(_) => match hold.renewed {
            Some(renewed) if crate::clock::add(renewed, hold.ttl) >= now => Move::Follow,
            Some(_) | None => Move::Take,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(holder: Option<&str>, renewed: i64, now: i64, expected: Move) {
        let at = |second| Timestamp::from_second(second).unwrap();
        let hold = Hold {
            holder: holder.map(str::to_owned),
            renewed: Some(at(renewed)),
            ttl: Duration::from_secs(15),
        };
        assert_eq!(
            plan(Some(&hold), "me", at(now)),
            expected,
            "{hold:?} at {now}"
        );
    }

    #[test]
    fn a_lease_is_followed_while_it_runs_and_taken_when_it_has_run_out() {
        check(Some("other"), 100, 115, Move::Follow);
        check(Some("other"), 100, 116, Move::Take);
        check(Some("me"), 100, 500, Move::Renew);
        check(None, 100, 101, Move::Take);
        assert_eq!(plan(None, "me", Timestamp::UNIX_EPOCH), Move::Take);
    }

    #[test]
    fn a_clock_that_went_back_takes_nothing_from_anybody() {
        check(Some("other"), 100, 50, Move::Follow);
    }
}
