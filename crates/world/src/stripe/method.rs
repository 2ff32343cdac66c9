//! Payment methods: how one is made, kept by a customer and given up again, and how it looks. What a card does is decided
//! in `card`.
//!
//! Source: Stripe's reference of payment methods; its page on testing (ready-made ones such as `pm_card_visa`).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::card::{Instrument, Way};
use super::event::EventKind;
use super::form::{Metadata, Params, merge_metadata};
use super::list::{Object, Page, joined};
use super::refusal::Refusal;
use super::subscription::Subscription;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Method {
    pub(crate) id: String,
    created: i64,
    pub(crate) customer: Option<String>,
    pub(crate) instrument: Instrument,
    email: Option<String>,
    name: Option<String>,
    metadata: Metadata,
    /// Was given up by a customer, and so cannot be used any more.
    spent: bool,
}

impl Object for Method {
    const NAME: &'static str = "payment_method";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, _: &State) -> Value {
        let kind = self.instrument.kind();
        json!({
            "id": self.id,
            "object": Self::NAME,
            "allow_redisplay": "unspecified",
            "billing_details": { "address": address(), "email": self.email, "name": self.name, "phone": null, "tax_id": null },
            "created": self.created,
            "customer": self.customer,
            "customer_account": null,
            "livemode": false,
            "metadata": self.metadata,
            "type": kind,
            kind: self.instrument.shown(),
        })
    }
}

