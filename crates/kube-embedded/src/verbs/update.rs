//! `update` and `patch`: a new state of an object that is there, and `apply`, which makes it if not.

use std::sync::Arc;

use serde_json::Value;

use super::{Call, create, fit};
use crate::admit::{self, Admission, Admitted};
use crate::answer::Answer;
use crate::apply::{self, ApplyError};
use crate::builtin::Builtin;
use crate::cause::Cause;
use crate::ledger::{Address, Write, WriteError};
use crate::patch::{self, PatchError};
use crate::project::Projection;
use crate::status::{Failure, Qualified};
use crate::stored::Stored;
use crate::target::Part;
use crate::{decode, expiry, lifecycle, metadata};

/// How often somebody else may be faster before we give up.
const TRIES: usize = 8;

const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

pub(crate) async fn replace(call: &Call<'_>) -> Result<Answer, Failure> {
    let name = call.target.name.as_deref();
    let new = fit::body(call, name)?;
    let change = Change::Replace(new);
    match write(call, &change).await {
        Err(Failure::NotFound { .. }) if makes_on_update(call) => match change {
            Change::Replace(new) => create::insert(call, new, true).await,
            Change::Patch(_) | Change::Apply(_) => Err(call.target.not_found()),
        },
        other => other,
    }
}

fn makes_on_update(call: &Call<'_>) -> bool {
    let builtin = call.target.served.builtin();
    call.target.part == Part::Whole && builtin.is_some_and(Builtin::allows_create_on_update)
}

pub(crate) async fn patch(call: &Call<'_>) -> Result<Answer, Failure> {
    let custom = call.target.served.builtin().is_none();
    match call.ask.content_type.as_str() {
        "application/apply-patch+yaml" => apply(call).await,
        "application/json-patch+json" => by_patch(call, patch::json).await,
        "application/merge-patch+json" => by_patch(call, patch::merge).await,
        "application/strategic-merge-patch+json" if !custom => {
            let schema = call.target.served.schema.clone();
            by_patch(call, move |target, patch| {
                patch::strategic(target, patch, &schema)
            })
            .await
        }
        _ if custom => Err(Failure::UnsupportedMediaType(
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        )),
        _ => Err(Failure::UnsupportedPatch),
    }
}

type Patch<'p> = Box<dyn Fn(&mut Value) -> Result<(), PatchError> + Send + Sync + 'p>;

async fn by_patch<F>(call: &Call<'_>, apply: F) -> Result<Answer, Failure>
where
    F: Fn(&mut Value, &Value) -> Result<(), PatchError> + Send + Sync,
{
    call.ask.force(false)?;
    let patch = decode::json(&call.body)
        .map_err(|_| Failure::BadRequest("invalid JSON patch".to_owned()))?;
    let patched: Patch<'_> = Box::new(|object| apply(object, &patch));
    write(call, &Change::Patch(patched)).await
}

async fn apply(call: &Call<'_>) -> Result<Answer, Failure> {
    if call.ask.query.get("fieldManager").is_none() {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(Failure::options("PatchOptions", cause));
    }
    let applied = decode::yaml(&call.body)
        .map_err(|error| Failure::BadRequest(format!("error decoding YAML: {error}")))?;
    is_of_type(call, &applied)?;
    let says_namespace = !metadata::text(&applied, "namespace").is_empty();
    let mut applied = fit::object_at(call, applied, call.target.name.as_deref())?;
    if !says_namespace {
        // Complaints about it name it as the client did.
        metadata::edit(&mut applied, |fields| drop(fields.remove("namespace")));
    }
    let whole = call.target.part == Part::Whole;
    if whole
        && call.target.served.info.status
        && let Some(fields) = applied.as_object_mut()
    {
        fields.remove("status");
    }
    let change = Change::Apply(applied);
    match (write(call, &change).await, &change) {
        (Err(Failure::NotFound { .. }), Change::Apply(applied)) if whole => {
            let made = applied_to(call, None, applied)?;
            let made = fit::object_at(call, made, call.target.name.as_deref())?;
            create::insert(call, made, false).await
        }
        (other, _) => other,
    }
}

/// What is applied must say what it is, and of a built-in kind which it is.
fn is_of_type(call: &Call<'_>, applied: &Value) -> Result<(), Failure> {
    let served = &call.target.served;
    let word = |field: &str| applied[field].as_str().unwrap_or_default();
    let (version, kind) = (word("apiVersion"), word("kind"));
    let builtin = served.builtin().is_some();
    let is_other = builtin && (version != served.api_version || kind != served.info.kind);
    if version.is_empty() || kind.is_empty() || is_other {
        let slash = if version.contains('/') { "" } else { "/" };
        let words = format!("invalid object type: {slash}{version}, Kind={kind}");
        return Err(Failure::BadRequest(words));
    }
    if builtin && metadata::text(applied, "name").is_empty() {
        let name = call.target.name.as_deref().unwrap_or_default();
        return Err(Failure::BadRequest(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )));
    }
    Ok(())
}

