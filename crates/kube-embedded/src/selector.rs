//! Which objects a client asked for: label and field selectors, parsed once and matched against objects.

mod parse;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

/// Why a selector cannot be understood. The text is what a client is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectorError {
    /// Requirements are not strung together as they should be.
    #[error("{0}")]
    Sequence(String),
    #[error("unable to parse requirement: {0}")]
    Requirement(String),
    #[error("invalid selector: '{0}'; can't understand '{1}'")]
    Term(String, String),
    #[error("field label not supported: {0}")]
    UnknownField(String),
}

/// A parsed label selector; the empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Labels {
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl Labels {
    /// Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.
    pub(crate) fn parse(text: &str) -> Result<Self, SelectorError> {
        let requirements = parse::requirements(text)?;
        Ok(Self { requirements })
    }

    /// True for the selector that asks for nothing in particular.
    pub(crate) fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Does the object whose labels `label` reads satisfy every requirement?
    pub(crate) fn matches<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        let mut requirements = self.requirements.iter();
        requirements.all(|requirement| requirement.holds(label(&requirement.key)))
    }
}

impl Requirement {
    fn holds(&self, value: Option<&str>) -> bool {
        let is_one_of =
            |values: &[String]| value.is_some_and(|value| values.iter().any(|one| one == value));
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.operator {
            Operator::Exists => value.is_some(),
            Operator::Absent => value.is_none(),
            Operator::In(values) => is_one_of(values),
            Operator::NotIn(values) => !is_one_of(values),
            Operator::Above(bound) => number().is_some_and(|number| number > *bound),
            Operator::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// A parsed field selector; the empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    path: String,
    value: String,
    equal: bool,
}

impl Fields {
    /// Parses `metadata.name=x,spec.color!=blue`, with `\\`, `\,` and `\=` as escapes.
    pub(crate) fn parse(text: &str) -> Result<Self, SelectorError> {
        let terms = parse::terms(text)?;
        Ok(Self { terms })
    }

    /// True for the selector that asks for nothing in particular.
    pub(crate) fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// The one name asked for, when there is one: makes a list a look-up.
    pub(crate) fn name(&self) -> Option<&str> {
        let names = |term: &&Term| term.equal && term.path == "metadata.name";
        self.terms
            .iter()
            .find(names)
            .map(|term| term.value.as_str())
    }

    /// Refuses any field but `metadata.name`, `metadata.namespace` and those listed (dotted paths).
    pub(crate) fn check(&self, selectable: &[&str]) -> Result<(), SelectorError> {
        for term in &self.terms {
            let path = term.path.as_str();
            let always = path == "metadata.name" || path == "metadata.namespace";
            if !always && !selectable.contains(&path) {
                return Err(SelectorError::UnknownField(path.to_owned()));
            }
        }
        Ok(())
    }

    /// Does the object have (or not have) the asked values? A missing field is the empty string.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.terms
            .iter()
            .all(|term| (found(object, &term.path) == term.value) == term.equal)
    }
}

/// A scalar as a selector compares it.
fn found<'a>(object: &'a Value, path: &str) -> Cow<'a, str> {
    let mut value = object;
    for name in path.split('.') {
        value = &value[name];
    }
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(_) | Value::Number(_) => Cow::Owned(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Cow::Borrowed(""),
    }
}
