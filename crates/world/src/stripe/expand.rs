//! `expand[]`: which ids in an answer are replaced by what they name. Which objects there are is decided elsewhere.
//!
//! Source: Stripe's page on expanding responses: up to four levels, `data.` first in a list.

use serde_json::Value;

use super::State;
use super::form::Params;
use super::list::{Object, list_of};
use super::refusal::Refusal;

const MOST_PATHS: usize = 20;
const MOST_LEVELS: usize = 4;
/// What can stand in a path: fields that hold an id, what is only shown when asked for, and what leads there.
const FIELDS: [&str; 34] = [
    "charge",
    "customer",
    "data",
    "default_payment_method",
    "default_price",
    "dispute",
    "discounts",
    "invoice",
    "invoice_settings",
    "items",
    "last_payment_error",
    "latest_charge",
    "latest_invoice",
    "line_items",
    "lines",
    "parent",
    "payment",
    "payment_intent",
    "payment_method",
    "payments",
    "pending_setup_intent",
    "plan",
    "price",
    "price_details",
    "pricing",
    "product",
    "refunds",
    "setup_intent",
    "subscription",
    "subscription_details",
    "subscription_item",
    "subscription_item_details",
    "subscriptions",
    "test_clock",
];

/// What a request wants to see whole.
pub(crate) struct Expand {
    paths: Vec<Vec<String>>,
}

impl Expand {
    pub(crate) fn take(params: &mut Params) -> Result<Self, Refusal> {
        let asked = params.texts("expand")?;
        if asked.len() > MOST_PATHS {
            let why = format!("You cannot expand more than {MOST_PATHS} properties.");
            return Err(Refusal::param("expand", why));
        }
        let mut paths = Vec::with_capacity(asked.len());
        for (index, path) in asked.iter().enumerate() {
            let param = format!("expand[{index}]");
            let names: Vec<String> = path.split('.').map(str::to_owned).collect();
            if names.len() > MOST_LEVELS {
                let why = format!(
                    "You cannot expand more than {MOST_LEVELS} levels of a property. Property: {path}"
                );
                return Err(Refusal::param(&param, why));
            }
            if !names.iter().all(|name| FIELDS.contains(&name.as_str())) {
                let why = format!("This property cannot be expanded ({path}).");
                return Err(Refusal::param(&param, why));
            }
            paths.push(names);
        }
        Ok(Self { paths })
    }

    /// An answer with what is asked for.
    pub(crate) fn applied(&self, mut answer: Value, state: &State) -> Value {
        for path in &self.paths {
            expand(&mut answer, path, state);
        }
        answer
    }
}

fn expand(value: &mut Value, path: &[String], state: &State) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    match value {
        Value::Array(items) => {
            for item in items {
                expand(item, path, state);
            }
        }
        Value::Object(_) => {
            if value.get(name).is_none()
                && let Some(shown) = state.only_when_asked(value, name)
            {
                value[name] = shown;
            }
            let Some(field) = value.get_mut(name) else {
                return;
            };
            if let Some(id) = field.as_str()
                && let Some(whole) = state.by_id(id)
            {
                *field = whole;
            }
            expand(field, rest, state);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl State {
    /// The object of an id, whatever it is.
    fn by_id(&self, id: &str) -> Option<Value> {
        let key = id.to_owned();
        let whole = match id.split('_').next()? {
            "ch" => return self.charged(id, None).ok()?.shown_charge(self),
            "cus" => self.customers.get(&key)?.shown(self),
            "clock" => self.clocks.get(&key)?.shown(self),
            "du" => self.disputes.get(&key)?.shown(self),
            "in" => self.invoices.get(&key)?.shown(self),
            "pm" => self.methods.get(&key)?.shown(self),
            "pi" => self.payments.get(&key)?.shown(self),
            "price" => self.prices.get(&key)?.shown(self),
            "prod" => self.products.get(&key)?.shown(self),
            "sub" => self.subscriptions.get(&key)?.shown(self),
            _ => return None,
        };
        Some(whole)
    }

    /// What an object shows only to those who ask for it.
    fn only_when_asked(&self, object: &Value, name: &str) -> Option<Value> {
        let id = object.get("id")?.as_str()?;
        let key = id.to_owned();
        match (object.get("object")?.as_str()?, name) {
            ("checkout.session", "line_items") => {
                let lines = self.sessions.get(&key)?.shown_lines(self);
                let url = format!("/v1/checkout/sessions/{id}/line_items");
                Some(list_of(&url, &lines, false))
            }
            ("customer", "subscriptions") => {
                let running: Vec<Value> = self
                    .subscriptions
                    .values()
                    .rev()
                    .filter(|found| found.customer == id && !found.has_ended())
                    .map(|found| found.shown(self))
                    .collect();
                let url = format!("/v1/customers/{id}/subscriptions");
                Some(list_of(&url, &running, false))
            }
            ("invoice", "payments") => {
                let payments = super::invoice::InvoicePayment::of(self.invoices.get(&key)?);
                let shown: Vec<Value> = payments.iter().map(|link| link.shown(self)).collect();
                let url = format!("/v1/invoice_payments?invoice={id}");
                Some(list_of(&url, &shown, false))
            }
            ("charge", "refunds") => {
                let refunds: Vec<Value> = self
                    .refunds
                    .values()
                    .rev()
                    .filter(|refund| refund.charge.as_deref() == Some(id))
                    .map(|refund| refund.shown(self))
                    .collect();
                Some(list_of(
                    &format!("/v1/charges/{id}/refunds"),
                    &refunds,
                    false,
                ))
            }
            _ => None,
        }
    }
}
