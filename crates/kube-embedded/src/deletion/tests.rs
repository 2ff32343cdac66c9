//! What a deletion makes of objects, one line each.

use super::*;

fn object(finalizers: &[&str]) -> Value {
    json!({ "metadata": { "name": "x", "generation": 4, "finalizers": finalizers } })
}

/// The finalizers after a deletion; nothing if the object is gone.
fn after(
    resource: &str,
    finalizers: &[&str],
    propagation: Option<Propagation>,
) -> Option<Vec<String>> {
    let marked = marked(
        resource,
        &object(finalizers),
        propagation,
        Timestamp::UNIX_EPOCH,
    )?;
    let finalizers = metadata::finalizers(&marked["metadata"]);
    Some(finalizers.into_iter().map(str::to_owned).collect())
}

#[test]
fn a_policy_is_a_finalizer() {
    use Propagation::{Background, Foreground, Orphan};
    let check = |before: &[&str], policy, then: Option<&[&str]>| {
        let words = then.map(|words| words.iter().map(|&word| word.to_owned()).collect());
        assert_eq!(
            after("boats", before, policy),
            words,
            "{before:?} {policy:?}"
        );
    };
    check(&[], None, None);
    check(&[], Some(Background), None);
    check(&[], Some(Foreground), Some(&[FOREGROUND]));
    check(&[], Some(Orphan), Some(&[ORPHAN]));
    check(&["a/b"], None, Some(&["a/b"]));
    check(&["a/b"], Some(Foreground), Some(&["a/b", FOREGROUND]));
    check(&[FOREGROUND, "a/b"], Some(Orphan), Some(&["a/b", ORPHAN]));
    check(&[FOREGROUND], Some(Background), None);
    check(&[FOREGROUND], None, Some(&[FOREGROUND]));
    check(
        &[FOREGROUND, "a/b"],
        Some(Foreground),
        Some(&[FOREGROUND, "a/b"]),
    );
}

#[test]
fn an_event_takes_nothing_along() {
    assert_eq!(after("events", &[], Some(Propagation::Foreground)), None);
    assert_eq!(after("events", &[ORPHAN], None), None);
}

#[test]
fn going_is_one_generation_however_often_it_is_asked_for() {
    let once = marked("boats", &object(&["a/b"]), None, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(once["metadata"]["generation"], 5);
    let later = Timestamp::from_second(100).unwrap();
    let twice = marked("boats", &once, None, later).unwrap();
    assert_eq!(once, twice);
}

#[test]
fn a_namespace_that_has_contents_stays_as_it_is_when_asked_again() {
    let mut namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": "x" }, "spec": { "finalizers": ["kubernetes"] },
    });
    let now = Timestamp::UNIX_EPOCH;
    namespace = marked(NAMESPACES, &namespace, Some(Propagation::Orphan), now).unwrap();
    assert_eq!(namespace["metadata"]["finalizers"], json!([ORPHAN]));
    assert_eq!(namespace["status"]["phase"], "Terminating");
    let again = marked(NAMESPACES, &namespace, Some(Propagation::Background), now);
    assert_eq!(again, Some(namespace.clone()));
    namespace["spec"] = json!({});
    assert!(!is_through(&namespace));
    assert_eq!(
        marked(NAMESPACES, &namespace, Some(Propagation::Background), now),
        None
    );
}
