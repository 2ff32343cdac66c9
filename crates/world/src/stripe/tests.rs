//! Stripe as a shop sees it: requests, the hosted page and webhooks, on a world without sockets.

mod buying;
mod changing;
mod clocks;
mod keeping;
mod refusing;
mod renewing;
mod requests;
mod webhooks;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use crate::{Options, World};

pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

/// A shop with the secret key.
pub(super) struct Shop {
    pub(super) world: World,
}

/// An answer read whole.
pub(super) struct Read {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Read {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Shop {
    pub(super) fn new() -> Self {
        Self {
            world: World::new(Options::default()),
        }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Read {
        let response = self.world.stripe().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 22).await.unwrap();
        Read {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(super) fn request(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Request<Body> {
        let key = &self.world.options().stripe_secret_key;
        let encoded = serde_urlencoded::to_string(form).unwrap();
        let builder = Request::builder()
            .method(method)
            .header("host", "stripe.test")
            .header("authorization", format!("Bearer {key}"));
        if method == "POST" {
            builder.uri(path).body(Body::from(encoded)).unwrap()
        } else {
            let uri = format!("{path}?{encoded}");
            builder.uri(uri).body(Body::empty()).unwrap()
        }
    }

    /// A request that must be answered with 200.
    pub(super) async fn ok(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Value {
        let read = self.send(self.request(method, path, form)).await;
        assert_eq!(read.status, StatusCode::OK, "{}", read.text);
        read.json()
    }

    /// A request that must be refused; gives status and the error object.
    pub(super) async fn refused(
        &self,
        method: &str,
        path: &str,
        form: &[(&str, &str)],
    ) -> (StatusCode, Value) {
        let read = self.send(self.request(method, path, form)).await;
        assert!(read.status.is_client_error(), "{}", read.text);
        (read.status, read.json()["error"].clone())
    }

    /// A customer who pays with one of Stripe's ready-made cards, and a subscription; `more` is sent with the latter.
    pub(super) async fn subscribed(&self, card: &str, more: &[(&str, &str)]) -> Value {
        let form = [
            ("email", "ada@example.com"),
            ("payment_method", card),
            ("invoice_settings[default_payment_method]", card),
        ];
        let customer = text(&self.ok("POST", "/v1/customers", &form).await["id"]);
        let mut form = vec![
            ("customer", customer.as_str()),
            ("items[0][price]", "price_basic_monthly"),
        ];
        form.extend_from_slice(more);
        self.ok("POST", "/v1/subscriptions", &form).await
    }

    pub(super) async fn checkout(&self) -> Value {
        let form = [
            ("mode", "subscription"),
            ("line_items[0][price]", "price_basic_monthly"),
            ("line_items[0][quantity]", "1"),
            (
                "success_url",
                "https://shop.test/done?session_id={CHECKOUT_SESSION_ID}",
            ),
            ("cancel_url", "https://shop.test/stop"),
            ("metadata[installation]", "one"),
            ("subscription_data[metadata][subdomain]", "ada"),
        ];
        self.ok("POST", "/v1/checkout/sessions", &form).await
    }

    /// Posts a form of the hosted page as a browser would.
    pub(super) async fn submit(&self, path: &str, form: &[(&str, &str)]) -> Read {
        let body = serde_urlencoded::to_string(form).unwrap();
        let request = Request::post(path)
            .header("host", "stripe.test")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    pub(super) async fn pay_with_card(&self, session: &Value, number: &str) -> Read {
        let form = [
            ("email", "ada@example.com"),
            ("name", "Ada"),
            ("method", "card"),
            ("card_number", number),
            ("expiry", "12 / 34"),
            ("cvc", "123"),
        ];
        self.submit(&page_of(session), &form).await
    }

    pub(super) async fn pay_with_account(&self, session: &Value, iban: &str) -> Read {
        let form = [
            ("email", "ada@example.com"),
            ("name", "Ada"),
            ("method", "sepa_debit"),
            ("iban", iban),
        ];
        self.submit(&page_of(session), &form).await
    }

    /// A paid subscription.
    pub(super) async fn sold(&self) -> Value {
        let session = self.checkout().await;
        let paid = self.pay_with_card(&session, "4242 4242 4242 4242").await;
        assert_eq!(paid.status, StatusCode::SEE_OTHER, "{}", paid.text);
        self.subscription_of(&session).await
    }

    pub(super) async fn session(&self, session: &Value) -> Value {
        let path = format!("/v1/checkout/sessions/{}", text(&session["id"]));
        self.ok("GET", &path, &[]).await
    }

    pub(super) async fn subscription_of(&self, session: &Value) -> Value {
        let session = self.session(session).await;
        self.subscription(&text(&session["subscription"])).await
    }

    pub(super) async fn subscription(&self, id: &str) -> Value {
        self.ok("GET", &format!("/v1/subscriptions/{id}"), &[])
            .await
    }

    /// The kinds of all events, oldest first.
    pub(super) async fn events(&self) -> Vec<String> {
        let list = self.ok("GET", "/v1/events", &[("limit", "100")]).await;
        let events = list["data"].as_array().unwrap();
        events
            .iter()
            .rev()
            .map(|event| text(&event["type"]))
            .collect()
    }

    /// Lets world time pass.
    pub(super) fn after(&self, time: Duration) {
        self.world.clock().skip(time);
    }
}

pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

pub(super) fn page_of(session: &Value) -> String {
    format!("/c/pay/{}", text(&session["id"]))
}

pub(super) fn count(events: &[String], kind: &str) -> usize {
    events.iter().filter(|event| *event == kind).count()
}

/// A webhook receiver that answers as told and keeps what it got.
#[derive(Clone, Default)]
pub(super) struct Receiver {
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    failing: Arc<Mutex<bool>>,
}

impl Receiver {
    pub(super) fn router(&self) -> Router {
        let this = self.clone();
        let receive = async move |headers: HeaderMap, body: Bytes| {
            this.got.lock().unwrap().push((headers, body));
            if *this.failing.lock().unwrap() {
                StatusCode::INTERNAL_SERVER_ERROR
            } else {
                StatusCode::OK
            }
        };
        Router::new().route("/hook", axum::routing::post(receive))
    }

    pub(super) fn fail(&self, failing: bool) {
        *self.failing.lock().unwrap() = failing;
    }

    pub(super) fn got(&self) -> Vec<(HeaderMap, Bytes)> {
        self.got.lock().unwrap().clone()
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        let kind = |(_, body): &(HeaderMap, Bytes)| {
            let event: Value = serde_json::from_slice(body).unwrap();
            text(&event["type"])
        };
        self.got().iter().map(kind).collect()
    }
}