fn applied_to(call: &Call<'_>, live: Option<&Value>, applied: &Value) -> Result<Value, Failure> {
    let force = call.ask.force(true)?;
    let writer = call.writer()?;
    let merged = apply::apply(live, applied, &writer, force, &call.target.served.schema);
    let merged = merged.map_err(|error| match error {
        ApplyError::Conflict(conflicts) => Failure::ApplyConflict(conflicts),
        ApplyError::Untyped { .. } => Failure::Unclassified(error.to_string()),
        ApplyError::ManagedFields => Failure::BadRequest(error.to_string()),
    })?;
    let served = &call.target.served;
    let nulls = served.schema.misplaced_nulls(&merged);
    if served.builtin().is_none() && !nulls.is_empty() {
        return Err(Failure::Invalid {
            kind: served.kind(),
            name: metadata::text(&merged, "name").to_owned(),
            causes: nulls,
        });
    }
    Ok(merged)
}

/// What becomes of an object, given what it is.
enum Change<'p> {
    Replace(Value),
    Patch(Patch<'p>),
    Apply(Value),
}

impl Change<'_> {
    fn of(&self, call: &Call<'_>, old: &Value) -> Result<Value, Failure> {
        match self {
            Change::Replace(new) => Ok(new.clone()),
            Change::Apply(applied) => {
                let new = applied_to(call, Some(old), applied)?;
                fit::object_at(call, new, call.target.name.as_deref())
            }
            Change::Patch(patch) => {
                let mut new = old.clone();
                patch(&mut new).map_err(|error| {
                    if matches!(error, PatchError::NoMergeKey { .. }) {
                        Failure::Unclassified(error.to_string())
                    } else if error.is_unprocessable() {
                        Failure::PatchDoesNotFit(Box::new(error))
                    } else {
                        Failure::BadRequest(error.to_string())
                    }
                })?;
                let shown = new.clone();
                fit::object_at(call, new, call.target.name.as_deref())
                    .map_err(|failure| undecodable_patch(call, &shown, failure))
            }
        }
    }

    /// Does an apply note its fields' owner itself?
    fn is_apply(&self) -> bool {
        match self {
            Change::Apply(_) => true,
            Change::Replace(_) | Change::Patch(_) => false,
        }
    }
}

/// What a patch makes must still be of its kind; a built-in one is quoted whole when it is not.
fn undecodable_patch(call: &Call<'_>, patched: &Value, failure: Failure) -> Failure {
    let words = failure.to_string();
    let decoding = words.split_once(&format!(
        "cannot be handled as a {}: ",
        call.target.served.info.kind
    ));
    match (call.target.served.builtin(), decoding) {
        (Some(_), Some((_, why))) => Failure::Invalid {
            kind: Qualified::nothing(),
            name: String::new(),
            causes: vec![Cause::invalid("patch", &as_go(patched).into(), why)],
        },
        (Some(_) | None, _) => failure,
    }
}

