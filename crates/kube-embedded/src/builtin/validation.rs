//! What the built-in kinds refuse beyond their schemas: k8s.io/kubernetes/pkg/apis/*/validation.

mod events;
mod times;
mod values;

use serde_json::Value;

use super::Builtin;
use crate::cause::{Cause, Reason};
use crate::crd;
use crate::metadata;
use crate::registry::Served;
pub(crate) use values::tls_warnings;

/// Everything wrong with an object, `old` being what it was.
pub(crate) fn check(builtin: Builtin, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    match builtin {
        Builtin::Secret => values::secret(object, old),
        Builtin::ConfigMap => values::config_map(object, old),
        Builtin::Lease => lease(object),
        Builtin::CoreEvent => events::check(object, old, events::Words::Core),
        Builtin::Event => events::check(object, old, events::Words::Newer),
        Builtin::Definition => crd::check(object, old),
        Builtin::Namespace => namespace(object),
        Builtin::ServiceAccount | Builtin::Review(_) => Vec::new(),
    }
}

/// A value of the wrong type is no object of the kind at all, in the words of Go's decoder; `causes` are the
/// schema's. Values that should be base64 are looked at here.
pub(crate) fn undecodable(served: &Served, object: &Value, causes: &[Cause]) -> Option<String> {
    let problem = match served.builtin()? {
        Builtin::Secret => values::broken_base64(&object["data"]),
        Builtin::ConfigMap => values::broken_base64(&object["binaryData"]),
        builtin => times::broken_moment(builtin, object),
    };
    let kind = &served.info.kind;
    let mistyped = || {
        let mut causes = causes
            .iter()
            .filter(|cause| cause.reason == Reason::TypeInvalid);
        causes.find_map(|cause| mistyped(kind, cause, object))
    };
    problem.or_else(mistyped).map(|problem| {
        format!(
            "{kind} in version {:?} cannot be handled as a {kind}: {problem}",
            served.info.version
        )
    })
}

/// `Invalid value: "integer": data.x in body must be of type string: "integer"`, as Go says it.
fn mistyped(kind: &str, cause: &Cause, object: &Value) -> Option<String> {
    let (_, rest) = cause.message.split_once("must be of type ")?;
    let (wanted, got) = rest.split_once(": ")?;
    let got = got.trim_matches('"');
    let field = cause.field.split(['.', '[']).next().unwrap_or_default();
    match wanted {
        "byte" => None,
        "date-time" => Some(times::broken_time(got)),
        _ => {
            let got = if got == "integer" { "number" } else { got };
            let wanted = match wanted {
                "object" => "map[string]string",
                "integer" => "int32",
                "string" if holds_bytes(field, object) => "[]uint8",
                wanted => wanted,
            };
            Some(format!(
                "json: cannot unmarshal {got} into Go struct field {kind}.{field} of type {wanted}"
            ))
        }
    }
}

/// Go keeps these as bytes.
fn holds_bytes(field: &str, object: &Value) -> bool {
    field == "binaryData" || field == "data" && object["kind"] == "Secret"
}

fn namespace(object: &Value) -> Vec<Cause> {
    let phase = object["status"]["phase"].as_str().unwrap_or_default();
    if metadata::is_deleting(object) || ["", "Active"].contains(&phase) {
        return Vec::new();
    }
    let words = "may only be 'Active' if `deletionTimestamp` is empty";
    vec![Cause::invalid("status.Phase", &phase.into(), words)]
}

fn lease(object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut causes = Vec::new();
    let (seconds, transitions) = (&spec["leaseDurationSeconds"], &spec["leaseTransitions"]);
    if seconds.as_i64().is_some_and(|seconds| seconds <= 0) {
        let words = "must be greater than 0";
        causes.push(Cause::invalid("spec.leaseDurationSeconds", seconds, words));
    }
    if transitions.as_i64().is_some_and(|count| count < 0) {
        let words = "must be greater than or equal to 0";
        causes.push(Cause::invalid("spec.leaseTransitions", transitions, words));
    }
    causes
}
