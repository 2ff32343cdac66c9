//! Who owns which field: server-side apply and the `metadata.managedFields` every write leaves behind.
//!
//! The rules are those of Kubernetes' structured-merge-diff ("Server-Side Apply" in its documentation).

mod entries;
mod fields;
mod merge;
pub(crate) mod scale;
#[cfg(test)]
mod tests;
mod typed;
mod walk;

use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::schema::{Place, Schema};
use entries::{Entry, Operation};
use fields::Set;

/// Owner of what was there before anybody's fields were tracked.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

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
    #[error("failed to create typed patch object ({object}): {problems}")]
    Untyped { object: String, problems: String },
    /// 400: the applied configuration says who owns what, which is for the server to say.
    #[error("metadata.managedFields must be nil")]
    ManagedFields,
}

/// One field of another's that the applier wanted to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The other, as messages name it: `"kubectl" using v1`.
    pub(crate) manager: String,
    /// `.spec.replicas`
    pub(crate) field: String,
}

impl Conflict {
    /// The entry of `Status.details.causes`.
    pub(crate) fn to_json(&self) -> Value {
        let message = format!("conflict with {}", self.manager);
        json!({"reason": "FieldManagerConflict", "message": message, "field": self.field})
    }
}

fn conflict_sentence(conflicts: &[Conflict]) -> String {
    if let [one] = conflicts {
        return format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            one.manager, one.field
        );
    }
    let mut lines = Vec::new();
    let mut manager = "";
    for conflict in conflicts {
        if conflict.manager != manager {
            manager = &conflict.manager;
            lines.push(format!("conflicts with {manager}:"));
        }
        lines.push(format!("- {}", conflict.field));
    }
    format!(
        "Apply failed with {} conflicts: {}",
        conflicts.len(),
        lines.join("\n")
    )
}

/// One problem as it is, several each on a line.
fn listed(problems: &[String]) -> String {
    match problems {
        [one] => one.clone(),
        several => format!("errors:\n  {}", several.join("\n  ")),
    }
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
    let place = Place::root(types);
    let asked = applied;
    let applied = accepted(applied, by, place)?;
    let nothing = json!({});
    let before = live.unwrap_or(&nothing);
    let mut managers = managers_of(live, place);
    let api_version = applied["apiVersion"].as_str().unwrap_or_default();
    let wanted = owned(&walk::fields_of(place, &applied), by);
    let mut own = Entry::new(by, Operation::Apply, api_version, wanted);
    let previous = take(&mut managers, &own);

    let mut result = merge::merged(place, before, &applied);
    if let Some(previous) = &previous {
        give_up(place, &mut result, previous, &own, &managers);
    }
    let difference = walk::compare(place, before, &result);
    let conflicts = conflicts(&managers, &difference.written());
    if !conflicts.is_empty() && !force {
        return Err(ApplyError::Conflict(conflicts));
    }
    disown(&mut managers, &difference);
    // The time is that of the last change; an applier who changed nothing yet has none.
    // What another part's path ignores is a change all the same.
    let is_same = |after: &Value| without_entries(before) == without_entries(after);
    if live.is_some() && is_same(&result) && is_same(&merge::merged(place, before, asked)) {
        own.time = previous.and_then(|previous| previous.time);
    }
    managers.push(own);
    entries::put(&mut result, managers);
    Ok(result)
}

/// Brings `new.metadata.managedFields` up to date after any write that is not an apply (create, update, every patch).
/// `old` is the stored object (None on create). To be called on the object as it will be stored.
pub(crate) fn track_update(old: Option<&Value>, new: &mut Value, by: &Writer<'_>, types: &Schema) {
    if entries::is_reset(new) {
        entries::put(new, Vec::new());
        return;
    }
    let place = Place::root(types);
    let nothing = json!({});
    let mut managers = match entries::of(new) {
        sent if sent.is_empty() => old.map(entries::of).unwrap_or_default(),
        sent => sent,
    };
    let difference = walk::compare(place, old.unwrap_or(&nothing), new);
    disown(&mut managers, &difference);
    let api_version = new["apiVersion"].as_str().unwrap_or_default();
    let written = difference.written().without(&SERVERS_OWN);
    if !written.is_empty() {
        let mut own = Entry::new(by, Operation::Update, api_version, written);
        if let Some(previous) = take(&mut managers, &own) {
            own.fields = own.fields.union(&previous.fields);
        }
        managers.push(own);
    }
    entries::limit(&mut managers);
    entries::put(new, managers);
}

