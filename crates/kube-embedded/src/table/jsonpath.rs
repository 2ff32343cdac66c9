//! `JSONPath` as Kubernetes has it: fields, indexes, slices, wildcards, unions, filters and descent. No functions.

mod parse;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use serde_json::Value;

/// Why a path cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonPathError {
    #[error("unexpected end of the path")]
    Unfinished,
    #[error("unexpected {0:?}")]
    Unexpected(char),
    #[error("{0:?} is neither an index, a name nor a filter")]
    Subscript(String),
    #[error("the path is too long")]
    TooLong,
}

/// A parsed path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Every,
    Slice {
        from: Option<i64>,
        to: Option<i64>,
        step: i64,
    },
    Index(i64),
    Union(Vec<Step>),
    Filter(Filter),
    /// Here and everywhere below.
    Descend,
}

#[derive(Debug, Clone, PartialEq)]
struct Filter {
    left: JsonPath,
    /// None: it is enough that the left side exists.
    test: Option<(Comparison, Operand)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Literal(Value),
    Path(JsonPath),
}

impl JsonPath {
    /// Parses `.spec.ports[0].name`, with or without braces around it.
    pub(crate) fn parse(text: &str) -> Result<Self, JsonPathError> {
        parse::path(text)
    }

    /// The first value the path leads to.
    pub(crate) fn first<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.find(object).into_iter().next()
    }

    /// All values the path leads to, in order.
    pub(crate) fn find<'a>(&self, object: &'a Value) -> Vec<&'a Value> {
        let mut values = vec![object];
        for step in &self.steps {
            values = values
                .into_iter()
                .flat_map(|value| step.follow(value))
                .collect();
        }
        values
    }

    /// The names of a path made of nothing but fields (`.spec.replicas`).
    pub(crate) fn fields(&self) -> Option<Vec<&str>> {
        let field = |step: &'_ Step| match step {
            Step::Field(_) => true,
            Step::Every
            | Step::Slice { .. }
            | Step::Index(_)
            | Step::Union(_)
            | Step::Filter(_)
            | Step::Descend => false,
        };
        if !self.steps.iter().all(field) {
            return None;
        }
        let names = self.steps.iter().filter_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::Every
            | Step::Slice { .. }
            | Step::Index(_)
            | Step::Union(_)
            | Step::Filter(_)
            | Step::Descend => None,
        });
        Some(names.collect())
    }
}

impl Step {
    fn follow<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match self {
            Step::Field(name) => value.get(name).into_iter().collect(),
            Step::Every => children(value),
            Step::Index(at) => value
                .as_array()
                .and_then(|entries| entries.get(place(*at, entries.len())?))
                .into_iter()
                .collect(),
            Step::Slice { from, to, step } => slice(value, *from, *to, *step),
            Step::Union(steps) => steps.iter().flat_map(|step| step.follow(value)).collect(),
            Step::Filter(filter) => value
                .as_array()
                .into_iter()
                .flatten()
                .filter(|entry| filter.holds(entry))
                .collect(),
            Step::Descend => descend(value),
        }
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(entries) => entries.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn descend(value: &Value) -> Vec<&Value> {
    let mut all = vec![value];
    for child in children(value) {
        all.extend(descend(child));
    }
    all
}

/// An index from the front, or from the back when negative.
fn place(at: i64, length: usize) -> Option<usize> {
    if at < 0 {
        length.checked_sub(usize::try_from(at.unsigned_abs()).ok()?)
    } else {
        usize::try_from(at).ok()
    }
}

fn slice(value: &Value, from: Option<i64>, to: Option<i64>, step: i64) -> Vec<&Value> {
    let Some(entries) = value.as_array() else {
        return Vec::new();
    };
    let bound = |at: Option<i64>, otherwise: usize| match at {
        None => otherwise,
        Some(at) => place(at, entries.len()).unwrap_or(0).min(entries.len()),
    };
    let (start, end) = (bound(from, 0), bound(to, entries.len()));
    let stride = usize::try_from(step).unwrap_or(1).max(1);
    entries
        .iter()
        .take(end)
        .skip(start)
        .step_by(stride)
        .collect()
}

impl Filter {
    fn holds(&self, entry: &Value) -> bool {
        let left = self.left.first(entry);
        let Some((comparison, operand)) = &self.test else {
            return left.is_some();
        };
        let right = match operand {
            Operand::Literal(value) => Some(value),
            Operand::Path(path) => path.first(entry),
        };
        match (left, right) {
            (Some(left), Some(right)) => comparison.holds(left, right),
            (None, _) | (_, None) => false,
        }
    }
}

impl Comparison {
    fn holds(self, left: &Value, right: &Value) -> bool {
        let order = order(left, right);
        match self {
            Comparison::Equal => order == Some(Ordering::Equal),
            Comparison::Unequal => order.is_some_and(Ordering::is_ne),
            Comparison::Less => order.is_some_and(Ordering::is_lt),
            Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
            Comparison::Greater => order.is_some_and(Ordering::is_gt),
            Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

/// Values of one type can be compared, others not.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (_, _) => None,
    }
}
