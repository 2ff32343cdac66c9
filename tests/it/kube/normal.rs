//! What must be made equal before answers are compared: uids, versions, times, tokens. The same uid twice is the same
//! placeholder, so that a lost or a mixed up one still shows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Fields that say when something was done here and now.
const TIMES: [&str; 5] = [
    "creationTimestamp",
    "deletionTimestamp",
    "expirationTimestamp",
    "lastTransitionTime",
    "time",
];

/// What a sequence has shown so far.
#[derive(Default)]
pub(super) struct Normal {
    /// Raw text and its placeholder.
    names: BTreeMap<String, String>,
}

impl Normal {
    /// The body of an answer, comparable.
    pub(super) fn answer(&mut self, body: Value) -> Value {
        match body {
            Value::String(text) => Value::String(self.text(&text)),
            body => self.value("", body),
        }
    }

    fn value(&mut self, key: &str, value: Value) -> Value {
        match value {
            Value::Object(fields) => self.object(key, fields),
            Value::Array(items) => {
                let items = items.into_iter().map(|item| self.value(key, item));
                let mut items: Vec<Value> = items.collect();
                if key == "causes" || key == "managedFields" {
                    // Their order is that of a hash map, or of seconds.
                    items.sort_by_key(Value::to_string);
                }
                Value::Array(items)
            }
            Value::String(text) => Value::String(self.string(key, text)),
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    fn object(&mut self, key: &str, mut fields: Map<String, Value>) -> Value {
        if of_the_moment(&fields) {
            let version = fields
                .get_mut("metadata")
                .and_then(|metadata| metadata.get_mut("resourceVersion"));
            if let Some(version) = version.filter(|version| is_version(version)) {
                *version = "<version of the moment>".into();
            }
        }
        if key == "metadata" {
            self.generated_name(&mut fields);
        }
        let fields = fields.into_iter();
        let fields = fields.map(|(key, value)| {
            let value = self.value(&key, value);
            (self.known_within(&key), value)
        });
        Value::Object(fields.collect())
    }

    fn generated_name(&mut self, metadata: &mut Map<String, Value>) {
        let beginning = metadata.get("generateName").and_then(Value::as_str);
        let name = metadata.get("name").and_then(Value::as_str);
        let (Some(beginning), Some(name)) = (beginning, name) else {
            return;
        };
        let ending = name.strip_prefix(beginning).unwrap_or_default();
        if ending.len() == 5 {
            let shown = format!("{beginning}<{} signs>", ending.len());
            self.names.insert(name.to_owned(), shown);
        }
    }

    fn string(&mut self, key: &str, text: String) -> String {
        match key {
            "uid" if text.len() == 36 => self.placeholder(text, "uid"),
            "resourceVersion" if is_number(&text) => self.placeholder(text, "version"),
            "continue" if !text.is_empty() => "<continue>".to_owned(),
            "token" if text.len() > 40 => "<token>".to_owned(),
            "message" => self.message(&text),
            "cells" if is_age(&text) => "<age>".to_owned(),
            "cells" => time(&text).unwrap_or(text),
            key if TIMES.contains(&key) => time(&text).unwrap_or(text),
            _ => self.known_within(&text),
        }
    }

    fn placeholder(&mut self, text: String, what: &str) -> String {
        let beginning = format!("<{what} ");
        let known = self
            .names
            .values()
            .filter(|name| name.starts_with(&beginning));
        let next = format!("{beginning}{}>", known.count() + 1);
        self.names.entry(text).or_insert(next).clone()
    }

    /// A text with the uids and generated names in it replaced.
    fn known_within(&self, text: &str) -> String {
        let long = self.names.iter().filter(|(raw, _)| !is_number(raw));
        long.fold(text.to_owned(), |text, (raw, name)| text.replace(raw, name))
    }

    fn message(&self, text: &str) -> String {
        let text = without_moments(&self.known_within(text));
        if text.contains("resource version") || text.contains("ResourceVersion") {
            return without_numbers(&text);
        }
        sorted_parts(&text)
    }

    /// YAML or plain text, line by line.
    fn text(&mut self, text: &str) -> String {
        let lines = text.split('\n').map(|line| {
            let Some((name, value)) = line.split_once(": ") else {
                return self.known_within(line);
            };
            let key = name.trim_start_matches([' ', '-']).to_owned();
            let bare = value.trim_matches(['"', '\'']);
            let shown = match key.as_str() {
                // Of a list that would be the version of the moment.
                "resourceVersion" if !self.names.contains_key(bare) => "<version>".to_owned(),
                key => self.string(key, bare.to_owned()),
            };
            format!("{name}: {}", value.replace(bare, &shown))
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Whether it has the version of the moment it was asked for, which others' writes move.
fn of_the_moment(fields: &Map<String, Value>) -> bool {
    let kind = fields
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let bookmark = fields
        .get("metadata")
        .and_then(|metadata| metadata.get("creationTimestamp"))
        .is_none_or(Value::is_null);
    kind == "Table" || (kind.ends_with("List") && fields.contains_key("items")) || bookmark
}

fn is_version(value: &Value) -> bool {
    value.as_str().is_some_and(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Seconds, as the age of what was made just now.
fn is_age(text: &str) -> bool {
    text.strip_suffix('s').is_some_and(is_number)
}

/// A placeholder for a time, which still tells seconds from microseconds.
fn time(text: &str) -> Option<String> {
    text.parse::<jiff::Timestamp>().ok()?;
    let fraction = text.split_once('.').map_or(0, |(_, rest)| rest.len() - 1);
    Some(match fraction {
        0 => "<time>".to_owned(),
        digits => format!("<time with {digits} digits>"),
    })
}

/// A message that quotes a whole object, without the times and the version in it.
fn without_moments(text: &str) -> String {
    let mut shown = text.to_owned();
    for (field, placeholder) in [
        ("creationTimestamp", "<time>"),
        ("time", "<time>"),
        ("resourceVersion", "<version>"),
    ] {
        let quoted = format!("\\\"{field}\\\":\\\"");
        let mut parts = shown.split(&quoted);
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.split_once("\\\"").map_or("", |(_, rest)| rest);
            kept = format!("{kept}{quoted}{placeholder}\\\"{rest}");
        }
        shown = kept;
    }
    shown
}

fn without_numbers(text: &str) -> String {
    let mut shown = String::new();
    for sign in text.chars() {
        match sign {
            '0'..='9' if shown.ends_with('#') => {}
            '0'..='9' => shown.push('#'),
            sign => shown.push(sign),
        }
    }
    shown
}

/// `x is invalid: [a, b]` with its parts in order: theirs is that of a hash map.
fn sorted_parts(text: &str) -> String {
    if let Some((head, list)) = text.split_once("errors:\n") {
        let mut lines: Vec<&str> = list.lines().collect();
        lines.sort_unstable();
        return format!("{head}errors:\n{}", lines.join("\n"));
    }
    let Some((head, rest)) = text.split_once(": [") else {
        return text.to_owned();
    };
    let Some(list) = rest.strip_suffix(']') else {
        return text.to_owned();
    };
    let mut parts: Vec<&str> = list.split(", ").collect();
    parts.sort_unstable();
    format!("{head}: [{}]", parts.join(", "))
}
