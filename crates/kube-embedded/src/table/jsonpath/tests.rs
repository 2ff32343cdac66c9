//! Paths and what they lead to.

use serde_json::json;

use super::*;

fn object() -> Value {
    json!({
        "metadata": {"name": "a", "labels": {"a.b/c": "x", "plain": "y"}},
        "spec": {"list": [1, 2, 3, 4], "ports": [{"name": "web", "port": 80}, {"name": "api", "port": 8080}]},
        "status": {"conditions": [
            {"type": "Ready", "status": "True", "message": "it's [fine]"},
            {"type": "Stalled", "status": "False"},
        ]},
    })
}

#[test]
fn paths_lead_where_kubectl_finds_them() {
    for (path, expected) in [
        (".metadata.name", json!(["a"])),
        ("metadata.name", json!(["a"])),
        ("{.metadata.name}", json!(["a"])),
        ("$.metadata.name", json!(["a"])),
        (".metadata['name']", json!(["a"])),
        (".metadata[\"name\"]", json!(["a"])),
        (r".metadata.labels.a\.b/c", json!(["x"])),
        (r".metadata.labels['a\.b/c']", json!(["x"])),
        (".metadata.labels['a.b/c']", json!(["x"])),
        (".metadata.missing.deep", json!([])),
        (".spec.list[0]", json!([1])),
        (".spec.list[-1]", json!([4])),
        (".spec.list[9]", json!([])),
        (".spec.list[*]", json!([1, 2, 3, 4])),
        (".spec.list[1:3]", json!([2, 3])),
        (".spec.list[:2]", json!([1, 2])),
        (".spec.list[-2:]", json!([3, 4])),
        (".spec.list[0:4:2]", json!([1, 3])),
        (".spec.list[0,2]", json!([1, 3])),
        (".spec.ports[*].name", json!(["web", "api"])),
        (".spec.ports[0]['name','port']", json!(["web", 80])),
        (".spec.ports[?(@.port>100)].name", json!(["api"])),
        (".spec.ports[?(@.port>=80)].name", json!(["web", "api"])),
        (".spec.ports[?(@.port != 80)].name", json!(["api"])),
        (
            ".status.conditions[?(@.type==\"Ready\")].status",
            json!(["True"]),
        ),
        (
            ".status.conditions[?(@.type=='Ready')].status",
            json!(["True"]),
        ),
        (
            ".status.conditions[?(@.type == 'Ready')].message",
            json!(["it's [fine]"]),
        ),
        (".status.conditions[?(@.message)].type", json!(["Ready"])),
        (
            ".status.conditions[?(@.type==\"Missing\")].status",
            json!([]),
        ),
        (".status.conditions[?(@.type=='a]b')].status", json!([])),
        ("..port", json!([80, 8080])),
        (".metadata.labels.*", json!(["x", "y"])),
        (".", json!([object()])),
    ] {
        let found: Vec<Value> = JsonPath::parse(path)
            .unwrap()
            .find(&object())
            .into_iter()
            .cloned()
            .collect();
        assert_eq!(Value::Array(found), expected, "{path}");
    }
}

#[test]
fn a_path_that_makes_no_sense_is_refused() {
    for path in [
        ".a[",
        ".a[b]",
        ".a[1:2:3:4]",
        ".a[]",
        ".a b",
        ".a..",
        ".a[?(@.b==c)]",
        ".a[?(@.b==)]",
        ".a\\",
        ".a]b[",
        ".a{b}",
        ".[?(@.a",
        ".a[0]b",
    ] {
        assert!(JsonPath::parse(path).is_err(), "{path}");
    }
    assert_eq!(
        JsonPath::parse(&".a".repeat(4000)),
        Err(JsonPathError::TooLong)
    );
}

#[test]
fn a_path_of_fields_only_gives_their_names() {
    assert_eq!(
        JsonPath::parse(".spec.replicas").unwrap().fields(),
        Some(vec!["spec", "replicas"])
    );
    assert_eq!(JsonPath::parse(".spec.list[0]").unwrap().fields(), None);
}
