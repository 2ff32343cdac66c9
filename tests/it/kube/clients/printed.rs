//! What a client printed, comparable: without what is of the moment or of the place.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// What is replaced by what, in this order.
static PLACEHOLDERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let pairs = [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "<uid>",
        ),
        (
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4}|Z)?",
            "<time>",
        ),
        (
            r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}",
            "<time>",
        ),
        (
            r#"((?:resourceVersion"?: ?|Resource Version: *)"?)\d+"#,
            "${1}<version>",
        ),
        (r"\b(\d+[smhd])+\b", "<age>"),
        (r"/\S*/(LIVE|MERGED)-\d+", "<$1>"),
        (r"v1\.37\.\d+(\+embedded)?", "v1.37"),
        // Columns are as wide as their widest value, an age for example.
        (r"(\S) {2,}", "$1  "),
        (r"(?m)[ \t]+$", ""),
    ];
    let compiled = pairs.map(|(pattern, placeholder)| (Regex::new(pattern).unwrap(), placeholder));
    compiled.into()
});

/// What was printed by a client of the server at `address`.
pub(super) fn comparable(printed: &str, address: &str) -> String {
    let printed = document(printed).map_or_else(
        || printed.to_owned(),
        |document| serde_json::to_string_pretty(&document).unwrap(),
    );
    let printed = causes_in_order(&printed.replace(address, "<server>"));
    PLACEHOLDERS
        .iter()
        .fold(printed, |text, (pattern, placeholder)| {
            pattern.replace_all(&text, *placeholder).into_owned()
        })
}

/// What is wrong with an object is printed in any order by a real server.
fn causes_in_order(printed: &str) -> String {
    let mut lines: Vec<&str> = printed.split_inclusive('\n').collect();
    for causes in lines.chunk_by_mut(|one, next| one.starts_with("* ") && next.starts_with("* ")) {
        causes.sort_unstable();
    }
    lines.concat()
}

/// What is JSON, as a server may say the fields of an object in any order; and what tells who wrote, as the order of those
/// is that of the seconds in which they did.
fn document(printed: &str) -> Option<Value> {
    if !printed.contains("managedFields:") {
        let value: Value = serde_json::from_str(printed).ok()?;
        return value.is_object().then_some(value);
    }
    let mut value: Value = serde_yaml_ng::from_str(printed).ok()?;
    let managers = value.pointer_mut("/metadata/managedFields")?;
    let managers = managers.as_array_mut()?;
    managers.sort_by_key(|manager| {
        ["manager", "operation", "subresource"].map(|field| manager[field].to_string())
    });
    Some(value)
}

#[test]
fn only_what_is_of_the_moment_is_taken_out() {
    let same = |one: &str, other: &str| {
        comparable(one, "https://here:1") == comparable(other, "https://here:1")
    };
    assert!(same("anna   red   5s", "anna   red    10m"));
    assert!(same(
        "resourceVersion: \"12\"\nuid: 0a1b2c3d-0000-4000-8000-000000000000",
        "resourceVersion: \"7\"\nuid: ffffffff-0000-4000-8000-000000000000"
    ));
    assert!(same("2026-01-01T00:00:00Z", "2027-12-31T23:59:59.123456Z"));
    assert!(same(r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#));
    let wrote = |first: &str, second: &str| {
        format!("metadata:\n  managedFields:\n  - manager: {first}\n  - manager: {second}\n")
    };
    assert!(same(&wrote("a", "b"), &wrote("b", "a")));
    assert!(!same(&wrote("a", "b"), &wrote("a", "c")));
    assert!(!same("anna   red   5s", "anna   blue   5s"));
    assert!(!same("length: 12", "length: 13"));
    assert!(!same("replicas 2 of 3", "replicas 1 of 3"));
    assert!(!same("generation: 1", "generation: 2"));
    assert!(!same("https://there:1", "https://here:1"));
}
