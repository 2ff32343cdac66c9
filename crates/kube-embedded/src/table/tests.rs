//! Tables of custom and built-in objects.

use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn cells(columns: &[Column], object: &Value) -> Vec<Value> {
    columns
        .iter()
        .map(|column| column.cell(object, now()))
        .collect()
}

fn column(kind: &str, path: &str) -> Vec<Column> {
    columns_of_version(
        &json!({"additionalPrinterColumns": [{"name": "C", "type": kind, "jsonPath": path}]}),
    )
    .unwrap()
}

#[test]
fn a_cell_is_printed_as_its_column_says() {
    let object = json!({"metadata": {"name": "a"}, "s": {"text": "x", "int": 5, "float": 2.5, "bool": true, "null": null,
        "list": ["a", 1], "map": {"k": "v"}, "time": "2026-11-24T11:58:00Z", "conditions": [{"type": "Ready", "status": "True"}]}});
    for (kind, path, expected) in [
        ("string", ".s.text", json!("x")),
        ("string", ".s.int", json!("5")),
        ("string", ".s.bool", json!("true")),
        ("string", ".s.list", json!("[\"a\",1]")),
        ("string", ".s.map", json!("{\"k\":\"v\"}")),
        ("string", ".s.null", json!("<no value>")),
        ("string", ".s.missing", json!(null)),
        (
            "string",
            ".s.conditions[?(@.type==\"Ready\")].status",
            json!("True"),
        ),
        ("integer", ".s.int", json!(5)),
        ("integer", ".s.float", json!(2)),
        ("integer", ".s.text", json!(null)),
        ("number", ".s.float", json!(2.5)),
        ("boolean", ".s.bool", json!(true)),
        ("boolean", ".s.text", json!(null)),
        ("date", ".s.time", json!("2m")),
        ("date", ".s.text", json!("<invalid>")),
        ("date", ".s.missing", json!(null)),
    ] {
        assert_eq!(
            cells(&column(kind, path), &object),
            [json!("a"), expected],
            "{kind} {path}"
        );
    }
}

#[test]
fn a_version_without_columns_shows_name_and_age() {
    let columns = columns_of_version(&json!({})).unwrap();
    let object = json!({"metadata": {"name": "a", "creationTimestamp": "2026-11-24T11:00:00Z"}});
    assert_eq!(cells(&columns, &object), [json!("a"), json!("60m")]);
    assert_eq!(columns[1].definition()["type"], "date");
}

#[test]
fn a_column_that_makes_no_sense_is_refused_with_its_place() {
    let refused = |column: Value| -> Vec<String> {
        let version = json!({"additionalPrinterColumns": [column]});
        columns_of_version(&version)
            .err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        refused(json!({"name": "C", "type": "string", "jsonPath": ".a"})),
        [""; 0]
    );
    assert_eq!(
        refused(json!({})),
        [
            "additionalPrinterColumns[0].name: Required value",
            "additionalPrinterColumns[0].type: Required value: must be one of boolean,date,integer,number,string",
            "additionalPrinterColumns[0].JSONPath: Required value",
        ]
    );
    assert_eq!(
        refused(json!({"name": "C", "type": "text", "jsonPath": ".a"})),
        [
            "additionalPrinterColumns[0].type: Invalid value: \"text\": must be one of boolean,date,integer,number,string"
        ]
    );
    assert_eq!(
        refused(json!({"name": "C", "type": "string", "jsonPath": "a"})),
        [
            "additionalPrinterColumns[0].JSONPath: Invalid value: \"a\": must be a simple json path starting with ."
        ]
    );
    assert_eq!(
        refused(json!({"name": "C", "type": "string", "jsonPath": ".a["})),
        [""; 0]
    );
}

fn builtin(kind: &str, object: &Value) -> (Vec<String>, Vec<Value>) {
    let columns = columns_of_builtin(kind);
    let shown = |column: &&Column| column.priority == 0;
    let names = columns
        .iter()
        .filter(shown)
        .map(|column| column.name.clone())
        .collect();
    (
        names,
        columns
            .iter()
            .filter(shown)
            .map(|column| column.cell(object, now()))
            .collect(),
    )
}

