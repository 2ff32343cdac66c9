//! Stripe over HTTP: the books, and what happens to every request before and after its own work. Which request is
//! answered by what is in `routes`.
//!
//! Sources: Stripe's API reference for version 2026-10-28, and the types of its Python library 16.1.

mod books;
mod by_hand;
mod card;
mod catalog;
mod checkout;
mod customer;
mod delivery;
mod due;
mod event;
mod find;
mod form;
mod idempotency;
mod invoice;
mod invoice_page;
mod kin;
mod list;
mod page;
mod payment;
mod refusal;
mod routes;
mod rows;
mod session;
mod signature;
mod subscription;
#[cfg(test)]
mod tests;
mod typed;

use axum::extract::Request;
use axum::response::Response;
use base64::Engine;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::call::{Answer, Api, Asked, Turn};
use crate::clock::SECOND;
use crate::options::Options;
use crate::table::{Stored, Table};
use crate::world::World;

use books::{Books, Cause, Note};
use catalog::{Price, Product};
use customer::Customer;
use delivery::Deliveries;
use due::Agenda;
use event::Event;
use form::Params;
use invoice::Invoice;
use payment::{Payment, Refund};
use refusal::Refusal;
use session::Session;
use subscription::Subscription;

pub(crate) use routes::router;
pub use rows::{DeliveryRow, EventRow, RefundRow, SubscriptionRow};

/// The one version this speaks.
pub(crate) const API_VERSION: &str = "2026-10-28.endive";
/// Where the hosted pages are when no request has said how it reached us.
const NOWHERE: &str = "http://127.0.0.1";

/// Everything in one Stripe account.
pub struct State {
    customers: Table<String, Customer>,
    products: Table<String, Product>,
    prices: Table<String, Price>,
    sessions: Table<String, Session>,
    subscriptions: Table<String, Subscription>,
    invoices: Table<String, Invoice>,
    payments: Table<String, Payment>,
    refunds: Table<String, Refund>,
    events: Table<String, Event>,
    keys: Table<String, idempotency::Kept>,
    agenda: Agenda,
    deliveries: Deliveries,
    /// Scheme and host by which we were reached last; hosted pages are there.
    base: String,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        let mut state = Self {
            customers: Table::new("stripe_customers"),
            products: Table::new("stripe_products"),
            prices: Table::new("stripe_prices"),
            sessions: Table::new("stripe_sessions"),
            subscriptions: Table::new("stripe_subscriptions"),
            invoices: Table::new("stripe_invoices"),
            payments: Table::new("stripe_payments"),
            refunds: Table::new("stripe_refunds"),
            events: Table::new("stripe_events"),
            keys: Table::new("stripe_keys"),
            agenda: Agenda::new(),
            deliveries: Deliveries::new(),
            base: NOWHERE.to_owned(),
        };
        catalog::stock(&mut state, &options.offers, options.start.as_second());
        state
    }

    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![
            &mut self.customers,
            &mut self.products,
            &mut self.prices,
            &mut self.sessions,
            &mut self.subscriptions,
            &mut self.invoices,
            &mut self.payments,
            &mut self.refunds,
            &mut self.events,
            &mut self.keys,
            self.agenda.table(),
            self.deliveries.table(),
        ]
    }
}

/// How Stripe itself says that it cannot answer.
pub(crate) fn failure(status: StatusCode, request_id: &str) -> Answer {
    let (kind, code, message) = if status == StatusCode::TOO_MANY_REQUESTS {
        (
            "invalid_request_error",
            Some("rate_limit"),
            "Request rate limit exceeded.",
        )
    } else {
        ("api_error", None, "An unknown error occurred.")
    };
    let body = serde_json::json!({ "error": { "type": kind, "code": code, "message": message } });
    with_headers(crate::call::json(status, &body), request_id, None)
}

/// The world's time in Unix seconds.
fn second(turn: &Turn<'_>) -> i64 {
    turn.stamp(turn.now).as_second()
}

/// Hands notes to the world's history, each at its own moment.
fn note_all(turn: &mut Turn<'_>, notes: Vec<Note>) {
    let start = turn.clock.start().as_second();
    for note in notes {
        let effective = (note.at - start).saturating_mul(SECOND);
        turn.note_from(effective, note.subject, note.change, &note.labels);
    }
}

