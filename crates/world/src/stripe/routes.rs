//! Which request to Stripe's API is answered by what.

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use axum::routing::{any, get, post};
use futures::future::BoxFuture;
use serde_json::Value;

use super::books::Books;
use super::find::shown;
use super::form::Params;
use super::list::Object;
use super::payment::Charge;
use super::refusal::Refusal;
use super::{page, serve};
use crate::call::Asked;
use crate::world::World;

pub(crate) type Work = fn(&mut Books<'_>, &Asked, Params) -> Result<Value, Refusal>;

pub(crate) fn router(world: &World) -> Router {
    Router::new()
        .merge(catalog())
        .merge(customers())
        .merge(subscriptions())
        .merge(money())
        .merge(methods())
        .merge(clocks())
        .merge(page::routes())
        .fallback(any(by(no_route)))
        .method_not_allowed_fallback(any(by(no_route)))
        .with_state(world.clone())
}

fn no_route(_: &mut Books<'_>, asked: &Asked, _: Params) -> Result<Value, Refusal> {
    let route = format!("{}: {}", asked.method, asked.path);
    Err(Refusal::NoRoute(route))
}

fn by(
    work: Work,
) -> impl Fn(Shared<World>, Request) -> BoxFuture<'static, Response> + Clone + Send + Sync + 'static
{
    move |Shared(world), request| Box::pin(serve(world, request, work))
}

fn catalog() -> Router<World> {
    Router::new()
        .route(
            "/v1/products",
            get(by(|books, _, params| books.state.list_products(params)))
                .post(by(|books, _, params| books.create_product(params))),
        )
        .route(
            "/v1/products/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                shown(books.state.products.get(&id.to_owned()), id, books.state)
            }))
            .post(by(|books, asked, params| {
                books.update_product(asked.param("id"), params)
            }))
            .delete(by(|books, asked, params| {
                books.delete_product(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/prices",
            get(by(|books, _, params| books.state.list_prices(params)))
                .post(by(|books, _, params| books.create_price(params))),
        )
        .route(
            "/v1/prices/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                shown(books.state.prices.get(&id.to_owned()), id, books.state)
            }))
            .post(by(|books, asked, params| {
                books.update_price(asked.param("id"), params)
            })),
        )
}

fn customers() -> Router<World> {
    Router::new()
        .route(
            "/v1/customers",
            get(by(|books, _, params| books.state.list_customers(params)))
                .post(by(|books, _, params| books.create_customer(params))),
        )
        .route(
            "/v1/customers/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                shown(books.state.customers.get(&id.to_owned()), id, books.state)
            }))
            .post(by(|books, asked, params| {
                books.update_customer(asked.param("id"), params)
            }))
            .delete(by(|books, asked, params| {
                books.delete_customer(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/checkout/sessions",
            get(by(|books, _, params| books.state.list_sessions(params)))
                .post(by(|books, _, params| books.create_session(params))),
        )
        .route(
            "/v1/checkout/sessions/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                shown(books.state.sessions.get(&id.to_owned()), id, books.state)
            })),
        )
        .route(
            "/v1/checkout/sessions/{id}/line_items",
            get(by(|books, asked, mut params| {
                params.ignore(&["limit"]);
                params.finish()?;
                books.show_lines(asked.param("id"))
            })),
        )
        .route(
            "/v1/checkout/sessions/{id}/expire",
            post(by(|books, asked, params| {
                books.expire_session(asked.param("id"), params)
            })),
        )
}

fn subscriptions() -> Router<World> {
    Router::new()
        .route(
            "/v1/subscriptions",
            get(by(|books, _, params| {
                books.state.list_subscriptions(params)
            }))
            .post(by(|books, _, params| books.create_subscription(params))),
        )
        .route(
            "/v1/subscriptions/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                let found = books.state.subscriptions.get(&id.to_owned());
                shown(found, id, books.state)
            }))
            .post(by(|books, asked, params| {
                books.update_subscription(asked.param("id"), params)
            }))
            .delete(by(|books, asked, params| {
                books.cancel_subscription(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/subscription_items",
            get(by(|books, _, params| books.state.list_items(params))),
        )
        .route(
            "/v1/events",
            get(by(|books, _, params| books.state.list_events(params))),
        )
        .route(
            "/v1/events/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                shown(books.state.events.get(&id.to_owned()), id, books.state)
            })),
        )
}