#[test]
fn built_in_kinds_have_their_own_columns() {
    let metadata = json!({"name": "a", "creationTimestamp": "2026-11-24T11:59:00Z"});
    let (names, cells) = builtin(
        "Secret",
        &json!({"metadata": metadata, "type": "Opaque", "data": {"a": "", "b": ""}}),
    );
    assert_eq!(names, ["Name", "Type", "Data", "Age"]);
    assert_eq!(cells, [json!("a"), json!("Opaque"), json!(2), json!("60s")]);
    let (names, cells) = builtin(
        "ConfigMap",
        &json!({"metadata": metadata, "data": {"a": ""}, "binaryData": {"b": ""}}),
    );
    assert_eq!(names, ["Name", "Data", "Age"]);
    assert_eq!(cells[1], 2);
    let (names, cells) = builtin(
        "Namespace",
        &json!({"metadata": metadata, "status": {"phase": "Active"}}),
    );
    assert_eq!(names, ["Name", "Status", "Age"]);
    assert_eq!(cells[1], "Active");
    let (names, cells) = builtin(
        "Lease",
        &json!({"metadata": metadata, "spec": {"holderIdentity": "me"}}),
    );
    assert_eq!(names, ["Name", "Holder", "Age"]);
    assert_eq!(cells[1], "me");
    assert_eq!(
        builtin("ServiceAccount", &json!({"metadata": metadata})).0,
        ["Name", "Age"]
    );
    let (names, cells) = builtin(
        "CustomResourceDefinition",
        &json!({"metadata": metadata, "spec": {"scope": "Namespaced", "versions": [
            {"name": "v2", "served": true, "storage": false}, {"name": "v1", "served": true, "storage": true}, {"name": "v0", "served": false}]}}),
    );
    assert_eq!(names, ["Name", "Scope", "Versions", "Created At"]);
    assert_eq!(
        cells,
        [
            json!("a"),
            json!("Namespaced"),
            json!("v1(storage),v2"),
            json!("2026-11-24T11:59:00Z")
        ]
    );
    assert_eq!(
        builtin("Other", &json!({"metadata": metadata})).0,
        ["Name", "Age"]
    );
}

#[test]
fn an_event_is_shown_the_same_in_both_its_forms() {
    let core = json!({"metadata": {"name": "e"}, "type": "Normal", "reason": "Started", "message": "it runs\n", "involvedObject": {"kind": "Instance", "name": "a"},
        "firstTimestamp": "2026-11-24T11:50:00Z", "lastTimestamp": "2026-11-24T11:59:00Z", "count": 3});
    let newer = json!({"metadata": {"name": "e"}, "type": "Normal", "reason": "Started", "note": "it runs", "regarding": {"kind": "Instance", "name": "a"},
        "deprecatedFirstTimestamp": "2026-11-24T11:50:00Z", "deprecatedLastTimestamp": "2026-11-24T11:59:00Z", "deprecatedCount": 3});
    let expected = [
        json!("60s"),
        json!("Normal"),
        json!("Started"),
        json!("instance/a"),
        json!("it runs"),
    ];
    let (names, cells) = builtin("Event", &core);
    assert_eq!(names, ["Last Seen", "Type", "Reason", "Object", "Message"]);
    assert_eq!(cells, expected);
    assert_eq!(builtin("Event", &newer).1, expected);
    let once = json!({"eventTime": "2026-11-24T11:59:30.000000Z", "regarding": {"kind": "A", "name": "a"}, "reportingController": "c", "reportingInstance": "c-1"});
    assert_eq!(builtin("Event", &once).1[0], "30s");
    let series = json!({"eventTime": "2026-11-24T11:50:00.000000Z", "series": {"count": 4, "lastObservedTime": "2026-11-24T11:59:30.000000Z"}});
    assert_eq!(builtin("Event", &series).1[0], "30s");
    let wide = columns_of_builtin("Event");
    let source = wide.iter().find(|column| column.name == "Source").unwrap();
    assert_eq!(source.cell(&once, now()), "c, c-1");
}

#[test]
fn a_row_carries_as_much_of_the_object_as_asked() {
    let object =
        json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"x": 1}});
    let columns = columns_of_version(&json!({})).unwrap();
    let table = |include| {
        render(
            &columns,
            [&object],
            include,
            &json!({"resourceVersion": "5"}),
            now(),
        )
    };
    let metadata = table(IncludeObject::default());
    assert_eq!(metadata["kind"], "Table");
    assert_eq!(metadata["metadata"]["resourceVersion"], "5");
    assert_eq!(metadata["columnDefinitions"][0]["format"], "name");
    assert_eq!(
        metadata["rows"][0]["object"],
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "a"}})
    );
    assert_eq!(table(IncludeObject::Whole)["rows"][0]["object"], object);
    assert_eq!(
        table(IncludeObject::Nothing)["rows"][0]["object"],
        Value::Null
    );
}
