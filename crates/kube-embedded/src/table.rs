//! What `kubectl get` shows: columns, cells and ages, as a `meta.k8s.io/v1` Table.
#![allow(dead_code, reason = "the server calls it as it grows")]

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cause::Cause;

/// One column: where its cell comes from and how it is announced.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub(crate) kind: String,
    pub(crate) format: String,
    pub(crate) description: String,
    /// Above 0 only `-o wide` shows it.
    pub(crate) priority: i64,
    path: String,
}

/// How much of each object goes with its row (`includeObject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum IncludeObject {
    Nothing,
    #[default]
    Metadata,
    Whole,
}

/// The columns of a custom resource version: Name first, then its `additionalPrinterColumns`, or Age when it has none.
pub(crate) fn columns_of_version(version: &Value) -> Result<Vec<Column>, Vec<Cause>> {
    let _ = version;
    Ok(Vec::new())
}

/// The columns of a built-in kind (`Secret`, `ConfigMap`, …); Name and Age for any other.
pub(crate) fn columns_of_builtin(kind: &str) -> Vec<Column> {
    let _ = kind;
    Vec::new()
}

/// Renders a Table. `metadata` is the list's (`resourceVersion`, `continue`, `remainingItemCount`).
pub(crate) fn render<'a>(
    columns: &[Column],
    objects: impl IntoIterator<Item = &'a Value>,
    include: IncludeObject,
    metadata: &Value,
    now: Timestamp,
) -> Value {
    let _ = (columns, objects.into_iter().count(), include, now);
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": [], "rows": []})
}

/// `PartialObjectMetadata` of an object: what `as=PartialObjectMetadata` answers and a Table row carries.
pub(crate) fn partial_metadata(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}
