//! Stripe over HTTP: what we ask of it, page by page, and what its refusals mean. It decides nothing;
//! the shapes of its answers are in `wire`, the check of its webhooks in [`signature`].
//!
//! Sources: <https://docs.stripe.com/api>, <https://docs.stripe.com/api/errors>,
//! <https://docs.stripe.com/api/pagination>, <https://docs.stripe.com/api/idempotent_requests>.

pub mod signature;
mod wire;

use std::collections::BTreeSet;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::transport::{Effect, Transport, judge, read};
use super::{
    Billing, BillingEvent, BoxError, CheckoutOrder, CheckoutSession, Invoice, ProviderError,
    Refusal, SellingPrice, Subscription, WebhookError,
};

/// The version our shapes were written for; without it an account's own default would apply.
const API_VERSION: &str = "2026-10-28.endive";
/// The most Stripe gives in one page.
const PAGE_SIZE: &str = "100";
const PAGES_MAX: usize = 1000;
/// Longer than any id Stripe makes.
const ID_LENGTH_MAX: usize = 255;
/// What we keep of a refusal's text.
const MESSAGE_LENGTH_MAX: usize = 300;

/// The account, and how to reach it. No `Debug`: it holds keys.
pub struct Stripe {
    transport: Transport,
    /// Such as `https://api.stripe.com`, without a final slash.
    base_url: String,
    authorization: HeaderValue,
    webhook_secrets: Vec<SecretString>,
}

/// Why an account's settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    #[error("the secret key has a character that cannot be sent in a header")]
    Key(#[source] header::InvalidHeaderValue),
}

impl Stripe {
    /// `webhook_secrets` are all that may have signed: two while one is rolled.
    pub fn new(
        transport: Transport,
        base_url: &str,
        secret_key: &SecretString,
        webhook_secrets: Vec<SecretString>,
    ) -> Result<Self, StripeError> {
        let bearer = format!("Bearer {}", secret_key.expose_secret());
        let mut authorization = HeaderValue::from_str(&bearer).map_err(StripeError::Key)?;
        authorization.set_sensitive(true);
        Ok(Self {
            transport,
            base_url: base_url.trim_end_matches('/').to_owned(),
            authorization,
            webhook_secrets,
        })
    }

    fn request(
        &self,
        method: Method,
        path_and_query: &str,
        idempotency_key: Option<&str>,
        body: String,
    ) -> Result<Request<Bytes>, ProviderError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path_and_query}", self.base_url))
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header("stripe-version", API_VERSION);
        if let Some(key) = idempotency_key {
            request = request
                .header("idempotency-key", key)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        request
            .body(Bytes::from(body))
            .map_err(|error| ProviderError::Unreachable(Box::new(error)))
    }

    async fn get(&self, path_and_query: &str) -> Result<Response<Bytes>, ProviderError> {
        let request = self.request(Method::GET, path_and_query, None, String::new())?;
        judge(Effect::None, self.transport.send(request).await)
    }

    /// One object by id; None when Stripe does not know it.
    async fn fetch<T: DeserializeOwned>(
        &self,
        path: &str,
        id: &str,
    ) -> Result<Option<T>, ProviderError> {
        if !is_id(id) {
            return Ok(None);
        }
        let answer = self.get(&format!("{path}/{id}")).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => read(Effect::None, answer.body()).map(Some),
            status => Err(refusal(status, answer.body())),
        }
    }

    /// Every item of a list, newest first as Stripe gives them. Items that arrive while we read come
    /// before the first page and so shift nothing.
    async fn list(
        &self,
        path: &str,
        filter: &str,
    ) -> Result<Vec<serde_json::Value>, ProviderError> {
        let mut items = Vec::new();
        let mut seen = BTreeSet::new();
        let mut after = String::new();
        for _ in 0..PAGES_MAX {
            let query = format!("{path}?limit={PAGE_SIZE}{filter}{after}");
            let answer = self.get(&query).await?;
            if !answer.status().is_success() {
                return Err(refusal(answer.status(), answer.body()));
            }
            let page: wire::Page = read(Effect::None, answer.body())?;
            for item in &page.data {
                let id = wire::id_of(item).ok_or_else(|| incomplete("an item has no id"))?;
                if !seen.insert(id.to_owned()) {
                    return Err(incomplete("an item came twice"));
                }
                after = format!("&starting_after={id}");
            }
            let is_empty = page.data.is_empty();
            items.extend(page.data);
            if !page.has_more {
                return Ok(items);
            }
            if is_empty {
                return Err(incomplete("an empty page says there is more"));
            }
        }
        Err(incomplete("the list has too many pages"))
    }
}

