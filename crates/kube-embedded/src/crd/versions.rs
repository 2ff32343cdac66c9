//! The versions of a definition: each by itself, and all together.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{names, selectable, structural};
use crate::cause::{Cause, Reason};
use crate::table::columns_of_version;

/// Longest warning a deprecated version may carry.
const WARNING_LIMIT: usize = 256;

pub(super) fn check(spec: &Value, causes: &mut Vec<Cause>) {
    let versions = spec["versions"].as_array().map_or(&[][..], Vec::as_slice);
    for (at, version) in versions.iter().enumerate() {
        let field = format!("spec.versions[{at}]");
        names::check_version(&format!("{field}.name"), &version["name"], causes);
        if at == 0 {
            names::check_version("spec.version", &version["name"], causes);
        }
        check_warning(&field, version, causes);
        for part in PARTS {
            check_part(part, at, versions, causes);
        }
    }
    let different: BTreeSet<&str> = versions
        .iter()
        .filter_map(|version| version["name"].as_str())
        .collect();
    let refuse = |detail: &str| {
        let words = format!("Invalid value: {}: {detail}", as_go(versions));
        Cause::new(Reason::Invalid, "spec.versions", words)
    };
    if different.len() < versions.len() {
        causes.push(refuse("must contain unique version names"));
    }
    if stored(versions).count() != 1 {
        causes.push(refuse(
            "must have exactly one version marked as storage version",
        ));
    }
}

fn stored(versions: &[Value]) -> impl Iterator<Item = &Value> {
    let stored = versions.iter().filter(|version| version["storage"] == true);
    stored.map(|version| &version["name"])
}

/// A new definition's objects are stored in the first version that says so, and in no other.
pub(super) fn check_first_stored(spec: &Value, causes: &mut Vec<Cause>) {
    let versions = spec["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let field = "status.storedVersions";
    let Some(first) = stored(versions).next() else {
        let detail = "must have at least one stored version";
        causes.push(Cause::invalid(field, &Value::Null, detail));
        return;
    };
    for other in stored(versions).filter(|other| *other != first) {
        let detail = format!(
            "must have the storage version {}",
            other.as_str().unwrap_or_default()
        );
        causes.push(Cause::invalid(
            field,
            &Value::from(vec![first.clone()]),
            &detail,
        ));
    }
}

/// The versions as a real server's code prints them, once it has put away what they share.
fn as_go(versions: &[Value]) -> String {
    let one = |version: &Value| {
        let [name, warning] = ["name", "deprecationWarning"].map(|field| &version[field]);
        let [served, storage, deprecated] =
            ["served", "storage", "deprecated"].map(|field| version[field] == true);
        format!(
            r#"{{"Name":{name},"Served":{served},"Storage":{storage},"Deprecated":{deprecated},"DeprecationWarning":{warning},"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}}"#
        )
    };
    let all: Vec<String> = versions.iter().map(one).collect();
    format!("[{}]", all.join(","))
}

/// The parts of a version that all versions may share.
#[derive(Clone, Copy)]
enum Part {
    Schema,
    Columns,
    Selectable,
    Subresources,
}

const PARTS: [Part; 4] = [
    Part::Schema,
    Part::Selectable,
    Part::Columns,
    Part::Subresources,
];

impl Part {
    /// Where it is in a version, and where a real server names it once all versions agree.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Part::Schema => ("schema", "validation"),
            Part::Columns => ("additionalPrinterColumns", "additionalPrinterColumns"),
            Part::Selectable => ("selectableFields", "selectableFields"),
            Part::Subresources => ("subresources", "subresources"),
        }
    }
}

/// A part all versions share is checked once and named at the top.
fn check_part(part: Part, at: usize, versions: &[Value], causes: &mut Vec<Cause>) {
    let (key, shared_key) = part.names();
    let version = &versions[at];
    let is_shared =
        !version[key].is_null() && versions.iter().all(|other| other[key] == version[key]);
    if is_shared && at > 0 {
        return;
    }
    let parent = if is_shared {
        "spec".to_owned()
    } else {
        format!("spec.versions[{at}]")
    };
    let place = format!("{parent}.{}", if is_shared { shared_key } else { key });
    match part {
        Part::Schema => check_schema(&format!("{place}.openAPIV3Schema"), &version[key], causes),
        Part::Columns => {
            if let Err(found) = columns_of_version(version) {
                causes.extend(found.into_iter().map(|cause| within(&parent, cause)));
            }
        }
        Part::Selectable => {
            let schema = &version["schema"]["openAPIV3Schema"];
            causes.extend(selectable::check(&place, &version[key], schema));
        }
        Part::Subresources => {
            check_scale(&format!("{place}.scale"), &version[key]["scale"], causes);
        }
    }
}

fn check_schema(place: &str, schema: &Value, causes: &mut Vec<Cause>) {
    let schema = &schema["openAPIV3Schema"];
    if schema.is_object() {
        causes.extend(structural::check(place, schema));
    } else {
        causes.push(Cause::required(place, ""));
    }
}

/// A cause told of a part, placed in the whole.
pub(super) fn within(field: &str, cause: Cause) -> Cause {
    Cause {
        field: format!("{field}.{}", cause.field),
        ..cause
    }
}

fn check_warning(field: &str, version: &Value, causes: &mut Vec<Cause>) {
    let Some(warning) = version["deprecationWarning"].as_str() else {
        return;
    };
    let field = format!("{field}.deprecationWarning");
    let shown = Value::from(warning);
    if version["deprecated"] != true {
        causes.push(Cause::invalid(
            field,
            &shown,
            "can only be set for deprecated versions",
        ));
    } else if warning.is_empty() {
        causes.push(Cause::invalid(field, &shown, "must not be empty"));
    } else if warning.len() > WARNING_LIMIT {
        causes.push(Cause::too_long(field, WARNING_LIMIT as u64));
    } else if warning.chars().any(char::is_control) {
        causes.push(Cause::invalid(
            field,
            &shown,
            "must only contain printable UTF-8 characters",
        ));
    }
}

fn check_scale(field: &str, scale: &Value, causes: &mut Vec<Cause>) {
    if !scale.is_object() {
        return;
    }
    let paths = [
        ("specReplicasPath", true, &[".spec"][..]),
        ("statusReplicasPath", true, &[".status"][..]),
        ("labelSelectorPath", false, &[".spec", ".status"][..]),
    ];
    for (key, required, roots) in paths {
        let place = format!("{field}.{key}");
        let path = scale[key].as_str().unwrap_or_default();
        let is_below = roots
            .iter()
            .any(|root| path.starts_with(&format!("{root}.")));
        if path.is_empty() {
            if required {
                causes.push(Cause::required(place, ""));
            }
        } else if !is_below {
            let either = if roots.len() > 1 { "either " } else { "" };
            let detail = format!("should be a json path under {either}{}", roots.join(" or "));
            causes.push(Cause::invalid(place, &path.into(), &detail));
        }
    }
}
