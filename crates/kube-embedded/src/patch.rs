//! How a JSON patch, a merge patch or a strategic merge patch changes an object. Not what may be changed.

mod strategic;
#[cfg(test)]
mod tests;

use json_patch::PatchOperation;
use serde_json::Value;

pub(crate) use strategic::strategic;

/// Most operations in one JSON patch, as in Kubernetes.
const OPERATION_LIMIT: usize = 10_000;

/// Most JSON text `copy` operations may add in one patch: else twenty doublings of a megabyte fill the memory.
const COPY_LIMIT: usize = 3 * 1024 * 1024;

/// Why a patch does not apply. All are answered 400 or 422; see [`PatchError::is_unprocessable`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum PatchError {
    #[error("error decoding patch: {0}")]
    Malformed(String),
    #[error("The allowed maximum operations in a JSON patch is {OPERATION_LIMIT}, got {0}")]
    TooManyOperations(usize),
    #[error("the server rejected our request due to an error in our request")]
    Unprocessable(#[source] json_patch::PatchError),
    #[error("the server rejected our request due to an error in our request")]
    NotAnOperation(#[source] serde_json::Error),
    #[error("map: {entry} does not contain declared merge key: {key}")]
    NoMergeKey { entry: String, key: String },
    #[error("the copy operations of a JSON patch may add at most {COPY_LIMIT} bytes")]
    CopiesTooMuch,
}

impl PatchError {
    /// True when the patch is well formed but does not fit this object (422, not 400).
    pub(crate) fn is_unprocessable(&self) -> bool {
        match self {
            PatchError::Unprocessable(_)
            | PatchError::NotAnOperation(_)
            | PatchError::CopiesTooMuch => true,
            PatchError::Malformed(_)
            | PatchError::NoMergeKey { .. }
            | PatchError::TooManyOperations(_) => false,
        }
    }
}

/// Applies a JSON patch (RFC 6902), all of it or none. A `test` for null of a missing path holds, as in Kubernetes.
pub(crate) fn json(target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let Value::Array(operations) = patch else {
        return Err(wrong_shape(patch, "[]handlers.jsonPatchOp"));
    };
    if operations.len() > OPERATION_LIMIT {
        return Err(PatchError::TooManyOperations(operations.len()));
    }
    let operations: Vec<PatchOperation> =
        serde_json::from_value(patch.clone()).map_err(PatchError::NotAnOperation)?;
    let mut patched = target.clone();
    let mut copied = 0;
    for operation in &operations {
        if holds_for_a_missing_path(operation, &patched) {
            continue;
        }
        copied += size_of_copy(operation, &patched);
        if copied > COPY_LIMIT {
            return Err(PatchError::CopiesTooMuch);
        }
        let operation = adding_what_is_missing(operation, &patched);
        json_patch::patch(&mut patched, &[operation]).map_err(PatchError::Unprocessable)?;
    }
    *target = patched;
    Ok(())
}

/// Go's JSON patch replaces a missing field of an object as if it were there.
fn adding_what_is_missing(operation: &PatchOperation, object: &Value) -> PatchOperation {
    if let PatchOperation::Replace(replace) = operation
        && let Some((parent, _)) = replace.path.as_str().rsplit_once('/')
        && object.pointer(parent).is_some_and(Value::is_object)
    {
        return PatchOperation::Add(json_patch::AddOperation {
            path: replace.path.clone(),
            value: replace.value.clone(),
        });
    }
    operation.clone()
}

/// Go's JSON patch takes a missing path for null; controllers test that way before they add the first finalizer.
fn holds_for_a_missing_path(operation: &PatchOperation, object: &Value) -> bool {
    match operation {
        PatchOperation::Test(test) => {
            test.value.is_null() && object.pointer(test.path.as_str()).is_none()
        }
        PatchOperation::Add(_)
        | PatchOperation::Remove(_)
        | PatchOperation::Replace(_)
        | PatchOperation::Move(_)
        | PatchOperation::Copy(_) => false,
    }
}

fn size_of_copy(operation: &PatchOperation, object: &Value) -> usize {
    match operation {
        PatchOperation::Copy(copy) => object
            .pointer(copy.from.as_str())
            .map_or(0, |value| value.to_string().len()),
        PatchOperation::Add(_)
        | PatchOperation::Remove(_)
        | PatchOperation::Replace(_)
        | PatchOperation::Move(_)
        | PatchOperation::Test(_) => 0,
    }
}

/// Applies a merge patch (RFC 7396). The patch must be an object.
pub(crate) fn merge(target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    if !patch.is_object() {
        return Err(wrong_shape(patch, "map[string]interface {}"));
    }
    json_patch::merge(target, patch);
    Ok(())
}

/// A patch that is no JSON of the right kind, told in Go's words as clients know them.
fn wrong_shape(patch: &Value, wanted: &str) -> PatchError {
    let found = match patch {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    PatchError::Malformed(format!(
        "json: cannot unmarshal {found} into Go value of type {wanted}"
    ))
}
