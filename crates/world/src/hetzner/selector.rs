//! Labels: which are well-formed, and which a selector chooses.
//! Grammar from the API description: `k`, `!k`, `k=v`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`; a comma means and.

use std::collections::BTreeMap;

use super::refusal::Refusal;

pub(crate) type Labels = BTreeMap<String, String>;

const MOST_LABELS: usize = 64;

/// Refuses labels that Hetzner would.
pub(crate) fn check(labels: &Labels) -> Result<(), Refusal> {
    if labels.len() > MOST_LABELS {
        return Err(Refusal::invalid("labels", "too many labels"));
    }
    for (key, value) in labels {
        if !key_is_well_formed(key) {
            return Err(Refusal::invalid(
                "labels",
                format!("label key '{key}' is not correctly formatted"),
            ));
        }
        if !value.is_empty() && !part_is_well_formed(value) {
            return Err(Refusal::invalid(
                "labels",
                format!("label value '{value}' is not correctly formatted"),
            ));
        }
    }
    Ok(())
}

fn key_is_well_formed(key: &str) -> bool {
    match key.split_once('/') {
        None => part_is_well_formed(key),
        Some(("hetzner.cloud", _)) => false,
        Some((prefix, name)) => prefix_is_well_formed(prefix) && part_is_well_formed(name),
    }
}

/// At most 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends.
fn part_is_well_formed(part: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    part.len() <= 63
        && ends(part.chars().next())
        && ends(part.chars().next_back())
        && part
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn prefix_is_well_formed(prefix: &str) -> bool {
    prefix.len() <= 253 && prefix.split('.').all(super::name::is_host_label)
}

/// One condition of a selector.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Has(String),
    HasNot(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

/// A parsed selector; all its conditions must hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Condition>);

impl Selector {
    pub(crate) fn parse(text: &str) -> Result<Selector, Refusal> {
        let conditions: Option<Vec<Condition>> = split(text)
            .into_iter()
            .filter(|term| !term.is_empty())
            .map(condition)
            .collect();
        conditions
            .map(Selector)
            .ok_or_else(|| Refusal::invalid("label_selector", "label selector is not valid"))
    }

    pub(crate) fn chooses(&self, labels: &Labels) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::Has(key) => labels.contains_key(key),
            Condition::HasNot(key) => !labels.contains_key(key),
            Condition::In(key, values) => {
                labels.get(key).is_some_and(|value| values.contains(value))
            }
            // As in Kubernetes: a thing without the key passes.
            Condition::NotIn(key, values) => {
                labels.get(key).is_none_or(|value| !values.contains(value))
            }
        })
    }
}

/// Splits at commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut terms = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                terms.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(text[start..].trim());
    terms
}

fn condition(term: &str) -> Option<Condition> {
    if let Some((key, values)) = set_term(term, " notin ") {
        return Some(Condition::NotIn(known_key(key)?, values?));
    }
    if let Some((key, values)) = set_term(term, " in ") {
        return Some(Condition::In(known_key(key)?, values?));
    }
    if let Some((key, value)) = term.split_once("!=") {
        return Some(Condition::NotIn(
            known_key(key)?,
            vec![value.trim().to_owned()],
        ));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return Some(Condition::In(
            known_key(key)?,
            vec![value.trim().to_owned()],
        ));
    }
    match term.strip_prefix('!') {
        Some(key) => known_key(key).map(Condition::HasNot),
        None => known_key(term).map(Condition::Has),
    }
}

fn set_term<'a>(term: &'a str, word: &str) -> Option<(&'a str, Option<Vec<String>>)> {
    let (key, set) = term.split_once(word)?;
    let inside = set
        .trim()
        .strip_prefix('(')
        .and_then(|set| set.strip_suffix(')'));
    Some((
        key,
        inside.map(|set| {
            set.split(',')
                .map(|value| value.trim().to_owned())
                .collect()
        }),
    ))
}

fn known_key(key: &str) -> Option<String> {
    let key = key.trim();
    let well_formed = match key.split_once('/') {
        None => part_is_well_formed(key),
        Some((prefix, name)) => prefix_is_well_formed(prefix) && part_is_well_formed(name),
    };
    well_formed.then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Labels, Selector, check};

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_selector_chooses_by_every_form_the_description_names() {
        let server = labels(&[("owner", "a"), ("tier", "gold"), ("example.com/part", "x")]);
        for (text, chosen) in [
            ("owner", true),
            ("!owner", false),
            ("!other", true),
            ("owner=a", true),
            ("owner==a", true),
            ("owner!=a", false),
            ("other!=a", true),
            ("tier in (silver, gold)", true),
            ("tier notin (silver,gold)", false),
            ("owner=a,tier=gold,example.com/part=x", true),
            ("owner=a,tier in (silver,bronze)", false),
            ("", true),
        ] {
            assert_eq!(
                Selector::parse(text).unwrap().chooses(&server),
                chosen,
                "{text}"
            );
        }
    }

    #[test]
    fn a_selector_that_cannot_be_read_is_refused() {
        for text in ["=", "owner in a,b", "ow ner", "-x=1", "a/b/c=1"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn labels_are_held_to_hetzners_rules() {
        for (key, value) in [
            ("a", ""),
            ("a.b-c_d", "1"),
            ("example.com/x", "v.1"),
            ("a", &"v".repeat(63)),
        ] {
            assert!(check(&labels(&[(key, value)])).is_ok(), "{key}={value}");
        }
        for (key, value) in [
            ("", "1"),
            ("a", "-1"),
            ("hetzner.cloud/x", "1"),
            ("a", &"v".repeat(64)),
            ("a b", "1"),
            ("_/x", "1"),
        ] {
            assert!(check(&labels(&[(key, value)])).is_err(), "{key}={value}");
        }
    }
}
