//! What `kubectl get` shows: columns, cells and ages, as a `meta.k8s.io/v1` Table.

mod age;
mod builtin;
pub(crate) mod jsonpath;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cause::Cause;
use jsonpath::JsonPath;

pub(crate) use builtin::columns_of_builtin;

/// Longest text of one cell; a whole object printed into a cell helps nobody.
const CELL_LIMIT: usize = 4096;

/// One column: where its cell comes from and how it is announced.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: CellKind,
    pub(crate) format: String,
    pub(crate) description: String,
    /// Above 0 only `-o wide` shows it.
    pub(crate) priority: i64,
    source: Source,
}

/// The closed set of column types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellKind {
    String,
    Integer,
    Number,
    Boolean,
    Date,
}

impl CellKind {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "string" => Some(CellKind::String),
            "integer" => Some(CellKind::Integer),
            "number" => Some(CellKind::Number),
            "boolean" => Some(CellKind::Boolean),
            "date" => Some(CellKind::Date),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            CellKind::String => "string",
            CellKind::Integer => "integer",
            CellKind::Number => "number",
            CellKind::Boolean => "boolean",
            CellKind::Date => "date",
        }
    }
}

/// Where a cell's value is had.
#[derive(Debug, Clone)]
enum Source {
    Path(JsonPath),
    /// Built-in kinds count and combine.
    Computed(fn(&Value, Timestamp) -> Value),
}

/// How much of each object goes with its row (`includeObject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum IncludeObject {
    Nothing,
    #[default]
    Metadata,
    Whole,
}

impl Column {
    fn name_column() -> Self {
        Self {
            format: "name".to_owned(),
            description: "Unique within the namespace; cannot be changed.".to_owned(),
            ..Self::computed("Name", CellKind::String, |object, _| {
                object["metadata"]["name"].clone()
            })
        }
    }

    fn age_column() -> Self {
        let cell = |object: &Value, now| {
            age::since(object["metadata"]["creationTimestamp"].as_str(), now).into()
        };
        Self {
            description: "When the server created the object.".to_owned(),
            ..Self::computed("Age", CellKind::Date, cell)
        }
    }

    fn computed(name: &str, kind: CellKind, cell: fn(&Value, Timestamp) -> Value) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            format: String::new(),
            description: String::new(),
            priority: 0,
            source: Source::Computed(cell),
        }
    }

    fn wide(self) -> Self {
        Self {
            priority: 1,
            ..self
        }
    }

    fn definition(&self) -> Value {
        json!({"name": self.name, "type": self.kind.word(), "format": self.format,
            "description": self.description, "priority": self.priority})
    }

    fn cell(&self, object: &Value, now: Timestamp) -> Value {
        match &self.source {
            Source::Computed(cell) => cell(object, now),
            Source::Path(path) => path
                .first(object)
                .map_or(Value::Null, |value| printed(self.kind, value, now)),
        }
    }
}

