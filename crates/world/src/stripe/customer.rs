//! Customers: what is kept about one, and how one is made, changed, shown and removed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::event::EventKind;
use super::form::{Metadata, Params, merge_metadata};
use super::list::Object;
use super::refusal::Refusal;
use super::subscription::Ending;
use crate::history::{Change, Kind};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    /// Number of the next invoice.
    pub(crate) next_invoice: u32,
    pub(crate) deleted: bool,
}

impl Object for Customer {
    const NAME: &'static str = "customer";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, state: &State) -> Value {
        if self.deleted {
            return json!({ "id": self.id, "object": Self::NAME, "deleted": true });
        }
        json!({
            "id": self.id,
            "object": Self::NAME,
            "address": null,
            "balance": 0,
            "created": self.created,
            "currency": null,
            "default_source": null,
            "delinquent": state.is_delinquent(&self.id),
            "description": self.description,
            "discount": null,
            "email": self.email,
            "invoice_prefix": self.invoice_prefix(),
            "invoice_settings": { "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null },
            "livemode": false,
            "metadata": self.metadata,
            "name": self.name,
            "next_invoice_sequence": self.next_invoice,
            "phone": null,
            "preferred_locales": [],
            "shipping": null,
            "tax_exempt": "none",
            "test_clock": null,
        })
    }
}

impl Customer {
    pub(crate) fn invoice_prefix(&self) -> String {
        let tail = self.id.len().saturating_sub(8);
        self.id.get(tail..).unwrap_or_default().to_ascii_uppercase()
    }
}

/// An empty text clears a value; an absent one leaves it.
pub(crate) fn set_text(kept: &mut Option<String>, sent: Option<String>) {
    if let Some(text) = sent {
        *kept = Some(text).filter(|text| !text.is_empty());
    }
}

impl Books<'_> {
    pub(crate) fn new_customer(
        &mut self,
        email: Option<String>,
        name: Option<String>,
        description: Option<String>,
        metadata: Metadata,
    ) -> Customer {
        let customer = Customer {
            id: self.id("cus"),
            created: self.at,
            email,
            name,
            description,
            metadata,
            next_invoice: 1,
            deleted: false,
        };
        self.note(
            Kind::Customer,
            &customer.id,
            Change::Created,
            &customer.metadata,
        );
        self.state
            .customers
            .insert(customer.id.clone(), customer.clone());
        self.tell(EventKind::CustomerCreated, &customer);
        customer
    }

    pub(crate) fn create_customer(&mut self, mut params: Params) -> Result<Value, Refusal> {
        let (email, name) = (params.text("email")?, params.text("name")?);
        let description = params.text("description")?;
        let mut metadata = Metadata::new();
        merge_metadata(&mut metadata, params.metadata()?);
        params.finish()?;
        let set = |text: Option<String>| text.filter(|text| !text.is_empty());
        let customer = self.new_customer(set(email), set(name), set(description), metadata);
        Ok(customer.shown(self.state))
    }

    pub(crate) fn update_customer(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let mut customer = self.state.live_customer(id, None)?.clone();
        set_text(&mut customer.email, params.text("email")?);
        set_text(&mut customer.name, params.text("name")?);
        set_text(&mut customer.description, params.text("description")?);
        merge_metadata(&mut customer.metadata, params.metadata()?);
        params.finish()?;
        self.state
            .customers
            .insert(customer.id.clone(), customer.clone());
        let change = Change::Changed("updated".to_owned());
        self.note(Kind::Customer, &customer.id, change, &customer.metadata);
        self.tell(EventKind::CustomerUpdated, &customer);
        Ok(customer.shown(self.state))
    }

    /// Removing a customer ends all subscriptions at once.
    pub(crate) fn delete_customer(&mut self, id: &str, params: Params) -> Result<Value, Refusal> {
        params.finish()?;
        let mut customer = self.state.live_customer(id, None)?.clone();
        let running: Vec<String> = self
            .state
            .subscriptions
            .values()
            .filter(|subscription| subscription.customer == id && !subscription.has_ended())
            .map(|subscription| subscription.id.clone())
            .collect();
        for subscription in running {
            self.end_subscription(&subscription, Ending::Requested)?;
        }
        self.tell(EventKind::CustomerDeleted, &customer);
        customer.deleted = true;
        self.note(
            Kind::Customer,
            &customer.id,
            Change::Removed,
            &customer.metadata,
        );
        self.state
            .customers
            .insert(customer.id.clone(), customer.clone());
        Ok(customer.shown(self.state))
    }
}

impl State {
    pub(crate) fn live_customer(
        &self,
        id: &str,
        param: Option<&'static str>,
    ) -> Result<&Customer, Refusal> {
        let missing = || Refusal::NoSuch {
            what: Customer::NAME,
            id: id.to_owned(),
            param,
        };
        self.customers
            .get(&id.to_owned())
            .filter(|customer| !customer.deleted)
            .ok_or_else(missing)
    }
}
