//! Who owns how many are wanted, when that is written by the scale subresource.
//!
//! Kubernetes tracks it for custom objects only where somebody owns it already, gives the new owner no
//! time, and comes to no end with an apply. So do we (asked of 1.37).

use serde_json::Value;

use super::entries::{self, Entry, Operation};
use super::fields::{Element, Set};
use super::{Conflict, Writer};

/// Why an apply to a scale is refused. It always is.
pub(crate) enum ScaleApplyError {
    Conflict(Vec<Conflict>),
    /// 500, in these words.
    Unfit(String),
}

/// Notes who wrote what is wanted, if that has changed. `path` leads to it.
pub(crate) fn track<'p>(
    old: &Value,
    new: &mut Value,
    by: &Writer<'_>,
    path: impl Iterator<Item = &'p str>,
) {
    let path: Vec<_> = path.collect();
    let wanted = set_of(&path);
    let mut owners = entries::of(new);
    let owned = |entry: &Entry| !entry.fields.common(&wanted).is_empty();
    if !owners.iter().any(owned) || at(old, &path) == at(new, &path) {
        return;
    }
    for owner in &mut owners {
        owner.fields = owner.fields.without(&wanted);
    }
    let api_version = new["apiVersion"].as_str().unwrap_or_default();
    let mut own = Entry::new(by, Operation::Update, api_version, wanted);
    own.time = None;
    owners.retain(|owner| !owner.is_same_as(&own));
    // A scale leaves a zero out, so nobody says it.
    if at(new, &path).is_some_and(|wanted| *wanted != 0) {
        owners.push(own);
    }
    entries::put(new, owners);
}

/// How an apply to the scale of `old` fails; `applied` is the scale that is wanted.
pub(crate) fn refuse<'p>(
    old: &Value,
    applied: &Value,
    path: impl Iterator<Item = &'p str>,
    force: bool,
) -> ScaleApplyError {
    let path: Vec<_> = path.collect();
    let wanted = set_of(&path);
    let mut owners = entries::of(old);
    owners.retain(|entry| !entry.fields.common(&wanted).is_empty());
    if owners.is_empty() {
        return ScaleApplyError::Unfit(
            "failed to create manager for existing fields: failed to convert live object (/; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1"
                .to_owned(),
        );
    }
    let said = &applied["spec"]["replicas"];
    if !force && !said.is_null() && at(old, &path) != Some(said) {
        let field = ".spec.replicas".to_owned();
        let conflicts = owners.iter().map(|owner| Conflict {
            manager: owner.shown(),
            field: field.clone(),
        });
        return ScaleApplyError::Conflict(conflicts.collect());
    }
    let word = |field: &str| applied["metadata"][field].as_str().unwrap_or_default();
    ScaleApplyError::Unfit(format!(
        "failed to convert new object ({}/{}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1",
        word("namespace"),
        word("name"),
    ))
}

fn set_of(path: &[&str]) -> Set {
    let mut set = Set::default();
    if let [name, rest @ ..] = path {
        let element = Element::Field((*name).to_owned());
        if rest.is_empty() {
            set.members.insert(element);
        } else {
            set.add_below(element, set_of(rest));
        }
    }
    set
}

fn at<'o>(object: &'o Value, path: &[&str]) -> Option<&'o Value> {
    let mut value = object;
    for name in path {
        value = value.get(name)?;
    }
    Some(value)
}
