//! `OpenAPI` v3 of what is served: the index and one document a group version. For `kubectl explain` and client-side checks.

mod operations;
mod schemas;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::discovery::Resource;

/// A resource with the schema of its kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Described<'a> {
    pub(crate) resource: &'a Resource,
    /// The CRD version's `openAPIV3Schema`; None for a built-in kind.
    pub(crate) schema: Option<&'a Value>,
}

/// `GET /openapi/v3`: one entry for each document, `api/v1` or `apis/group/version`, with its hash.
/// `documents` are (path without leading slash, hash) pairs.
pub(crate) fn index(documents: &[(String, String)]) -> Value {
    let entry = |(path, hash): &(String, String)| {
        (
            path.clone(),
            json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}")}),
        )
    };
    let paths: Map<String, Value> = documents.iter().map(entry).collect();
    json!({"paths": paths})
}

/// `GET /openapi/v3/api/v1` or `/openapi/v3/apis/{group}/{version}`: all of `resources` belong to that group version.
pub(crate) fn group_document(resources: &[Described<'_>]) -> Value {
    let mut schemas = Map::new();
    let mut paths = Map::new();
    for described in resources {
        let name = schemas::add(described, &mut schemas);
        operations::add(described, &name, &mut paths);
    }
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

fn group_version_kind(resource: &Resource, kind: &str) -> Value {
    json!({"group": resource.group, "version": resource.version, "kind": kind})
}
