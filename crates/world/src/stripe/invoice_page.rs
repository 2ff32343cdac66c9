//! The page of an invoice that is still open: a customer whose card failed pays it with another. How a payment ends is
//! decided in `invoice`.

use axum::Router;
use axum::extract::{Path, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;

use super::State;
use super::books::Books;
use super::card::Instrument;
use super::catalog::money;
use super::invoice::{Attempt, Invoice, Standing, attempt};
use super::page::{
    Closed, Line, MOST_FORM, NUMBERS, PayForm, in_books, looked, nothing_here, page, unavailable,
};
use super::refusal::Refusal;
use super::typed::{Typed, Wrong};
use crate::call::Turn;
use crate::world::World;

pub(super) fn routes() -> Router<World> {
    Router::new().route("/i/{invoice}", get(show).post(pay))
}

async fn show(Shared(world): Shared<World>, Path(id): Path<String>) -> Response {
    let seen = looked(&world, |turn| {
        let stripe = &turn.state.stripe;
        match stripe.invoice(&id, None) {
            Ok(invoice) => shown(invoice, stripe),
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
        let Ok(invoice) = turn.state.stripe.invoice(&id, None).cloned() else {
            return nothing_here();
        };
        if invoice.standing != Standing::Open {
            return shown(&invoice, &turn.state.stripe);
        }
        let typed = known(&invoice, &turn.state.stripe).read(&body);
        match typed.checked(turn.stamp(turn.now)) {
            Ok((_, instrument)) => {
                let outcome = in_books(turn, |books| books.pay_with(&id, instrument));
                after(turn, &invoice, typed, outcome)
            }
            Err(wrong) => {
                let form = form(&invoice, &turn.state.stripe, typed, *wrong, None);
                page(StatusCode::UNPROCESSABLE_ENTITY, &form)
            }
        }
    });
    seen.await.unwrap_or_else(unavailable)
}

fn after(
    turn: &Turn<'_>,
    invoice: &Invoice,
    typed: Typed,
    outcome: Result<Attempt, Refusal>,
) -> Response {
    let stripe = &turn.state.stripe;
    let sentence = match outcome {
        Ok(Attempt::Paid | Attempt::Processing) => {
            let paid = stripe.invoice(&invoice.id, None).unwrap_or(invoice);
            return shown(paid, stripe);
        }
        Ok(Attempt::Failed(decline)) => decline.sentence().to_owned(),
        Ok(Attempt::Unable) => "There is nothing to pay with.".to_owned(),
        Ok(Attempt::Asks) => {
            "The bank wants to be asked, which this page cannot do. Try another card.".to_owned()
        }
        Err(refusal) => refusal.to_string(),
    };
    let form = form(invoice, stripe, typed, Wrong::default(), Some(sentence));
    page(StatusCode::PAYMENT_REQUIRED, &form)
}

fn shown(invoice: &Invoice, stripe: &State) -> Response {
    let (title, sentence) = match invoice.standing {
        Standing::Open | Standing::Uncollectible if !is_processing(invoice, stripe) => {
            let typed = known(invoice, stripe);
            let form = form(invoice, stripe, typed, Wrong::default(), None);
            return page(StatusCode::OK, &form);
        }
        Standing::Draft => (
            "This invoice is a draft",
            "It can be paid when it is final.",
        ),
        Standing::Open | Standing::Uncollectible => {
            ("The payment is under way", "It arrives within minutes.")
        }
        Standing::Paid => ("This invoice is paid", "Nothing is left to pay here."),
        Standing::Void => ("This invoice is void", "It need not be paid any more."),
    };
    let closed = Closed {
        title,
        sentence: format!("{}: {sentence}", number(invoice)),
        onward: None,
    };
    page(StatusCode::OK, &closed)
}

fn number(invoice: &Invoice) -> &str {
    invoice.number.as_deref().unwrap_or("Draft")
}

fn is_processing(invoice: &Invoice, stripe: &State) -> bool {
    let payment = invoice.payment.as_ref();
    payment
        .and_then(|id| stripe.payments.get(id))
        .is_some_and(|payment| payment.progress == super::payment::Progress::Processing)
}

fn known(invoice: &Invoice, stripe: &State) -> Typed {
    let customer = stripe.customers.get(&invoice.customer);
    Typed::known(
        customer.and_then(|customer| customer.email.clone()),
        customer.and_then(|customer| customer.name.clone()),
    )
}

fn form(
    invoice: &Invoice,
    stripe: &State,
    typed: Typed,
    wrong: Wrong,
    refused: Option<String>,
) -> PayForm {
    let line = |line: &super::invoice::Line| Line {
        name: line.product_name(stripe),
        quantity: line.quantity,
        amount: money(line.amount, &invoice.currency),
    };
    let total = money(invoice.due, &invoice.currency);
    PayForm {
        title: format!("Invoice {}", number(invoice)),
        due_today: total.clone(),
        total,
        rhythm: "due now".to_owned(),
        note: "The last attempt to pay it failed; another card will be kept for what follows."
            .to_owned(),
        lines: invoice.lines.iter().map(line).collect(),
        back: None,
        action: format!("/i/{}", invoice.id),
        button: "Pay",
        typed,
        wrong,
        refused,
        numbers: NUMBERS,
    }
}

impl Books<'_> {
    /// Pays an open invoice with another instrument, which the subscription keeps if it works.
    fn pay_with(&mut self, id: &str, instrument: Instrument) -> Result<Attempt, Refusal> {
        let outcome = attempt(Some(&instrument), false, false);
        match outcome {
            Attempt::Failed(_) | Attempt::Unable | Attempt::Asks => Ok(outcome),
            Attempt::Paid | Attempt::Processing => {
                let invoice = self.state.invoice(id, None)?;
                let (of, customer) = (invoice.subscription.clone(), invoice.customer.clone());
                self.live_by(&customer);
                let method = self.saved(instrument, &customer);
                if let Some(subscription) = self.state.subscriptions.get_mut(&of) {
                    subscription.method = Some(method);
                    subscription.card_fails = false;
                }
                self.collect(id)
            }
        }
    }
}
