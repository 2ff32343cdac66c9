//! What is known of a request's fate, for every way an answer can fail to come.

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::post;

use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);

fn request() -> Request<Bytes> {
    Request::post("/servers").body(Bytes::new()).unwrap()
}

async fn fate(router: Router, effect: Effect) -> String {
    told(judge(
        effect,
        Transport::in_process(router, TIMEOUT).send(request()).await,
    ))
}

fn told(answer: Result<Response<Bytes>, ProviderError>) -> String {
    match answer {
        Ok(answer) => answer.status().as_u16().to_string(),
        Err(ProviderError::Throttled { retry_after }) => format!("throttled {retry_after:?}"),
        Err(ProviderError::Unreachable(_)) => "unreachable".into(),
        Err(ProviderError::Unknown(_)) => "unknown".into(),
        Err(ProviderError::Refused { why, .. }) => format!("refused {why:?}"),
    }
}

fn answering(status: StatusCode) -> Router {
    Router::new().route("/servers", post(move || async move { status }))
}

fn breaking() -> Router {
    let body = || {
        let chunks =
            futures::stream::iter([Ok(Bytes::from("{")), Err(std::io::Error::other("reset"))]);
        Body::from_stream(chunks)
    };
    Router::new().route("/servers", post(move || async move { body() }))
}

#[tokio::test(start_paused = true)]
async fn an_answer_past_the_limit_counts_as_lost() {
    let long = Router::new().route("/servers", post(|| async { "x".repeat(101) }));
    let sent = |body_bytes| {
        let limits = Limits {
            timeout: TIMEOUT,
            body_bytes,
        };
        let transport = Transport::in_process(long.clone(), limits);
        async move { told(judge(Effect::Change, transport.send(request()).await)) }
    };
    assert_eq!(sent(101).await, "200");
    assert_eq!(sent(100).await, "unknown");
}

fn silent() -> Router {
    Router::new().route(
        "/servers",
        post(|| async { std::future::pending::<()>().await }),
    )
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_is_for_the_adapter_to_read_also_when_it_says_no() {
    for status in [
        StatusCode::CREATED,
        StatusCode::CONFLICT,
        StatusCode::NOT_FOUND,
    ] {
        assert_eq!(
            fate(answering(status), Effect::Change).await,
            status.as_u16().to_string()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_change_is_unknown_and_to_a_read_loses_nothing() {
    for router in [breaking, silent, || answering(StatusCode::BAD_GATEWAY)] {
        assert_eq!(fate(router(), Effect::Change).await, "unknown");
        assert_eq!(fate(router(), Effect::None).await, "unreachable");
    }
}

#[tokio::test(start_paused = true)]
async fn slow_down_is_obeyed_within_reason() {
    let asking = |header: &'static str| {
        Router::new().route(
            "/servers",
            post(move || async move { (StatusCode::TOO_MANY_REQUESTS, [("retry-after", header)]) }),
        )
    };
    assert_eq!(fate(asking("7"), Effect::Change).await, "throttled 7s");
    assert_eq!(fate(asking("0"), Effect::Change).await, "throttled 1s");
    assert_eq!(fate(asking("soon"), Effect::Change).await, "throttled 30s");
    assert_eq!(
        fate(asking("99999999"), Effect::Change).await,
        "throttled 3600s"
    );
}

#[test]
fn a_success_that_cannot_be_read_may_have_happened() {
    let read = |effect| read::<u32>(effect, &Bytes::from("<html>")).unwrap_err();
    assert!(matches!(read(Effect::Change), ProviderError::Unknown(_)));
    assert!(matches!(read(Effect::None), ProviderError::Unreachable(_)));
}

#[tokio::test]
async fn a_refused_connection_certainly_changed_nothing() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let transport = Transport::over_http(reqwest::Client::new(), TIMEOUT);
    let request = Request::post(format!("http://{free}/servers"))
        .body(Bytes::new())
        .unwrap();
    assert_eq!(
        told(judge(Effect::Change, transport.send(request).await)),
        "unreachable"
    );
}

#[tokio::test]
async fn over_the_network_an_answer_comes_back_whole() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(listener, answering(StatusCode::CREATED)).await });
    let transport = Transport::over_http(reqwest::Client::new(), TIMEOUT);
    let request = Request::post(format!("http://{address}/servers"))
        .body(Bytes::new())
        .unwrap();
    assert_eq!(
        told(judge(Effect::Change, transport.send(request).await)),
        "201"
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let elsewhere = || async { (StatusCode::TEMPORARY_REDIRECT, [("location", "/other")]) };
    let router = Router::new()
        .route("/servers", post(elsewhere))
        .route("/other", post(|| async { StatusCode::CREATED }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(listener, router).await });
    let transport = Transport::over_http(client().unwrap(), TIMEOUT);
    let request = Request::post(format!("http://{address}/servers"))
        .body(Bytes::new())
        .unwrap();
    assert_eq!(
        told(judge(Effect::Change, transport.send(request).await)),
        "307"
    );
}
