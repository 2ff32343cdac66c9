//! What a rule allows and covers.

use serde_json::json;

use super::*;

fn rule(value: Value) -> Rule {
    serde_json::from_value(value).unwrap()
}

fn on(text: &str) -> Attributes<'_> {
    // verb group resource subresource name
    let words: Vec<&str> = text.split(' ').collect();
    let word = |at: usize| words[at].trim_matches('-');
    Attributes::resource(word(0), [word(1), word(2), word(3), "ns", word(4)])
}

#[test]
fn a_rule_allows_what_it_says() {
    let check = |value: Value, asked: &str, allowed: bool| {
        assert_eq!(
            rule(value.clone()).allows(&on(asked)),
            allowed,
            "{value}: {asked}"
        );
    };
    let pods =
        |resource: &str| json!({"apiGroups": [""], "resources": [resource], "verbs": ["get"]});
    check(pods("pods"), "get - pods - a", true);
    check(pods("pods"), "list - pods - -", false);
    check(pods("pods"), "get apps pods - a", false);
    check(pods("pods"), "get - pods log a", false);
    check(pods("pods/log"), "get - pods log a", true);
    check(pods("pods/log"), "get - pods - a", false);
    check(pods("pods/log"), "get - pods logs a", false);
    check(pods("*/log"), "get - pods log a", true);
    check(pods("*/log"), "get - pods - a", false);
    check(pods("*"), "get - pods log a", true);
    check(pods("*"), "get - pods - a", true);
    let all = json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]});
    check(all.clone(), "odd any thing part a", true);
    assert!(!rule(all).allows(&Attributes {
        verb: "get".into(),
        what: What::Path("/version".into()),
    }));
    let named = json!({"apiGroups": [""], "resources": ["pods"], "resourceNames": ["a", "b"], "verbs": ["*"]});
    check(named.clone(), "get - pods - b", true);
    check(named.clone(), "get - pods - c", false);
    check(named, "list - pods - -", false);
}

#[test]
fn a_star_at_the_end_of_a_path_is_anything() {
    let check = |url: &str, path: &str, allowed: bool| {
        let rule = rule(json!({"nonResourceURLs": [url], "verbs": ["get"]}));
        let asked = Attributes {
            verb: "get".into(),
            what: What::Path(path.into()),
        };
        assert_eq!(rule.allows(&asked), allowed, "{url}: {path}");
    };
    check("/version", "/version", true);
    check("/version", "/version/", false);
    check("/api/*", "/api/v1", true);
    check("/api/*", "/api", false);
    check("/api*", "/apis", true);
    check("*", "/anything", true);
    check("/*/x", "/a/x", false);
}

fn missing_of(held: &Value, wanted: &Value) -> Vec<String> {
    let (held, wanted) = (read(held), read(wanted));
    let held: Vec<&Rule> = held.iter().collect();
    missing(&held, &wanted).into_iter().collect()
}

#[test]
fn rights_are_held_in_any_number_of_rules() {
    let get = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]});
    let list = json!({"apiGroups": [""], "resources": ["*"], "verbs": ["list"]});
    let both = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]);
    assert_eq!(missing_of(&json!([get, list]), &both), [""; 0]);
    assert_eq!(
        missing_of(&json!([get]), &both),
        ["{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"list\"]}"]
    );
}

#[test]
fn a_name_is_less_than_every_name() {
    let one = json!([{"apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"], "verbs": ["get"]}]);
    let every = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
    assert_eq!(missing_of(&every, &one), [""; 0]);
    assert_eq!(
        missing_of(&one, &every),
        ["{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}"]
    );
}

#[test]
fn a_star_is_covered_by_a_star_alone() {
    let pods = json!([{"apiGroups": [""], "resources": ["pods", "*/log"], "verbs": ["*"]}]);
    let check = |resource: &str, verb: &str, held: bool| {
        let wanted = json!([{"apiGroups": [""], "resources": [resource], "verbs": [verb]}]);
        assert_eq!(
            missing_of(&pods, &wanted).is_empty(),
            held,
            "{resource} {verb}"
        );
    };
    check("pods", "*", true);
    check("pods/log", "get", true);
    check("pods/exec", "get", false);
    check("*", "get", false);
    let paths = json!([{"nonResourceURLs": ["/api/*"], "verbs": ["get"]}]);
    let wanted = |url: &str| json!([{"nonResourceURLs": [url], "verbs": ["get"]}]);
    assert_eq!(missing_of(&paths, &wanted("/api/v1/*")), [""; 0]);
    assert_eq!(
        missing_of(&paths, &wanted("*")),
        ["{NonResourceURLs:[\"*\"], Verbs:[\"get\"]}"]
    );
}

#[test]
fn a_rule_says_how_much_there_is_to_compare() {
    let many: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let wide =
        rule(json!({"apiGroups": many, "resources": many, "resourceNames": many, "verbs": many}));
    assert_eq!(wide.size(), 1_000_000_000_000);
}
