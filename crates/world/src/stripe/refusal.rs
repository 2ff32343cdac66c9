//! Why Stripe says no: its errors with their status, type and code. It does not decide when.
//!
//! Source: Stripe's API reference, "Errors" and "Error codes".

use http::StatusCode;
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Invalid API Key provided")]
    Unauthorized,
    #[error("Missing required param: {0}.")]
    Missing(String),
    #[error("Received unknown parameter (or one that is not simulated): {0}")]
    Unknown(String),
    #[error("{message}: {param}")]
    Param { param: String, message: String },
    #[error("No such {what}: '{id}'")]
    NoSuch {
        what: &'static str,
        id: String,
        /// Whether the id was in the path (404) or in a parameter (400).
        param: Option<&'static str>,
    },
    #[error("{0}")]
    State(String),
    #[error(
        "Keys for idempotent requests can only be used with the same parameters they were first used with."
    )]
    KeyReused,
    #[error("The API version {0} is not simulated; this is {1}.")]
    Version(String, &'static str),
    #[error("Charge {0} has already been refunded.")]
    AlreadyRefunded(String),
    #[error("Your card was declined.")]
    Declined { code: &'static str },
    #[error("Unrecognized request URL ({0}).")]
    NoRoute(String),
}

impl Refusal {
    pub(crate) fn param(param: &str, message: &str) -> Self {
        Self::Param {
            param: param.to_owned(),
            message: message.to_owned(),
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NoSuch { param: None, .. } | Self::NoRoute(_) => StatusCode::NOT_FOUND,
            Self::Declined { .. } => StatusCode::PAYMENT_REQUIRED,
            Self::Missing(_)
            | Self::Unknown(_)
            | Self::Param { .. }
            | Self::NoSuch { param: Some(_), .. }
            | Self::State(_)
            | Self::KeyReused
            | Self::Version(..)
            | Self::AlreadyRefunded(_) => StatusCode::BAD_REQUEST,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::KeyReused => "idempotency_error",
            Self::Declined { .. } => "card_error",
            Self::Unauthorized
            | Self::Missing(_)
            | Self::Unknown(_)
            | Self::Param { .. }
            | Self::NoSuch { .. }
            | Self::State(_)
            | Self::Version(..)
            | Self::AlreadyRefunded(_)
            | Self::NoRoute(_) => "invalid_request_error",
        }
    }

    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) => Some("parameter_missing"),
            Self::Unknown(_) => Some("parameter_unknown"),
            Self::NoSuch { .. } => Some("resource_missing"),
            Self::AlreadyRefunded(_) => Some("charge_already_refunded"),
            Self::Declined { .. } => Some("card_declined"),
            Self::Unauthorized
            | Self::Param { .. }
            | Self::State(_)
            | Self::KeyReused
            | Self::Version(..)
            | Self::NoRoute(_) => None,
        }
    }

    fn named_param(&self) -> Option<&str> {
        match self {
            Self::Missing(param) | Self::Unknown(param) | Self::Param { param, .. } => Some(param),
            Self::NoSuch { param, .. } => Some(param.unwrap_or("id")),
            Self::Unauthorized
            | Self::State(_)
            | Self::KeyReused
            | Self::Version(..)
            | Self::AlreadyRefunded(_)
            | Self::Declined { .. }
            | Self::NoRoute(_) => None,
        }
    }

    pub(crate) fn body(&self) -> Value {
        let mut error = json!({ "type": self.kind(), "message": self.to_string() });
        if let Some(code) = self.code() {
            error["code"] = json!(code);
            error["doc_url"] = json!(format!(
                "https://stripe.com/docs/error-codes/{}",
                code.replace('_', "-")
            ));
        }
        if let Some(param) = self.named_param() {
            error["param"] = json!(param);
        }
        if let Self::Declined { code } = self {
            error["decline_code"] = json!(code);
        }
        json!({ "error": error })
    }
}
