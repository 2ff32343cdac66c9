//! Sends one request to a provider and says what is known of its fate. It never sends anything twice
//! and has no opinion about what an answer means for the business.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use super::{BoxError, ProviderError};

/// No provider's answer is larger.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// To find somebody who listens.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// When a provider says "slow down" and not for how long.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(30);
/// However long a provider asks us to stay away, we look again after this.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// Why no whole answer came.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The request certainly never reached the provider.
    #[error("no connection to the provider")]
    NotSent(#[source] BoxError),
    /// It may have reached the provider.
    #[error("the connection broke before the whole answer was there")]
    Lost(#[source] BoxError),
    #[error("the provider did not answer in time")]
    TimedOut,
}

/// What a request may take; past either the answer counts as lost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// In all, from the first byte sent to the last received.
    pub timeout: Duration,
    pub body_bytes: usize,
}

impl From<Duration> for Limits {
    /// That time, and room for any provider's answer.
    fn from(timeout: Duration) -> Self {
        Self {
            timeout,
            body_bytes: BODY_BYTES_MAX,
        }
    }
}

/// A client that goes where it is sent and nowhere else: a redirect is an answer like any other, so
/// that nothing is sent twice and no server can point us at another.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
}

/// The way to one provider: over the network, or straight into a simulator in this process.
#[derive(Clone)]
pub struct Transport {
    service: BoxCloneSyncService<Request<Bytes>, Response<Bytes>, TransportError>,
    timeout: Duration,
}

impl Transport {
    /// Over any service that answers whole bodies; `timeout` bounds each request in all.
    pub fn new<S>(service: S, timeout: Duration) -> Self
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>, Error = TransportError>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        Self {
            service: BoxCloneSyncService::new(service),
            timeout,
        }
    }

    /// Into a router in this process, without a socket. A body that breaks is a lost answer.
    pub fn in_process(router: axum::Router, limits: impl Into<Limits>) -> Self {
        let limits = limits.into();
        let service = tower::service_fn(move |request: Request<Bytes>| {
            let router = router.clone();
            async move {
                let answer = router
                    .oneshot(request.map(Full::new))
                    .await
                    .unwrap_or_else(|never| match never {});
                let (head, body) = answer.into_parts();
                let whole = Limited::new(body, limits.body_bytes)
                    .collect()
                    .await
                    .map_err(TransportError::Lost)?;
                Ok(Response::from_parts(head, whole.to_bytes()))
            }
        });
        Self::new(service, limits.timeout)
    }

    /// Over the network.
    pub fn over_http(client: reqwest::Client, limits: impl Into<Limits>) -> Self {
        let limits = limits.into();
        let service = tower::service_fn(move |request: Request<Bytes>| {
            let client = client.clone();
            async move { fetch(&client, request, limits.body_bytes).await }
        });
        Self::new(service, limits.timeout)
    }

    /// Sends once. A complete answer with any status is `Ok`; what it means is for [`judge`].
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let answer = self.service.clone().oneshot(request);
        tokio::time::timeout(self.timeout, answer)
            .await
            .unwrap_or(Err(TransportError::TimedOut))
    }
}

async fn fetch(
    client: &reqwest::Client,
    request: Request<Bytes>,
    body_bytes: usize,
) -> Result<Response<Bytes>, TransportError> {
    let request = reqwest::Request::try_from(request)
        .map_err(|error| TransportError::NotSent(Box::new(error)))?;
    let answer = client.execute(request).await.map_err(|error| {
        let error = error.without_url();
        if error.is_connect() || error.is_builder() {
            TransportError::NotSent(Box::new(error))
        } else {
            TransportError::Lost(Box::new(error))
        }
    })?;
    let (head, body) = Response::from(answer).into_parts();
    let whole = Limited::new(body, body_bytes)
        .collect()
        .await
        .map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(too_long) => TransportError::Lost(too_long),
            Err(error) => TransportError::Lost(error),
        })?;
    Ok(Response::from_parts(head, whole.to_bytes()))
}

/// What a request does if it takes effect, and so what a lost answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It reads: losing the answer loses nothing.
    None,
    /// It may have changed something: never send it again, observe first.
    Change,
}

/// Sorts what came back by remedy. `Ok` is an answer to read: 2xx, or a refusal whose code the adapter
/// knows. A lost answer to a change is [`ProviderError::Unknown`].
pub fn judge(
    effect: Effect,
    answer: Result<Response<Bytes>, TransportError>,
) -> Result<Response<Bytes>, ProviderError> {
    let answer = answer.map_err(|error| match (effect, &error) {
        (Effect::None, _) | (Effect::Change, TransportError::NotSent(_)) => {
            ProviderError::Unreachable(Box::new(error))
        }
        (Effect::Change, TransportError::Lost(_) | TransportError::TimedOut) => {
            ProviderError::Unknown(Box::new(error))
        }
    })?;
    match answer.status() {
        StatusCode::TOO_MANY_REQUESTS => Err(ProviderError::Throttled {
            retry_after: retry_after(&answer),
        }),
        status if status.is_server_error() => Err(match effect {
            Effect::None => ProviderError::Unreachable(Box::new(ServerFailed(status))),
            // 5xx after a commit looks the same as before it.
            Effect::Change => ProviderError::Unknown(Box::new(ServerFailed(status))),
        }),
        _ => Ok(answer),
    }
}

/// Reads a 2xx body. One that cannot be read is a lost answer: the change may have happened.
pub fn read<T: serde::de::DeserializeOwned>(
    effect: Effect,
    body: &Bytes,
) -> Result<T, ProviderError> {
    serde_json::from_slice(body).map_err(|error| {
        let error = Box::new(Unreadable(error));
        match effect {
            Effect::None => ProviderError::Unreachable(error),
            Effect::Change => ProviderError::Unknown(error),
        }
    })
}

#[derive(Debug, thiserror::Error)]
#[error("the provider failed with {0}")]
struct ServerFailed(StatusCode);

#[derive(Debug, thiserror::Error)]
#[error("the provider's answer cannot be read")]
struct Unreadable(#[source] serde_json::Error);

/// `Retry-After` in seconds, held within reason; the date form is not used by our providers.
pub(super) fn retry_after(answer: &Response<Bytes>) -> Duration {
    answer
        .headers()
        .get(http::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map_or(RETRY_AFTER_DEFAULT, Duration::from_secs)
        .clamp(Duration::from_secs(1), RETRY_AFTER_MAX)
}

#[cfg(test)]
mod tests;
