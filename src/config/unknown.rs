//! Which settings nobody asked for, and what was probably meant. Pure.

use std::collections::BTreeSet;

use super::Problem;
use super::reader::pattern;
use super::tree::{Node, Value};

/// Problems for all that is set and not in `known` (keys such as `hetzner.projects[].name`).
pub(super) fn unknown(all: &Node, known: &BTreeSet<String>) -> Vec<Problem> {
    let mut found = Vec::new();
    walk(all, "", known, &mut found);
    found
}

fn walk(node: &Node, path: &str, known: &BTreeSet<String>, found: &mut Vec<Problem>) {
    let children: Vec<(String, &Node)> = match &node.value {
        Value::Text(_) => Vec::new(),
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(place, item)| (format!("{path}[{place}]"), item))
            .collect(),
        Value::Table(entries) => entries
            .iter()
            .map(|(name, child)| {
                let dot = if path.is_empty() { "" } else { "." };
                (format!("{path}{dot}{name}"), child)
            })
            .collect(),
    };
    for (key, child) in children {
        let pattern = pattern(&key);
        if known.contains(&pattern) {
            continue;
        }
        if is_group(&pattern, known) {
            walk(child, &key, known, found);
        } else {
            found.push(Problem {
                origin: Some(child.origin.to_string()),
                what: "is not a setting".to_owned(),
                remedy: remedy(&pattern, known),
                key,
            });
        }
    }
}

fn is_group(pattern: &str, known: &BTreeSet<String>) -> bool {
    let begins = |key: &String| {
        key.strip_prefix(pattern)
            .is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    known.iter().any(begins)
}

fn remedy(unknown: &str, known: &BTreeSet<String>) -> String {
    match nearest(unknown, known) {
        Some(meant) => format!("remove it, or did you mean {meant}?"),
        None => "remove it; config/default.toml lists every setting".to_owned(),
    }
}

/// A key with the same last name in another group, or one that differs by a slip or two.
fn nearest<'a>(unknown: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |key: &str| {
        if last(key) == last(unknown) {
            1
        } else {
            strsim::damerau_levenshtein(key, unknown)
        }
    };
    let slips_max = 2.max(unknown.len() / 5);
    known
        .iter()
        .map(|key| (distance(key), key.as_str()))
        .filter(|(slips, _)| *slips <= slips_max)
        .min()
        .map(|(_, key)| key)
}
