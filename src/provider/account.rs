//! One account at a provider: its address, token, budget and the way to it. Sends one request in its
//! turn and counts it. What the answer means for the business is for the adapter.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::budget::{Budget, Law};
use super::calls::{Call, CallOutcome, Calls, Provider};
use super::transport::{self, Effect, Transport};
use super::{Priority, ProviderError};

/// The text of a refusal is kept up to here.
const MESSAGE_CHARS_MAX: usize = 300;

/// How one vendor says what all of them say somehow.
pub(super) struct Dialect {
    pub provider: Provider,
    /// Reads a refusal the vendor means: it understood and did nothing. None for anything else.
    pub refusal: fn(&Response<Bytes>) -> Option<ProviderError>,
    /// What the headers say is left of the budget.
    pub remaining: fn(&HeaderMap) -> Option<u32>,
    /// For how long the vendor refuses everything once it says "slow down" without a time.
    pub block: Duration,
}

/// One request: who waits for it, what it asks, and under which name it is counted.
pub(super) struct Ask {
    pub priority: Priority,
    pub method: Method,
    /// As it is counted: `GET /servers/{id}`.
    pub endpoint: &'static str,
    /// Path and query below the account's address.
    pub path: String,
    pub body: Option<serde_json::Value>,
}

impl Ask {
    pub(super) fn get(priority: Priority, endpoint: &'static str, path: String) -> Self {
        Self {
            priority,
            method: Method::GET,
            endpoint,
            path,
            body: None,
        }
    }
}

/// Why an account cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[error("the token for {0} holds characters no header may have")]
pub struct TokenError(pub String);

pub(super) struct Account {
    dialect: Dialect,
    base: String,
    authorization: HeaderValue,
    budget: Budget,
    transport: Transport,
    calls: Arc<Calls>,
}

impl Account {
    pub(super) fn new(
        dialect: Dialect,
        base: &Url,
        token: &SecretString,
        law: Law,
        transport: Transport,
        calls: Arc<Calls>,
    ) -> Result<Self, TokenError> {
        let bearer = zeroize::Zeroizing::new(format!("Bearer {}", token.expose_secret()));
        let mut authorization =
            HeaderValue::from_str(&bearer).map_err(|_| TokenError(base.to_string()))?;
        authorization.set_sensitive(true);
        Ok(Self {
            dialect,
            base: base.as_str().trim_end_matches('/').to_owned(),
            authorization,
            budget: Budget::new(law),
            transport,
            calls,
        })
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Sends once and reads the answer; an empty body reads as `null`.
    pub(super) async fn ask<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, ProviderError> {
        let endpoint = ask.endpoint;
        let (outcome, result) = if let Err(throttled) = self.budget.take(ask.priority) {
            (CallOutcome::Held, Err(throttled))
        } else {
            let result = self.send(ask).await;
            (CallOutcome::of(&result), result)
        };
        self.calls.count(Call {
            provider: self.dialect.provider,
            endpoint,
            outcome,
        });
        result
    }

    async fn send<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, ProviderError> {
        let effect = if ask.method == Method::GET {
            Effect::None
        } else {
            Effect::Change
        };
        let answer = self.transport.send(self.request(ask)?).await;
        if let Ok(answer) = &answer {
            self.learn(answer)?;
            if let Some(refused) = (self.dialect.refusal)(answer) {
                return Err(refused);
            }
        }
        let body = transport::judge(effect, answer)?.into_body();
        let body = if body.is_empty() {
            Bytes::from_static(b"null")
        } else {
            body
        };
        transport::read(effect, &body)
    }

    fn request(&self, ask: Ask) -> Result<Request<Bytes>, ProviderError> {
        let builder = Request::builder()
            .method(ask.method)
            .uri(format!("{}{}", self.base, ask.path))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("clawdet/", env!("CARGO_PKG_VERSION")));
        let request = match ask.body {
            Some(body) => builder
                .header(CONTENT_TYPE, "application/json")
                .body(Bytes::from(body.to_string())),
            None => builder.body(Bytes::new()),
        };
        request.map_err(|error| ProviderError::Unreachable(Box::new(error)))
    }

    /// Keeps the budget in step with what the provider says of it.
    fn learn(&self, answer: &Response<Bytes>) -> Result<(), ProviderError> {
        if let Some(remaining) = (self.dialect.remaining)(answer.headers()) {
            self.budget.learn_remaining(remaining);
        }
        if answer.status() != StatusCode::TOO_MANY_REQUESTS {
            return Ok(());
        }
        let retry_after = if answer.headers().contains_key(RETRY_AFTER) {
            transport::retry_after(answer)
        } else {
            self.dialect.block
        };
        self.budget.learn_refused(retry_after);
        Err(ProviderError::Throttled { retry_after })
    }
}

/// A provider's words for a log or a condition: one line, of bounded length.
pub(super) fn one_line(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(MESSAGE_CHARS_MAX).map(clean).collect()
}
