//! The pages a customer sees: pay a checkout session, answer the bank, and what is said when there is nothing to pay.
//! Plain forms without scripts. What a payment does is decided in `checkout`.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State as Shared};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use super::books::{Books, Cause};
use super::catalog::money;
use super::checkout::Next;
use super::session::{Session, Stage};
use super::typed::{Typed, Wrong};
use super::{State, catch_up, invoice_page, note_all, second};
use crate::call::{Turn, html, send, whole};
use crate::world::World;

/// A form of this page is far smaller.
pub(super) const MOST_FORM: usize = 16 * 1024;
/// No scripts, nothing from elsewhere, in no frame. Forms may lead anywhere: after paying they lead to the shop.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'",
);
/// Shown below the form.
pub(super) const NUMBERS: [(&str, &str); 7] = [
    ("4242 4242 4242 4242", "pays"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "is declined: insufficient funds"),
    (
        "4000 0027 6000 3184",
        "pays after the bank has asked, also at every renewal",
    ),
    (
        "AT32 1904 3002 3547 3204",
        "SEPA debit that arrives after 5 seconds",
    ),
    (
        "AT86 1904 3002 3547 3202",
        "SEPA debit that comes back after 5 seconds",
    ),
    (
        "AT05 1904 3002 3547 3205",
        "SEPA debit that comes back after 3 minutes",
    ),
];

#[derive(Template)]
#[template(path = "pay_form.html")]
pub(super) struct PayForm {
    pub(super) title: String,
    pub(super) total: String,
    pub(super) rhythm: String,
    pub(super) note: String,
    pub(super) due_today: String,
    pub(super) lines: Vec<Line>,
    pub(super) back: Option<String>,
    pub(super) action: String,
    pub(super) button: &'static str,
    pub(super) typed: Typed,
    pub(super) wrong: Wrong,
    pub(super) refused: Option<String>,
    pub(super) numbers: [(&'static str, &'static str); 7],
}

pub(super) struct Line {
    pub(super) name: String,
    pub(super) quantity: i64,
    pub(super) amount: String,
}

#[derive(Template)]
#[template(path = "pay_confirm.html")]
struct Confirm {
    title: &'static str,
    total: String,
    last4: String,
    action: String,
}

#[derive(Template)]
#[template(path = "pay_closed.html")]
pub(super) struct Closed {
    pub(super) title: &'static str,
    pub(super) sentence: String,
    pub(super) onward: Option<(String, &'static str)>,
}

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/c/pay/{session}", get(show).post(pay))
        .route("/c/pay/{session}/confirm", get(show_confirm).post(confirm))
        .route("/assets/pay.css", get(stylesheet))
        .merge(invoice_page::routes())
}

async fn stylesheet() -> Response {
    let css = Bytes::from_static(include_bytes!("../../assets/pay.css"));
    send(whole(StatusCode::OK, "text/css; charset=utf-8", css))
}

/// A page, as every page here goes out.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => {
            let mut response = send(html(status, text));
            let headers = response.headers_mut();
            headers.insert("content-security-policy", POLICY);
            headers.insert("cache-control", HeaderValue::from_static("no-store"));
            headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A look at the books as they are now, with all that is due done.
