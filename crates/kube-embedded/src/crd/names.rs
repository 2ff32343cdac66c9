//! The names of a definition: its own, its group's, and what its kind is called.

use serde_json::Value;

use crate::cause::Cause;
use crate::metadata::{NameRule, check_name};

const LABEL_LIMIT: usize = 63;
const LABEL_WORDS: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// A definition keeps its name; only that of a `new` one is looked at.
pub(super) fn check(crd: &Value, new: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    let (spec, names) = (&crd["spec"], &crd["spec"]["names"]);
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let wanted = format!("{}.{}", word(&names["plural"]), word(&spec["group"]));
    if new && crd["metadata"]["name"] != wanted.as_str() {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid(
            "metadata.name",
            &crd["metadata"]["name"],
            detail,
        ));
    }
    check_group(&spec["group"], &mut causes);
    for key in ["plural", "singular"] {
        check_word(&format!("spec.names.{key}"), &names[key], &mut causes);
    }
    for key in ["kind", "listKind"] {
        check_kind(&format!("spec.names.{key}"), &names[key], &mut causes);
    }
    let (kind, list_kind) = (word(&names["kind"]), word(&names["listKind"]));
    if !list_kind.is_empty() && kind == list_kind {
        causes.push(Cause::invalid(
            "spec.names.listKind",
            &names["listKind"],
            "kind and listKind may not be the same",
        ));
    }
    for key in ["shortNames", "categories"] {
        for (at, name) in names[key].as_array().into_iter().flatten().enumerate() {
            let field = format!("spec.names.{key}[{at}]");
            if !name.as_str().is_some_and(is_label) {
                causes.push(Cause::invalid(field, name, LABEL_WORDS));
            }
        }
    }
    causes
}

fn check_group(group: &Value, causes: &mut Vec<Cause>) {
    let text = group.as_str().unwrap_or_default();
    if text.is_empty() {
        causes.push(Cause::required("spec.group", ""));
        return;
    }
    causes.extend(check_name("spec.group", group, NameRule::Subdomain));
    if !text.contains('.') {
        causes.push(Cause::invalid(
            "spec.group",
            group,
            "should be a domain with at least one dot",
        ));
    }
}

fn check_word(field: &str, name: &Value, causes: &mut Vec<Cause>) {
    match name.as_str().unwrap_or_default() {
        "" => causes.push(Cause::required(field, "")),
        text if is_label(text) => {}
        _ => causes.push(Cause::invalid(field, name, LABEL_WORDS)),
    }
}

/// A kind is a label that may have capitals.
fn check_kind(field: &str, name: &Value, causes: &mut Vec<Cause>) {
    match name.as_str().unwrap_or_default() {
        "" => causes.push(Cause::required(field, "")),
        text if is_label(&text.to_ascii_lowercase()) => {}
        _ => {
            let detail = format!("may have mixed case, but should otherwise match: {LABEL_WORDS}");
            causes.push(Cause::invalid(field, name, &detail));
        }
    }
}

/// The name of a version.
pub(super) fn check_version(field: &str, name: &Value, causes: &mut Vec<Cause>) {
    check_word(field, name, causes);
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    bytes.len() <= LABEL_LIMIT
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.last().is_some_and(|last| *last != b'-')
        && bytes.iter().all(inner)
}
