//! Selectors from text. Source of the grammar: "Labels and Selectors" and "Field Selectors" of the Kubernetes documentation.

use super::{Operator, Requirement, SelectorError, Term};

/// Longest selector taken: more than any URL a client can send needs.
const LENGTH_LIMIT: usize = 64 * 1024;

pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    if text.len() > LENGTH_LIMIT {
        return Err(SelectorError::Requirement(
            "the selector is too long".to_owned(),
        ));
    }
    let mut tokens = tokens(text).into_iter().peekable();
    let mut requirements = Vec::new();
    while let Some(first) = tokens.peek() {
        if !first.begins_requirement() {
            return Err(unstrung(
                first,
                "expected: !, identifier, or 'end of string'",
            ));
        }
        requirements.push(requirement(&mut tokens)?);
        match tokens.next() {
            None => break,
            Some(Token::Comma) => match tokens.peek() {
                Some(next) if next.begins_requirement() => {}
                Some(other) => return Err(unstrung(other, AFTER_COMMA)),
                None => {
                    let words = format!("found '', {AFTER_COMMA}");
                    return Err(SelectorError::Sequence(words));
                }
            },
            Some(other) => return Err(unstrung(&other, "expected: ',' or 'end of string'")),
        }
    }
    Ok(requirements)
}

const AFTER_COMMA: &str = "expected: identifier after ','";

