//! Why Stripe says no: its errors with their status, type, code and words. It does not decide when.
//!
//! Source: Stripe's API reference, "Errors" and "Error codes"; the messages are what its API answers.

use http::StatusCode;
use serde_json::{Value, json};

use super::card::Decline;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "You did not provide an API key. You need to provide your API key in the Authorization header, \
         using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
    )]
    NoKey,
    /// With the key as it may be shown.
    #[error("Invalid API Key provided: {0}")]
    WrongKey(String),
    #[error(
        "This API call cannot be made with a publishable API key. Please use a secret API key."
    )]
    PublishableKey,
    #[error("Missing required param: {0}.")]
    Missing(String),
    #[error("Received unknown parameter: {0}")]
    Unknown(String),
    #[error(
        "You passed an empty string for '{0}'. We assume empty values are an attempt to unset a parameter; \
         however '{0}' cannot be unset. You should remove '{0}' from your request or supply a non-empty value."
    )]
    Empty(String),
    #[error("{message}")]
    Integer { param: String, message: String },
    #[error("{message}")]
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
    /// As `State`, with one of Stripe's error codes.
    #[error("{message}")]
    Coded { code: &'static str, message: String },
    #[error("Not a valid URL")]
    UrlInvalid(String),
    /// As `Param`, with one of Stripe's error codes.
    #[error("{message}")]
    CodedParam {
        code: &'static str,
        param: &'static str,
        message: String,
    },
    #[error(
        "Keys for idempotent requests can only be used with the same parameters they were first used with. \
         Try using a key other than '{0}' if you meant to execute a different request."
    )]
    KeyReused(String),
    #[error(
        "Keys for idempotent requests can only be used for the same endpoint they were first used for \
         ('{here}' vs '{first}'). Try using a key other than '{key}' if you meant to execute a different request."
    )]
    KeyElsewhere {
        key: String,
        here: String,
        first: String,
    },
    #[error(
        "There is currently another in-progress request using this Idempotent Key (that probably means you \
         submitted twice, and the other request is still going through): {0}. Please try again later."
    )]
    KeyInUse(String),
    #[error("The API version {0} is not simulated; this is {1}.")]
    Version(String, &'static str),
    #[error("Invalid Stripe API version: {0}")]
    NoVersion(String),
    #[error(
        "This object cannot be accessed right now because another API request or Stripe process is currently \
         accessing it. If you see this error intermittently, retry the request."
    )]
    Locked,
    #[error("Test clock advancement underway - cannot perform modifications.")]
    ClockAdvances,
    #[error("An unknown error occurred")]
    Failed,
    #[error("Charge {0} has already been refunded.")]
    AlreadyRefunded(String),
    #[error("{}", decline.message())]
    Declined {
        decline: Decline,
        /// The payment that was declined.
        payment: Option<Box<Value>>,
    },
    #[error(
        "Unrecognized request URL ({0}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
    )]
    NoRoute(String),
}