/// One request: what is due, the key, the version, the same answer for the same idempotency key, then `work`.
async fn serve(world: World, request: Request, work: routes::Work) -> Response {
    let base = base_of(&request);
    let asked = match Asked::read(request).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    world
        .call(Api::Stripe, &asked, |turn| {
            if let Some(base) = base {
                turn.state.stripe.base = base;
            }
            catch_up(turn);
            let (status, body, key) = match answered(turn, &asked, work) {
                Ok(answered) => answered,
                Err(refusal) => (refusal.status(), refusal.body(), None),
            };
            let answer = crate::call::json(status, &body);
            with_headers(answer, &format!("req_{}", turn.request_id), key.as_deref())
        })
        .await
}

/// Lets everything happen that is due now.
pub(crate) fn catch_up(turn: &mut Turn<'_>) {
    let now = second(turn);
    let notes = due::catch_up(&mut turn.state.stripe, &mut turn.state.counters, now);
    note_all(turn, notes);
}

type Answered = (StatusCode, Value, Option<String>);

fn answered(turn: &mut Turn<'_>, asked: &Asked, work: routes::Work) -> Result<Answered, Refusal> {
    authorised(turn.options, &asked.headers)?;
    if let Some(version) = asked
        .header("stripe-version")
        .filter(|it| *it != API_VERSION)
    {
        return Err(Refusal::Version(version.to_owned(), API_VERSION));
    }
    let key = idempotency::key_of(asked)?;
    if let Some(key) = &key
        && let Some((status, body)) = turn.state.stripe.replay(key, asked)?
    {
        return Ok((status, body, Some(key.clone())));
    }
    let params = match asked.method {
        Method::POST => Params::decode(&asked.body)?,
        _ => Params::from_pairs(asked.query.iter().cloned())?,
    };
    let now = second(turn);
    let cause = Cause {
        request: Some(format!("req_{}", turn.request_id)),
        idempotency_key: key.clone(),
    };
    let mut books = Books::open(&mut turn.state.stripe, &mut turn.state.counters, now, cause);
    let outcome = work(&mut books, asked, params);
    let notes = std::mem::take(&mut books.notes);
    note_all(turn, notes);
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        // The bank was asked: that is an outcome, and it is remembered.
        Err(declined @ Refusal::Declined { .. }) => (declined.status(), declined.body()),
        Err(refusal) => return Err(refusal),
    };
    if let Some(key) = &key {
        turn.state.stripe.remember(key, asked, status, &body, now);
    }
    Ok((status, body, None))
}

/// The secret key as a bearer token, or as the user of HTTP Basic.
fn authorised(options: &Options, headers: &HeaderMap) -> Result<(), Refusal> {
    let header = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .ok_or(Refusal::Unauthorized)?;
    let key = match header.split_once(' ') {
        Some(("Bearer", key)) => key.trim().to_owned(),
        Some(("Basic", encoded)) => basic_user(encoded).ok_or(Refusal::Unauthorized)?,
        Some(_) | None => return Err(Refusal::Unauthorized),
    };
    let expected = options.stripe_secret_key.as_bytes();
    if bool::from(key.as_bytes().ct_eq(expected)) {
        Ok(())
    } else {
        Err(Refusal::Unauthorized)
    }
}

fn basic_user(encoded: &str) -> Option<String> {
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(encoded.trim())
        .ok()?;
    let text = String::from_utf8(decoded).ok()?;
    Some(text.split(':').next()?.to_owned())
}

/// Scheme and host by which a request reached us.
fn base_of(request: &Request) -> Option<String> {
    let scheme = request.uri().scheme_str().unwrap_or("http");
    let host = request
        .headers()
        .get("host")
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().authority().map(http::uri::Authority::as_str))?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]".contains(letter);
    (!host.is_empty() && host.chars().all(plain)).then(|| format!("{scheme}://{host}"))
}

fn with_headers(mut answer: Answer, request_id: &str, replayed: Option<&str>) -> Answer {
    let headers = answer.headers_mut();
    headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("request-id", id);
    }
    if replayed.is_some() {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    answer
}