pub(super) async fn looked<T>(world: &World, look: impl FnOnce(&mut Turn<'_>) -> T) -> Option<T> {
    let mut seen = None;
    let answer = world
        .change("checkout page", |turn| {
            catch_up(turn);
            seen = Some(look(turn));
            crate::call::empty(StatusCode::OK)
        })
        .await;
    // Not OK: it could not be kept, so it did not happen.
    seen.filter(|_| answer.status().is_success())
}

pub(super) fn unavailable() -> Response {
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

async fn show(Shared(world): Shared<World>, Path(id): Path<String>) -> Response {
    let seen = looked(&world, |turn| {
        let stripe = &turn.state.stripe;
        match stripe.session(&id) {
            Ok(session) if session.stage == Stage::Open => {
                let typed = Typed::expected(session, stripe);
                let form = form(session, stripe, typed, Wrong::default(), None);
                page(StatusCode::OK, &form)
            }
            Ok(session) => closed(session),
            Err(_) => nothing_here(),
        }
    });
    seen.await.unwrap_or_else(unavailable)
}

async fn pay(Shared(world): Shared<World>, Path(id): Path<String>, request: Request) -> Response {
    let Ok(body) = axum::body::to_bytes(request.into_body(), MOST_FORM).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let seen = looked(&world, |turn| {
        let Ok(session) = turn.state.stripe.session(&id).cloned() else {
            return nothing_here();
        };
        if session.stage != Stage::Open {
            return closed(&session);
        }
        let typed = Typed::expected(&session, &turn.state.stripe).read(&body);
        match typed.checked(turn.stamp(turn.now)) {
            Ok((payer, instrument)) => {
                let next = in_books(turn, |books| books.pay_session(&id, payer, instrument));
                after(turn, &session, typed, next)
            }
            Err(wrong) => {
                let form = form(&session, &turn.state.stripe, typed, *wrong, None);
                page(StatusCode::UNPROCESSABLE_ENTITY, &form)
            }
        }
    });
    seen.await.unwrap_or_else(unavailable)
}

async fn show_confirm(Shared(world): Shared<World>, Path(id): Path<String>) -> Response {
    let seen = looked(&world, |turn| {
        let stripe = &turn.state.stripe;
        match stripe.session(&id) {
            Ok(session) if session.stage == Stage::Open => match &session.confirming {
                Some(instrument) => page(
                    StatusCode::OK,
                    &Confirm {
                        title: "Your bank asks",
                        total: money(session.total(stripe), &session.currency(stripe)),
                        last4: instrument.last4.clone(),
                        action: format!("/c/pay/{id}/confirm"),
                    },
                ),
                None => Redirect::to(&format!("/c/pay/{id}")).into_response(),
            },
            Ok(session) => closed(session),
            Err(_) => nothing_here(),
        }
    });
    seen.await.unwrap_or_else(unavailable)
}

async fn confirm(
    Shared(world): Shared<World>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let Ok(body) = axum::body::to_bytes(request.into_body(), MOST_FORM).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let agreed =
        url::form_urlencoded::parse(&body).any(|(key, value)| key == "outcome" && value == "agree");
    let seen = looked(&world, |turn| {
        let Ok(session) = turn.state.stripe.session(&id).cloned() else {
            return nothing_here();
        };
        let typed = Typed::expected(&session, &turn.state.stripe);
        let next = in_books(turn, |books| books.answer_bank(&id, agreed));
        after(turn, &session, typed, next)
    });
    seen.await.unwrap_or_else(unavailable)
}

pub(super) fn in_books<T>(turn: &mut Turn<'_>, work: impl FnOnce(&mut Books<'_>) -> T) -> T {
    let now = second(turn);
    let state = &mut *turn.state;
    let mut books = Books::open(
        &mut state.stripe,
        &mut state.counters,
        now,
        Cause::default(),
    );
    let result = work(&mut books);
    let notes = std::mem::take(&mut books.notes);
    note_all(turn, notes);
    result
}

/// What the browser gets after an attempt to pay.
fn after(
    turn: &Turn<'_>,
    session: &Session,
    typed: Typed,
    next: Result<Next, super::Refusal>,
) -> Response {
    match next {
        Ok(Next::Done(url)) => Redirect::to(&url).into_response(),
        Ok(Next::Confirm) => {
            Redirect::to(&format!("/c/pay/{}/confirm", session.id)).into_response()
        }
        Ok(Next::Declined(decline)) => {
            let refused = Some(decline.sentence().to_owned());
            let form = form(
                session,
                &turn.state.stripe,
                typed,
                Wrong::default(),
                refused,
            );
            page(StatusCode::PAYMENT_REQUIRED, &form)
        }
        Ok(Next::Closed) => closed(session),
        Err(refusal) => {
            let refused = Some(refusal.to_string());
            let form = form(
                session,
                &turn.state.stripe,
                typed,
                Wrong::default(),
                refused,
            );
            page(StatusCode::CONFLICT, &form)
        }
    }
}

fn form(
    session: &Session,
    stripe: &State,
    typed: Typed,
    wrong: Wrong,
    refused: Option<String>,
) -> PayForm {
    let currency = session.currency(stripe);
    let total = session.total(stripe);
    let mut lines = Vec::with_capacity(session.lines.len());
    for wanted in &session.lines {
        let price = stripe.prices.get(&wanted.price);
        let product = price.and_then(|price| stripe.products.get(&price.product));
        let amount = price.map_or(0, |price| price.unit_amount.saturating_mul(wanted.quantity));
        lines.push(Line {
            name: product.map_or_else(|| wanted.price.clone(), |product| product.name.clone()),
            quantity: wanted.quantity,
            amount: money(amount, &currency),
        });
    }
    let price = session
        .lines
        .first()
        .and_then(|line| stripe.prices.get(&line.price));
    let rhythm = price.map_or_else(String::new, |price| match price.interval_count {
        1 => format!("per {}", price.interval.word()),
        count => format!("every {count} {}s", price.interval.word()),
    });
    let trial = session.trial_days > 0;
    let names: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
    PayForm {
        title: format!("Subscribe to {}", names.join(", ")),
        total: money(total, &currency),
        rhythm,
        note: if trial {
            format!("The first {} days are free.", session.trial_days)
        } else {
            String::new()
        },
        due_today: money(if trial { 0 } else { total }, &currency),
        lines,
        back: session.cancel_url.clone(),
        action: format!("/c/pay/{}", session.id),
        button: if trial { "Start trial" } else { "Subscribe" },
        typed,
        wrong,
        refused,
        numbers: NUMBERS,
    }
}

fn closed(session: &Session) -> Response {
    let (title, sentence, onward) = match session.stage {
        Stage::Complete => (
            "This is done",
            "This checkout is complete; nothing is left to pay here.",
            Some((session.success_location(), "Go on")),
        ),
        Stage::Expired | Stage::Open => (
            "This checkout is closed",
            "It was not paid in time, so nothing was bought.",
            session
                .cancel_url
                .clone()
                .map(|url| (url, "Back to the shop")),
        ),
    };
    let closed = Closed {
        title,
        sentence: sentence.to_owned(),
        onward,
    };
    page(StatusCode::OK, &closed)
}

pub(super) fn nothing_here() -> Response {
    let closed = Closed {
        title: "There is nothing here",
        sentence: "No checkout and no invoice has this address.".to_owned(),
        onward: None,
    };
    page(StatusCode::NOT_FOUND, &closed)
}
