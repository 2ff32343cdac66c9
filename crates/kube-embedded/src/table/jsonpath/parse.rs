//! A `JSONPath` from text.

use serde_json::Value;

use super::{Comparison, Filter, JsonPath, JsonPathError, Operand, Step};

/// Longest path taken.
const LENGTH_LIMIT: usize = 4096;

pub(super) fn path(text: &str) -> Result<JsonPath, JsonPathError> {
    if text.len() > LENGTH_LIMIT {
        return Err(JsonPathError::TooLong);
    }
    let text = text.trim();
    let text = text
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'))
        .unwrap_or(text);
    let text = text.strip_prefix(['$', '@']).unwrap_or(text);
    let mut rest = text;
    let mut steps = Vec::new();
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '.' if rest.starts_with("..") => {
                steps.push(Step::Descend);
                // What follows the two dots is a field, unless it is a subscript.
                let after = &rest[2..];
                if after.starts_with('[') {
                    after
                } else {
                    field(after, &mut steps)?
                }
            }
            '.' => field(&rest[1..], &mut steps)?,
            '[' => {
                let (inside, after) = bracketed(rest)?;
                steps.push(subscript(inside)?);
                after
            }
            _ if steps.is_empty() => field(rest, &mut steps)?,
            other => return Err(JsonPathError::Unexpected(other)),
        };
    }
    Ok(JsonPath { steps })
}

/// A name up to the next dot or bracket; a backslash takes the next character as it is.
fn field<'a>(text: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, JsonPathError> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    let mut end = text.len();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => name.push(chars.next().ok_or(JsonPathError::Unfinished)?.1),
            '.' | '[' => {
                end = at;
                break;
            }
            odd if odd.is_whitespace() || "{}()'\"?@$|".contains(odd) => {
                return Err(JsonPathError::Unexpected(odd));
            }
            other => name.push(other),
        }
    }
    match name.as_str() {
        "" if end == 0 && text.starts_with('[') => {}
        // `.` alone is the object itself.
        "" if text.is_empty() && steps.is_empty() => {}
        "" => {
            return Err(text
                .chars()
                .next()
                .map_or(JsonPathError::Unfinished, JsonPathError::Unexpected));
        }
        "*" => steps.push(Step::Every),
        _ => steps.push(Step::Field(name)),
    }
    Ok(&text[end..])
}

/// Which characters are quoted, told one after the other.
#[derive(Default)]
struct Quotes {
    open: Option<char>,
    escaped: bool,
}

impl Quotes {
    /// Is the character, a quote itself included, not part of the path's own grammar?
    fn hide(&mut self, char: char) -> bool {
        if std::mem::take(&mut self.escaped) {
            return true;
        }
        match (char, self.open) {
            ('\\', _) => {
                self.escaped = true;
                true
            }
            (_, Some(open)) => {
                if char == open {
                    self.open = None;
                }
                true
            }
            ('\'' | '"', None) => {
                self.open = Some(char);
                true
            }
            (_, None) => false,
        }
    }
}

/// What is between a bracket and the one that closes it, and what follows. Quotes hide brackets.
fn bracketed(text: &str) -> Result<(&str, &str), JsonPathError> {
    let mut depth = 0;
    let mut quotes = Quotes::default();
    for (at, char) in text.char_indices() {
        if quotes.hide(char) {
            continue;
        }
        match char {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok((&text[1..at], &text[at + 1..]));
        }
    }
    Err(JsonPathError::Unfinished)
}

fn subscript(inside: &str) -> Result<Step, JsonPathError> {
    let inside = inside.trim();
    if let Some(condition) = inside
        .strip_prefix("?(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return filter(condition).map(Step::Filter);
    }
    let parts = split(inside);
    if let [one] = parts.as_slice() {
        return single(one);
    }
    parts
        .iter()
        .map(|part| single(part))
        .collect::<Result<_, _>>()
        .map(Step::Union)
}

/// At commas outside quotes.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quotes = Quotes::default();
    for (at, char) in text.char_indices() {
        if !quotes.hide(char) && char == ',' {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

fn single(text: &str) -> Result<Step, JsonPathError> {
    let text = text.trim();
    if text == "*" {
        return Ok(Step::Every);
    }
    if let Some(name) = quoted(text) {
        return Ok(Step::Field(name));
    }
    let number = |part: &str| {
        part.parse::<i64>()
            .map_err(|_| JsonPathError::Subscript(text.to_owned()))
    };
    let optional = |part: Option<&&str>| {
        part.filter(|part| !part.is_empty())
            .map(|part| number(part))
            .transpose()
    };
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    match parts.as_slice() {
        [one] => number(one).map(Step::Index),
        [_, _] | [_, _, _] => Ok(Step::Slice {
            from: optional(parts.first())?,
            to: optional(parts.get(1))?,
            step: optional(parts.get(2))?.unwrap_or(1),
        }),
        _ => Err(JsonPathError::Subscript(text.to_owned())),
    }
}

fn quoted(text: &str) -> Option<String> {
    let inner = ['\'', '"']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char == '\\' {
            out.extend(chars.next());
        } else {
            out.push(char);
        }
    }
    Some(out)
}

const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

fn filter(condition: &str) -> Result<Filter, JsonPathError> {
    let found = COMPARISONS.iter().filter_map(|(sign, comparison)| {
        Some((outside_quotes(condition, sign)?, *sign, *comparison))
    });
    match found.min_by_key(|(at, sign, _)| (*at, std::cmp::Reverse(sign.len()))) {
        None => Ok(Filter {
            left: path(condition)?,
            test: None,
        }),
        Some((at, sign, comparison)) => Ok(Filter {
            left: path(&condition[..at])?,
            test: Some((comparison, operand(condition[at + sign.len()..].trim())?)),
        }),
    }
}

fn outside_quotes(text: &str, wanted: &str) -> Option<usize> {
    let mut quotes = Quotes::default();
    let mut visible = text.char_indices().filter(|(_, char)| !quotes.hide(*char));
    visible
        .find(|(at, _)| text[*at..].starts_with(wanted))
        .map(|(at, _)| at)
}

fn operand(text: &str) -> Result<Operand, JsonPathError> {
    if let Some(text) = quoted(text) {
        return Ok(Operand::Literal(Value::String(text)));
    }
    if text.starts_with(['@', '$']) {
        return path(text).map(Operand::Path);
    }
    match serde_json::from_str(text) {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => Ok(Operand::Literal(value)),
        Ok(_) | Err(_) => Err(JsonPathError::Subscript(text.to_owned())),
    }
}