/// Fields nobody owns: they name the object, or are the server's to set.
static SERVERS_OWN: LazyLock<Set> = LazyLock::new(|| {
    let metadata = [
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "name",
        "namespace",
        "resourceVersion",
        "selfLink",
        "uid",
    ];
    let field = |name: &str| fields::Element::Field(name.to_owned());
    let mut set = Set::default();
    set.members
        .extend(["apiVersion", "kind", "metadata"].map(field));
    let mut below = Set::default();
    below.members.extend(metadata.map(field));
    set.add_below(field("metadata"), below);
    set
});

/// The applied configuration, typed and cut to what may be applied this way.
fn accepted(applied: &Value, by: &Writer<'_>, place: Place<'_>) -> Result<Value, ApplyError> {
    if applied["metadata"]
        .get("managedFields")
        .is_some_and(|entries| !entries.is_null() && *entries != json!([]))
    {
        return Err(ApplyError::ManagedFields);
    }
    let problems = typed::check(place, applied);
    if !problems.is_empty() {
        return Err(ApplyError::Untyped {
            object: described(applied),
            problems: listed(&problems),
        });
    }
    if by.subresource != Some("status") {
        return Ok(applied.clone());
    }
    let mut only = json!({"apiVersion": applied["apiVersion"], "kind": applied["kind"], "metadata": {"name": applied["metadata"]["name"]}});
    if let Some(status) = applied.get("status") {
        only["status"] = status.clone();
    }
    Ok(only)
}

/// `namespace/name; group/version, Kind=Kind`
fn described(object: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    let name = format!(
        "{}/{}",
        word(&metadata["namespace"]),
        word(&metadata["name"])
    );
    let api_version = word(&object["apiVersion"]);
    let slash = if api_version.contains('/') { "" } else { "/" };
    let kind = word(&object["kind"]);
    format!("{name}; {slash}{api_version}, Kind={kind}")
}

fn owned(fields: &Set, by: &Writer<'_>) -> Set {
    let owned = fields.without(&SERVERS_OWN);
    match by.subresource {
        Some("status") => owned.only("status"),
        Some(_) | None => owned,
    }
}

/// The live object's entries. Where nobody was tracked, one owner stands for all who came before.
fn managers_of(live: Option<&Value>, place: Place<'_>) -> Vec<Entry> {
    let Some(live) = live else { return Vec::new() };
    let managers = entries::of(live);
    if !managers.is_empty() {
        return managers;
    }
    vec![Entry {
        manager: BEFORE_FIRST_APPLY.to_owned(),
        operation: Operation::Update,
        api_version: live["apiVersion"].as_str().unwrap_or_default().to_owned(),
        subresource: String::new(),
        time: live["metadata"]["creationTimestamp"]
            .as_str()
            .map(str::to_owned),
        fields: walk::everything(place, live).without(&SERVERS_OWN),
    }]
}

fn take(managers: &mut Vec<Entry>, own: &Entry) -> Option<Entry> {
    let at = managers.iter().position(|entry| entry.is_same_as(own))?;
    Some(managers.swap_remove(at))
}

/// Removes what the manager applied before and no longer does, unless somebody else owns it too.
fn give_up(place: Place<'_>, result: &mut Value, previous: &Entry, own: &Entry, others: &[Entry]) {
    let mut kept = own.fields.with_parents(place);
    for other in others {
        kept = kept.union(&other.fields.with_parents(place));
    }
    let gone = previous.fields.with_parents(place).without(&kept);
    merge::remove(place, result, &gone);
}

fn conflicts(managers: &[Entry], written: &Set) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for entry in managers {
        let paths = entry.fields.common(written).paths();
        let manager = entry.shown();
        conflicts.extend(paths.into_iter().map(|field| Conflict {
            manager: manager.clone(),
            field,
        }));
    }
    conflicts.sort_by(|one, other| (&one.manager, &one.field).cmp(&(&other.manager, &other.field)));
    conflicts
}

/// Whoever owned what was changed or removed owns it no longer.
fn disown(managers: &mut [Entry], difference: &walk::Difference) {
    let lost = difference.written().union(&difference.removed);
    for entry in managers {
        entry.fields = entry.fields.without(&lost);
    }
}

fn without_entries(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}
