//! The site by requests and answers, in process: over the real Stripe adapter and a small shelf of objects
//! in the cluster's place.

mod outside;
mod pages;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use jiff::Timestamp;
use prometheus::Registry;
use secrecy::SecretString;
use tower::ServiceExt;

use super::{Site, router};
use crate::api::{Customer, InstallationName, Plan};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::provider::stripe::signature;

use outside::{Cluster, Payments};

const SECRET: &str = "whsec_test";
const NOW: i64 = 1_700_000_000;

/// A site, and the world around it.
struct Shop {
    site: Router,
    numbers: Router,
    cluster: Cluster,
    payments: Payments,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Fails with the page, so that a reader sees what is there instead.
    fn says(&self, text: &str) {
        assert!(self.text.contains(text), "no {text:?} in\n{}", self.text);
    }
}

fn plans() -> Catalog {
    let customer: Customer = serde_json::from_value(serde_json::json!({"metadata": {"name": "c"},
        "spec": {"displayName": "C", "plan": "basic"}}))
    .unwrap();
    let plan: Plan =
        serde_json::from_value(serde_json::json!({"metadata": {"name": "basic"}, "spec": {
        "displayName": "Basic", "description": "Small <script>alert(1)</script> & quick", "placement": [],
        "prices": [
            {"id": "price_m", "interval": "Month", "amountCents": 900, "currency": "eur"},
            {"id": "price_y", "interval": "Year", "amountCents": 9900, "currency": "eur"}]}}))
        .unwrap();
    Catalog::holding(&customer, &plan)
}

fn shop_with(catalog: Catalog) -> Shop {
    let cluster = Cluster::default();
    let payments = Payments::default();
    let registry = Registry::new();
    let site = Site {
        client: cluster.client(),
        namespace: "default".into(),
        clock: Clock::from(Timestamp::from_second(NOW).unwrap()),
        catalog,
        billing: Arc::new(payments.stripe(SECRET)),
        installation: InstallationName::parse("here").unwrap(),
        zone: "clawdet.example".into(),
        public_url: "https://clawdet.example".parse().unwrap(),
        checkout_origins: vec!["https://checkout.stripe.test/some/path".parse().unwrap()],
        live_mode: false,
        registry: registry.clone(),
    };
    Shop {
        site: router(site).unwrap(),
        numbers: super::metrics(registry),
        cluster,
        payments,
    }
}

fn shop() -> Shop {
    shop_with(plans())
}

impl Shop {
    async fn send(&self, request: Request<Body>) -> Answer {
        Self::ask(&self.site, request).await
    }

    async fn ask(router: &Router, request: Request<Body>) -> Answer {
        let response = router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// As a browser on our own page posts a form.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(serde_urlencoded::to_string(fields).unwrap()))
            .unwrap();
        self.send(request).await
    }

    /// As Stripe posts a webhook, signed now.
    async fn ring(&self, body: &str) -> Answer {
        let now = Timestamp::from_second(NOW).unwrap();
        let signature = signature::sign(body.as_bytes(), &SecretString::from(SECRET), now);
        self.ring_signed(body, &signature).await
    }

    async fn ring_signed(&self, body: &str, signature: &str) -> Answer {
        let request = Request::post("/webhooks/stripe")
            .header("stripe-signature", signature)
            .header(header::ORIGIN, "https://stripe.test")
            .header("sec-fetch-site", "cross-site")
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.send(request).await
    }

    async fn metrics(&self) -> String {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        Self::ask(&self.numbers, request).await.text
    }
}
