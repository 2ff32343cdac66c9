//! The judge itself: what it must notice, and what it lets pass.

use super::*;

const PAGE: &str = r#"{"page":1,"per_page":25,"previous_page":null,"next_page":null,"last_page":1,"total_entries":0}"#;

/// What is said of one request and one made-up answer.
async fn said(method: &str, path: &str, body: &str, status: u16, answer: &str) -> String {
    let answer = answer.to_owned();
    let routes = Router::new().fallback(move || async move {
        let made_up = http::Response::builder().status(status);
        made_up.body(Body::from(answer)).unwrap()
    });
    let judge = Judge::default();
    let request = Request::builder().method(method).uri(format!("/v1{path}"));
    let request = request.body(Body::from(body.to_owned())).unwrap();
    judge.watch(routes).oneshot(request).await.unwrap();
    judge.wrong().join("\n")
}

#[allow(clippy::too_many_lines, reason = "one table")]
#[tokio::test]
async fn what_is_not_described_is_noticed_in_requests_and_answers() {
    let whole = format!(r#"{{"locations":[],"meta":{{"pagination":{PAGE}}}}}"#);
    let extra = format!(r#"{{"locations":[],"colour":1,"meta":{{"pagination":{PAGE}}}}}"#);
    let key = r#"{"ssh_key":{"id":1,"name":"x","fingerprint":"x","public_key":"x","labels":{},"created":"2026-01-01T00:00:00Z"}}"#;
    let undated = key.replace("2026-01-01T00:00:00Z", "yesterday");
    let error =
        |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"no","details":null}}}}"#);
    assert_eq!(
        said("GET", "/locations?name=fsn1", "", 200, &whole).await,
        ""
    );
    assert_eq!(
        said(
            "GET",
            "/locations?colour=red",
            "",
            400,
            &error("invalid_input")
        )
        .await,
        ""
    );
    assert_eq!(
        said("GET", "/unheard_of", "", 404, &error("not_found")).await,
        ""
    );
    for (method, path, body, status, answer, expected) in [
        (
            "GET",
            "/locations",
            "",
            200,
            r#"{"locations":[]}"#,
            "\"meta\" is a required property",
        ),
        (
            "GET",
            "/locations",
            "",
            200,
            &extra,
            "'colour' was unexpected",
        ),
        (
            "GET",
            "/locations",
            "",
            202,
            &whole,
            "status is not described",
        ),
        (
            "GET",
            "/locations?colour=red",
            "",
            200,
            &whole,
            "parameter colour is not described",
        ),
        (
            "GET",
            "/locations?page=first",
            "",
            200,
            &whole,
            "is not of type \"integer\"",
        ),
        (
            "GET",
            "/actions",
            "",
            200,
            r#"{"actions":[]}"#,
            "parameter id is missing",
        ),
        (
            "GET",
            "/ssh_keys/one",
            "",
            200,
            key,
            "is not of type \"integer\"",
        ),
        (
            "GET",
            "/ssh_keys/1",
            "",
            200,
            &undated,
            "is not a \"date-time\"",
        ),
        (
            "GET",
            "/ssh_keys/1",
            "",
            404,
            &error("gone_fishing"),
            "gone_fishing is not documented",
        ),
        (
            "POST",
            "/ssh_keys",
            r#"{"name":"x"}"#,
            201,
            key,
            "\"public_key\" is a required property",
        ),
        (
            "POST",
            "/ssh_keys",
            "",
            201,
            key,
            "is not of type \"object\"",
        ),
        (
            "POST",
            "/servers/1/actions/reboot",
            r#"{"now":true}"#,
            201,
            "{}",
            "without a body has one",
        ),
        (
            "DELETE",
            "/ssh_keys/1",
            "",
            204,
            "{}",
            "without a body has one",
        ),
        ("GET", "/unheard_of", "", 200, "{}", "no such operation"),
    ] {
        let wrong = said(method, path, body, status, answer).await;
        assert!(wrong.contains(expected), "{method} {path}: {wrong}");
    }
}
