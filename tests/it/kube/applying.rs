//! Room: server-side apply: who owns which field, conflicts, force, and what goes when it is given up.

use serde_json::{Value, json};

use super::sequence::{
    APPLY, JSON_PATCH, MERGE, STRATEGIC, Sequence, map, seq, thing, things, yaml,
};

const SCHEMA: &str = "
type: object
properties:
  spec:
    type: object
    properties:
      size: {type: integer}
      color: {type: string, default: red}
      labels: {type: object, additionalProperties: {type: string}}
      set: {type: array, x-kubernetes-list-type: set, items: {type: string}}
      ports:
        type: array
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [name, protocol]
        items:
          type: object
          required: [name]
          properties: {name: {type: string}, protocol: {type: string, default: TCP}, port: {type: integer}, note: {type: string}}
      list: {type: array, items: {type: string}}
      objs: {type: array, items: {type: object, properties: {a: {type: string}}}}
      ref: {type: object, x-kubernetes-map-type: atomic, properties: {a: {type: string}, b: {type: string}}}
      deep: {type: object, properties: {a: {type: string}, b: {type: string}, c: {type: object, properties: {d: {type: string}}}}}
      maps: {type: object, additionalProperties: {type: object, properties: {a: {type: string}, b: {type: string}}}}
      free: {type: object, x-kubernetes-preserve-unknown-fields: true}
      either: {x-kubernetes-int-or-string: true}
      float: {type: number}
  status: {type: object, properties: {phase: {type: string}, size: {type: integer}}}
";

/// A sentence, and steps: what is done, by whom, with which spec (or status).
const LIVES: &str = r#"
- say: "a value two share belongs to both, and to none when both gave it up"
  do:
  - [apply, a, {size: 1, color: red}]
  - [apply, b, {size: 2}]
  - [force, b, {size: 2}]
  - [apply, a, {color: red}]
  - [apply, b, {}]
  - [apply, a, {}]
- say: an empty map is owned apart from what others put in
  do:
  - [apply, a, {size: 1, labels: {x: '1'}}]
  - [apply, b, {labels: {y: '2'}, size: 1}]
  - [apply, a, {}]
  - [apply, b, {labels: {}}]
- say: items of a set have owners of their own
  do:
  - [apply, a, {set: [x, y]}]
  - [apply, b, {set: [y, z]}]
  - [apply, a, {set: [x]}]
  - [apply, b, {set: [z]}]
  - [apply, b, {set: [z, x]}]
  - [apply, a, {set: []}]
- say: "items of a list by keys are merged, with a default for a missing key"
  do:
  - [apply, a, {ports: [{name: web, port: 80}]}]
  - [apply, b, {ports: [{name: web, note: hi}, {name: api, port: 90}]}]
  - [apply, b, {}]
  - [apply, b, {ports: [{name: web, protocol: TCP, port: 81}]}]
  - [apply, b, {ports: [{name: web, protocol: UDP, port: 81}]}]
  - [update, m, {ports: [{name: web, port: 80, protocol: TCP},{name: z}]}]
  - [apply, a, {ports: []}]
- say: "an atomic list, map or list of maps has one owner"
  do:
  - [apply, a, {list: [x], ref: {a: x}, objs: [{a: x}]}]
  - [apply, b, {list: [y], ref: {b: y}}]
  - [force, b, {list: [y], ref: {b: y}}]
  - [apply, a, {}]
  - [apply, b, {ref: {}}]
- say: what has no schema is owned by its fields
  do:
  - [apply, a, {free: {x: {y: 1}, l: [1]}}]
  - [apply, b, {free: {z: 1}}]
  - [apply, a, {free: {l: [2]}}]
  - [merge, m, {free: {x: {q: 1}}}]
  - [apply, b, {free: {x: {q: 2}}}]
- say: an empty object that somebody applied stays as long as they say so
  do:
  - [apply, a, {deep: {}}]
  - [apply, b, {deep: {a: x}}]
  - [apply, a, {}]
  - [apply, b, {}]
- say: what is below an object is owned apart from it
  do:
  - [apply, a, {deep: {a: x, c: {d: e}}}]
  - [apply, b, {deep: {c: {d: e}}}]
  - [apply, a, {deep: {a: x}}]
  - [merge, m, {deep: {b: y}}]
  - [apply, a, {}]
  - [apply, b, {}]
- say: objects in a map are owned by their keys
  do:
  - [apply, a, {maps: {k: {a: x}, l: {a: y}}}]
  - [merge, m, {maps: {k: {b: z}}}]
  - [apply, b, {maps: {k: {b: q}}}]
  - [apply, a, {maps: {l: {a: y}}}]
  - [apply, a, {}]
