//! Scales read out of objects, put back, and found wrong.

use super::*;

fn scale() -> Scale {
    let paths = json!({
        "specReplicasPath": ".spec.crew.size",
        "statusReplicasPath": ".status.aboard",
        "labelSelectorPath": ".status.who",
    });
    Scale::of_version(&json!({ "subresources": { "scale": paths } })).unwrap()
}

fn object(spec: &Value, status: &Value) -> Value {
    let metadata = json!({ "name": "anna", "resourceVersion": "7", "labels": { "a": "b" } });
    json!({ "metadata": metadata, "spec": spec, "status": status })
}

#[test]
fn a_scale_shows_the_numbers_and_who_the_object_is() {
    let object = object(
        &json!({ "crew": { "size": 3 } }),
        &json!({ "aboard": 2, "who": "a=b" }),
    );
    let shown = scale().shown(&object).unwrap();
    assert_eq!(shown["kind"], "Scale");
    assert_eq!(
        shown["metadata"],
        json!({ "name": "anna", "resourceVersion": "7" })
    );
    assert_eq!(shown["spec"], json!({ "replicas": 3 }));
    assert_eq!(shown["status"], json!({ "replicas": 2, "selector": "a=b" }));
}

#[test]
fn nothing_wanted_is_an_error_to_a_reader_and_to_a_patch_that_says_nothing_of_it() {
    let object = object(&json!({}), &json!({}));
    let missing = ScaleError::Missing(".spec.crew.size".to_owned());
    assert_eq!(scale().shown(&object), Err(missing));
    let seen = scale().to_patch(&object).unwrap();
    assert_eq!(seen["status"], json!({ "replicas": 0 }));
    let empty = ScaleError::Empty(".spec.crew.size".to_owned());
    assert_eq!(scale().put(object.clone(), &seen), Err(empty));
    let put = scale().put(object, &json!({ "spec": {} })).unwrap();
    assert_eq!(put["spec"], json!({ "crew": { "size": 0 } }));
    assert_eq!(scale().shown(&put).unwrap()["spec"], json!({}));
}

#[test]
fn numbers_are_checked_where_they_are_kept() {
    let check = |spec: Value, status: Value, whole: bool, words: &[&str]| {
        let causes = scale().check(&object(&spec, &status), whole);
        let said: Vec<_> = causes.iter().map(ToString::to_string).collect();
        assert_eq!(said, words);
    };
    check(json!({ "crew": { "size": 0 } }), json!({}), true, &[]);
    check(
        json!({ "crew": { "size": -3 } }),
        json!({ "aboard": 3_000_000_000_i64 }),
        true,
        &[
            ".spec.crew.size: Invalid value: -3: should be a non-negative integer",
            ".status.aboard: Invalid value: 3000000000: should be less than or equal to 2147483647",
        ],
    );
    check(
        json!({ "crew": "x" }),
        json!({ "who": 1 }),
        true,
        &[
            ".spec.crew.size: Invalid value: 0: .spec.crew.size accessor error: x is of the type string, expected map[string]interface {}",
            ".status.who: Invalid value: \"\": .status.who accessor error: 1 is of the type int64, expected string",
        ],
    );
    check(json!({ "crew": { "size": -3 } }), json!({}), false, &[]);
}

#[test]
fn what_is_no_scale_is_told_where_it_is_none() {
    let say = |scale: Value| check_types(&scale).map_err(|error| error.to_string());
    assert_eq!(say(json!({})), Ok(()));
    assert_eq!(say(json!({ "spec": { "replicas": 3 } })), Ok(()));
    assert_eq!(
        say(json!({ "spec": { "replicas": "x" } })),
        Err("json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32".to_owned())
    );
    assert_eq!(
        say(json!({ "spec": { "replicas": 3_000_000_000_i64 } })),
        Err("json: cannot unmarshal number into Go struct field ScaleSpec.spec.replicas of type int32".to_owned())
    );
}
