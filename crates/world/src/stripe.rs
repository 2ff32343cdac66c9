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
mod dispute;
mod due;
mod event;
mod expand;
mod find;
mod form;
mod idempotency;
mod invoice;
mod invoice_page;
mod key;
mod kin;
mod list;
mod method;
mod page;
mod payment;
mod refund;
mod refusal;
mod routes;
mod rows;
mod session;
mod signature;
mod subscription;
mod test_clock;
#[cfg(test)]
mod tests;
mod typed;

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::call::{Answer, Api, Asked, Turn};
use crate::clock::SECOND;
use crate::faults::FaultKind;
use crate::options::Options;
use crate::table::{Stored, Table};
use crate::world::World;

use books::{Books, Cause, Note};
use catalog::{Price, Product};
use customer::Customer;
use delivery::Deliveries;
use dispute::Dispute;
use due::Agenda;
use event::Event;
use expand::Expand;
use form::Params;
use invoice::Invoice;
use method::Method as PaymentMethod;
use payment::Payment;
use refund::Refund;
use refusal::Refusal;
use session::Session;
use subscription::{Settlement, Subscription};
use test_clock::TestClock;

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
    disputes: Table<String, Dispute>,
    /// Payment methods.
    methods: Table<String, PaymentMethod>,
    /// Invoice items: what waits to be invoiced.
    items: Table<String, Settlement>,
    clocks: Table<String, TestClock>,
    keys: Table<String, idempotency::Kept>,
    /// Keys of requests that are not answered yet.
    under_way: idempotency::UnderWay,
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
            disputes: Table::new("stripe_disputes"),
            methods: Table::new("stripe_methods"),
            items: Table::new("stripe_items"),
            clocks: Table::new("stripe_clocks"),
            keys: Table::new("stripe_keys"),
            under_way: idempotency::UnderWay::default(),
            agenda: Agenda::new(),
            deliveries: Deliveries::new(),
            base: NOWHERE.to_owned(),
        };
        catalog::stock(&mut state, &options.offers, options.start.as_second());
        state
    }

    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Stored> {
        let [agenda, clock_agenda] = self.agenda.tables();
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
            &mut self.disputes,
            &mut self.methods,
            &mut self.items,
            &mut self.clocks,
            &mut self.keys,
            agenda,
            clock_agenda,
            self.deliveries.table(),
        ]
    }
}

/// How Stripe itself says that it cannot answer.
pub(crate) fn failure(status: StatusCode, request_id: &str) -> Answer {
    let id = format!("req_{request_id}");
    let mut answer = if status == StatusCode::TOO_MANY_REQUESTS {
        let code = "rate_limit";
        let error = serde_json::json!({
            "type": "invalid_request_error",
            "code": code,
            "doc_url": refusal::doc_url(code),
            "message": "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        });
        crate::call::json(status, &serde_json::json!({ "error": error }))
    } else {
        crate::call::json(status, &Refusal::Failed.body(&id))
    };
    with_headers(&mut answer, &id);
    answer
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
    // Held until the answer has gone out.
    let mut claim = None;
    let answer = world.call(Api::Stripe, &asked, |turn| {
        if let Some(base) = base {
            turn.state.stripe.base = base;
        }
        catch_up(turn);
        let id = format!("req_{}", turn.request_id);
        let mut answer = match answered(turn, &asked, &id, &mut claim, work) {
            Ok(answer) => answer,
            Err(refusal) => crate::call::json(refusal.status(), &refusal.body(&id)),
        };
        with_headers(&mut answer, &id);
        if let Some(key) = asked.headers.get("idempotency-key") {
            answer.headers_mut().insert("idempotency-key", key.clone());
        }
        answer
    });
    answer.await
}

/// Lets everything happen that is due now.
pub(crate) fn catch_up(turn: &mut Turn<'_>) {
    let now = second(turn);
    let notes = due::catch_up(&mut turn.state.stripe, &mut turn.state.counters, now);
    note_all(turn, notes);
}

fn answered(
    turn: &mut Turn<'_>,
    asked: &Asked,
    id: &str,
    claim: &mut Option<idempotency::Claim>,
    work: routes::Work,
) -> Result<Answer, Refusal> {
    key::authorise(turn.options, &asked.headers)?;
    key::check_version(asked.header("stripe-version"))?;
    let key = idempotency::key_of(asked)?;
    if let Some(key) = &key {
        let under_way = &turn.state.stripe.under_way;
        *claim = under_way.claim(key);
        if claim.is_none() {
            return Err(Refusal::KeyInUse(key.clone()));
        }
        if let Some(kept) = turn.state.stripe.replay(key, asked)? {
            return Ok(replayed(kept));
        }
    }
    let outcome = worked(turn, asked, id, key.clone(), work);
    let now = second(turn);
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) if refusal.is_remembered() => (refusal.status(), refusal.body(id)),
        Err(refusal) => return Err(refusal),
    };
    if let Some(key) = &key {
        let stripe = &mut turn.state.stripe;
        stripe.remember(key, asked, (status, &body), id, now);
    }
    Ok(crate::call::json(status, &body))
}

fn replayed(kept: &idempotency::Kept) -> Answer {
    let mut answer = crate::call::json(kept.status(), &kept.body);
    let headers = answer.headers_mut();
    headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    if let Ok(first) = HeaderValue::from_str(&kept.request) {
        headers.insert("original-request", first);
    }
    answer
}

/// The request's own work, in the books.
fn worked(
    turn: &mut Turn<'_>,
    asked: &Asked,
    id: &str,
    idempotency_key: Option<String>,
    work: routes::Work,
) -> Result<Value, Refusal> {
    if turn.strikes(FaultKind::Locked) {
        return Err(Refusal::Locked);
    }
    if turn.strikes(FaultKind::FailureRemembered) {
        return Err(Refusal::Failed);
    }
    let mut params = match asked.method {
        Method::POST => Params::decode(&asked.body)?,
        _ => Params::from_pairs(asked.query.iter().cloned())?,
    };
    let expand = Expand::take(&mut params)?;
    let now = second(turn);
    let cause = Cause {
        request: Some(id.to_owned()),
        idempotency_key,
    };
    let mut books = Books::open(&mut turn.state.stripe, &mut turn.state.counters, now, cause);
    let outcome = work(&mut books, asked, params);
    let notes = std::mem::take(&mut books.notes);
    note_all(turn, notes);
    outcome.map(|answer| expand.applied(answer, &turn.state.stripe))
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

fn with_headers(answer: &mut Answer, request_id: &str) {
    let status = answer.status();
    let headers = answer.headers_mut();
    headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
    if status == StatusCode::CONFLICT {
        headers.insert("stripe-should-retry", HeaderValue::from_static("true"));
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        let reason = HeaderValue::from_static("global-rate");
        headers.insert("stripe-rate-limited-reason", reason);
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("request-id", id);
    }
}
