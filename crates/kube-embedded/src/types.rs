//! The schemas of the built-in types, written by hand and compiled once. Custom types bring their own.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::schema::Schema;

/// Every object's metadata.
pub(crate) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The documents the definitions are written in, one an API group.
const DOCUMENTS: [&str; 7] = [
    include_str!("types/meta.yaml"),
    include_str!("types/core.yaml"),
    include_str!("types/events.yaml"),
    include_str!("types/coordination.yaml"),
    include_str!("types/apiextensions.yaml"),
    include_str!("types/rbac.yaml"),
    include_str!("types/access.yaml"),
];

/// Where the definitions of each group version are found.
const PACKAGES: [(&str, &str, &str); 7] = [
    ("", "v1", "io.k8s.api.core.v1"),
    ("events.k8s.io", "v1", "io.k8s.api.events.v1"),
    ("coordination.k8s.io", "v1", "io.k8s.api.coordination.v1"),
    (
        "apiextensions.k8s.io",
        "v1",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    ),
    ("rbac.authorization.k8s.io", "v1", "io.k8s.api.rbac.v1"),
    (
        "authentication.k8s.io",
        "v1",
        "io.k8s.api.authentication.v1",
    ),
    ("authorization.k8s.io", "v1", "io.k8s.api.authorization.v1"),
];

/// Every definition by its full name. References name definitions without a prefix.
pub(crate) fn definitions() -> &'static Map<String, Value> {
    static DEFINITIONS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
        // The documents are part of the program and a test reads each, so none is ever left out here.
        let documents = DOCUMENTS
            .iter()
            .filter_map(|text| serde_yaml_ng::from_str::<Map<String, Value>>(text).ok());
        documents.flatten().collect()
    });
    &DEFINITIONS
}

/// The full name of the definition of a built-in kind; None for a kind we do not serve.
pub(crate) fn definition(group: &str, version: &str, kind: &str) -> Option<String> {
    let (_, _, package) = PACKAGES
        .iter()
        .find(|(known, at, _)| *known == group && *at == version)?;
    let name = format!("{package}.{kind}");
    definitions().contains_key(&name).then_some(name)
}

/// The schema of a built-in kind of a group version (`""`, `v1`, `Secret`); None for a kind we do not serve.
pub(crate) fn schema(group: &str, version: &str, kind: &str) -> Option<&'static Schema> {
    static SCHEMAS: LazyLock<HashMap<String, Schema>> = LazyLock::new(|| {
        let kinds = definitions()
            .iter()
            .filter(|(_, schema)| schema["properties"].get("apiVersion").is_some());
        kinds
            .filter_map(|(name, _)| Some((name.clone(), Schema::builtin(name).ok()?)))
            .collect()
    });
    SCHEMAS.get(&definition(group, version, kind)?)
}
