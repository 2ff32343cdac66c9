//! What a validation rule says beside its expression, and where `oldSelf` has a meaning.

use serde_json::Value;

use super::scope;
use crate::cause::{Cause, Reason};
use crate::schema::{as_go, parse_cel};

/// Checks the rules of a schema and of all below it. Whether the expressions compile is the schema's own question.
pub(super) fn check(field: &str, schema: &Value, causes: &mut Vec<Cause>) {
    walk(field, schema, None, causes);
}

/// Checks that the fields the rules of a schema (sound otherwise) speak of exist.
pub(super) fn check_names(field: &str, schema: &Value, is_root: bool, causes: &mut Vec<Cause>) {
    let rules = schema["x-kubernetes-validations"].as_array();
    for (at, rule) in rules.into_iter().flatten().enumerate() {
        for key in ["rule", "messageExpression"] {
            let expression = rule[key].as_str().unwrap_or_default().trim();
            // A message is text, so what it gives is not looked at.
            let problem = scope::problem(expression, schema, is_root)
                .filter(|words| key == "rule" || !words.starts_with("cel expression"));
            if let Some(words) = problem {
                let place = format!("{field}.x-kubernetes-validations[{at}].{key}");
                let prefix = if key == "rule" {
                    ""
                } else {
                    "messageExpression "
                };
                let message = format!("Invalid value: {}: {prefix}{words}", as_go(rule));
                causes.push(Cause::new(Reason::Invalid, place, message));
            }
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        check_names(
            &format!("{field}.properties[{name}]"),
            property,
            false,
            causes,
        );
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            check_names(&format!("{field}.{key}"), &schema[key], false, causes);
        }
    }
}

/// `uncorrelatable` is the place from which old and new entries cannot be told to be the same.
fn walk(field: &str, schema: &Value, uncorrelatable: Option<&str>, causes: &mut Vec<Cause>) {
    for (at, rule) in schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let place = format!("{field}.x-kubernetes-validations[{at}]");
        check_texts(&place, rule, causes);
        check_path(&place, rule, schema, causes);
        check_old_self(&place, rule, uncorrelatable, causes);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(
            &format!("{field}.properties[{name}]"),
            property,
            uncorrelatable,
            causes,
        );
    }
    if schema["additionalProperties"].is_object() {
        walk(
            &format!("{field}.additionalProperties"),
            &schema["additionalProperties"],
            uncorrelatable,
            causes,
        );
    }
    if schema["items"].is_object() {
        let lost = if schema["x-kubernetes-list-type"] == "map" {
            uncorrelatable
        } else {
            uncorrelatable.or(Some(field))
        };
        walk(&format!("{field}.items"), &schema["items"], lost, causes);
    }
}

fn check_texts(place: &str, rule: &Value, causes: &mut Vec<Cause>) {
    let text = |key: &str| rule[key].as_str().unwrap_or_default();
    let (message, expression) = (text("message"), text("rule"));
    if !message.is_empty() && message.trim().is_empty() {
        causes.push(Cause::invalid(
            format!("{place}.message"),
            &message.into(),
            "must be non-empty if specified",
        ));
    } else if message.trim().contains('\n') {
        causes.push(Cause::invalid(
            format!("{place}.message"),
            &message.into(),
            "must not contain line breaks",
        ));
    } else if expression.trim().contains('\n') && message.is_empty() {
        let detail = "message must be specified if rule contains line breaks";
        causes.push(Cause::required(format!("{place}.message"), detail));
    }
    let computed = text("messageExpression");
    if !computed.is_empty() && computed.trim().is_empty() {
        let detail = "messageExpression must be non-empty if specified";
        causes.push(Cause::required(
            format!("{place}.messageExpression"),
            detail,
        ));
    }
}

/// `fieldPath` leads through properties and keys of maps only.
fn check_path(place: &str, rule: &Value, schema: &Value, causes: &mut Vec<Cause>) {
    let Some(path) = rule["fieldPath"].as_str().filter(|path| !path.is_empty()) else {
        return;
    };
    if !leads_somewhere(path.trim(), schema) {
        causes.push(Cause::invalid(
            format!("{place}.fieldPath"),
            &path.into(),
            "must be a valid path",
        ));
    }
}

fn leads_somewhere(path: &str, schema: &Value) -> bool {
    let mut rest = path;
    let mut at = schema;
    while !rest.is_empty() {
        let (name, next) = if let Some(inside) = rest.strip_prefix("['") {
            let Some((name, next)) = inside.split_once("']") else {
                return false;
            };
            (name, next)
        } else if let Some(name) = rest.strip_prefix('.') {
            name.split_at(name.find(['.', '[']).unwrap_or(name.len()))
        } else {
            return false;
        };
        let below = match at["properties"].get(name) {
            Some(property) => property,
            None if at["properties"].is_null() && at["additionalProperties"].is_object() => {
                &at["additionalProperties"]
            }
            None => return false,
        };
        at = below;
        rest = next;
    }
    true
}

fn check_old_self(
    place: &str,
    rule: &Value,
    uncorrelatable: Option<&str>,
    causes: &mut Vec<Cause>,
) {
    let expression = rule["rule"].as_str().unwrap_or_default();
    let Some(parsed) = parse_cel(expression) else {
        return;
    };
    let uses = parsed.references().has_variable("oldSelf");
    match uncorrelatable {
        Some(within) if uses => {
            let detail = format!(
                "oldSelf cannot be used on the uncorrelatable portion of the schema within {within}"
            );
            causes.push(Cause::invalid(
                format!("{place}.rule"),
                &expression.into(),
                &detail,
            ));
        }
        _ if !uses && rule["optionalOldSelf"].is_boolean() => {
            let detail = "may not be set if oldSelf is not used in rule";
            causes.push(Cause::invalid(
                format!("{place}.optionalOldSelf"),
                &rule["optionalOldSelf"],
                detail,
            ));
        }
        Some(_) | None => {}
    }
}
