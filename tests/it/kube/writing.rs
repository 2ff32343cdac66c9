//! Room: creating, updating and patching.

use serde_json::{Value, json};

use super::sequence::{Sequence, map, seq, thing, things};

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {
                "size": {"type": "integer"}, "color": {"type": "string", "default": "red"},
            }},
            "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
        },
    })
}

pub(super) fn sequences() -> Vec<Sequence> {
    vec![
        seq("a name can be left to the server")
            .post("{maps}", json!({"metadata": {"generateName": "x-"}}))
            .keep("name", "/metadata/name")
            .get("{maps}/{name}")
            .post("{maps}", json!({"metadata": {}})),
        seq("a dry run changes nothing")
            .post("{maps}?dryRun=All", map("a", json!({"k": "v"})))
            .get("{maps}/a")
            .post("{maps}?dryRun=Some", map("a", json!({}))),
        seq("the generation counts changes of the spec")
            .defined(things(schema()))
            .post("{things}?fieldManager=m", thing("a", json!({"size": 1})))
            .put_back("{things}/a?fieldManager=m", |thing| {
                thing["spec"]["size"] = json!(2)
            })
            .merge("{things}/a", json!({"metadata": {"labels": {"a": "b"}}})),
    ]
}
