//! The site's few files, compiled in, each with its entity tag.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use super::error::WebError;

const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Content type and text of a file, or None.
fn find(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "site.css" => Some(("text/css; charset=utf-8", include_str!("assets/site.css"))),
        "site.js" => Some((
            "text/javascript; charset=utf-8",
            include_str!("assets/site.js"),
        )),
        "icon.svg" => Some(("image/svg+xml", include_str!("assets/icon.svg"))),
        _ => None,
    }
}

pub(super) async fn serve(
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let (kind, text) = find(&name).ok_or(WebError::NotFound)?;
    let digest = Sha256::digest(text.as_bytes());
    let tag = format!("\"{}\"", hex::encode(&digest[..16]));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|asked| asked.as_bytes() == tag.as_bytes());
    let common = [(header::ETAG, tag), (header::CONTENT_TYPE, kind.to_owned())];
    let mut response = if known {
        (StatusCode::NOT_MODIFIED, common).into_response()
    } else {
        (common, text).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, CACHED);
    Ok(response)
}
