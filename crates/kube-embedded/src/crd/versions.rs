//! The versions of a definition: each by itself, and all together.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{names, selectable, structural};
use crate::cause::{Cause, Reason};
use crate::table::{columns_of_version, jsonpath::JsonPath};

/// Longest warning a deprecated version may carry.
const WARNING_LIMIT: usize = 256;

pub(super) fn check(spec: &Value, causes: &mut Vec<Cause>) {
    let versions = spec["versions"].as_array().map_or(&[][..], Vec::as_slice);
    for (at, version) in versions.iter().enumerate() {
        check_one(&format!("spec.versions[{at}]"), version, causes);
    }
    let listed: Value = versions
        .iter()
        .map(|version| version["name"].clone())
        .collect();
    let different: BTreeSet<&str> = versions
        .iter()
        .filter_map(|version| version["name"].as_str())
        .collect();
    if different.len() < versions.len() {
        causes.push(Cause::invalid(
            "spec.versions",
            &listed,
            "must contain unique version names",
        ));
    }
    if versions
        .iter()
        .filter(|version| version["storage"] == true)
        .count()
        != 1
    {
        let detail = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", &listed, detail));
    }
}

fn check_one(field: &str, version: &Value, causes: &mut Vec<Cause>) {
    names::check_version(&format!("{field}.name"), &version["name"], causes);
    check_warning(field, version, causes);
    let schema = &version["schema"]["openAPIV3Schema"];
    let place = format!("{field}.schema.openAPIV3Schema");
    if schema.is_object() {
        causes.extend(structural::check(&place, schema));
        causes.extend(selectable::check(
            field,
            &version["selectableFields"],
            schema,
        ));
    } else {
        causes.push(Cause::required(place, "schemas are required"));
    }
    if let Err(found) = columns_of_version(version) {
        causes.extend(found.into_iter().map(|cause| within(field, cause)));
    }
    check_scale(
        &format!("{field}.subresources.scale"),
        &version["subresources"]["scale"],
        causes,
    );
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
        if path.is_empty() {
            if required {
                causes.push(Cause::new(
                    Reason::Required,
                    place,
                    "Required value".to_owned(),
                ));
            }
        } else if !is_below(path, roots) {
            let detail = format!("should be a json path under {}", roots.join(" or "));
            causes.push(Cause::invalid(place, &path.into(), &detail));
        }
    }
}

/// A path of fields only that begins in one of the roots.
fn is_below(path: &str, roots: &[&str]) -> bool {
    let parsed = JsonPath::parse(path).ok();
    let fields = parsed.as_ref().and_then(JsonPath::fields);
    fields.is_some_and(|fields| fields.len() > 1)
        && roots
            .iter()
            .any(|root| path.starts_with(&format!("{root}.")))
}
