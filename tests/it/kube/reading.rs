//! Room: lists and single objects: selectors, pages, versions, and the forms an answer comes in.

use serde_json::{Value, json};

use super::sequence::{Sequence, map, seq, thing, things};

const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1";
const PARTIAL: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const PARTIAL_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

fn labelled(name: &str, labels: Value) -> Value {
    let mut map = map(name, json!({}));
    map["metadata"]["labels"] = labels;
    map
}

fn three(sentence: &str) -> Sequence {
    seq(sentence)
        .post("{maps}", labelled("a", json!({"tier": "web", "size": "1"})))
        .post("{maps}", labelled("b", json!({"tier": "db", "size": "2"})))
        .post("{maps}", labelled("c", json!({})))
}

fn selecting() -> Vec<Sequence> {
    let labels = [
        "tier=web",
        "tier==db",
        "tier!=web",
        "tier+in+(web,db)",
        "tier+notin+(web)",
        "tier",
        "!tier",
        "tier=web,size=1",
        "size%3E1",
        "size%3C2",
        "tier=",
        "tier+in+()",
        "a+b",
        "tier=a+b",
        "=",
        "tier=web,",
        "tier+in+web",
        "size%3Ex",
        "tier=web&labelSelector=x",
    ];
    let fields = [
        "metadata.name=a",
        "metadata.name!=a",
        "metadata.namespace={ns}",
        "metadata.namespace=x",
        "metadata.uid=1",
        "data.k=v",
        "metadata.name",
        "metadata.name=a,metadata.name=b",
        "",
    ];
    let by_label = labels
        .iter()
        .fold(three("labels select"), |sequence, selector| {
            sequence.get(format!("{{maps}}?labelSelector={selector}"))
        });
    let by_field = fields
        .iter()
        .fold(three("fields select"), |sequence, selector| {
            sequence.get(format!("{{maps}}?fieldSelector={selector}"))
        });
    vec![by_label, by_field, selectable(), of_built_ins()]
}

fn selectable() -> Sequence {
    let mut definition = things(
        json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "color": {"type": "string"}, "size": {"type": "integer"}, "on": {"type": "boolean"},
        }}}}),
    );
    definition["spec"]["versions"][0]["selectableFields"] =
        json!([{"jsonPath": ".spec.color"}, {"jsonPath": ".spec.size"}, {"jsonPath": ".spec.on"}]);
    let sequence = seq("a definition says which of its fields select")
        .defined(definition)
        .post(
            "{things}",
            thing("a", json!({"color": "red", "size": 5, "on": true})),
        )
        .post("{things}", thing("b", json!({"color": "blue"})));
    let selectors = [
        "spec.color=red",
        "spec.color!=red",
        "spec.size=5",
        "spec.on=true",
        "spec.color=",
        "spec.other=x",
        "metadata.name=a,spec.on=true",
    ];
    selectors.iter().fold(sequence, |sequence, selector| {
        sequence.get(format!("{{things}}?fieldSelector={selector}"))
    })
}

fn of_built_ins() -> Sequence {
    seq("built-in kinds have selectable fields of their own")
        .post("{secrets}", json!({"metadata": {"name": "a"}, "type": "x.y/z"}))
        .get("{secrets}?fieldSelector=type=x.y/z")
        .get("{secrets}?fieldSelector=type!=x.y/z")
        .get("{secrets}?fieldSelector=data=x")
        .get("/api/v1/namespaces?fieldSelector=metadata.name={ns},status.phase=Active")
        .get("/api/v1/namespaces?fieldSelector=metadata.name={ns},status.phase=Gone")
        .get("/api/v1/namespaces/{ns}/events?fieldSelector=involvedObject.kind=Pod,reason=X,type=Normal,reportingComponent=y,source=z")
        .get("/api/v1/namespaces/{ns}/events?fieldSelector=message=x")
}

fn paging() -> Vec<Sequence> {
    vec![
        three("a list comes in pages of one moment")
            .get("{maps}?limit=2")
            .keep("continue", "/metadata/continue")
            .post("{maps}", map("d", json!({})))
            .delete("{maps}/c")
            .get("{maps}?limit=2&continue={continue}")
            .get("{maps}?continue={continue}")
            .get("{maps}?limit=2&continue={continue}&resourceVersion=5")
            .get("{maps}?limit=1&continue=eA")
            .get("{maps}?limit=-1")
            .get("{maps}?limit=x")
            .get("{maps}?limit=3")
            .get("{maps}?limit=2&labelSelector=tier"),
        three("a list is as of a version, if asked")
            .get("{maps}")
            .keep("then", "/metadata/resourceVersion")
            .delete("{maps}/a")
            .get("{maps}?resourceVersion={then}&resourceVersionMatch=Exact")
            .get("{maps}?resourceVersion={then}&resourceVersionMatch=Exact&limit=1")
            .keep("continue", "/metadata/continue")
            .get("{maps}?continue={continue}")
            .get("{maps}?resourceVersion={then}&resourceVersionMatch=NotOlderThan")
            .get("{maps}?resourceVersion={then}")
            .get("{maps}?resourceVersion=0&resourceVersionMatch=Exact")
            .get("{maps}?resourceVersion=0&resourceVersionMatch=NotOlderThan")
            .get("{maps}?resourceVersionMatch=Exact")
            .get("{maps}?resourceVersion=1&resourceVersionMatch=Odd")
            .get("{maps}?resourceVersion=x")
            .get("{maps}?resourceVersion=-1")
            .get("{maps}?sendInitialEvents=true"),
        seq("a single object can be asked for by version")
            .post("{maps}", map("a", json!({})))
            .keep("then", "/metadata/resourceVersion")
            .get("{maps}/a?resourceVersion={then}")
            .get("{maps}/a?resourceVersion=0")
            .get("{maps}/a?resourceVersion=x")
            .get("{maps}/b")
            .get("{maps}/b?resourceVersion=0"),
    ]
}

