//! The fields objects of a version can be selected by.

use serde_json::Value;

use crate::cause::Cause;
use crate::table::jsonpath::JsonPath;

/// Most selectable fields of one version.
const LIMIT: usize = 8;

/// Checks `selectableFields` against the schema they point into.
pub(super) fn check(field: &str, selectable: &Value, schema: &Value) -> Vec<Cause> {
    let given = selectable.as_array().map_or(&[][..], Vec::as_slice);
    let mut causes = Vec::new();
    if given.len() > LIMIT {
        causes.push(Cause::too_many(field, given.len(), LIMIT as u64));
    }
    let mut seen: Vec<&str> = Vec::new();
    for (at, one) in given.iter().enumerate() {
        let place = format!("{field}[{at}].jsonPath");
        let path = one["jsonPath"].as_str().unwrap_or_default();
        let shown = Value::from(path);
        if path.is_empty() {
            causes.push(Cause::required(place, ""));
        } else if seen.contains(&path) {
            causes.push(Cause::duplicate(place, &shown));
        } else if let Err(detail) = pointed_at(path, schema) {
            causes.push(Cause::invalid(place, &shown, detail));
        }
        seen.push(path);
    }
    causes
}

fn pointed_at(path: &str, schema: &Value) -> Result<(), &'static str> {
    let parsed = JsonPath::parse(path).map_err(|_| "is an invalid path: expected [ or .")?;
    let fields = parsed
        .fields()
        .filter(|_| path.starts_with('.'))
        .ok_or("is an invalid path: array notation is not allowed")?;
    let in_metadata = fields.first() == Some(&"metadata");
    let mut at = schema;
    for name in fields {
        at = at["properties"]
            .get(name)
            .ok_or("is an invalid path: does not refer to a valid field")?;
    }
    if in_metadata {
        return Err("must not point to fields in metadata");
    }
    match at["type"].as_str() {
        Some("string" | "boolean" | "integer") => Ok(()),
        _ => Err(
            "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
        ),
    }
}