fn money() -> Router<World> {
    Router::new()
        .route(
            "/v1/invoices",
            get(by(|books, _, params| books.state.list_invoices(params))),
        )
        .route(
            "/v1/invoices/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                shown(books.state.invoices.get(&id.to_owned()), id, books.state)
            }))
            .post(by(|books, asked, params| {
                books.update_invoice(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/invoices/create_preview",
            post(by(|books, _, params| books.preview_invoice(params))),
        )
        .route(
            "/v1/invoices/{id}/finalize",
            post(by(|books, asked, params| {
                books.finalize_invoice(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/invoices/{id}/mark_uncollectible",
            post(by(|books, asked, params| {
                books.mark_uncollectible(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/invoices/{id}/pay",
            post(by(|books, asked, params| {
                books.pay_invoice(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/invoices/{id}/void",
            post(by(|books, asked, params| {
                books.void_invoice(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/invoice_payments",
            get(by(|books, _, params| {
                books.state.list_invoice_payments(params)
            })),
        )
        .route(
            "/v1/invoiceitems",
            get(by(|books, _, params| books.state.list_settlements(params))),
        )
        .route(
            "/v1/invoiceitems/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                shown(books.state.items.get(&id.to_owned()), id, books.state)
            })),
        )
        .merge(payments())
}

fn payments() -> Router<World> {
    Router::new()
        .route(
            "/v1/payment_intents",
            get(by(|books, _, params| books.state.list_payments(params))),
        )
        .route(
            "/v1/payment_intents/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                shown(books.state.payments.get(&id.to_owned()), id, books.state)
            })),
        )
        .route(
            "/v1/payment_intents/{id}/confirm",
            post(by(|books, asked, params| {
                books.confirm_payment(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/charges",
            get(by(|books, _, params| books.state.list_charges(params))),
        )
        .route(
            "/v1/charges/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                let charge = books.state.charged(id, None)?;
                shown(Some(&Charge(charge)), id, books.state)
            })),
        )
        .route(
            "/v1/refunds",
            get(by(|books, _, params| books.state.list_refunds(params)))
                .post(by(|books, _, params| books.create_refund(params))),
        )
        .route(
            "/v1/refunds/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                shown(books.state.refunds.get(&id.to_owned()), id, books.state)
            }))
            .post(by(|books, asked, params| {
                books.update_refund(asked.param("id"), params)
            })),
        )
        .merge(disputes())
}

fn disputes() -> Router<World> {
    Router::new()
        .route(
            "/v1/disputes",
            get(by(|books, _, params| books.state.list_disputes(params))),
        )
        .route(
            "/v1/disputes/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let id = asked.param("id");
                shown(books.state.disputes.get(&id.to_owned()), id, books.state)
            }))
            .post(by(|books, asked, params| {
                books.update_dispute(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/disputes/{id}/close",
            post(by(|books, asked, params| {
                books.close_dispute(asked.param("id"), params)
            })),
        )
}

fn methods() -> Router<World> {
    Router::new()
        .route(
            "/v1/payment_methods",
            get(by(|books, _, params| {
                books.state.list_methods(None, params)
            }))
            .post(by(|books, _, params| books.create_method(params))),
        )
        .route(
            "/v1/payment_methods/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let method = books.state.method(asked.param("id"), None)?;
                Ok(method.shown(books.state))
            }))
            .post(by(|books, asked, params| {
                books.update_method(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/payment_methods/{id}/attach",
            post(by(|books, asked, params| {
                books.attach(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/payment_methods/{id}/detach",
            post(by(|books, asked, params| {
                books.detach(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/customers/{id}/payment_methods",
            get(by(|books, asked, params| {
                books.state.list_methods(Some(asked.param("id")), params)
            })),
        )
        .route(
            "/v1/customers/{id}/payment_methods/{method}",
            get(by(|books, asked, params| {
                params.finish()?;
                books.show_method_of(asked.param("id"), asked.param("method"))
            })),
        )
}

fn clocks() -> Router<World> {
    Router::new()
        .route(
            "/v1/test_helpers/test_clocks",
            get(by(|books, _, params| books.state.list_clocks(params)))
                .post(by(|books, _, params| books.create_clock(params))),
        )
        .route(
            "/v1/test_helpers/test_clocks/{id}",
            get(by(|books, asked, params| {
                params.finish()?;
                let clock = books.state.clock(asked.param("id"), None)?;
                Ok(clock.shown(books.state))
            }))
            .delete(by(|books, asked, params| {
                books.delete_clock(asked.param("id"), params)
            })),
        )
        .route(
            "/v1/test_helpers/test_clocks/{id}/advance",
            post(by(|books, asked, params| {
                books.advance_clock(asked.param("id"), params)
            })),
        )
}
