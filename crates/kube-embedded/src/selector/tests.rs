//! What each selector matches, and what is refused.

use serde_json::json;

use super::*;

fn labelled(selector: &str, labels: &Value) -> bool {
    Labels::parse(selector)
        .unwrap()
        .matches(|key| labels[key].as_str())
}

#[test]
fn label_selectors_match_as_documented() {
    let labels = json!({"app": "web", "tier": "front", "n": "5", "empty": "", "a.example/b": "c"});
    for (selector, expected) in [
        ("", true),
        ("app", true),
        ("missing", false),
        ("!missing", true),
        ("!app", false),
        ("app=web", true),
        ("app==web", true),
        ("app = web", true),
        ("app=api", false),
        ("missing=web", false),
        ("app!=web", false),
        ("app!=api", true),
        ("missing!=web", true),
        ("app in (web, api)", true),
        ("app in (api)", false),
        ("app in(web)", true),
        ("app notin (api)", true),
        ("app notin (web,api)", false),
        ("missing notin (web)", true),
        ("empty=", true),
        ("empty in ()", true),
        ("app in (,web)", true),
        ("app=,tier=front", false),
        ("n>4", true),
        ("n>5", false),
        ("n<6", true),
        ("app>1", false),
        ("missing>1", false),
        ("a.example/b=c", true),
        ("app=web,tier=front", true),
        ("app=web,tier=back", false),
        ("app,tier in (front),!x,n>1", true),
    ] {
        assert_eq!(labelled(selector, &labels), expected, "{selector}");
    }
    assert!(!labelled("a=b", &Value::Null));
    assert!(labelled("a!=b", &Value::Null));
}

#[test]
fn a_label_selector_that_makes_no_sense_is_refused() {
    for selector in [
        "a=b=c",
        "a in b",
        "a in (b",
        "a in (b c)",
        ",",
        "a,",
        ",a",
        "=a",
        "a=b c",
        "!a=b",
        "a>x",
        "-a",
        "a=-b",
        "a/b/c",
        "A_/b",
        "a b",
        "a notin",
        &"x".repeat(64),
    ] {
        assert!(Labels::parse(selector).is_err(), "{selector}");
    }
}

#[test]
fn field_selectors_compare_scalars_by_path() {
    let object = json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {"color": "red", "size": 5, "on": true, "odd": "x,y=z\\"}, "type": "T"});
    for (selector, expected) in [
        ("", true),
        ("metadata.name=a", true),
        ("metadata.name==a", true),
        ("metadata.name=b", false),
        ("metadata.name!=b", true),
        ("metadata.name=a,metadata.namespace=n", true),
        ("metadata.name=a,metadata.namespace=m", false),
        ("spec.color=red", true),
        ("spec.size=5", true),
        ("spec.on=true", true),
        ("spec.missing=", true),
        ("spec.missing=x", false),
        ("spec.missing!=x", true),
        ("spec.odd=x\\,y\\=z\\\\", true),
        ("type=T", true),
        (",metadata.name=a,", true),
    ] {
        assert_eq!(
            Fields::parse(selector).unwrap().matches(&object),
            expected,
            "{selector}"
        );
    }
}

#[test]
fn a_field_selector_that_makes_no_sense_is_refused() {
    for selector in ["a", "a!b", "a=b=c", "a=\\x", "a=b\\"] {
        assert_eq!(
            Fields::parse(selector),
            Err(SelectorError::Term(
                selector.to_owned(),
                selector.to_owned()
            ))
        );
    }
    assert_eq!(
        Fields::parse("a").unwrap_err().to_string(),
        "invalid selector: 'a'; can't understand 'a'"
    );
}

#[test]
fn only_known_fields_can_be_selected_by() {
    let fields = Fields::parse("metadata.name=a,spec.color=red").unwrap();
    assert_eq!(fields.check(&["spec.color"]), Ok(()));
    assert_eq!(
        fields.check(&[]).unwrap_err().to_string(),
        "field label not supported: spec.color"
    );
    assert_eq!(fields.name(), Some("a"));
    let other = Fields::parse("metadata.name!=a").unwrap();
    assert_eq!(other.name(), None);
}