- say: an update takes over what it changed from those who applied it
  do:
  - [create, m, {size: 1, deep: {a: x}, set: [x], ports: [{name: web}], free: {a: [1]}, maps: {k: {}}}]
  - [apply, a, {size: 1}]
  - [apply, a, {size: 2}]
  - [update, n, {size: 1}]
  - [merge, n, {deep: null}]
  - [merge, m, {size: 7}]
  - [apply, a, {size: 7}]
  - [apply, a, {color: blue}]
- say: a number is the same number however it is written
  do:
  - [apply, a, {either: 5, float: 1}]
  - [apply, b, {either: '5'}]
  - [apply, b, {float: 1.0}]
  - [apply, b, {float: 1.5}]
- say: what the schema forbids cannot be applied
  do:
  - [apply, a, {odd: 1}]
  - [apply, a, {size: big}]
  - [apply, a, {color: 1}]
  - [apply, a, {deep: []}]
  - [apply, a, {set: [x, x]}]
  - [apply, a, {ports: [{name: a},{name: a, protocol: TCP}]}]
  - [apply, a, {ports: [{port: 1}]}]
  - [apply, a, {size: null}]
  - [apply, a, {deep: null}]
  - [apply, a, {set: [1]}]
  - [apply, a, {labels: {a: 1}}]
- say: force takes items of a set and leaves their order to the set
  do:
  - [apply, a, {set: [a, x, b]}]
  - [force, b, {set: [b, a]}]
  - [force, c, {set: [c, x, q]}]
  - [merge, m, {set: [q, z, a]}]
  - [force, d, {set: [a, z, q]}]
- say: applying the same again is no change
  do:
  - [apply, a, {size: 1}]
  - [apply, a, {size: 1}]
  - [apply, a, {size: 1, color: blue}]
  - [apply, b, {color: blue}]
  - [apply, b, {color: green}]
- say: "what becomes empty when it is given up goes, unless it is owned"
  do:
  - [apply, a, {deep: {a: x}, labels: {k: v}}]
  - [apply, a, {deep: {}}]
  - [apply, a, {labels: {}}]
  - [apply, a, {labels: {}, size: 1}]
  - [apply, b, {ports: [{name: a}]}]
  - [apply, b, {ports: []}]
  - [apply, b, {}]
- say: status is owned apart from spec
  do:
  - [apply status, s, {phase: Up}]
  - [apply, a, {size: 1}]
  - [apply status, s, {phase: Up}]
  - [apply status, t, {phase: Down}]
  - [force status, t, {phase: Down}]
  - [merge status, u, {size: 5}]
  - [apply status, s, {}]
  - [apply, a, {size: 2}]
"#;

fn definition() -> Value {
    let mut definition = things(yaml(SCHEMA));
    definition["spec"]["versions"][0]["subresources"] = json!({"status": {}});
    definition
}

fn life(told: &Value) -> Sequence {
    let steps = told["do"].as_array().unwrap().iter();
    let sequence = seq(told["say"].as_str().unwrap()).defined(definition());
    steps.fold(sequence, |sequence, step| {
        let [what, who] = [0, 1].map(|at| step[at].as_str().unwrap());
        done(sequence, what, who, step[2].clone())
    })
}

fn done(sequence: Sequence, what: &str, who: &str, spec: Value) -> Sequence {
    let path = format!("{{things}}/a?fieldManager={who}");
    let status = format!("{{things}}/a/status?fieldManager={who}");
    let of_status = |phase: Value| {
        let mut all = thing("a", json!({"size": 99}));
        all["metadata"]["labels"] = json!({"not": "its-own"});
        all["status"] = phase;
        all
    };
    match what {
        "apply" => sequence.apply(format!("{path}&fieldValidation=Ignore"), thing("a", spec)),
        "force" => sequence.apply(format!("{path}&force=true"), thing("a", spec)),
        "create" => sequence.post(format!("{{things}}?fieldManager={who}"), thing("a", spec)),
        "merge" => sequence.merge(path, json!({"spec": spec})),
        "update" => sequence
            .get("{things}/a")
            .put_back(path, move |thing| thing["spec"] = spec.clone()),
        "apply status" => sequence.apply(status, of_status(spec)),
        "force status" => sequence.apply(format!("{status}&force=true"), of_status(spec)),
        "merge status" => sequence.merge(status, json!({"spec": {"size": 9}, "status": spec})),
        other => panic!("what is {other}?"),
    }
}

