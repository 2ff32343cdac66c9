//! What Stripe's list requests ask for: the filters of each kind of list. Pages are cut elsewhere (`list`).

use serde_json::Value;

use super::State;
use super::catalog::{Price, Product};
use super::customer::Customer;
use super::event::Event;
use super::form::Params;
use super::invoice::{Invoice, InvoicePayment};
use super::list::{Object, Page, Span, list_of};
use super::payment::{Charge, Payment};
use super::refund::Refund;
use super::refusal::Refusal;
use super::session::Session;
use super::subscription::{Settlement, Subscription};

/// Kinds of event that can be asked for at once, as Stripe limits `types`.
const MOST_TYPES: usize = 20;
/// What subscriptions can be asked for by `status`.
const STATUSES: [&str; 10] = [
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
];

impl State {
    pub(crate) fn list_customers(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let (email, created) = (params.text("email")?, Span::take(&mut params, "created")?);
        let clock = params.text("test_clock")?;
        params.finish()?;
        // Those who live by a test clock are shown to those who ask for it, and to nobody else.
        let wanted = |customer: &&Customer| {
            !customer.deleted
                && customer.test_clock == clock
                && created.holds(customer.created)
                && (email.is_none() || customer.email == email)
        };
        let found: Vec<_> = self.customers.values().rev().filter(wanted).collect();
        page.list("/v1/customers", &found, self)
    }

    pub(crate) fn list_products(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let active = params.flag("active")?;
        params.finish()?;
        let wanted = |product: &&Product| active.is_none_or(|active| active == product.active);
        let found: Vec<_> = self.products.values().rev().filter(wanted).collect();
        page.list("/v1/products", &found, self)
    }

    pub(crate) fn list_prices(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let (active, product) = (params.flag("active")?, params.text("product")?);
        let keys = params.texts("lookup_keys")?;
        params.finish()?;
        let keyed = |price: &Price| {
            let key = price.lookup_key.as_ref();
            keys.is_empty() || key.is_some_and(|key| keys.contains(key))
        };
        let wanted = |price: &&Price| {
            active.is_none_or(|active| active == price.active)
                && product.as_ref().is_none_or(|id| *id == price.product)
                && keyed(price)
        };
        let found: Vec<_> = self.prices.values().rev().filter(wanted).collect();
        page.list("/v1/prices", &found, self)
    }

    pub(crate) fn list_sessions(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let (customer, subscription) = (params.text("customer")?, params.text("subscription")?);
        let status = params.text("status")?;
        let created = Span::take(&mut params, "created")?;
        params.finish()?;
        let wanted = |session: &&Session| {
            created.holds(session.created)
                && (customer.is_none() || session.customer == customer)
                && (subscription.is_none() || session.subscription == subscription)
                && status
                    .as_ref()
                    .is_none_or(|word| session.stage.word() == word)
        };
        let found: Vec<_> = self.sessions.values().rev().filter(wanted).collect();
        page.list("/v1/checkout/sessions", &found, self)
    }

    pub(crate) fn list_subscriptions(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let (customer, price) = (params.text("customer")?, params.text("price")?);
        let status = params.text("status")?;
        let clock = params.text("test_clock")?;
        let created = Span::take(&mut params, "created")?;
        params.ignore(&["collection_method"]);
        params.finish()?;
        if status
            .as_ref()
            .is_some_and(|word| !STATUSES.contains(&word.as_str()))
        {
            return Err(Refusal::choice("status", &STATUSES));
        }
        let by_clock = |subscription: &Subscription| {
            let lives = self.customers.get(&subscription.customer);
            let lives = lives.and_then(|customer| customer.test_clock.as_ref());
            (customer.is_some() && clock.is_none()) || lives == clock.as_ref()
        };
        let in_state = |subscription: &Subscription| match status.as_deref() {
            None => !subscription.has_ended(),
            Some("all") => true,
            Some("ended") => subscription.has_ended(),
            Some(word) => subscription.status.word() == word,
        };
        let has_price = |subscription: &Subscription| {
            let is = |id: &String| subscription.items.iter().any(|item| item.price == *id);
            price.as_ref().is_none_or(is)
        };
        let wanted = |subscription: &&Subscription| {
            let of = |id: &String| subscription.customer == *id;
            created.holds(subscription.created)
                && customer.as_ref().is_none_or(of)
                && by_clock(subscription)
                && in_state(subscription)
                && has_price(subscription)
        };
        let found: Vec<_> = self.subscriptions.values().rev().filter(wanted).collect();
        page.list("/v1/subscriptions", &found, self)
    }

    pub(crate) fn list_settlements(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let (customer, invoice) = (params.text("customer")?, params.text("invoice")?);
        let pending = params.flag("pending")?;
        params.finish()?;
        let wanted = |item: &&Settlement| {
            customer.as_ref().is_none_or(|id| *id == item.customer)
                && (invoice.is_none() || item.invoice == invoice)
                && pending.is_none_or(|pending| pending == item.invoice.is_none())
        };
        let found: Vec<_> = self.items.values().rev().filter(wanted).collect();
        page.list("/v1/invoiceitems", &found, self)
    }