/// The object as Go prints it: metadata's fields in their order, and nobody's managed fields.
fn as_go(object: &Value) -> String {
    const FIRST: [&str; 6] = [
        "name",
        "generateName",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
    ];
    let own = object["metadata"].as_object();
    let first = FIRST.iter().filter_map(|field| own?.get_key_value(*field));
    let rest = own
        .into_iter()
        .flatten()
        .filter(|(field, _)| !FIRST.contains(&field.as_str()) && *field != "managedFields");
    let said = |(field, value): (&String, &Value)| format!("{field:?}:{value}");
    let metadata: Vec<String> = first.chain(rest).map(said).collect();
    let fields = object.as_object().into_iter().flatten();
    let fields = fields.map(|(field, value)| match field.as_str() {
        "metadata" => format!("\"metadata\":{{{}}}", metadata.join(",")),
        field => format!("{field:?}:{value}"),
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// Decides and stores, again if somebody else was faster and the client named no version.
async fn write(call: &Call<'_>, change: &Change<'_>) -> Result<Answer, Failure> {
    let served = &call.target.served;
    let name = call.target.name.as_deref().unwrap_or_default();
    let address = Address {
        resource: Arc::clone(&served.stored_as),
        key: call.target.key(name),
    };
    for _ in 0..TRIES {
        let found = call.cluster.ledger.latest(&address);
        let old = found.ok_or_else(|| call.target.not_found())?;
        let (admitted, insists) = decide(call, change, &old)?;
        let warnings = admitted.warnings;
        match store(call, &address, &old, admitted.object).await {
            Ok(kept) => {
                let projection = Projection::asked(served, call.ask, call.cluster.now())?;
                return Ok(projection.object(&kept).with_warnings(warnings));
            }
            Err(WriteError::Changed) if insists => break,
            Err(WriteError::Changed) => {}
            Err(error @ (WriteError::Closed | WriteError::NotKept)) => {
                return Err(Failure::Internal(error.to_string()));
            }
        }
    }
    Err(conflict(call, MODIFIED))
}

/// The new state, and whether the client insists on the version it saw.
fn decide(
    call: &Call<'_>,
    change: &Change<'_>,
    stored: &Stored,
) -> Result<(Admitted, bool), Failure> {
    let old = admit::shown(&call.target.served, stored);
    let new = change.of(call, &old)?;
    let insists = insists(call, change, &old, &new)?;
    let writer = call.writer()?;
    let admission = Admission {
        served: &call.target.served,
        part: call.target.part,
        fields: call.ask.field_validation()?,
        patches: matches!(change, Change::Patch(_)),
        now: writer.now,
        duplicates: match change {
            Change::Replace(_) => fit::duplicates(call),
            Change::Patch(_) | Change::Apply(_) => Vec::new(),
        },
        writer: (!change.is_apply()).then_some(writer),
    };
    let admitted = match change {
        Change::Patch(_) => {
            let patched = new.clone();
            let admitted = admission.update(&old, new);
            admitted.map_err(|failure| undecodable_patch(call, &patched, failure))?
        }
        Change::Replace(_) | Change::Apply(_) => admission.update(&old, new)?,
    };
    Ok((admitted, insists))
}

/// Does the client name a version, and is it the latest? It must also mean this object and no other.
fn insists(
    call: &Call<'_>,
    change: &Change<'_>,
    old: &Value,
    new: &Value,
) -> Result<bool, Failure> {
    let replaces = matches!(change, Change::Replace(_));
    let said = metadata::text(new, "resourceVersion");
    if said.is_empty() && replaces && !is_unconditional(call) {
        let words = "must be specified for an update";
        return Err(Failure::Invalid {
            kind: call.target.served.resource(),
            name: metadata::text(new, "name").to_owned(),
            causes: vec![Cause::invalid("metadata.resourceVersion", &0.into(), words)],
        });
    }
    if !said.is_empty() && said.parse::<u64>().is_err() {
        return Err(Failure::Unclassified(format!(
            "strconv.ParseUint: parsing {said:?}: invalid syntax"
        )));
    }
    let uid = metadata::text(new, "uid");
    let right = metadata::text(old, "uid");
    if !uid.is_empty() && uid != right {
        return Err(if replaces {
            other_object(call, uid, right)
        } else {
            other_uid(call, uid)
        });
    }
    if !said.is_empty() && said != metadata::text(old, "resourceVersion") {
        return Err(conflict(call, MODIFIED));
    }
    Ok(!said.is_empty() && replaces)
}

/// An update of an object that has gone, and come again as another.
fn other_object(call: &Call<'_>, uid: &str, right: &str) -> Failure {
    let name = call.target.name.as_deref().unwrap_or_default();
    let Qualified {
        name: plural,
        group,
    } = call.target.served.resource();
    let place = [group.as_str(), &plural, &call.target.namespace, name];
    let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {right}",
        place.join("/")
    );
    conflict(call, &why)
}

/// A patch that would make the object another.
fn other_uid(call: &Call<'_>, uid: &str) -> Failure {
    let cause = Cause::invalid("metadata.uid", &uid.into(), "field is immutable");
    // Kubernetes looks at custom resources twice, and says so twice.
    let times = if call.target.served.builtin().is_none() {
        2
    } else {
        1
    };
    Failure::Invalid {
        kind: call.target.served.kind(),
        name: call.target.name.clone().unwrap_or_default(),
        causes: vec![cause; times],
    }
}

fn is_unconditional(call: &Call<'_>) -> bool {
    let builtin = call.target.served.builtin();
    builtin.is_some_and(Builtin::allows_unconditional_update)
}

fn conflict(call: &Call<'_>, why: &str) -> Failure {
    Failure::Conflict {
        resource: call.target.served.resource(),
        name: call.target.name.clone().unwrap_or_default(),
        why: why.to_owned(),
    }
}

/// Stores the new state; nothing happens if it is the old one, and the object goes if it was waiting
/// for the finalizers that are no more.
async fn store(
    call: &Call<'_>,
    address: &Address,
    old: &Stored,
    value: Value,
) -> Result<Arc<Stored>, WriteError> {
    let ledger = &call.cluster.ledger;
    if call.ask.dry_run().unwrap_or(true) {
        return Ok(Stored::unkept(&value));
    }
    if value == old.value()
        && let Some(kept) = ledger.get(&address.resource, &address.key)
        && kept.version() == old.version()
    {
        return Ok(kept);
    }
    if lifecycle::is_through(&value) {
        // What goes is the object as it was; the answer shows what it would have been.
        let write = Write::change(address.clone(), old, old.value(), true);
        ledger.write(write).await?;
        lifecycle::after_removal(call.cluster, address).await;
        return Ok(Stored::unkept(&value));
    }
    let write = Write::change(address.clone(), old, value, false);
    let kept = ledger.write(write).await?;
    expiry::note(call.cluster, address, &kept).await;
    lifecycle::after_write(call.cluster, address, &kept).await;
    Ok(kept)
}