fn unstrung(found: &Token, expected: &str) -> SelectorError {
    SelectorError::Sequence(format!("found '{}', {expected}", found.text()))
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<Token>>;

fn refused(words: &str) -> SelectorError {
    SelectorError::Requirement(words.to_owned())
}

fn requirement(tokens: &mut Tokens) -> Result<Requirement, SelectorError> {
    let absent = tokens.next_if_eq(&Token::Not).is_some();
    let key = match tokens.next() {
        Some(Token::Word(key)) => key,
        Some(other) => {
            return Err(refused(&format!(
                "found '{}', expected: identifier",
                other.text()
            )));
        }
        None => return Err(refused("found '', expected: identifier")),
    };
    check_key(&key)?;
    let operator = if absent {
        Operator::Absent
    } else {
        operator(tokens)?
    };
    Ok(Requirement { key, operator })
}

fn operator(tokens: &mut Tokens) -> Result<Operator, SelectorError> {
    match tokens.peek() {
        None | Some(Token::Comma) => return Ok(Operator::Exists),
        Some(_) => {}
    }
    match tokens.next() {
        Some(Token::Equal) => Ok(Operator::In(vec![value(tokens)?])),
        Some(Token::Unequal) => Ok(Operator::NotIn(vec![value(tokens)?])),
        Some(Token::Above) => Ok(Operator::Above(number(tokens)?)),
        Some(Token::Below) => Ok(Operator::Below(number(tokens)?)),
        Some(Token::Word(word)) if word == "in" => Ok(Operator::In(values(tokens)?)),
        Some(Token::Word(word)) if word == "notin" => Ok(Operator::NotIn(values(tokens)?)),
        Some(other) => Err(refused(&format!(
            "found '{}', expected: in, notin, =, ==, !=, gt, lt",
            other.text()
        ))),
        None => Ok(Operator::Exists),
    }
}

/// One value; nothing before a comma or the end is the empty value.
fn value(tokens: &mut Tokens) -> Result<String, SelectorError> {
    match tokens.peek() {
        None | Some(Token::Comma) => return Ok(String::new()),
        Some(_) => {}
    }
    match tokens.next() {
        Some(Token::Word(value)) => {
            check_value(&value)?;
            Ok(value)
        }
        other => Err(refused(&format!(
            "found '{}', expected: identifier",
            other.map_or_else(String::new, |token| token.text())
        ))),
    }
}

fn number(tokens: &mut Tokens) -> Result<i64, SelectorError> {
    let text = value(tokens)?;
    text.parse().map_err(|_| {
        refused(&format!(
            "values[0]: Invalid value: {text:?}: for 'Gt', 'Lt' operators, the value must be an integer"
        ))
    })
}

/// `(a, b)`; an empty entry is the empty value.
fn values(tokens: &mut Tokens) -> Result<Vec<String>, SelectorError> {
    match tokens.next() {
        Some(Token::Open) => {}
        other => {
            let found = other.map_or_else(String::new, |token| token.text());
            return Err(refused(&format!("found '{found}' expected: '('")));
        }
    }
    let mut values = Vec::new();
    let mut needs_value = true;
    loop {
        match tokens.next() {
            Some(Token::Word(value)) if needs_value => {
                check_value(&value)?;
                values.push(value);
                needs_value = false;
            }
            Some(Token::Comma) => {
                if needs_value {
                    values.push(String::new());
                }
                needs_value = true;
            }
            Some(Token::Close) => {
                if needs_value {
                    values.push(String::new());
                }
                return Ok(values);
            }
            other => {
                let found = other.as_ref().map(Token::text).unwrap_or_default();
                let expected = match (values.is_empty(), needs_value) {
                    (true, _) => "',', ')' or identifier",
                    (false, true) => "',', or identifier",
                    (false, false) => "',' or ')'",
                };
                return Err(refused(&format!("found '{found}', expected: {expected}")));
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Comma,
    Open,
    Close,
    Not,
    Equal,
    Unequal,
    Above,
    Below,
}

impl Token {
    fn begins_requirement(&self) -> bool {
        matches!(self, Token::Word(_) | Token::Not)
    }

    fn text(&self) -> String {
        match self {
            Token::Word(word) => word.clone(),
            Token::Comma => ",".to_owned(),
            Token::Open => "(".to_owned(),
            Token::Close => ")".to_owned(),
            Token::Not => "!".to_owned(),
            Token::Equal => "=".to_owned(),
            Token::Unequal => "!=".to_owned(),
            Token::Above => ">".to_owned(),
            Token::Below => "<".to_owned(),
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let token = match char {
            ',' => Token::Comma,
            '(' => Token::Open,
            ')' => Token::Close,
            '>' => Token::Above,
            '<' => Token::Below,
            '=' => {
                chars.next_if_eq(&'=');
                Token::Equal
            }
            '!' if chars.next_if_eq(&'=').is_some() => Token::Unequal,
            '!' => Token::Not,
            space if space.is_whitespace() => {
                flush(&mut word, &mut tokens);
                continue;
            }
            other => {
                word.push(other);
                continue;
            }
        };
        flush(&mut word, &mut tokens);
        tokens.push(token);
    }
    flush(&mut word, &mut tokens);
    tokens
}

fn flush(word: &mut String, tokens: &mut Vec<Token>) {
    if !word.is_empty() {
        tokens.push(Token::Word(std::mem::take(word)));
    }
}

/// A label key: an optional DNS prefix and a name of at most 63 characters.
fn check_key(key: &str) -> Result<(), SelectorError> {
    let (prefix, name) = key
        .split_once('/')
        .map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let prefix_fits = prefix
        .is_none_or(|prefix| !prefix.is_empty() && prefix.len() <= 253 && is_subdomain(prefix));
    if prefix_fits && !name.is_empty() && is_label_text(name) {
        return Ok(());
    }
    Err(refused(&format!(
        "key: Invalid value: {key:?}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    )))
}

fn check_value(value: &str) -> Result<(), SelectorError> {
    if value.is_empty() || is_label_text(value) {
        return Ok(());
    }
    Err(refused(&format!(
        "values[0]: Invalid value: {value:?}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    )))
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(|label| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

fn is_label_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    bytes.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner)
}

/// Field selector terms: split at commas that are not escaped.
pub(super) fn terms(text: &str) -> Result<Vec<Term>, SelectorError> {
    if text.len() > LENGTH_LIMIT {
        return Err(SelectorError::Term(
            String::new(),
            "a selector this long".to_owned(),
        ));
    }
    let mut terms = Vec::new();
    for part in split_unescaped(text) {
        if !part.trim().is_empty() {
            terms.push(
                term(part).ok_or_else(|| SelectorError::Term(text.to_owned(), part.to_owned()))?,
            );
        }
    }
    Ok(terms)
}

fn split_unescaped(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// `path=value`, `path==value` or `path!=value`; None when it is none of these.
fn term(part: &str) -> Option<Term> {
    let at = part.find(['=', '!'])?;
    let (path, rest) = part.split_at(at);
    let (equal, value) = if let Some(value) = rest.strip_prefix("!=") {
        (false, value)
    } else if let Some(value) = rest.strip_prefix("==") {
        (true, value)
    } else {
        (true, rest.strip_prefix('=')?)
    };
    Some(Term {
        path: path.trim().to_owned(),
        value: unescaped(value)?,
        equal,
    })
}

fn unescaped(value: &str) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => out.push(
                chars
                    .next()
                    .filter(|next| matches!(next, '\\' | ',' | '='))?,
            ),
            '=' => return None,
            other => out.push(other),
        }
    }
    Some(out)
}
