//! How an answer is put on the wire: encoding, status code, warnings.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use crate::request::Encoding;
use crate::status::Failure;

/// What a request is answered with.
pub(crate) struct Answer {
    pub(crate) code: StatusCode,
    pub(crate) content: Content,
    /// For the client's user to read.
    pub(crate) warnings: Vec<String>,
}

pub(crate) enum Content {
    Value(Value),
    /// JSON that is bytes already.
    Json(Bytes),
    /// JSON with a content type of its own.
    Typed(&'static str, Value),
    Text(&'static str),
    /// Bytes of that content type.
    Binary(&'static str, &'static [u8]),
    /// One JSON document a line, until it ends.
    Stream(Body),
}

impl Answer {
    pub(crate) fn value(value: Value) -> Self {
        Self::of(Content::Value(value))
    }

    pub(crate) fn of(content: Content) -> Self {
        Self {
            code: StatusCode::OK,
            content,
            warnings: Vec::new(),
        }
    }

    pub(crate) fn with_code(self, code: StatusCode) -> Self {
        Self { code, ..self }
    }

    pub(crate) fn with_warnings(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }

    /// A refusal, unless the path is nothing we know: that is plain text, as Go's mux writes it.
    pub(crate) fn refusal(failure: &Failure) -> Self {
        let content = match failure {
            Failure::NoSuchPath => Content::Text("404 page not found\n"),
            _ => Content::Value(failure.status()),
        };
        Self::of(content)
            .with_code(failure.code())
            .with_warnings(failure.warnings().to_vec())
    }

    pub(crate) fn into_response(self, encoding: Encoding) -> Response<Body> {
        let (kind, body) = match (self.content, encoding) {
            (Content::Value(value), Encoding::Json) => (JSON, Body::from(value.to_string())),
            (Content::Json(bytes), Encoding::Json) => (JSON, Body::from(bytes)),
            (Content::Value(value), Encoding::Yaml) => (YAML, yaml(&value)),
            (Content::Json(bytes), Encoding::Yaml) => {
                let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
                (YAML, yaml(&value))
            }
            (Content::Typed(kind, value), _) => (kind, Body::from(value.to_string())),
            (Content::Text(text), _) => ("text/plain; charset=utf-8", Body::from(text)),
            (Content::Binary(kind, bytes), _) => (kind, Body::from(bytes)),
            (Content::Stream(body), _) => (JSON, body),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.code;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache, private"),
        );
        for warning in &self.warnings {
            let text = format!("299 - {}", quoted(warning));
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.append(header::WARNING, value);
            }
        }
        response
    }
}

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

fn yaml(value: &Value) -> Body {
    Body::from(serde_yaml_ng::to_string(value).unwrap_or_else(|_| value.to_string()))
}

/// A quoted string of RFC 9110; what may not stand in a header becomes a space.
fn quoted(text: &str) -> String {
    let safe = |letter: char| {
        if letter.is_ascii() && !letter.is_ascii_control() {
            letter
        } else {
            ' '
        }
    };
    let text: String = text.chars().map(safe).collect();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