fn forms() -> Vec<Sequence> {
    let custom = || things(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
    let forms = |sentence: &str| {
        seq(sentence).post("{maps}", map("a", json!({"time": "2020-01-01T00:00:00Z", "yes": "true", "number": "1e3", "text": "a: b\n# c\n", "empty": ""})))
    };
    vec![
        forms("an object comes as JSON, YAML, metadata or a table")
            .get("{maps}/a").accept("application/yaml").known("yaml")
            .get("{maps}").accept("application/yaml").known("yaml")
            .get("{maps}/a").accept(PARTIAL)
            .get("{maps}/a").accept(&PARTIAL.replace("json", "yaml")).known("yaml")
            .get("{maps}").accept(PARTIAL_LIST)
            .get("{maps}").accept(&PARTIAL_LIST.replace("json", "yaml")).known("yaml")
            .get("{maps}").accept(PARTIAL)
            .get("{maps}/a").accept(PARTIAL_LIST)
            .get("{maps}/a").accept(TABLE)
            .known("descriptions")
            .get("{maps}?includeObject=Object").accept(TABLE)
            .shown(undescribed)
            .get("{maps}?includeObject=None").accept(TABLE)
            .shown(undescribed)
            .get("{maps}?includeObject=Odd").accept(TABLE)
            .shown(undescribed)
            .get("{maps}").accept(&TABLE.replace("json", "yaml")).known("yaml"),
        forms("the first acceptable form is given")
            .get("{maps}/a").accept("*/*")
            .get("{maps}/a").accept("application/*").known("protobuf")
            .get("{maps}/a").accept("text/html, application/yaml").known("yaml")
            .get("{maps}/a").accept("application/yaml;q=0.1, application/json;q=0.9")
            .get("{maps}/a").accept(&format!("{TABLE}, application/json"))
            .shown(undescribed)
            .get("{maps}/a").accept("application/json;as=Odd;g=meta.k8s.io;v=v1, application/json")
            .get("{maps}/a").accept("application/json;pretty=1")
            .get("{maps}/a?pretty=true").accept("application/json")
            .get("{maps}/b").accept("application/yaml")
            .get("{maps}/a").accept(""),
        seq("a custom object comes in all forms, too")
            .defined(custom())
            .post("{things}", thing("a", json!({"time": "2020-01-01T00:00:00Z", "list": [{"a": 1}, [], {}], "null": "null", "n": 1.5})))
            .get("{things}/a").accept("application/yaml").known("yaml")
            .get("{things}").accept(PARTIAL_LIST)
            .get("{things}").accept(TABLE)
            .shown(undescribed)
            .get("{things}/a").accept(PARTIAL),
        seq("a definition says its columns")
            .defined(columns())
            .post("{things}", thing("a", json!({
                "text": "x", "int": 5, "float": 1.5, "on": true, "list": [1, 2], "map": {"k": "v"}, "time": "2020-01-01T00:00:00Z", "objects": [{"name": "p", "port": 80}, {"name": "q", "port": 443}],
            })))
            .post("{things}", thing("b", json!({})))
            .get("{things}").accept(TABLE)
            .shown(undescribed),
    ]
}

/// A table without the words that describe its columns to a person.
fn undescribed(mut table: Value) -> Value {
    let columns = table["columnDefinitions"].as_array_mut();
    for column in columns.into_iter().flatten() {
        column["description"] = Value::Null;
    }
    table
}

fn columns() -> Value {
    let mut definition =
        things(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
    let columns = [
        ("string", ".spec.text"),
        ("string", ".spec.int"),
        ("string", ".spec.float"),
        ("string", ".spec.on"),
        ("string", ".spec.list"),
        ("string", ".spec.map"),
        ("integer", ".spec.int"),
        ("integer", ".spec.float"),
        ("integer", ".spec.text"),
        ("number", ".spec.float"),
        ("number", ".spec.int"),
        ("boolean", ".spec.on"),
        ("boolean", ".spec.text"),
        ("date", ".metadata.creationTimestamp"),
        ("date", ".spec.time"),
        ("date", ".spec.text"),
        ("string", ".spec.list[0]"),
        ("string", ".spec.list[-1]"),
        ("string", ".spec.list[*]"),
        ("string", ".spec.objects[*].name"),
        ("string", ".spec.objects[?(@.port>80)].name"),
        ("string", ".spec.objects[?(@.name=='p')].port"),
        ("string", ".spec.text.deeper"),
    ];
    let columns = columns.iter().enumerate().map(|(n, (kind, path))| {
        json!({"name": format!("C{n}"), "type": kind, "jsonPath": path, "priority": n % 2, "description": "what it is"})
    });
    definition["spec"]["versions"][0]["additionalPrinterColumns"] = columns.collect();
    definition
}

pub(super) fn sequences() -> Vec<Sequence> {
    [selecting(), paging(), forms()]
        .into_iter()
        .flatten()
        .collect()
}