#[async_trait]
impl Billing for Stripe {
    fn open_webhook(
        &self,
        raw_body: &[u8],
        signature: &str,
        now: Timestamp,
    ) -> Result<BillingEvent, WebhookError> {
        signature::verify(raw_body, signature, &self.webhook_secrets, now)
            .map_err(|error| WebhookError::Signature(Box::new(error)))?;
        let event: wire::Event = serde_json::from_slice(raw_body)
            .map_err(|error| WebhookError::Unreadable(Box::new(error)))?;
        event
            .into_event()
            .ok_or_else(|| WebhookError::Unreadable("an id is missing or too long".into()))
    }

    async fn start_checkout(&self, order: &CheckoutOrder) -> Result<String, ProviderError> {
        let body = wire::checkout_form(order)
            .map_err(|error| ProviderError::Unreachable(Box::new(error)))?;
        let key = Some(order.idempotency_key.as_str());
        let request = self.request(Method::POST, "/v1/checkout/sessions", key, body)?;
        let answer = judge(Effect::Change, self.transport.send(request).await)?;
        if !answer.status().is_success() {
            return Err(refusal(answer.status(), answer.body()));
        }
        let session: wire::StartedSession = read(Effect::Change, answer.body())?;
        Ok(session.url)
    }

    async fn price(&self, id: &str) -> Result<Option<SellingPrice>, ProviderError> {
        let price = self.fetch::<wire::Price>("/v1/prices", id);
        Ok(price.await?.map(Into::into))
    }

    async fn session(&self, id: &str) -> Result<Option<CheckoutSession>, ProviderError> {
        let session = self.fetch::<wire::Session>("/v1/checkout/sessions", id);
        Ok(session.await?.map(Into::into))
    }

    async fn subscription(&self, id: &str) -> Result<Option<Subscription>, ProviderError> {
        let subscription = self.fetch::<wire::Subscription>("/v1/subscriptions", id);
        Ok(subscription.await?.map(Into::into))
    }

    async fn invoice(&self, id: &str) -> Result<Option<Invoice>, ProviderError> {
        let invoice = self.fetch::<wire::Invoice>("/v1/invoices", id);
        Ok(invoice.await?.map(Into::into))
    }

    /// An item we cannot read is left out and logged: a list of subscriptions only ever adds.
    async fn subscriptions(&self) -> Result<Vec<Subscription>, ProviderError> {
        let items = self.list("/v1/subscriptions", "&status=all").await?;
        Ok(items
            .into_iter()
            .filter_map(wire::parse::<wire::Subscription>)
            .map(Into::into)
            .collect())
    }

    /// An item we cannot read is left out and logged: a list of events only ever adds.
    async fn events_since(
        &self,
        since: Timestamp,
        kinds: &[&str],
    ) -> Result<Vec<BillingEvent>, ProviderError> {
        let filter = events_filter(since, kinds);
        let items = self.list("/v1/events", &filter).await?;
        Ok(items
            .into_iter()
            .rev()
            .filter_map(wire::parse::<wire::Event>)
            .filter_map(wire::Event::into_event)
            .collect())
    }
}

/// Whether the text can be one of Stripe's ids, and so may stand in a path.
fn is_id(text: &str) -> bool {
    (1..=ID_LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn events_filter(since: Timestamp, kinds: &[&str]) -> String {
    let mut filter = url::form_urlencoded::Serializer::for_suffix(String::from("&"), 1);
    filter.append_pair("created[gte]", &since.as_second().to_string());
    for kind in kinds {
        filter.append_pair("types[]", kind);
    }
    filter.finish()
}

fn incomplete(why: &'static str) -> ProviderError {
    ProviderError::Unreachable(BoxError::from(why))
}

/// A complete answer that says no, sorted by remedy.
fn refusal(status: StatusCode, body: &Bytes) -> ProviderError {
    let why = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refusal::Denied,
        StatusCode::NOT_FOUND => Refusal::NotFound,
        // The same idempotency key is under way in another request.
        StatusCode::CONFLICT => Refusal::Busy,
        _ => Refusal::Invalid,
    };
    let message = serde_json::from_slice::<wire::Failure>(body)
        .map_or_else(|_| format!("answered {status}"), wire::Failure::message);
    ProviderError::Refused {
        why,
        message: message.chars().take(MESSAGE_LENGTH_MAX).collect(),
    }
}

#[cfg(test)]
mod tests;
