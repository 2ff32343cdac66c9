//! The schemas of the built-in types, compiled once. Custom types bring their own.
#![allow(dead_code, reason = "the server calls it as it grows")]

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::schema::Schema;

/// Every object's metadata.
pub(crate) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The documents the definitions are written in, one an API group.
const DOCUMENTS: [&str; 1] = [include_str!("types/meta.yaml")];

/// Every definition by its full name, in the form OpenAPI serves it.
pub(crate) fn definitions() -> &'static Map<String, Value> {
    static DEFINITIONS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
        let documents = DOCUMENTS
            .iter()
            .filter_map(|text| serde_yaml_ng::from_str::<Map<String, Value>>(text).ok());
        documents.flatten().collect()
    });
    &DEFINITIONS
}

/// The schema of a built-in kind of a group version (`""`, `v1`, `Secret`); None for a kind we do not serve.
pub(crate) fn schema(group: &str, version: &str, kind: &str) -> Option<&'static Schema> {
    static SCHEMAS: LazyLock<HashMap<(String, String, String), Schema>> =
        LazyLock::new(HashMap::new);
    SCHEMAS.get(&(group.to_owned(), version.to_owned(), kind.to_owned()))
}
