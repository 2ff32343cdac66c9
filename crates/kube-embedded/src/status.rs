//! Why a request is refused, in the words and codes of Kubernetes: the `Status` object.
//!
//! The words are those of k8s.io/apimachinery/pkg/api/errors; clients and people match on them.

use http::StatusCode;
use serde_json::{Value, json};

use crate::apply::{ApplyError, Conflict};
use crate::cause::{Cause, sentence};
use crate::ledger::Expired;
use crate::patch::PatchError;
use crate::selector::SelectorError;

/// A resource or a kind with its group, as it is named in messages: `plural.group`, `Kind.group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Qualified {
    pub(crate) name: String,
    pub(crate) group: String,
}

impl Qualified {
    /// For what has no kind.
    pub(crate) fn nothing() -> Self {
        Self {
            name: String::new(),
            group: String::new(),
        }
    }
}

impl std::fmt::Display for Qualified {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.group.is_empty() {
            write!(to, "{}", self.name)
        } else {
            write!(to, "{}.{}", self.name, self.group)
        }
    }
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("Unauthorized")]
    Unauthorized,
    #[error("{resource} \"{name}\" is forbidden: {why}")]
    Forbidden {
        resource: Qualified,
        name: String,
        why: String,
    },
    #[error("{0}")]
    BadRequest(String),
    /// No such object.
    #[error("{resource} \"{name}\" not found")]
    NotFound { resource: Qualified, name: String },
    /// No such resource.
    #[error("the server could not find the requested resource")]
    NoSuchResource,
    #[error("the server does not allow this method on the requested resource")]
    MethodNotAllowed,
    #[error("406: Not Acceptable\n\nAvailable representations: {0}")]
    NotAcceptable(&'static str),
    /// The metadata of one object is wanted of a list, or the other way round.
    #[error("{0}")]
    OtherKind(String),
    #[error("{}{resource} \"{name}\" already exists", if *.going { "object is being deleted: " } else { "" })]
    AlreadyExists {
        resource: Qualified,
        name: String,
        going: bool,
    },
    /// A refusal with something for the client's user to read.
    #[error("{failure}")]
    Warned {
        failure: Box<Failure>,
        warnings: Vec<String>,
    },
    #[error("Operation cannot be fulfilled on {resource} \"{name}\": {why}")]
    Conflict {
        resource: Qualified,
        name: String,
        why: String,
    },
    #[error("{}", conflicts_sentence(.0))]
    ApplyConflict(Vec<Conflict>),
    #[error("{0}")]
    Expired(String),
    #[error("Request entity too large: limit is {0}")]
    TooLarge(usize),
    #[error("the body of the request was in an unknown format - accepted media types include: {0}")]
    UnsupportedMediaType(&'static str),
    /// A form of patch that no built-in kind takes.
    #[error("415: Unsupported Media Type")]
    UnsupportedPatch,
    #[error("{kind} \"{name}\" is invalid: {}", sentence(.causes))]
    Invalid {
        kind: Qualified,
        name: String,
        causes: Vec<Cause>,
    },
    /// The patch is well formed and does not fit the object.
    #[error("the server rejected our request due to an error in our request")]
    PatchDoesNotFit(#[source] Box<PatchError>),
    #[error("Timeout: Too large resource version: {asked}, current: {current}")]
    TooLargeResourceVersion { asked: u64, current: u64 },
    /// What Kubernetes has no reason for, and calls 500 although the client is at fault.
    #[error("{0}")]
    Unclassified(String),
    /// Not even a path of the API.
    #[error("404 page not found")]
    NoSuchPath,
    #[error("Internal error occurred: {0}")]
    Internal(String),
}

/// `Apply failed with 2 conflicts: …`, each conflict on its own line if there are several.
fn conflicts_sentence(conflicts: &[Conflict]) -> String {
    ApplyError::Conflict(conflicts.to_vec()).to_string()
}

impl Failure {
    pub(crate) fn code(&self) -> StatusCode {
        match self {
            Failure::Unauthorized => StatusCode::UNAUTHORIZED,
            Failure::Forbidden { .. } => StatusCode::FORBIDDEN,
            Failure::BadRequest(_) => StatusCode::BAD_REQUEST,
            Failure::NotFound { .. } | Failure::NoSuchResource | Failure::NoSuchPath => {
                StatusCode::NOT_FOUND
            }
            Failure::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Failure::NotAcceptable(_) | Failure::OtherKind(_) => StatusCode::NOT_ACCEPTABLE,
            Failure::AlreadyExists { .. }
            | Failure::Conflict { .. }
            | Failure::ApplyConflict(_) => StatusCode::CONFLICT,
            Failure::Expired(_) => StatusCode::GONE,
            Failure::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::UnsupportedMediaType(_) | Failure::UnsupportedPatch => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Failure::Invalid { .. } | Failure::PatchDoesNotFit(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Failure::TooLargeResourceVersion { .. } => StatusCode::GATEWAY_TIMEOUT,
            Failure::Warned { failure, .. } => failure.code(),
            Failure::Unclassified(_) | Failure::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Failure::Unauthorized => "Unauthorized",
            Failure::Forbidden { .. } => "Forbidden",
            Failure::BadRequest(_) => "BadRequest",
            Failure::NotFound { .. } | Failure::NoSuchResource | Failure::NoSuchPath => "NotFound",
            Failure::MethodNotAllowed => "MethodNotAllowed",
            Failure::NotAcceptable(_) | Failure::OtherKind(_) => "NotAcceptable",
            Failure::AlreadyExists { .. } => "AlreadyExists",
            Failure::Conflict { .. } | Failure::ApplyConflict(_) => "Conflict",
            Failure::Expired(_) => "Expired",
            Failure::TooLarge(_) => "RequestEntityTooLarge",
            Failure::UnsupportedMediaType(_) | Failure::UnsupportedPatch => "UnsupportedMediaType",
            Failure::Invalid { .. } | Failure::PatchDoesNotFit(_) => "Invalid",
            Failure::TooLargeResourceVersion { .. } => "Timeout",
            Failure::Warned { failure, .. } => failure.reason(),
            Failure::Unclassified(_) => "",
            Failure::Internal(_) => "InternalError",
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Failure::Forbidden { resource, name, .. }
            | Failure::NotFound { resource, name }
            | Failure::AlreadyExists { resource, name, .. }
            | Failure::Conflict { resource, name, .. } => Some(about(resource, name, None)),
            Failure::Invalid { kind, name, causes } => {
                let causes = causes.iter().map(Cause::to_json).collect();
                Some(about(kind, name, Some(causes)))
            }
            Failure::Warned { failure, .. } => failure.details(),
            Failure::ApplyConflict(conflicts) => {
                let causes: Vec<_> = conflicts.iter().map(Conflict::to_json).collect();
                Some(json!({ "causes": causes }))
            }
            Failure::TooLargeResourceVersion { .. } => Some(json!({
                "causes": [{
                    "reason": "ResourceVersionTooLarge",
                    "message": "Too large resource version",
                }],
                "retryAfterSeconds": 1,
            })),
            Failure::Internal(why) => Some(json!({ "causes": [{ "message": why }] })),
            Failure::NoSuchResource
            | Failure::MethodNotAllowed
            | Failure::NotAcceptable(_)
            | Failure::UnsupportedPatch
            | Failure::PatchDoesNotFit(_) => Some(json!({})),
            Failure::Unauthorized
            | Failure::BadRequest(_)
            | Failure::OtherKind(_)
            | Failure::Expired(_)
            | Failure::TooLarge(_)
            | Failure::UnsupportedMediaType(_)
            | Failure::Unclassified(_)
            | Failure::NoSuchPath => None,
        }
    }

    /// The `Status` object a client gets.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.to_string(),
            "code": self.code().as_u16(),
        });
        if !self.reason().is_empty() {
            status["reason"] = self.reason().into();
        }
        if let Some(details) = self.details() {
            status["details"] = details;
        }
        status
    }

    /// The same, with something for the client's user to read, if there is anything.
    pub(crate) fn warned(self, warnings: Vec<String>) -> Self {
        if warnings.is_empty() {
            return self;
        }
        Self::Warned {
            failure: Box::new(self),
            warnings,
        }
    }

    pub(crate) fn warnings(&self) -> &[String] {
        if let Failure::Warned { warnings, .. } = self {
            warnings
        } else {
            &[]
        }
    }

    /// Options of a request (`CreateOptions`, `ListOptions` …) that cannot be.
    pub(crate) fn options(kind: &str, cause: Cause) -> Self {
        Self::options_with(kind, vec![cause])
    }

    pub(crate) fn options_with(kind: &str, causes: Vec<Cause>) -> Self {
        Self::Invalid {
            kind: Qualified {
                name: kind.to_owned(),
                group: "meta.k8s.io".to_owned(),
            },
            name: String::new(),
            causes,
        }
    }

    /// A selector nobody can follow.
    pub(crate) fn selector(error: &SelectorError) -> Self {
        Self::BadRequest(error.to_string())
    }

    /// A list or watch from too far back.
    pub(crate) fn expired(expired: &Expired) -> Self {
        Self::Expired(expired.to_string())
    }
}

fn about(what: &Qualified, name: &str, causes: Option<Vec<Value>>) -> Value {
    let mut details = serde_json::Map::new();
    let mut say = |key: &str, word: &str| {
        if !word.is_empty() {
            details.insert(key.to_owned(), word.into());
        }
    };
    say("name", name);
    say("group", &what.group);
    say("kind", &what.name);
    if let Some(causes) = causes {
        details.insert("causes".to_owned(), causes.into());
    }
    Value::Object(details)
}