pub(crate) fn address() -> Value {
    json!({ "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null })
}

impl Instrument {
    /// The `card` or `sepa_debit` of a payment method.
    fn shown(&self) -> Value {
        if !self.is_card() {
            return json!({
                "bank_code": "19043",
                "branch_code": "",
                "country": "AT",
                "fingerprint": format!("bank{}", self.last4),
                "generated_from": { "charge": null, "setup_attempt": null },
                "last4": self.last4,
            });
        }
        json!({
            "brand": self.brand(),
            "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
            "country": "US",
            "display_brand": self.brand(),
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": format!("card{}", self.last4),
            "funding": "credit",
            "generated_from": null,
            "last4": self.last4,
            "networks": { "available": [self.brand()], "preferred": null },
            "regulated_status": "unregulated",
            "three_d_secure_usage": { "supported": true },
            "wallet": null,
        })
    }
}

impl Instrument {
    /// The same in the `payment_method_details` of a charge.
    pub(crate) fn charged(&self, amount: i64) -> Value {
        let mut shown = self.shown();
        if self.is_card() {
            let rest = json!({
                "amount_authorized": amount,
                "authorization_code": null,
                "extended_authorization": { "status": "disabled" },
                "incremental_authorization": { "status": "unavailable" },
                "installments": null,
                "mandate": null,
                "multicapture": { "status": "unavailable" },
                "network": self.brand(),
                "network_token": { "used": false },
                "network_transaction_id": null,
                "overcapture": { "maximum_amount_capturable": amount, "status": "unavailable" },
                "three_d_secure": null,
                "transaction_link_id": null,
            });
            shown = joined(shown, rest);
        }
        shown
    }
}

impl Books<'_> {
    pub(crate) fn create_method(&mut self, mut params: Params) -> Result<Value, Refusal> {
        let kind = params.required("type")?;
        let instrument = match kind.as_str() {
            "card" => card(params.group("card")?)?,
            "sepa_debit" => {
                let mut group = params.group("sepa_debit")?;
                let iban = group.required("iban")?;
                group.finish()?;
                let wrong = |error: super::card::NotATestNumber| {
                    Refusal::param("sepa_debit[iban]", error.to_string())
                };
                Instrument::account(&iban).map_err(wrong)?
            }
            _ => return Err(Refusal::choice("type", &["card", "sepa_debit"])),
        };
        let mut method = self.new_method(instrument);
        let mut details = params.group("billing_details")?;
        method.email = details.text("email")?;
        method.name = details.text("name")?;
        details.ignore(&["address", "phone"]);
        details.finish()?;
        merge_metadata(&mut method.metadata, params.metadata()?)?;
        params.finish()?;
        self.keep_method(&method);
        Ok(method.shown(self.state))
    }

    pub(crate) fn new_method(&mut self, instrument: Instrument) -> Method {
        Method {
            id: self.id("pm"),
            created: self.now,
            customer: None,
            instrument,
            email: None,
            name: None,
            metadata: Metadata::new(),
            spent: false,
        }
    }

    fn keep_method(&mut self, method: &Method) {
        self.state.methods.insert(method.id.clone(), method.clone());
    }

    pub(crate) fn update_method(&mut self, id: &str, mut params: Params) -> Result<Value, Refusal> {
        let mut method = self.state.method(id, None)?.clone();
        merge_metadata(&mut method.metadata, params.metadata()?)?;
        params.finish()?;
        self.keep_method(&method);
        self.tell(EventKind::MethodUpdated, &method);
        Ok(method.shown(self.state))
    }

    pub(crate) fn attach(&mut self, id: &str, mut params: Params) -> Result<Value, Refusal> {
        let customer = params.required("customer")?;
        params.finish()?;
        self.state.live_customer(&customer, Some("customer"))?;
        let id = self.attached(id, &customer, None)?;
        Ok(self.state.method(&id, None)?.shown(self.state))
    }

    /// The id of a payment method that the customer has kept by now; a ready-made one becomes one of its own.
    pub(crate) fn attached(
        &mut self,
        id: &str,
        customer: &str,
        param: Option<&'static str>,
    ) -> Result<String, Refusal> {
        let mut method = match Instrument::ready_made(id) {
            Some(instrument) => self.new_method(instrument),
            None => self.state.method(id, param)?.clone(),
        };
        match &method.customer {
            Some(owner) if owner == customer => return Ok(method.id),
            Some(_) => {
                let why =
                    "The payment method you provided has already been attached to a customer.";
                return Err(Refusal::State(why.to_owned()));
            }
            None if method.spent => {
                let why = "This PaymentMethod was previously used without being attached to a Customer or was \
                           detached from a Customer, and may not be used again.";
                return Err(Refusal::State(why.to_owned()));
            }
            None => {}
        }
        if let Way::CardDeclined(decline) = method.instrument.way {
            return Err(Refusal::Declined {
                decline,
                payment: None,
            });
        }
        method.customer = Some(customer.to_owned());
        self.keep_method(&method);
        self.tell(EventKind::MethodAttached, &method);
        Ok(method.id)
    }

    /// Keeps what was typed on a hosted page for what follows.
    pub(crate) fn saved(&mut self, instrument: Instrument, customer: &str) -> String {
        let mut method = self.new_method(instrument);
        method.customer = Some(customer.to_owned());
        self.keep_method(&method);
        self.tell(EventKind::MethodAttached, &method);
        method.id
    }

    /// A payment method of one customer.
    pub(crate) fn show_method_of(&self, customer: &str, id: &str) -> Result<Value, Refusal> {
        self.state.live_customer(customer, None)?;
        let method = self.state.method(id, None)?;
        if method.customer.as_deref() == Some(customer) {
            return Ok(method.shown(self.state));
        }
        Err(Refusal::NoSuch {
            what: "PaymentMethod",
            id: id.to_owned(),
            param: None,
        })
    }

    pub(crate) fn detach(&mut self, id: &str, params: Params) -> Result<Value, Refusal> {
        params.finish()?;
        let mut method = self.state.method(id, None)?.clone();
        let Some(customer) = method.customer.take() else {
            let why = "The payment method you provided is not attached to a customer so detachment is impossible.";
            return Err(Refusal::State(why.to_owned()));
        };
        method.spent = true;
        self.keep_method(&method);
        if let Some(customer) = self.state.customers.get_mut(&customer)
            && customer.method.as_deref() == Some(id)
        {
            customer.method = None;
        }
        self.tell(EventKind::MethodDetached, &method);
        Ok(method.shown(self.state))
    }
}

/// `card[token]` is a ready-made one, `card[number]` a test card's.
fn card(mut group: Params) -> Result<Instrument, Refusal> {
    let (token, number) = (group.text("token")?, group.text("number")?);
    group.ignore(&["exp_month", "exp_year", "cvc"]);
    group.finish()?;
    match (token, number) {
        (Some(token), None) => {
            let name = token.replacen("tok_", "pm_card_", 1);
            Instrument::ready_made(&name).ok_or(Refusal::NoSuch {
                what: "token",
                id: token,
                param: Some("card[token]"),
            })
        }
        (None, Some(number)) => Instrument::card(&number).map_err(|error| Refusal::Coded {
            code: "incorrect_number",
            message: error.to_string(),
        }),
        (Some(_), Some(_)) | (None, None) => Err(Refusal::Missing("card".to_owned())),
    }
}

impl State {
    pub(crate) fn method(&self, id: &str, param: Option<&'static str>) -> Result<&Method, Refusal> {
        self.methods
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: "PaymentMethod",
                id: id.to_owned(),
                param,
            })
    }

    /// What a subscription is paid with: its own, or what the customer pays everything with.
    pub(crate) fn method_of(&self, subscription: &Subscription) -> Option<&Method> {
        let kept = |id: &String| {
            let method = self.methods.get(id)?;
            method.customer.is_some().then_some(method)
        };
        let customer = self.customers.get(&subscription.customer);
        subscription
            .method
            .as_ref()
            .and_then(kept)
            .or_else(|| customer.and_then(|customer| customer.method.as_ref().and_then(kept)))
    }

    /// The customer's newest payment method that is this.
    pub(crate) fn method_with(&self, customer: &str, instrument: &Instrument) -> Option<String> {
        let is = |method: &&Method| {
            method.customer.as_deref() == Some(customer) && method.instrument == *instrument
        };
        Some(self.methods.values().rev().find(is)?.id.clone())
    }

    pub(crate) fn instrument_of(&self, subscription: &Subscription) -> Option<Instrument> {
        Some(self.method_of(subscription)?.instrument.clone())
    }

    /// `GET /v1/payment_methods` and `GET /v1/customers/{id}/payment_methods`.
    pub(crate) fn list_methods(
        &self,
        of: Option<&str>,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let customer = match of {
            Some(customer) => customer.to_owned(),
            None => params.required("customer")?,
        };
        let kind = params.text("type")?;
        params.finish()?;
        let param = of.is_none().then_some("customer");
        self.live_customer(&customer, param)?;
        let wanted = |method: &&Method| {
            method.customer.as_deref() == Some(&customer)
                && kind
                    .as_ref()
                    .is_none_or(|kind| kind == method.instrument.kind())
        };
        let found: Vec<_> = self.methods.values().rev().filter(wanted).collect();
        let url = match of {
            Some(_) => format!("/v1/customers/{customer}/payment_methods"),
            None => "/v1/payment_methods".to_owned(),
        };
        page.list(&url, &found, self)
    }
}
