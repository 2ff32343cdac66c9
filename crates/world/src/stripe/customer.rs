//! Customers: what is kept about one, and how one is made, changed, shown and removed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::card::{Instrument, Way};
use super::event::EventKind;
use super::form::{Metadata, Params, merge_metadata};
use super::list::Object;
use super::refusal::Refusal;
use super::subscription::{Ending, Subscription, differing};
use crate::history::{Change, Kind};

/// Parameters that are taken and change nothing here.
const WITHOUT_EFFECT: [&str; 6] = [
    "address",
    "phone",
    "preferred_locales",
    "shipping",
    "tax",
    "tax_exempt",
];

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
    /// In the currency's smallest unit; below zero is credit.
    #[serde(default)]
    pub(crate) balance: i64,
    /// What everything is paid with that has no payment method of its own.
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) test_clock: Option<String>,
    pub(crate) deleted: bool,
}

/// What a new customer is.
#[derive(Default)]
pub(crate) struct Newcomer {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) test_clock: Option<String>,
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
            "balance": self.balance,
            "created": self.created,
            "currency": state.currency_paid_by(&self.id),
            "customer_account": null,
            "default_source": null,
            "delinquent": state.is_delinquent(&self.id),
            "description": self.description,
            "discount": null,
            "email": self.email,
            "invoice_prefix": self.invoice_prefix(),
            "invoice_settings": { "custom_fields": null, "default_payment_method": self.method, "footer": null, "rendering_options": null },
            "livemode": false,
            "metadata": self.metadata,
            "name": self.name,
            "next_invoice_sequence": self.next_invoice,
            "phone": null,
            "preferred_locales": [],
            "shipping": null,
            "tax_exempt": "none",
            "test_clock": self.test_clock,
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
    pub(crate) fn new_customer(&mut self, newcomer: Newcomer) -> Customer {
        self.live_by_clock(newcomer.test_clock.clone());
        let customer = Customer {
            id: self.id("cus"),
            created: self.at,
            email: newcomer.email,
            name: newcomer.name,
            description: newcomer.description,
            metadata: newcomer.metadata,
            next_invoice: 1,
            balance: 0,
            method: None,
            test_clock: newcomer.test_clock,
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
        let test_clock = params.text("test_clock")?;
        let method = params.text("payment_method")?;
        let default = default_method(&mut params)?;
        let mut metadata = Metadata::new();
        merge_metadata(&mut metadata, params.metadata()?)?;
        params.ignore(&WITHOUT_EFFECT);
        params.finish()?;
        if let Some(clock) = &test_clock {
            self.check_clock(clock)?;
        }
        check_email(email.as_deref())?;
        let set = |text: Option<String>| text.filter(|text| !text.is_empty());
        let newcomer = Newcomer {
            email: set(email),
            name: set(name),
            description: set(description),
            metadata,
            test_clock,
        };
        self.refuse_declined(method.as_deref().or(default.as_deref()))?;
        let mut customer = self.new_customer(newcomer);
        if let Some(method) = &method {
            let kept = self.attached(method, &customer.id, Some("payment_method"))?;
            if default.as_ref() == Some(method) {
                customer.method = Some(kept);
                return Ok(self.keep_customer(&customer));
            }
        }
        if let Some(default) = default {
            let param = Some("invoice_settings[default_payment_method]");
            customer.method = Some(self.attached(&default, &customer.id, param)?);
        }
        Ok(self.keep_customer(&customer))
    }

    /// A card that is declined at once makes no customer.
    fn refuse_declined(&self, method: Option<&str>) -> Result<(), Refusal> {
        let Some(id) = method else {
            return Ok(());
        };
        let instrument = match Instrument::ready_made(id) {
            Some(instrument) => instrument,
            None => self
                .state
                .method(id, Some("payment_method"))?
                .instrument
                .clone(),
        };
        match instrument.way {
            Way::CardDeclined(decline) => Err(Refusal::Declined {
                decline,
                payment: None,
            }),
            Way::CardPays
            | Way::CardFailsLater
            | Way::CardDisputes
            | Way::CardAsks
            | Way::Debit { .. } => Ok(()),
        }
    }

    fn keep_customer(&mut self, customer: &Customer) -> Value {
        self.state
            .customers
            .insert(customer.id.clone(), customer.clone());
        customer.shown(self.state)
    }

    pub(crate) fn update_customer(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let mut customer = self.state.live_customer(id, None)?.clone();
        let before = customer.shown(self.state);
        let email = params.text("email")?;
        check_email(email.as_deref())?;
        set_text(&mut customer.email, email);
        set_text(&mut customer.name, params.text("name")?);
        set_text(&mut customer.description, params.text("description")?);
        merge_metadata(&mut customer.metadata, params.metadata()?)?;
        let default = default_method(&mut params)?;
        params.ignore(&WITHOUT_EFFECT);
        params.finish()?;
        self.check_still(id)?;
        if let Some(default) = default {
            let param = Some("invoice_settings[default_payment_method]");
            customer.method = if default.is_empty() {
                None
            } else {
                Some(self.attached(&default, id, param)?)
            };
        }
        let shown = self.keep_customer(&customer);
        let change = Change::Changed("updated".to_owned());
        self.note(Kind::Customer, &customer.id, change, &customer.metadata);
        let previous = differing(&before, &shown);
        self.tell_with(EventKind::CustomerUpdated, &customer, Some(previous));
        Ok(shown)
    }

    /// Removing a customer ends all subscriptions at once.
    pub(crate) fn delete_customer(&mut self, id: &str, params: Params) -> Result<Value, Refusal> {
        params.finish()?;
        self.state.live_customer(id, None)?;
        self.check_still(id)?;
        self.remove_customer(id)?;
        Ok(json!({ "id": id, "object": Customer::NAME, "deleted": true }))
    }

    pub(crate) fn remove_customer(&mut self, id: &str) -> Result<(), Refusal> {
        let mut customer = self.state.live_customer(id, None)?.clone();
        self.live_by(id);
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
        Ok(())
    }
}

fn default_method(params: &mut Params) -> Result<Option<String>, Refusal> {
    let mut settings = params.group("invoice_settings")?;
    let default = settings.text("default_payment_method")?;
    settings.finish()?;
    Ok(default)
}

fn check_email(email: Option<&str>) -> Result<(), Refusal> {
    let fine = |email: &str| {
        let parts = email.split_once('@');
        parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
            && !email.contains(char::is_whitespace)
    };
    match email {
        Some(email) if !email.is_empty() && !fine(email) => Err(Refusal::CodedParam {
            code: "email_invalid",
            param: "email",
            message: format!("Invalid email address: {email}"),
        }),
        Some(_) | None => Ok(()),
    }
}

impl State {
    /// The currency of what a customer has bought.
    fn currency_paid_by(&self, customer: &str) -> Option<String> {
        let of = |subscription: &&Subscription| subscription.customer == customer;
        let bought = self.subscriptions.values().find(of)?;
        Some(self.currency_of(bought))
    }

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
