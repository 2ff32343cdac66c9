//! Checks of strings, numbers and closed sets: lengths, patterns, formats, bounds.

use serde_json::{Number, Value};

use super::node::{Bound, Node};
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
            format.name(),
            Value::from(text)
        );
        causes.push(Cause::type_invalid(path.to_string(), &text.into(), &detail));
    }
}

pub(super) fn check_number(node: &Node, number: &Number, path: &Path<'_>, causes: &mut Vec<Cause>) {
    // Every JSON number has a float; only arbitrary precision (not enabled) could lack one.
    let Some(value) = number.as_f64() else { return };
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
        && (value / step).fract() != 0.0
    {
        refuse(format!("should be a multiple of {}", cause::float(step)));
    }
    if let Some(Bound { at, exclusive }) = limits.maximum
        && (value > at || (exclusive && value >= at))
    {
        let or_equal = if exclusive { "" } else { " or equal to" };
        refuse(format!(
            "should be less than{or_equal} {}",
            cause::float(at)
        ));
    }
    if let Some(Bound { at, exclusive }) = limits.minimum
        && (value < at || (exclusive && value <= at))
    {
        let or_equal = if exclusive { "" } else { " or equal to" };
        refuse(format!(
            "should be greater than{or_equal} {}",
            cause::float(at)
        ));
    }
}

pub(super) fn check_allowed(node: &Node, value: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if node.allowed.is_empty() || node.allowed.iter().any(|allowed| equal(allowed, value)) {
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
