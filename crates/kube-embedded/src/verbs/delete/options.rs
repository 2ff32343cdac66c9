//! What a deletion is asked to be: policy, preconditions, dry run. From the body if there is one, which
//! then stands alone, otherwise from the query.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Call;
use super::super::fit::SCHEME;
use crate::builtin::Builtin;
use crate::cause::Cause;
use crate::decode;
use crate::deletion::Propagation;
use crate::status::Failure;
use crate::stored::Stored;

/// `DeleteOptions`. A grace period is taken and has no effect: there are no processes to wait for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Said {
    preconditions: Option<Preconditions>,
    dry_run: Option<Vec<String>>,
    propagation_policy: Option<String>,
    orphan_dependents: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preconditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

/// The options, found fit.
#[derive(Debug)]
pub(super) struct Options {
    preconditions: Preconditions,
    pub(super) is_dry_run: bool,
    pub(super) propagation: Option<Propagation>,
}

impl Options {
    pub(super) fn asked(call: &Call<'_>) -> Result<Self, Failure> {
        let said = if call.body.is_empty() {
            from_query(call)
        } else {
            from_body(call)?
        };
        let propagation = propagation(&said)?;
        let dry_run = said.dry_run.unwrap_or_default();
        if dry_run.iter().any(|word| word != "All") {
            let cause = Cause::not_supported("dryRun", &json!(dry_run), &["All"]);
            return Err(Failure::options("DeleteOptions", cause));
        }
        Ok(Self {
            preconditions: said.preconditions.unwrap_or_default(),
            is_dry_run: !dry_run.is_empty(),
            propagation,
        })
    }

    /// Is it the object that was meant?
    pub(super) fn hold(&self, call: &Call<'_>, object: &Stored) -> Result<(), Failure> {
        let served = &call.target.served;
        let words = Words::of(served.builtin());
        let refuse = |why: String| {
            let resource = match words {
                Words::Usual => served.kind(),
                Words::Namespace | Words::Definition => served.resource(),
            };
            let name = object.name().to_owned();
            Err(Failure::Conflict {
                resource,
                name,
                why,
            })
        };
        let is = object.uid();
        let wanted = self.preconditions.uid.as_ref();
        if let Some(wanted) = wanted.filter(|wanted| *wanted != is) {
            return refuse(words.mismatch("UID", wanted, is));
        }
        let is = object.version().to_string();
        let wanted = self.preconditions.resource_version.as_ref();
        if let Some(wanted) = wanted.filter(|wanted| **wanted != is) {
            return refuse(words.mismatch("ResourceVersion", wanted, &is));
        }
        Ok(())
    }
}

/// Who says that a precondition does not hold: namespaces and definitions look themselves.
#[derive(Debug, Clone, Copy)]
enum Words {
    Usual,
    Namespace,
    Definition,
}

impl Words {
    fn of(builtin: Option<Builtin>) -> Self {
        match builtin {
            Some(Builtin::Namespace) => Self::Namespace,
            Some(Builtin::Definition) => Self::Definition,
            Some(_) | None => Self::Usual,
        }
    }

    fn mismatch(self, what: &str, wanted: &str, is: &str) -> String {
        let precondition = match self {
            Self::Namespace => "Precondition",
            Self::Definition => "precondition",
            Self::Usual => {
                let end = if what == "UID" {
                    "deleted and then recreated"
                } else {
                    "modified"
                };
                return format!(
                    "the {what} in the precondition ({wanted}) does not match the {what} in record ({is}). The object might have been {end}"
                );
            }
        };
        format!(
            "{precondition} failed: {what} in precondition: {wanted}, {what} in object meta: {is}"
        )
    }
}

fn from_body(call: &Call<'_>) -> Result<Said, Failure> {
    let body = decode::object(&call.ask.content_type, &call.body)
        .map_err(|error| Failure::BadRequest(error.to_string()))?;
    let kind = body["kind"].as_str().unwrap_or("DeleteOptions");
    if kind != "DeleteOptions" {
        return Err(Failure::BadRequest(format!(
            "no kind {kind:?} is registered for version {}{SCHEME}",
            body["apiVersion"]
        )));
    }
    for (field, wanted, fits) in FIELDS {
        let value = &body[field];
        if !value.is_null() && !fits(value) {
            return Err(Failure::BadRequest(format!(
                "json: cannot unmarshal {} into Go struct field DeleteOptions.{field} of type {wanted}",
                decode::go_name(value),
            )));
        }
    }
    serde_json::from_value(body)
        .map_err(|error| Failure::BadRequest(format!("invalid DeleteOptions: {error}")))
}

type Fits = fn(&Value) -> bool;

/// Fields, their types as Go names them, and what fits into these.
const FIELDS: [(&str, &str, Fits); 4] = [
    (
        "propagationPolicy",
        "v1.DeletionPropagation",
        Value::is_string,
    ),
    ("orphanDependents", "bool", Value::is_boolean),
    ("gracePeriodSeconds", "int64", Value::is_i64),
    ("dryRun", "[]string", Value::is_array),
];

fn from_query(call: &Call<'_>) -> Said {
    let query = &call.ask.query;
    let dry_run = query.get("dryRun").map(|word| vec![word.to_owned()]);
    Said {
        preconditions: None,
        dry_run,
        propagation_policy: query.get("propagationPolicy").map(str::to_owned),
        orphan_dependents: query
            .get("orphanDependents")
            .map(|_| query.flag("orphanDependents")),
    }
}

fn propagation(said: &Said) -> Result<Option<Propagation>, Failure> {
    let refuse = |cause| Err(Failure::options("DeleteOptions", cause));
    let Some(policy) = said.propagation_policy.as_deref() else {
        // The older way to say it.
        return Ok(said.orphan_dependents.map(|orphans| {
            if orphans {
                Propagation::Orphan
            } else {
                Propagation::Background
            }
        }));
    };
    if said.orphan_dependents.is_some() {
        return refuse(Cause::invalid(
            "propagationPolicy",
            &policy.into(),
            "orphanDependents and deletionPropagation cannot be both set",
        ));
    }
    match policy {
        "Foreground" => Ok(Some(Propagation::Foreground)),
        "Background" => Ok(Some(Propagation::Background)),
        "Orphan" => Ok(Some(Propagation::Orphan)),
        other => refuse(Cause::not_supported(
            "propagationPolicy",
            &other.into(),
            &["Foreground", "Background", "Orphan", "nil"],
        )),
    }
}
