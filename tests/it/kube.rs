//! Is the embedded API the same as a real one? One table of requests, asked of a real kube-apiserver and of ours, in
//! memory and on `SQLite`; the answers must be equal, or the difference a line in `docs/KUBE-EMBEDDED.md`.
//!
//! A room is a file here with `sequences()`. To add one: the file, its `mod` line and its line in `rooms!`.

#![allow(
    clippy::needless_pass_by_value,
    reason = "so that a line of the table reads json!(…)"
)]

mod clients;
mod compare;
mod generated;
mod known;
mod normal;
mod run;
mod sequence;
mod servers;

mod access;
mod applying;
mod builtins;
mod conversion;
mod definitions;
mod deleting;
mod discovery;
mod garbage;
mod namespaces;
mod reading;
mod scale;
mod schema;
mod tokens;
mod watching;
mod writing;

use sequence::Sequence;

/// Requests that the table has at least.
const LEAST: usize = 400;

macro_rules! rooms {
    ($($room:ident),* $(,)?) => {
        const ROOMS: &[(&str, fn() -> Vec<Sequence>)] = &[$((stringify!($room), $room::sequences)),*];

        /// A test a room, so that one can be asked for by name.
        mod the_same_answers {
            $(
                #[tokio::test]
                async fn $room() {
                    super::compare::room(stringify!($room), super::$room::sequences()).await;
                }
            )*
        }
    };
}

rooms! {
    access,
    applying,
    builtins,
    conversion,
    definitions,
    deleting,
    discovery,
    garbage,
    namespaces,
    reading,
    scale,
    schema,
    tokens,
    watching,
    writing,
}

fn whole_table() -> impl Iterator<Item = Sequence> {
    ROOMS.iter().flat_map(|(_, sequences)| sequences())
}

#[test]
fn the_table_is_long_enough_to_mean_something() {
    let requests: usize = whole_table().map(|sequence| sequence.requests()).sum();
    assert!(requests >= LEAST, "{requests} requests");
}

#[test]
fn a_sentence_stands_for_one_sequence() {
    let mut sentences: Vec<String> = whole_table().map(|sequence| sequence.sentence).collect();
    sentences.sort();
    for pair in sentences.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
}