    pub(crate) fn list_items(&self, mut params: Params) -> Result<Value, Refusal> {
        params.ignore(&["limit"]);
        let subscription = params.required("subscription")?;
        params.finish()?;
        let items = self.shown_items(&subscription)?;
        Ok(list_of("/v1/subscription_items", &items, false))
    }

    pub(crate) fn list_invoices(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let (customer, subscription) = (params.text("customer")?, params.text("subscription")?);
        let status = params.text("status")?;
        let created = Span::take(&mut params, "created")?;
        params.finish()?;
        let wanted = |invoice: &&Invoice| {
            created.holds(invoice.created)
                && customer.as_ref().is_none_or(|id| *id == invoice.customer)
                && subscription
                    .as_ref()
                    .is_none_or(|id| *id == invoice.subscription)
                && status
                    .as_ref()
                    .is_none_or(|word| invoice.standing.word() == word)
        };
        let found: Vec<_> = self.invoices.values().rev().filter(wanted).collect();
        page.list("/v1/invoices", &found, self)
    }

    pub(crate) fn list_invoice_payments(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let invoice = params.text("invoice")?;
        let mut payment = params.group("payment")?;
        params.finish()?;
        payment.ignore(&["type"]);
        let intent = payment.text("payment_intent")?;
        payment.finish()?;
        let links: Vec<_> = self
            .invoices
            .values()
            .rev()
            .filter(|found| invoice.as_ref().is_none_or(|id| *id == found.id))
            .filter_map(InvoicePayment::of)
            .filter(|link| intent.as_ref().is_none_or(|id| id == link.payment))
            .collect();
        page.list(
            "/v1/invoice_payments",
            &links.iter().collect::<Vec<_>>(),
            self,
        )
    }

    pub(crate) fn list_payments(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let customer = params.text("customer")?;
        let created = Span::take(&mut params, "created")?;
        params.finish()?;
        let wanted = |payment: &&Payment| {
            created.holds(payment.created)
                && customer.as_ref().is_none_or(|id| *id == payment.customer)
        };
        let found: Vec<_> = self.payments.values().rev().filter(wanted).collect();
        page.list("/v1/payment_intents", &found, self)
    }

    pub(crate) fn list_charges(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let (customer, intent) = (params.text("customer")?, params.text("payment_intent")?);
        params.finish()?;
        let wanted = |payment: &&Payment| {
            payment.charge.is_some()
                && customer.as_ref().is_none_or(|id| *id == payment.customer)
                && intent.as_ref().is_none_or(|id| *id == payment.id)
        };
        let charges: Vec<_> = self
            .payments
            .values()
            .rev()
            .filter(wanted)
            .map(Charge)
            .collect();
        page.list("/v1/charges", &charges.iter().collect::<Vec<_>>(), self)
    }

    pub(crate) fn list_refunds(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let (intent, charge) = (params.text("payment_intent")?, params.text("charge")?);
        let created = Span::take(&mut params, "created")?;
        params.finish()?;
        let wanted = |refund: &&Refund| {
            created.holds(refund.created)
                && intent.as_ref().is_none_or(|id| *id == refund.payment)
                && (charge.is_none() || refund.charge == charge)
        };
        let found: Vec<_> = self.refunds.values().rev().filter(wanted).collect();
        page.list("/v1/refunds", &found, self)
    }

    pub(crate) fn list_events(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let (one, many) = (params.text("type")?, params.texts("types")?);
        let delivered = params.flag("delivery_success")?;
        let created = Span::take(&mut params, "created")?;
        params.finish()?;
        if many.len() > MOST_TYPES || (one.is_some() && !many.is_empty()) {
            return Err(Refusal::param("types", "Give one type, or up to 20 types"));
        }
        let kinds: Vec<String> = many.into_iter().chain(one).collect();
        let wanted = |event: &&Event| {
            created.holds(event.created)
                && (kinds.is_empty() || kinds.iter().any(|kind| matches(kind, event.kind.word())))
                && delivered.is_none_or(|delivered| delivered != event.pending)
        };
        let found: Vec<_> = self.events.values().rev().filter(wanted).collect();
        page.list("/v1/events", &found, self)
    }
}

/// `customer.*` matches everything below `customer.`.
fn matches(pattern: &str, word: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => word.starts_with(beginning),
        None => pattern == word,
    }
}

/// One object by its id, or 404.
pub(crate) fn shown<O: Object>(
    found: Option<&O>,
    id: &str,
    state: &State,
) -> Result<Value, Refusal> {
    let missing = || Refusal::NoSuch {
        what: O::NAME,
        id: id.to_owned(),
        param: None,
    };
    Ok(found.ok_or_else(missing)?.shown(state))
}