fn with_metadata(metadata: &Value) -> Value {
    let mut thing = thing("a", json!({}));
    let own = thing["metadata"].as_object_mut().unwrap();
    own.extend(metadata.as_object().unwrap().clone());
    thing
}

fn owner(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": format!("{{{name}}}")})
}

fn metadata() -> Sequence {
    let path = |who: &str| format!("{{things}}/a?fieldManager={who}");
    seq("labels, finalizers and owners are merged by their keys")
        .defined(definition())
        .post("{maps}", map("one", json!({})))
        .keep("one", "/metadata/uid")
        .post("{maps}", map("two", json!({})))
        .keep("two", "/metadata/uid")
        .apply(path("a"), with_metadata(&json!({
            "labels": {"x": "1"}, "annotations": {"k": "v"}, "finalizers": ["a.b/f"], "ownerReferences": [owner("one")],
        })))
        .apply(path("b"), with_metadata(&json!({
            "labels": {"y": "2"}, "finalizers": ["a.b/g"], "ownerReferences": [owner("two")],
        })))
        .apply(path("a"), with_metadata(&json!({})))
        .patch(JSON_PATCH, path("j"), json!([
            {"op": "test", "path": "/metadata/annotations", "value": null},
            {"op": "add", "path": "/metadata/annotations", "value": {"q": "r"}},
        ]))
        .apply(path("b"), with_metadata(&json!({"managedFields": [{"manager": "x"}]})))
        .apply("{things}/a", with_metadata(&json!({})))
        .apply(path("a"), thing("other", json!({})))
        .apply(path("a"), with_metadata(&json!({"resourceVersion": "1", "labels": {"z": "1"}})))
        .apply(path("a"), with_metadata(&json!({"uid": "nope", "labels": {"z": "1"}})))
}

fn reset() -> Sequence {
    seq("managed fields can be emptied and not be made up")
        .defined(definition())
        .apply("{things}/a?fieldManager=a", thing("a", json!({"size": 1})))
        .merge("{things}/a?fieldManager=r", json!({"metadata": {"managedFields": [{}]}}))
        .apply("{things}/a?fieldManager=a", thing("a", json!({"size": 2})))
        .merge("{things}/a?fieldManager=r", json!({"metadata": {"managedFields": [{
            "manager": "x", "operation": "Odd", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {},
        }]}}))
}

fn built_in() -> Sequence {
    let path = |who: &str| format!("{{maps}}/a?fieldManager={who}");
    let mut binary = map("a", json!({"b": "1"}));
    binary["binaryData"] = json!({"c": "YQ=="});
    let mut odd = map("a", json!({"a": "1"}));
    odd["odd"] = json!(1);
    seq("a built-in kind is applied by its own schema")
        .apply(path("a"), map("a", json!({"a": "1"})))
        .apply(path("b"), binary)
        .apply(path("b"), map("a", json!({"a": "2"})))
        .patch(STRATEGIC, path("s"), json!({"data": {"a": null, "s": "x"}}))
        .patch(MERGE, path("g"), json!({"data": null}))
        .apply(path("a"), odd)
        .apply(path("a"), map("a", json!({"a": 1})))
}

fn refusals() -> Sequence {
    let apply = |sequence: Sequence, path: &str, body: &str| {
        let body = super::sequence::Body::Text(body.to_owned());
        sequence
            .ask("PATCH", path, body)
            .with("content-type", APPLY)
    };
    let sequence = seq("what is applied is one YAML document with a manager");
    let sequence = apply(
        sequence,
        "{maps}/a?fieldManager=a",
        "apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n",
    );
    let sequence = apply(
        sequence,
        "{maps}/a?fieldManager=a",
        "kind: ConfigMap\ndata: {a: b}\n",
    );
    let sequence = apply(
        sequence,
        "{maps}/a?fieldManager=a",
        "apiVersion: v1\nkind: Secret\n",
    );
    let sequence = apply(sequence, "{maps}/a", "apiVersion: v1\nkind: ConfigMap\n");
    let sequence = apply(
        sequence,
        "{maps}/a?fieldManager=a&force=maybe",
        "apiVersion: v1\nkind: ConfigMap\n",
    );
    sequence.merge("{maps}/a?fieldManager=a&force=true", json!({}))
}

pub(super) fn sequences() -> Vec<Sequence> {
    let lives = yaml(LIVES);
    let lives = lives.as_array().unwrap().iter().map(life);
    let others = [metadata(), reset(), built_in(), refusals()];
    lives.chain(others).collect()
}
