//! How Hetzner says no: the error codes it documents, each with its HTTP status. Clients must go by the code; where the
//! description gives no status for a code, the one here is what has been seen, or the nearest in meaning.

use http::StatusCode;
use serde_json::{Value, json};

use crate::call::{self, Answer};

/// A refused request. Nothing has changed.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) details: Value,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code,
            message: message.into(),
            details: Value::Null,
        }
    }

    /// A field that does not hold what it must.
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Refusal {
        let message = message.into();
        let details = json!({ "fields": [{ "name": field, "messages": [message.clone()] }] });
        let said = format!("invalid input in field '{field}': {message}");
        Refusal {
            details,
            ..Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_input", said)
        }
    }

    /// A body that is no JSON, or JSON of the wrong shape.
    pub(crate) fn unreadable(error: &serde_json::Error) -> Refusal {
        match error.classify() {
            serde_json::error::Category::Data => Refusal::invalid("body", error.to_string()),
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => Refusal::new(
                StatusCode::BAD_REQUEST,
                "json_error",
                "invalid JSON in the request",
            ),
        }
    }

    pub(crate) fn unauthorized() -> Refusal {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "unable to authenticate",
        )
    }

    pub(crate) fn read_only() -> Refusal {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            "token_readonly",
            "the token is only allowed to perform GET requests",
        )
    }

    /// One of the codes that nothing a caller does here leads to.
    pub(crate) fn drawn(drawn: u64) -> Refusal {
        const ALL: [(StatusCode, &str); 9] = [
            (StatusCode::FORBIDDEN, "forbidden"),
            (StatusCode::CONFLICT, "conflict"),
            (StatusCode::LOCKED, "resource_locked"),
            (StatusCode::UNPROCESSABLE_ENTITY, "unsupported_error"),
            (StatusCode::INTERNAL_SERVER_ERROR, "unknown_error"),
            (StatusCode::BAD_GATEWAY, "bad_gateway"),
            (StatusCode::FORBIDDEN, "maintenance"),
            (StatusCode::UNPROCESSABLE_ENTITY, "service_error"),
            (StatusCode::GATEWAY_TIMEOUT, "timeout"),
        ];
        let at = usize::try_from(drawn % ALL.len() as u64).unwrap_or(0);
        let (status, code) = ALL[at];
        Refusal::new(status, code, "try again later")
    }

    pub(crate) fn throttled(limit: i64, token_start: &str) -> Refusal {
        let message =
            format!("Limit of '{limit}' requests per hour for token '{token_start}…' reached.");
        Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limit_exceeded",
            message,
        )
    }

    pub(crate) fn not_found(what: &str) -> Refusal {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("{what} not found"),
        )
    }

    pub(crate) fn no_route() -> Refusal {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "the requested path does not exist",
        )
    }

    pub(crate) fn taken(what: &str, field: &str) -> Refusal {
        let details = json!({ "fields": [{ "name": field }] });
        let message = format!("{what} {field} is already used");
        Refusal {
            details,
            ..Refusal::new(StatusCode::CONFLICT, "uniqueness_error", message)
        }
    }

    pub(crate) fn limit(name: &str, message: &str) -> Refusal {
        let details = json!({ "limits": [{ "name": name }] });
        Refusal {
            details,
            ..Refusal::new(StatusCode::FORBIDDEN, "resource_limit_exceeded", message)
        }
    }

    /// 412, as seen when a location has no room.
    pub(crate) fn no_capacity() -> Refusal {
        Refusal::new(
            StatusCode::PRECONDITION_FAILED,
            "resource_unavailable",
            "error during placement",
        )
    }

    pub(crate) fn locked(what: &str) -> Refusal {
        Refusal::new(StatusCode::LOCKED, "locked", format!("{what} is locked"))
    }

    pub(crate) fn protected(what: &str) -> Refusal {
        Refusal::new(
            StatusCode::LOCKED,
            "protected",
            format!("{what} is protected"),
        )
    }

    pub(crate) fn gone(what: &str) -> Refusal {
        Refusal::new(
            StatusCode::GONE,
            "deprecated_api_endpoint",
            format!("{what} is no longer there"),
        )
    }

    /// What a new firewall is refused for with 422 is a 404 when an old one is applied or removed.
    pub(crate) fn of_a_path(self) -> Refusal {
        match self.code {
            "firewall_resource_not_found" => Refusal {
                status: StatusCode::NOT_FOUND,
                ..self
            },
            _ => self,
        }
    }

    /// A rule of one operation, with the code it documents (422).
    pub(crate) fn rule(code: &'static str, message: &str) -> Refusal {
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    pub(crate) fn answer(&self) -> Answer {
        let error = json!({ "code": self.code, "message": self.message, "details": self.details });
        call::json(self.status, &json!({ "error": error }))
    }
}
