//! `get`, `update` and `patch` of the scale of an object that is there.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Call;
use super::update::{Patch, unpatchable};
use crate::admit;
use crate::answer::Answer;
use crate::apply::{self, scale::ScaleApplyError};
use crate::cause::Cause;
use crate::decode::{self, DecodeError};
use crate::ledger::Address;
use crate::scale::{self, Scale, ScaleError};
use crate::status::{Failure, Qualified};
use crate::stored::Stored;

/// What Kubernetes says to every body that is no `Scale`, whatever is wrong with it.
const NO_SCALE: &str =
    "no kind is registered for the type v1.Scale in scheme \"pkg/runtime/scheme.go:111\"";

/// The paths of the target's kind. Only what has a scale has a path that leads here.
fn paths<'c>(call: &'c Call<'_>) -> Result<&'c Scale, Failure> {
    call.target
        .served
        .scale
        .as_ref()
        .ok_or(Failure::NoSuchResource)
}

pub(crate) fn get(call: &Call<'_>) -> Result<Answer, Failure> {
    let target = &call.target;
    let name = target.name.as_deref().unwrap_or_default();
    let ledger = &call.cluster.ledger;
    let found = ledger.get(&target.served.stored_as, &target.key(name));
    answer(call, &*found.ok_or_else(|| target.not_found())?)
}

/// An object, shown by its scale.
pub(super) fn answer(call: &Call<'_>, object: &Stored) -> Result<Answer, Failure> {
    let object = admit::shown(&call.target.served, object);
    let scale = paths(call)?.shown(&object);
    let scale = scale.map_err(|error| match error {
        ScaleError::Missing(_) => Failure::Internal(error.to_string()),
        ScaleError::Accessor(_) | ScaleError::Empty(_) | ScaleError::Untyped { .. } => {
            unfit(&error)
        }
    })?;
    Ok(Answer::value(scale))
}

/// The `Scale` in a request's body.
pub(super) fn body(call: &Call<'_>) -> Result<Value, Failure> {
    let decoded = decode::object(&call.ask.content_type, &call.body);
    let mut scale = decoded.map_err(|error| match error {
        DecodeError::UnknownForm(accepted) => Failure::UnsupportedMediaType(accepted),
        DecodeError::Json { .. } | DecodeError::Yaml(_) | DecodeError::Protobuf(_) => no_scale(),
    })?;
    let says = |field: &str, word: &str| scale[field].is_null() || scale[field] == word;
    if !scale.is_object() || !says("kind", "Scale") || !says("apiVersion", "autoscaling/v1") {
        return Err(no_scale());
    }
    scale::check_types(&scale).map_err(|_| no_scale())?;
    is_at(call, &scale)?;
    if scale["spec"].is_null() {
        scale["spec"] = json!({});
    }
    Ok(scale)
}

fn no_scale() -> Failure {
    Failure::BadRequest(NO_SCALE.to_owned())
}

/// Does the scale say the name and namespace of its path?
fn is_at(call: &Call<'_>, scale: &Value) -> Result<(), Failure> {
    let said = |field: &str| scale["metadata"][field].as_str().unwrap_or_default();
    let name = call.target.name.as_deref().unwrap_or_default();
    let refuse = |words: String| Err(Failure::BadRequest(words));
    let namespace = said("namespace");
    if !namespace.is_empty() && namespace != call.target.namespace {
        return refuse(
            "the namespace of the provided object does not match the namespace sent on the request"
                .to_owned(),
        );
    }
    match said("name") {
        "" => refuse(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )),
        given if given != name => refuse(format!(
            "the name of the object ({given}) does not match the name on the URL ({name})"
        )),
        _ => Ok(()),
    }
}

/// How a scale is to change.
pub(super) enum Wanted<'p> {
    Said(Value),
    Patched(Patch<'p>),
}

/// The object with as many as are wanted of it, and with the version and uid the client insists on.
pub(super) fn next(call: &Call<'_>, old: &Value, wanted: &Wanted<'_>) -> Result<Value, Failure> {
    let paths = paths(call)?;
    let scale = match wanted {
        Wanted::Said(scale) => scale.clone(),
        Wanted::Patched(patch) => patched(
            call,
            paths.to_patch(old).map_err(|error| unfit(&error))?,
            patch,
        )?,
    };
    let mut new = paths
        .put(old.clone(), &scale)
        .map_err(|error| unfit(&error))?;
    let insists = |field: &str| {
        let said = scale["metadata"][field].as_str();
        said.filter(|said| !said.is_empty()).map(Value::from)
    };
    if let Some(version) = insists("resourceVersion") {
        new["metadata"]["resourceVersion"] = version;
    }
    if let (Some(uid), Wanted::Said(_)) = (insists("uid"), wanted) {
        new["metadata"]["uid"] = uid;
    }
    apply::scale::track(old, &mut new, &call.writer()?, paths.wanted_at());
    Ok(new)
}

fn patched(call: &Call<'_>, mut scale: Value, patch: &Patch<'_>) -> Result<Value, Failure> {
    patch(&mut scale).map_err(unpatchable)?;
    if let Err(error) = scale::check_types(&scale) {
        let text = scale.to_string();
        return Err(Failure::Invalid {
            kind: Qualified::nothing(),
            name: String::new(),
            causes: vec![Cause::invalid("patch", &text.into(), &error.to_string())],
        });
    }
    is_at(call, &scale)?;
    Ok(scale)
}

fn unfit(error: &ScaleError) -> Failure {
    match error {
        ScaleError::Empty(_) => Failure::BadRequest(error.to_string()),
        ScaleError::Accessor(_) | ScaleError::Missing(_) | ScaleError::Untyped { .. } => {
            Failure::Unclassified(error.to_string())
        }
    }
}

/// Kubernetes comes to no end with an apply here, so it is refused as there.
pub(super) fn apply(call: &Call<'_>) -> Result<Answer, Failure> {
    if call.ask.query.get("fieldManager").is_none() {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(Failure::options("PatchOptions", cause));
    }
    let applied = decode::yaml(&call.body)
        .map_err(|error| Failure::BadRequest(format!("error decoding YAML: {error}")))?;
    let target = &call.target;
    let name = target.name.as_deref().unwrap_or_default();
    let found = call.cluster.ledger.latest(&Address {
        resource: Arc::clone(&target.served.stored_as),
        key: target.key(name),
    });
    let old = admit::shown(&target.served, &*found.ok_or_else(|| target.not_found())?);
    let force = call.ask.force(true)?;
    let refusal = apply::scale::refuse(&old, &applied, paths(call)?.wanted_at(), force);
    Err(match refusal {
        ScaleApplyError::Conflict(conflicts) => Failure::ApplyConflict(conflicts),
        ScaleApplyError::Unfit(words) => Failure::Unclassified(words),
    })
}
