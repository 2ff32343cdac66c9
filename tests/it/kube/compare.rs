//! Where answers differ, and how that is told: every failure of a room at once, with its sentence and its request.

use std::fmt::Write as _;

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::run::{Answers, run};
use super::sequence::{Ask, Sequence};
use super::servers::Asked;

/// Sequences under way at the same time.
const CONCURRENT: usize = 12;
/// Lines of a difference that are shown.
const LINES: usize = 24;

/// Asks a room's sequences of all servers and compares.
///
/// # Panics
/// When an answer differs and is not known to, or is known to and does not.
pub(super) async fn room(name: &str, sequences: Vec<Sequence>) {
    let Some(real) = Asked::real(name).await else {
        return;
    };
    let ours = [Asked::in_memory().await, Asked::on_sqlite().await];
    let numbered = sequences.iter().enumerate();
    let reports: Vec<String> = stream::iter(numbered)
        .map(|(number, sequence)| report(format!("{name}-{number}"), sequence, &real, &ours))
        .buffered(CONCURRENT)
        .collect()
        .await;
    let bad: Vec<_> = reports.iter().filter(|report| !report.is_empty()).collect();
    assert!(
        bad.is_empty(),
        "{} of {} sequences of {name} differ\n{}",
        bad.len(),
        sequences.len(),
        reports.concat()
    );
}

/// What is wrong with a sequence; empty when nothing is.
pub(super) async fn report(
    name: String,
    sequence: &Sequence,
    real: &Asked,
    ours: &[Asked; 2],
) -> String {
    let [memory, sqlite] = ours;
    let (expected, in_memory, on_sqlite) = futures::join!(
        run(real, &name, sequence),
        run(memory, &name, sequence),
        run(sqlite, &name, sequence)
    );
    let mut report = compared(sequence, &expected, &in_memory, memory.name());
    if in_memory.seen != on_sqlite.seen || in_memory.failure != on_sqlite.failure {
        report += &compared(sequence, &expected, &on_sqlite, sqlite.name());
    }
    if report.is_empty() {
        return report;
    }
    format!("\n=== {} ({name})\n{report}", sequence.sentence)
}

fn compared(sequence: &Sequence, real: &Answers, ours: &Answers, whose: &str) -> String {
    let mut report = String::new();
    for (who, answers) in [("real", real), (whose, ours)] {
        if let Some(failure) = &answers.failure {
            let _ = writeln!(report, "--- {who} came to no end: {failure}");
        }
    }
    let answers = real.seen.iter().zip(&ours.seen);
    for (ask, (real, ours)) in sequence.asks().zip(answers) {
        let mut lines = Vec::new();
        differences("", real, ours, &mut lines);
        report += &told(ask, whose, &lines);
    }
    report
}

fn told(ask: &Ask, whose: &str, lines: &[String]) -> String {
    let request = format!("--- {whose}: {} {}", ask.method, ask.path);
    match (ask.known, lines) {
        (None, []) | (Some(_), [_, ..]) => String::new(),
        (Some(known), []) => format!("{request}\n  no difference any more: {known}\n"),
        (None, lines) => {
            let shown = lines.iter().take(LINES).map(|line| format!("  {line}\n"));
            format!("{request}\n{}", shown.collect::<String>())
        }
    }
}

/// The places where two documents differ, a line each.
pub(super) fn differences(place: &str, real: &Value, ours: &Value, lines: &mut Vec<String>) {
    match (real, ours) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                let other = right.get(name);
                one(&format!("{place}/{name}"), Some(value), other, lines);
            }
            for (name, value) in right.iter().filter(|(name, _)| !left.contains_key(*name)) {
                one(&format!("{place}/{name}"), None, Some(value), lines);
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for at in 0..left.len().max(right.len()) {
                one(&format!("{place}/{at}"), left.get(at), right.get(at), lines);
            }
        }
        (left, right) => one(place, Some(left), Some(right), lines),
    }
}

fn one(place: &str, real: Option<&Value>, ours: Option<&Value>, lines: &mut Vec<String>) {
    match (real, ours) {
        (Some(real), Some(ours)) if real == ours => {}
        (Some(real @ Value::Object(_)), Some(ours @ Value::Object(_)))
        | (Some(real @ Value::Array(_)), Some(ours @ Value::Array(_))) => {
            differences(place, real, ours, lines);
        }
        (real, ours) => {
            let shown = |value: Option<&Value>| value.map_or("-".to_owned(), Value::to_string);
            lines.push(format!(
                "{place}\n      real {}\n      ours {}",
                shown(real),
                shown(ours)
            ));
        }
    }
}

#[test]
fn a_difference_is_found_wherever_it_is() {
    let found = |real: Value, ours: Value| {
        let mut lines = Vec::new();
        differences("", &real, &ours, &mut lines);
        lines.len()
    };
    assert_eq!(
        found(json!({"a": [1, {"b": 2}]}), json!({"a": [1, {"b": 2}]})),
        0
    );
    assert_eq!(
        found(json!({"a": [1, {"b": 2}]}), json!({"a": [1, {"b": 3}]})),
        1
    );
    assert_eq!(found(json!({"a": 1}), json!({"b": 1})), 2);
    assert_eq!(found(json!([1]), json!([1, null])), 1);
    assert_eq!(found(json!(1), json!("1")), 1);
}
