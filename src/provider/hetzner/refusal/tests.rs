//! Every code of Hetzner's that we know, and what we make of those we do not.

use serde_json::json;

use super::*;

fn answer(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .body(body.into())
        .unwrap()
}

fn coded(status: u16, code: &str) -> Option<Refusal> {
    let body = json!({"error": {"code": code, "message": "said so", "details": {}}});
    refusal(&answer(status, body.to_string()))?.refusal()
}

#[test]
fn every_code_has_a_remedy() {
    let check = |code, expected| assert_eq!(coded(422, code), Some(expected), "{code}");
    check("uniqueness_error", Refusal::NameTaken);
    check("resource_unavailable", Refusal::NoCapacity);
    check("placement_error", Refusal::NoCapacity);
    check("invalid_server_type", Refusal::NoCapacity);
    check("no_space_left_in_location", Refusal::NoCapacity);
    check("resource_limit_exceeded", Refusal::LimitReached);
    check("locked", Refusal::Busy);
    check("conflict", Refusal::Busy);
    check("resource_locked", Refusal::Busy);
    check("resource_in_use", Refusal::Busy);
    check("maintenance", Refusal::Busy);
    check("robot_unavailable", Refusal::Busy);
    check("server_not_stopped", Refusal::Busy);
    check("must_be_unassigned", Refusal::Busy);
    check("protected", Refusal::Protected);
    check("not_found", Refusal::NotFound);
    check("forbidden", Refusal::Denied);
    check("unauthorized", Refusal::Denied);
    check("token_readonly", Refusal::Denied);
    check("invalid_input", Refusal::Invalid);
    check("json_error", Refusal::Invalid);
    check("unsupported_error", Refusal::Invalid);
    check("deprecated_api_endpoint", Refusal::Invalid);
}

#[test]
fn a_type_that_is_not_sold_in_a_place_is_tried_in_the_next() {
    let body = json!({"error": {
        "code": "invalid_input", "message": "unsupported location for server type", "details": {},
    }});
    let why = refusal(&answer(422, body.to_string())).unwrap().refusal();
    assert_eq!(why, Some(Refusal::NoCapacity));
}

#[test]
fn a_known_code_counts_whatever_the_status() {
    assert_eq!(
        coded(503, "resource_unavailable"),
        Some(Refusal::NoCapacity)
    );
    assert_eq!(
        coded(412, "resource_unavailable"),
        Some(Refusal::NoCapacity)
    );
}

#[test]
fn a_failure_that_may_have_happened_is_no_refusal() {
    for code in [
        "server_error",
        "bad_gateway",
        "timeout",
        "unknown_error",
        "service_error",
    ] {
        assert_eq!(coded(500, code), None, "{code}");
        assert_eq!(coded(504, code), None, "{code}");
    }
    assert_eq!(coded(429, "rate_limit_exceeded"), None);
    assert!(refusal(&answer(502, "<html>")).is_none());
    assert!(refusal(&answer(201, "{")).is_none());
}

#[test]
fn a_page_that_says_404_is_not_an_absent_server() {
    let why = refusal(&answer(404, "<html>not here</html>"))
        .unwrap()
        .refusal();
    assert_eq!(why, Some(Refusal::Invalid));
    assert_eq!(coded(404, "not_found"), Some(Refusal::NotFound));
}

#[test]
fn a_status_without_a_known_code_still_says_something() {
    let check = |status, expected| {
        assert_eq!(coded(status, "novelty"), Some(expected), "{status}");
    };
    check(401, Refusal::Denied);
    check(403, Refusal::Denied);
    check(409, Refusal::Busy);
    check(410, Refusal::Invalid);
    check(422, Refusal::Invalid);
    check(423, Refusal::Busy);
}

#[test]
fn the_message_is_one_bounded_line() {
    let body = json!({"error": {"code": "locked", "message": format!("a\nb\u{1b}[31m{}", "x".repeat(999))}});
    let Some(ProviderError::Refused { message, .. }) = refusal(&answer(423, body.to_string()))
    else {
        panic!("no refusal");
    };
    assert!(message.starts_with("locked: a b [31mxxx"), "{message}");
    assert_eq!(message.chars().count(), 300);
}

#[test]
fn the_rest_of_the_budget_is_read_from_the_headers() {
    let mut headers = HeaderMap::new();
    assert_eq!(remaining(&headers), None);
    headers.insert("RateLimit-Remaining", "3599".parse().unwrap());
    assert_eq!(remaining(&headers), Some(3599));
}
