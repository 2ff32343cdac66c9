//! What a CustomResourceDefinition must be before it is stored: names, versions, structural schemas, columns.
#![allow(dead_code, reason = "the server calls it as it grows")]

use serde_json::Value;

use crate::cause::Cause;

/// Fills in what a client may leave out: `listKind`, `singular`, `conversion`, `preserveUnknownFields` …
pub(crate) fn default_in(crd: &mut Value) {
    let _ = crd;
}

/// Everything a real API server refuses at creation (`old` None) or update, with its words. Empty when acceptable.
pub(crate) fn check(crd: &Value, old: Option<&Value>) -> Vec<Cause> {
    let _ = (crd, old);
    Vec::new()
}
