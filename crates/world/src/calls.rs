//! What each API was asked lately and how it answered, whether or not anything changed. What changed is in `history`;
//! nothing a caller sent is kept here but the id in its path.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use crate::call::{Api, Asked};
use crate::faults::FaultKind;
use crate::history::Outcome;

/// So many are remembered.
const LIMIT: usize = 2_000;
/// Longer path parameters are no ids.
const MOST_TARGET: usize = 64;

/// Something that was set to go wrong, and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Struck {
    /// The whole API was down.
    Down,
    #[serde(untagged)]
    Fault(FaultKind),
}

impl Struck {
    /// As orders name it.
    #[must_use]
    pub fn word(self) -> String {
        let word = serde_json::to_value(self).unwrap_or_default();
        word.as_str().unwrap_or_default().to_owned()
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// 1, 2, 3 … without gaps, in the order the calls ended.
    pub sequence: u64,
    /// World time at which it arrived.
    pub at: Timestamp,
    pub api: Api,
    /// Method and path pattern, as `DELETE /v1/servers/{id}`; for a person's order what was ordered.
    pub endpoint: String,
    /// The id its path ends in.
    pub target: Option<String>,
    /// Empty for a person's order.
    pub request_id: String,
    pub outcome: Outcome,
    /// Real milliseconds from its arrival to its answer.
    pub milliseconds: u64,
    pub struck: Vec<Struck>,
}

impl Call {
    /// A call that has arrived; until it is answered it counts as lost.
    pub(crate) fn arriving(at: Timestamp, api: Api, endpoint: String) -> Call {
        Call {
            sequence: 0,
            at,
            api,
            endpoint,
            target: None,
            request_id: String::new(),
            outcome: Outcome::Lost,
            milliseconds: 0,
            struck: Vec::new(),
        }
    }
}

/// The id that a path ends in, when it has the form of one.
pub(crate) fn target(asked: &Asked) -> Option<String> {
    if !asked.pattern.contains('{') {
        return None;
    }
    let values = asked.params.values();
    let last = values
        .filter(|value| is_id(value))
        .max_by_key(|value| asked.path.rfind(value.as_str()))?;
    Some(last.clone())
}

fn is_id(value: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=MOST_TARGET).contains(&value.len()) && value.bytes().all(inside)
}

/// The last calls, oldest first.
#[derive(Default)]
pub(crate) struct Calls {
    kept: VecDeque<Call>,
    last: u64,
}

impl Calls {
    pub(crate) fn push(&mut self, mut call: Call) {
        self.last += 1;
        call.sequence = self.last;
        self.kept.push_back(call);
        if self.kept.len() > LIMIT {
            self.kept.pop_front();
        }
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.kept.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Call, Calls, LIMIT, Struck};
    use crate::{Api, FaultKind};

    #[test]
    fn the_oldest_calls_are_forgotten_first() {
        let mut calls = Calls::default();
        for _ in 0..=LIMIT {
            let endpoint = "GET /v1/servers".to_owned();
            calls.push(Call::arriving(
                Timestamp::UNIX_EPOCH,
                Api::Hetzner,
                endpoint,
            ));
        }
        let kept = calls.all();
        assert_eq!(kept.len(), LIMIT);
        assert_eq!(kept[0].sequence, 2);
    }

    #[test]
    fn what_struck_is_named_as_orders_name_it() {
        assert_eq!(Struck::Down.word(), "down");
        let lost = Struck::Fault(FaultKind::LostAfterCommit);
        assert_eq!(lost.word(), "lost-after-commit");
    }
}
