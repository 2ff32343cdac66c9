//! Every code of Cloudflare's that we know, and what we make of those we do not.

use serde_json::{Value, json};

use super::*;

fn refused(status: u16, body: &str) -> Option<Refusal> {
    let answer = Response::builder().status(status);
    refusal(&answer.body(Bytes::from(body.to_owned())).unwrap())?.refusal()
}

fn coded(status: u16, errors: &Value) -> Option<Refusal> {
    refused(
        status,
        &json!({"success": false, "errors": errors, "result": null}).to_string(),
    )
}

#[test]
fn every_code_has_a_remedy() {
    let check = |code: i64, expected| {
        assert_eq!(
            coded(400, &json!([{"code": code, "message": "said so"}])),
            Some(expected),
            "{code}"
        );
    };
    for code in [81053, 81054, 81057, 81058] {
        check(code, Refusal::AlreadyExists);
    }
    check(81044, Refusal::NotFound);
    check(81045, Refusal::LimitReached);
    for code in [9103, 9106, 9107, 9109, 10000] {
        check(code, Refusal::Denied);
    }
    check(1004, Refusal::Invalid);
}

#[test]
fn a_code_inside_the_chain_counts() {
    let errors = json!([{"code": 1004, "error_chain": [{"code": 81058, "message": "identical"}]}]);
    assert_eq!(coded(400, &errors), Some(Refusal::AlreadyExists));
}

#[test]
fn a_status_without_a_known_code_still_says_something() {
    let check = |status, expected| assert_eq!(refused(status, "<html>"), expected, "{status}");
    check(400, Some(Refusal::Invalid));
    check(401, Some(Refusal::Denied));
    check(403, Some(Refusal::Denied));
    check(404, Some(Refusal::Invalid));
    check(409, Some(Refusal::Busy));
    check(429, None);
    check(500, None);
    check(502, None);
}

#[test]
fn a_success_that_says_it_failed_is_a_refusal() {
    assert_eq!(
        coded(200, &json!([{"code": 81057}])),
        Some(Refusal::AlreadyExists)
    );
    assert_eq!(
        refused(200, r#"{"success": true, "errors": [], "result": []}"#),
        None
    );
}

#[test]
fn the_rest_of_the_budget_is_read_from_the_header() {
    let check = |value: &str, expected| {
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit", value.parse().unwrap());
        assert_eq!(remaining(&headers), expected, "{value}");
    };
    check(r#""default";r=50;t=30"#, Some(50));
    check(r#""default"; r=0; t=300"#, Some(0));
    check(r#""default""#, None);
    assert_eq!(remaining(&HeaderMap::new()), None);
}
