//! What went wrong for the person at the browser: what to do, never what broke inside.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// Why a page could not be shown. The cause is logged with the request id that the page shows.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    #[error("there is no such page")]
    NotFound,
    #[error("the site has just started and has not read its plans yet")]
    Starting,
    #[error("the cluster could not be asked")]
    Cluster(#[source] kube::Error),
    #[error("the payment provider could not be asked")]
    Billing(#[source] crate::provider::ProviderError),
    #[error("a page could not be made")]
    Page(#[source] askama::Error),
    #[error("the metrics could not be written")]
    Metrics(#[source] prometheus::Error),
    #[error("the machine gave no randomness")]
    Randomness(#[source] getrandom::Error),
}

impl WebError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Starting | Self::Cluster(_) | Self::Billing(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Page(_) | Self::Metrics(_) | Self::Randomness(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

/// The frame makes the page, since it knows the request id.
impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// The page for a status: what happened, and what to do.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) advice: &'static str,
}

pub(super) fn words(status: StatusCode) -> Words {
    let (title, advice) = match status {
        StatusCode::NOT_FOUND => (
            "This page does not exist",
            "Check the address, or start again from the first page.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "This address does not take that kind of request",
            "Start again from the first page.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "That was more than we can take",
            "Go back, shorten what you entered and send it again.",
        ),
        StatusCode::FORBIDDEN => (
            "This form was sent from another site",
            "Open the form on our own page and send it from there.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            "We cannot do this right now",
            "Nothing was charged by this. Wait a minute and try again.",
        ),
        status if status.is_client_error() => (
            "We could not read what was sent",
            "Go back and fill in the form again.",
        ),
        _ => (
            "Something broke on our side",
            "Try again. If it stays like this, write to us and name the request below.",
        ),
    };
    Words { title, advice }
}