/// A value as a cell of its column's type; null when it does not fit.
fn printed(kind: CellKind, value: &Value, now: Timestamp) -> Value {
    match (kind, value) {
        (CellKind::Date, Value::Null) => Value::Null,
        (CellKind::String, Value::Null) => "<no value>".into(),
        (CellKind::String, Value::String(text)) => clipped(text.clone()).into(),
        (CellKind::String, other) => clipped(other.to_string()).into(),
        (CellKind::Integer, Value::Number(number)) => whole(number),
        (CellKind::Number, Value::Number(number)) => Value::Number(number.clone()),
        (CellKind::Boolean, Value::Bool(bool)) => Value::Bool(*bool),
        (CellKind::Date, Value::String(text)) => age::since(Some(text), now).into(),
        (CellKind::Integer | CellKind::Number | CellKind::Boolean | CellKind::Date, _) => {
            Value::Null
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a cell of an integer column shows the whole part"
)]
fn whole(number: &serde_json::Number) -> Value {
    let whole = number
        .as_i64()
        .or_else(|| number.as_f64().map(|float| float.trunc() as i64));
    whole.map_or(Value::Null, Value::from)
}

fn clipped(mut text: String) -> String {
    if text.len() > CELL_LIMIT {
        let end = (0..=CELL_LIMIT)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// The columns of a custom resource version: Name first, then its `additionalPrinterColumns`, or Age when it has none.
/// Causes name fields relative to the version.
pub(crate) fn columns_of_version(version: &Value) -> Result<Vec<Column>, Vec<Cause>> {
    let mut columns = vec![Column::name_column()];
    let mut causes = Vec::new();
    match version["additionalPrinterColumns"]
        .as_array()
        .filter(|columns| !columns.is_empty())
    {
        None => columns.push(Column::age_column()),
        Some(given) => {
            for (at, column) in given.iter().enumerate() {
                match custom_column(column, &format!("additionalPrinterColumns[{at}]")) {
                    Ok(column) => columns.push(column),
                    Err(found) => causes.extend(found),
                }
            }
        }
    }
    if causes.is_empty() {
        Ok(columns)
    } else {
        Err(causes)
    }
}

/// Column types a definition may name. Source: CRD v1 validation of `additionalPrinterColumns`.
const KINDS: [&str; 5] = ["boolean", "date", "integer", "number", "string"];

fn custom_column(column: &Value, field: &str) -> Result<Column, Vec<Cause>> {
    let word = |key: &str| column[key].as_str().unwrap_or_default().to_owned();
    let mut causes = Vec::new();
    if word("name").is_empty() {
        causes.push(Cause::required(format!("{field}.name"), ""));
    }
    let kind = CellKind::parse(&word("type"));
    if word("type").is_empty() {
        let detail = format!("must be one of {}", KINDS.join(","));
        causes.push(Cause::required(format!("{field}.type"), &detail));
    } else if kind.is_none() {
        let detail = format!("must be one of {}", KINDS.join(","));
        causes.push(Cause::invalid(
            format!("{field}.type"),
            &word("type").into(),
            &detail,
        ));
    }
    let path = word("jsonPath");
    if path.is_empty() {
        causes.push(Cause::required(format!("{field}.JSONPath"), ""));
    } else if !path.starts_with('.') {
        let detail = "must be a simple json path starting with .";
        causes.push(Cause::invalid(
            format!("{field}.JSONPath"),
            &path.as_str().into(),
            detail,
        ));
    }
    // A path that leads nowhere is accepted, and its cells are empty.
    let source = JsonPath::parse(&path).map_or(Source::Computed(|_, _| Value::Null), Source::Path);
    match kind.filter(|_| causes.is_empty()) {
        None => Err(causes),
        Some(kind) => Ok(Column {
            name: word("name"),
            kind,
            format: word("format"),
            description: described(&word("description"), column),
            priority: column["priority"].as_i64().unwrap_or(0),
            source,
        }),
    }
}

/// What a real server says of a column that says nothing of itself.
fn described(description: &str, column: &Value) -> String {
    if description.is_empty() {
        let path = column["jsonPath"].as_str().unwrap_or_default();
        format!("Custom resource definition column (in JSONPath format): {path}")
    } else {
        description.to_owned()
    }
}

/// Renders a Table. `metadata` is the list's (`resourceVersion`, `continue`, `remainingItemCount`).
pub(crate) fn render<'a>(
    columns: &[Column],
    objects: impl IntoIterator<Item = &'a Value>,
    include: IncludeObject,
    metadata: &Value,
    now: Timestamp,
) -> Value {
    let definitions: Vec<Value> = columns.iter().map(Column::definition).collect();
    let row = |object: &Value| {
        let cells: Vec<Value> = columns
            .iter()
            .map(|column| column.cell(object, now))
            .collect();
        json!({"cells": cells, "object": included(object, include)})
    };
    let rows: Vec<Value> = objects.into_iter().map(row).collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": definitions, "rows": rows})
}

fn included(object: &Value, include: IncludeObject) -> Value {
    match include {
        IncludeObject::Nothing => Value::Null,
        IncludeObject::Metadata => partial_metadata(object),
        IncludeObject::Whole => object.clone(),
    }
}

/// `PartialObjectMetadata` of an object: what `as=PartialObjectMetadata` answers and a Table row carries.
pub(crate) fn partial_metadata(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}