impl Refusal {
    pub(crate) fn param(param: &str, message: impl Into<String>) -> Self {
        Self::Param {
            param: param.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn integer(param: &str, message: impl Into<String>) -> Self {
        Self::Integer {
            param: param.to_owned(),
            message: message.into(),
        }
    }

    /// A word that is none of those a parameter can have.
    pub(crate) fn choice(param: &str, choices: &[&str]) -> Self {
        let choices = match choices {
            [] => String::new(),
            [one] => (*one).to_owned(),
            [one, other] => format!("{one} or {other}"),
            [most @ .., last] => format!("one of {}, or {last}", most.join(", ")),
        };
        Self::param(param, format!("Invalid {param}: must be {choices}"))
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoKey | Self::WrongKey(_) => StatusCode::UNAUTHORIZED,
            Self::PublishableKey => StatusCode::FORBIDDEN,
            Self::NoSuch { param: None, .. } | Self::NoRoute(_) => StatusCode::NOT_FOUND,
            Self::Declined { .. } => StatusCode::PAYMENT_REQUIRED,
            Self::KeyInUse(_) => StatusCode::CONFLICT,
            Self::Locked | Self::ClockAdvances => StatusCode::TOO_MANY_REQUESTS,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Missing(_)
            | Self::Unknown(_)
            | Self::Empty(_)
            | Self::Integer { .. }
            | Self::Param { .. }
            | Self::NoSuch { param: Some(_), .. }
            | Self::State(_)
            | Self::Coded { .. }
            | Self::UrlInvalid(_)
            | Self::CodedParam { .. }
            | Self::KeyReused(_)
            | Self::KeyElsewhere { .. }
            | Self::Version(..)
            | Self::NoVersion(_)
            | Self::AlreadyRefunded(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether the request got far enough for its idempotency key to remember the answer. Parameters that do not pass
    /// the first check leave no trace, and neither does a conflict.
    pub(crate) fn is_remembered(&self) -> bool {
        match self {
            Self::NoSuch { .. }
            | Self::State(_)
            | Self::Coded { .. }
            | Self::Failed
            | Self::AlreadyRefunded(_)
            | Self::Declined { .. } => true,
            Self::NoKey
            | Self::WrongKey(_)
            | Self::PublishableKey
            | Self::Missing(_)
            | Self::Unknown(_)
            | Self::Empty(_)
            | Self::Integer { .. }
            | Self::Param { .. }
            | Self::UrlInvalid(_)
            | Self::CodedParam { .. }
            | Self::KeyReused(_)
            | Self::KeyElsewhere { .. }
            | Self::KeyInUse(_)
            | Self::Version(..)
            | Self::NoVersion(_)
            | Self::Locked
            | Self::ClockAdvances
            | Self::NoRoute(_) => false,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::KeyReused(_) | Self::KeyElsewhere { .. } | Self::KeyInUse(_) => {
                "idempotency_error"
            }
            Self::Declined { .. } => "card_error",
            Self::Failed => "api_error",
            Self::NoKey
            | Self::WrongKey(_)
            | Self::PublishableKey
            | Self::Missing(_)
            | Self::Unknown(_)
            | Self::Empty(_)
            | Self::Integer { .. }
            | Self::Param { .. }
            | Self::NoSuch { .. }
            | Self::State(_)
            | Self::Coded { .. }
            | Self::UrlInvalid(_)
            | Self::CodedParam { .. }
            | Self::Version(..)
            | Self::NoVersion(_)
            | Self::Locked
            | Self::ClockAdvances
            | Self::AlreadyRefunded(_)
            | Self::NoRoute(_) => "invalid_request_error",
        }
    }

    fn code(&self) -> Option<&'static str> {
        match self {
            Self::PublishableKey => Some("secret_key_required"),
            Self::UrlInvalid(_) => Some("url_invalid"),
            Self::Missing(_) => Some("parameter_missing"),
            Self::Unknown(_) => Some("parameter_unknown"),
            Self::Empty(_) => Some("parameter_invalid_empty"),
            Self::Integer { .. } => Some("parameter_invalid_integer"),
            Self::NoSuch { .. } => Some("resource_missing"),
            Self::KeyInUse(_) => Some("idempotency_key_in_use"),
            Self::Locked => Some("lock_timeout"),
            Self::ClockAdvances => Some("rate_limit"),
            Self::AlreadyRefunded(_) => Some("charge_already_refunded"),
            Self::Declined { decline, .. } => Some(decline.error_code()),
            Self::Coded { code, .. } | Self::CodedParam { code, .. } => Some(code),
            Self::NoKey
            | Self::WrongKey(_)
            | Self::Param { .. }
            | Self::State(_)
            | Self::KeyReused(_)
            | Self::KeyElsewhere { .. }
            | Self::Version(..)
            | Self::NoVersion(_)
            | Self::Failed
            | Self::NoRoute(_) => None,
        }
    }

    fn named_param(&self) -> Option<&str> {
        match self {
            Self::Missing(param)
            | Self::UrlInvalid(param)
            | Self::Unknown(param)
            | Self::Empty(param)
            | Self::Integer { param, .. }
            | Self::Param { param, .. } => Some(param),
            Self::CodedParam { param, .. } => Some(param),
            Self::NoSuch { param, .. } => Some(param.unwrap_or("id")),
            Self::NoKey
            | Self::WrongKey(_)
            | Self::PublishableKey
            | Self::State(_)
            | Self::Coded { .. }
            | Self::KeyReused(_)
            | Self::KeyElsewhere { .. }
            | Self::KeyInUse(_)
            | Self::Version(..)
            | Self::NoVersion(_)
            | Self::Locked
            | Self::ClockAdvances
            | Self::Failed
            | Self::AlreadyRefunded(_)
            | Self::Declined { .. }
            | Self::NoRoute(_) => None,
        }
    }

    /// The body of the answer to the request of this id.
    pub(crate) fn body(&self, request: &str) -> Value {
        let mut error = json!({
            "type": self.kind(),
            "message": self.to_string(),
            "request_log_url": format!("https://dashboard.stripe.com/test/logs/{request}"),
        });
        if let Some(code) = self.code() {
            error["code"] = json!(code);
            error["doc_url"] = json!(doc_url(code));
        }
        if let Some(param) = self.named_param() {
            error["param"] = json!(param);
        }
        if let Self::Declined { decline, payment } = self {
            error["decline_code"] = json!(decline.code());
            if let Some(payment) = payment {
                error["charge"] = payment["latest_charge"].clone();
                error["payment_intent"] = (**payment).clone();
            }
        }
        json!({ "error": error })
    }
}

pub(crate) fn doc_url(code: &str) -> String {
    format!(
        "https://stripe.com/docs/error-codes/{}",
        code.replace('_', "-")
    )
}
