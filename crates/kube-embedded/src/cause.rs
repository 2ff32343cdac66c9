//! Which field is wrong and why: the entries of `Status.details.causes`. Not how a `Status` is sent.

use std::fmt;

use serde_json::{Value, json};

/// Kubernetes' closed set of reasons a field can be refused for (`metav1.CauseType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TypeInvalid,
    TooLong,
    TooMany,
}

impl Reason {
    /// The word in `causes[].reason`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Reason::Required => "FieldValueRequired",
            Reason::Duplicate => "FieldValueDuplicate",
            Reason::Invalid => "FieldValueInvalid",
            Reason::NotSupported => "FieldValueNotSupported",
            Reason::Forbidden => "FieldValueForbidden",
            Reason::TypeInvalid => "FieldValueTypeInvalid",
            Reason::TooLong => "FieldValueTooLong",
            Reason::TooMany => "FieldValueTooMany",
        }
    }
}

/// One refused field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) reason: Reason,
    /// Begins with the words Kubernetes begins it with (`Required value`, `Invalid value: "x": …`).
    pub(crate) message: String,
    /// As Kubernetes writes paths: `spec.ports[0].name`, `metadata.labels[a.b/c]`.
    pub(crate) field: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl Cause {
    /// A field that must be there and is not.
    pub(crate) fn required(field: impl Into<String>, detail: &str) -> Self {
        Self::new(
            Reason::Required,
            field,
            with_detail("Required value", detail),
        )
    }

    /// A value that is there and wrong; the value is quoted in the message as Kubernetes does.
    pub(crate) fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        let words = format!("Invalid value: {}", quoted(value));
        Self::new(Reason::Invalid, field, with_detail(&words, detail))
    }

    /// A value whose type is wrong.
    pub(crate) fn type_invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        let words = format!("Invalid value: {}", quoted(value));
        Self::new(Reason::TypeInvalid, field, with_detail(&words, detail))
    }

    /// A value outside a closed set; `supported` in the order it is to be listed.
    pub(crate) fn not_supported(
        field: impl Into<String>,
        value: &Value,
        supported: &[&str],
    ) -> Self {
        let listed: Vec<String> = supported.iter().map(|word| format!("{word:?}")).collect();
        let words = format!(
            "Unsupported value: {}: supported values: {}",
            quoted(value),
            listed.join(", ")
        );
        Self::new(Reason::NotSupported, field, words)
    }

    /// The second of two equal things.
    pub(crate) fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self::new(
            Reason::Duplicate,
            field,
            format!("Duplicate value: {}", quoted(value)),
        )
    }

    /// Something that may not be said here.
    pub(crate) fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self::new(Reason::Forbidden, field, with_detail("Forbidden", detail))
    }

    /// More bytes or characters than allowed.
    pub(crate) fn too_long(field: impl Into<String>, limit: u64) -> Self {
        let words = format!(
            "Too long: may not be more than {limit} byte{}",
            plural(limit)
        );
        Self::new(Reason::TooLong, field, words)
    }

    /// More entries than allowed.
    pub(crate) fn too_many(field: impl Into<String>, count: usize, limit: u64) -> Self {
        let words = format!(
            "Too many: {count}: must have at most {limit} item{}",
            plural(limit)
        );
        Self::new(Reason::TooMany, field, words)
    }

    /// Any other combination.
    pub(crate) fn new(reason: Reason, field: impl Into<String>, message: String) -> Self {
        Self {
            reason,
            message,
            field: field.into(),
        }
    }

    /// The entry of `Status.details.causes`.
    pub(crate) fn to_json(&self) -> Value {
        json!({"reason": self.reason.word(), "message": self.message, "field": self.field})
    }
}

/// The tail of `Foo.group "name" is invalid: …`: one cause plain, several in brackets, repeats once.
pub(crate) fn sentence(causes: &[Cause]) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in causes {
        let words = cause.to_string();
        if !said.contains(&words) {
            said.push(words);
        }
    }
    match said.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn with_detail(words: &str, detail: &str) -> String {
    if detail.is_empty() {
        words.to_owned()
    } else {
        format!("{words}: {detail}")
    }
}

/// Go's way to print a value in an error: strings quoted, floats as `%v` has them, everything else as compact JSON.
fn quoted(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(|| number.to_string(), float)
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => value.to_string(),
    }
}

/// A float as Go's `%v` prints it: `1e+06` from seven digits on, `0.5`, `100`.
pub(crate) fn float(value: f64) -> String {
    let exponential = format!("{value:e}");
    let Some((digits, exponent)) = exponential.split_once('e') else {
        return value.to_string();
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
