//! Checks of strings, numbers and closed sets: lengths, patterns, formats, bounds.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::node::{Bound, Kind, Node};
use crate::cause::{self, Cause};
use crate::path::Path;

pub(super) fn check_text(node: &Node, text: &str, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let place = || path.dotted();
    let invalid = |detail: String| Cause::invalid(path.to_string(), &text.into(), &detail);
    if let Some(most) = node.limits.max_length
        && text.chars().count() as u64 > most
    {
        causes.push(Cause::too_long(path.to_string(), most));
    }
    if let Some(least) = node.limits.min_length
        && (text.chars().count() as u64) < least
    {
        causes.push(invalid(format!(
            "{} in body should be at least {least} chars long",
            place()
        )));
    }
    if let Some(pattern) = &node.pattern
        && !pattern.is_match(text)
    {
        causes.push(invalid(format!(
            "{} in body should match '{}'",
            place(),
            node.pattern_text
        )));
    }
    if let Some(format) = node.format
        && !format.accepts(text)
    {
        let detail = format!(
            "{} in body must be of type {}: {}",
            place(),
            node.format_text,
            Value::from(text)
        );
        causes.push(Cause::type_invalid(path.to_string(), &text.into(), &detail));
    }
}

/// A whole number is compared with whole bounds, as the real server does it; what lies behind a bound's point is dropped.
pub(super) fn check_number(node: &Node, number: &Number, path: &Path<'_>, causes: &mut Vec<Cause>) {
    check_range(node, number, path, causes);
    let limits = &node.limits;
    let mut refuse = |words: String| {
        let detail = format!("{} in body {words}", path.dotted());
        causes.push(Cause::invalid(
            path.to_string(),
            &Value::Number(number.clone()),
            &detail,
        ));
    };
    if let Some(step) = limits.multiple_of
        && !is_multiple(number, step)
    {
        refuse(format!("should be a multiple of {}", cause::float(step)));
    }
    if let Some(bound) = limits.maximum
        && !within(bound, number, Ordering::Less)
    {
        let or_equal = if bound.exclusive { "" } else { " or equal to" };
        refuse(format!(
            "should be less than{or_equal} {}",
            shown(bound, number)
        ));
    }
    if let Some(bound) = limits.minimum
        && !within(bound, number, Ordering::Greater)
    {
        let or_equal = if bound.exclusive { "" } else { " or equal to" };
        refuse(format!(
            "should be greater than{or_equal} {}",
            shown(bound, number)
        ));
    }
}

/// Does a number fit the integer its schema says? Such an error belongs to no field.
fn check_range(node: &Node, number: &Number, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if node.kind != Some(Kind::Integer) {
        return;
    }
    let whole = number.as_i64().or_else(|| {
        number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 9.2e18)
            .map(truncated)
    });
    let fits = whole.is_some_and(|whole| !node.is_int32 || i32::try_from(whole).is_ok());
    if !fits {
        let format = if node.is_int32 {
            "with format int32"
        } else {
            "(default format)"
        };
        let detail = format!(
            "Checked value must be of type integer {format} in {}",
            path.dotted()
        );
        causes.push(Cause::invalid(Path::Root.to_string(), &"".into(), &detail));
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the part behind the point is to be dropped, and saturating is what Go does"
)]
fn truncated(float: f64) -> i64 {
    float as i64
}

fn is_multiple(number: &Number, step: f64) -> bool {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => truncated(step) != 0 && whole % truncated(step) == 0,
        (None, Some(float)) if step < 1.0 => (1.0 / step * float).fract() == 0.0,
        (None, Some(float)) => (float / step).fract() == 0.0,
        (None, None) => false,
    }
}

/// Is the number on the wanted side of the bound, or on it where it may be?
fn within(bound: Bound, number: &Number, side: Ordering) -> bool {
    let order = match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => Some(whole.cmp(&truncated(bound.at))),
        (None, Some(float)) => float.partial_cmp(&bound.at),
        (None, None) => None,
    };
    order.is_some_and(|order| order == side || (order.is_eq() && !bound.exclusive))
}

fn shown(bound: Bound, number: &Number) -> String {
    if number.is_i64() {
        truncated(bound.at).to_string()
    } else {
        cause::float(bound.at)
    }
}

pub(super) fn check_allowed(node: &Node, value: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let is = |allowed: &Value| !allowed.is_null() && equal(allowed, value);
    if node.allowed.is_empty() || node.allowed.iter().any(is) {
        return;
    }
    let words: Vec<String> = node
        .allowed
        .iter()
        .map(|allowed| {
            allowed
                .as_str()
                .map_or_else(|| allowed.to_string(), str::to_owned)
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    causes.push(Cause::not_supported(path.to_string(), value, &words));
}

/// Equal as JSON means it: 1 and 1.0 are the same number.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (one, other) => one == other,
    }
}
