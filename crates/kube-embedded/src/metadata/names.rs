//! Which names Kubernetes takes: of objects, labels, annotations and finalizers.
//!
//! The rules and their words are those of k8s.io/apimachinery/pkg/util/validation.

use serde_json::Value;

use crate::cause::Cause;

/// What an object of some resource may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// RFC 1123 subdomain, at most 253 characters.
    Subdomain,
    /// RFC 1123 label, at most 63 characters.
    Label,
}

const LABEL_WORDS: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_WORDS: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const KEY_WORDS: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
const QUALIFIED_WORDS: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE_WORDS: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// An object's name.
pub(crate) fn check_name(field: &str, name: &Value, rule: NameRule) -> Vec<Cause> {
    let Some(text) = name.as_str().filter(|name| !name.is_empty()) else {
        return vec![Cause::required(field, "name or generateName is required")];
    };
    if rule == NameRule::Label && text.contains('.') {
        return vec![Cause::invalid(field, name, "must not contain dots")];
    }
    let (limit, fits, words) = match rule {
        NameRule::Subdomain => (253, is_subdomain(text), SUBDOMAIN_WORDS),
        NameRule::Label => (63, is_label(text), LABEL_WORDS),
    };
    let mut causes = Vec::new();
    if text.len() > limit {
        let words = format!("must be no more than {limit} characters");
        causes.push(Cause::invalid(field, name, &words));
    }
    if !fits {
        causes.push(Cause::invalid(field, name, words));
    }
    causes
}

/// The key of a label or annotation, or a finalizer: `[prefix/]name`.
pub(crate) fn check_qualified(field: &str, key: &str) -> Vec<Cause> {
    let invalid = |words: &str| Cause::invalid(field, &key.into(), words);
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if name.contains('/') {
        return vec![invalid(&format!("a valid label key {KEY_WORDS}"))];
    }
    let mut causes = Vec::new();
    match prefix {
        Some("") => causes.push(invalid("prefix part must be non-empty")),
        Some(prefix) if !is_subdomain(prefix) => {
            causes.push(invalid(&format!("prefix part {SUBDOMAIN_WORDS}")));
        }
        Some(_) | None => {}
    }
    if name.is_empty() {
        causes.push(invalid("name part must be non-empty"));
    } else if name.len() > 63 {
        causes.push(invalid("name part must be no more than 63 bytes"));
    }
    if !is_word(name) {
        causes.push(invalid(QUALIFIED_WORDS));
    }
    causes
}

/// The value of a label.
pub(super) fn check_label_value(field: &str, value: &str) -> Vec<Cause> {
    let invalid = |words: &str| Cause::invalid(field, &value.into(), words);
    let mut causes = Vec::new();
    if value.len() > 63 {
        causes.push(invalid("must be no more than 63 bytes"));
    }
    if !value.is_empty() && !is_word(value) {
        causes.push(invalid(LABEL_VALUE_WORDS));
    }
    causes
}

fn is_label(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(inside) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_word(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends = |text: &str| {
        let bytes = text.as_bytes();
        [bytes.first(), bytes.last()]
            .iter()
            .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
    };
    text.bytes().all(inside) && ends(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_names_are_subdomains_or_labels() {
        let check = |name: &str, rule, fits: bool| {
            assert_eq!(
                check_name("metadata.name", &name.into(), rule).is_empty(),
                fits,
                "{name:?}"
            );
        };
        for (name, subdomain, label) in [
            ("a", true, true),
            ("a-1", true, true),
            ("0a", true, true),
            ("a.b", true, false),
            ("", false, false),
            ("-a", false, false),
            ("a-", false, false),
            ("a..b", false, false),
            (".a", false, false),
            ("A", false, false),
            ("a_b", false, false),
            ("ä", false, false),
            (&"a".repeat(63), true, true),
            (&"a".repeat(64), true, false),
            (&"a".repeat(253), true, false),
            (&"a".repeat(254), false, false),
        ] {
            check(name, NameRule::Subdomain, subdomain);
            check(name, NameRule::Label, label);
        }
    }

    #[test]
    fn label_keys_have_at_most_one_prefix() {
        let check = |key: &str, fits: bool| {
            assert_eq!(
                check_qualified("metadata.labels", key).is_empty(),
                fits,
                "{key:?}"
            );
        };
        check("app", true);
        check("App_1.x-y", true);
        check("example.dev/app", true);
        check("example.dev/a/b", false);
        check("/app", false);
        check("example.dev/", false);
        check("Example.dev/app", false);
        check("-app", false);
        check("", false);
        check(&"a".repeat(63), true);
        check(&"a".repeat(64), false);
    }

    #[test]
    fn label_values_may_be_empty() {
        let check = |value: &str, fits: bool| {
            assert_eq!(
                check_label_value("metadata.labels", value).is_empty(),
                fits,
                "{value:?}"
            );
        };
        check("", true);
        check("a", true);
        check("A_b.c-d", true);
        check("a b", false);
        check("a/b", false);
        check("-a", false);
        check(&"a".repeat(64), false);
    }
}
