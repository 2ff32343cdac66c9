//! What holds for every answer: a request id, the security headers, one line in the log, a count, and a
//! page in words when something went wrong. It knows no route.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{self, InvalidHeaderValue};
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;
use tracing::Instrument;

use super::Site;
use super::counters::Counters;
use super::error::{WebError, words};
use super::view::{Chrome, ProblemPage};
use crate::cause::chain;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Requests that no route takes are counted together.
const NO_ROUTE: &str = "none";

/// Marks an answer whose body is as its handler wants it, whatever its status.
#[derive(Clone, Copy)]
pub(super) struct Rendered;

impl Rendered {
    pub(super) fn as_extension() -> Extension<Self> {
        Extension(Self)
    }
}

pub(super) struct Frame {
    counters: Counters,
    headers: Vec<(HeaderName, HeaderValue)>,
    chrome: Chrome,
}

impl Frame {
    pub(super) fn new(site: &Site, counters: Counters) -> Result<Self, InvalidHeaderValue> {
        Ok(Self {
            counters,
            headers: security_headers(site)?,
            chrome: Chrome::of(site),
        })
    }
}

/// Source: <https://owasp.org/www-project-secure-headers/>
fn security_headers(site: &Site) -> Result<Vec<(HeaderName, HeaderValue)>, InvalidHeaderValue> {
    // A browser applies form-action also to where the form's answer redirects.
    let mut destinations = vec!["'self'".to_owned()];
    destinations.extend(
        site.checkout_origins
            .iter()
            .map(|url| url.origin().ascii_serialization()),
    );
    let destinations = destinations.join(" ");
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action {destinations}; base-uri 'none'; frame-ancestors 'none'"
    );
    let fixed = HeaderValue::from_static;
    let mut headers = vec![
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_str(&policy)?,
        ),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        // Not `no-referrer`: that would also hide the Origin of our own forms from our CSRF check.
        (header::REFERRER_POLICY, fixed("same-origin")),
        (header::X_FRAME_OPTIONS, fixed("DENY")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            fixed("same-origin"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            fixed("same-origin"),
        ),
        (
            HeaderName::from_static("permissions-policy"),
            fixed("camera=(), geolocation=(), microphone=()"),
        ),
    ];
    if site.public_url.scheme() == "https" {
        headers.push((
            header::STRICT_TRANSPORT_SECURITY,
            fixed("max-age=31536000; includeSubDomains"),
        ));
    }
    Ok(headers)
}

pub(super) async fn around(
    State(frame): State<Arc<Frame>>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = uuid::Uuid::new_v4().to_string();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NO_ROUTE.to_owned(), |path| path.as_str().to_owned());
    // The path itself is not logged: a checkout's id in a query opens its page.
    let span = tracing::info_span!("request", %id, method = %request.method(), %route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let _entered = span.enter();
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        response = explain(&frame, response, &id);
    }
    frame.dress(&mut response, &id);
    frame.counters.request(&route, status, begun.elapsed());
    tracing::info!(status = status.as_u16(), "Answered");
    response
}

impl Frame {
    fn dress(&self, response: &mut Response, id: &str) {
        let headers = response.headers_mut();
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::from_str(id) {
            headers.insert(REQUEST_ID, id);
        }
    }
}

/// Logs what went wrong, once, and puts words for a person in its place.
fn explain(frame: &Frame, response: Response, id: &str) -> Response {
    if let Some(error) = response.extensions().get::<Arc<WebError>>() {
        let cause = chain(error.as_ref());
        if response.status().is_server_error() {
            tracing::error!(%cause, "A request failed");
        } else {
            tracing::info!(%cause, "A request was refused");
        }
    }
    if response.extensions().get::<Rendered>().is_some() {
        return response;
    }
    let status = response.status();
    let words = words(status);
    let page = ProblemPage {
        chrome: &frame.chrome,
        title: words.title,
        advice: words.advice,
        request_id: id,
    };
    // What a handler said in headers (`Allow`, `Retry-After`) stays; its body and type do not.
    let (mut head, _) = response.into_parts();
    head.headers.remove(header::CONTENT_TYPE);
    head.headers.remove(header::CONTENT_LENGTH);
    let page = super::view::page(&page).unwrap_or_else(|error| {
        tracing::error!(cause = %chain(&error), "The page about a problem could not be made");
        words.title.into_response()
    });
    let (page_head, body) = page.into_parts();
    head.headers.extend(page_head.headers);
    head.status = status;
    Response::from_parts(head, body)
}

/// A handler panicked: the page says so, and the log has the place.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    tracing::error!("A handler panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
