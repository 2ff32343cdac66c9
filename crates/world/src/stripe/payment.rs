//! Payments: a payment intent with its charge, how each is shown, and what a request does to one. Whether an attempt
//! succeeds is decided in `invoice`, what is given back in `refund`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::card::{Decline, Instrument};
use super::form::Params;
use super::invoice::Attempt;
use super::list::{Object, joined};
use super::refusal::{Refusal, doc_url};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
    /// Nobody has tried yet, or there is nothing to pay with.
    Waits,
    /// Declined; another instrument is needed.
    Failed(Decline),
    /// The bank wants to ask the customer.
    Asks,
    /// A debit is under way.
    Processing,
    Succeeded,
}

impl Progress {
    fn word(self) -> &'static str {
        match self {
            Self::Waits | Self::Failed(_) => "requires_payment_method",
            Self::Asks => "requires_action",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) id: String,
    /// Exists from the first attempt that reached the bank.
    pub(crate) charge: Option<String>,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) invoice: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) progress: Progress,
    pub(crate) instrument: Option<Instrument>,
    #[serde(default)]
    pub(crate) method: Option<String>,
    pub(crate) refunded: i64,
    #[serde(default)]
    pub(crate) disputed: bool,
}

impl Payment {
    fn received(&self) -> i64 {
        match self.progress {
            Progress::Succeeded => self.amount,
            Progress::Waits | Progress::Failed(_) | Progress::Asks | Progress::Processing => 0,
        }
    }

    fn shown_error(&self, state: &State) -> Value {
        let Progress::Failed(decline) = self.progress else {
            return Value::Null;
        };
        let code = decline.error_code();
        let method = self.method.as_ref().and_then(|id| state.methods.get(id));
        json!({
            "charge": self.charge,
            "code": code,
            "decline_code": decline.code(),
            "doc_url": doc_url(code),
            "message": decline.message(),
            "payment_method": method.map(|method| method.shown(state)),
            "type": "card_error",
        })
    }

    fn kind(&self) -> &'static str {
        self.instrument.as_ref().map_or("card", Instrument::kind)
    }

    fn shown_details(&self) -> Value {
        let Some(instrument) = &self.instrument else {
            return Value::Null;
        };
        let kind = instrument.kind();
        json!({ "type": kind, kind: instrument.charged(self.amount) })
    }

    /// How the bank answered.
    fn shown_outcome(failure: Option<Decline>) -> Value {
        match failure {
            None => json!({
                "advice_code": null,
                "network_advice_code": null,
                "network_decline_code": null,
                "network_status": "approved_by_network",
                "reason": null,
                "seller_message": "Payment complete.",
                "type": "authorized",
            }),
            Some(decline) => json!({
                "advice_code": "try_again_later",
                "network_advice_code": null,
                "network_decline_code": "01",
                "network_status": "declined_by_network",
                "reason": decline.code(),
                "seller_message": "The bank did not return any further details with this decline.",
                "type": "issuer_declined",
            }),
        }
    }

    /// The charge of this payment, if it has one.
    pub(crate) fn shown_charge(&self, state: &State) -> Option<Value> {
        let id = self.charge.as_ref()?;
        let (status, failure) = match self.progress {
            Progress::Succeeded => ("succeeded", None),
            Progress::Waits | Progress::Processing | Progress::Asks => ("pending", None),
            Progress::Failed(decline) => ("failed", Some(decline)),
        };
        let customer = state.customers.get(&self.customer);
        let shown = json!({
            "id": id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.received(),
            "amount_refunded": self.refunded,
            "balance_transaction": self.balance_transaction(),
            "billing_details": {
                "address": super::method::address(),
                "email": customer.and_then(|customer| customer.email.clone()),
                "name": customer.and_then(|customer| customer.name.clone()),
                "phone": null,
                "tax_id": null,
            },
            "captured": status == "succeeded",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": "Subscription payment",
            "disputed": self.disputed,
            "failure_balance_transaction": null,
            "failure_code": failure.map(Decline::error_code),
            "failure_message": failure.map(Decline::message),
            "livemode": false,
            "metadata": {},
            "outcome": Self::shown_outcome(failure),
            "paid": status == "succeeded",
            "payment_intent": self.id,
            "payment_method": self.method,
            "payment_method_details": self.shown_details(),
            "receipt_url": null,
            "refunded": self.amount > 0 && self.refunded == self.amount,
            "status": status,
        });
        Some(joined(shown, charge_without()))
    }

    fn balance_transaction(&self) -> Option<String> {
        let charge = self.charge.as_ref()?;
        (self.progress == Progress::Succeeded).then(|| charge.replacen("ch_", "txn_", 1))
    }
}

/// What this account never uses of a charge.
fn charge_without() -> Value {
    json!({
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "calculated_statement_descriptor": "TEST SHOP",
        "fraud_details": {},
        "on_behalf_of": null,
        "receipt_email": null,
        "receipt_number": null,
        "review": null,
        "shipping": null,
        "source_transfer": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "transfer_data": null,
        "transfer_group": null,
    })
}

impl Object for Payment {
    const NAME: &'static str = "payment_intent";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, state: &State) -> Value {
        let asks = self.progress == Progress::Asks;
        let shown = json!({
            "id": self.id,
            "object": Self::NAME,
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_details": { "tip": {} },
            "amount_received": self.received(),
            "canceled_at": null,
            "cancellation_reason": null,
            "capture_method": "automatic",
            "client_secret": format!("{}_secret_{}", self.id, self.created),
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": "Subscription payment",
            "last_payment_error": self.shown_error(state),
            "latest_charge": self.charge,
            "livemode": false,
            "metadata": {},
            "next_action": asks.then(|| json!({ "type": "use_stripe_sdk", "use_stripe_sdk": { "type": "three_d_secure_redirect" } })),
            "payment_method": self.method,
            "payment_method_types": [self.kind()],
            "setup_future_usage": "off_session",
            "status": self.progress.word(),
        });
        joined(shown, intent_without())
    }
}

/// What this account never uses of a payment intent.
fn intent_without() -> Value {
    json!({
        "allowed_payment_method_types": null,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": null,
        "customer_account": null,
        "excluded_payment_method_types": null,
        "managed_payments": { "enabled": false },
        "on_behalf_of": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "processing": null,
        "receipt_email": null,
        "review": null,
        "shipping": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "transfer_data": null,
        "transfer_group": null,
    })
}

/// A charge shown by itself; it lives in its payment.
pub(crate) struct Charge<'p>(pub(crate) &'p Payment);

impl Object for Charge<'_> {
    const NAME: &'static str = "charge";

    fn id(&self) -> &str {
        self.0.charge.as_deref().unwrap_or_default()
    }

    fn shown(&self, state: &State) -> Value {
        self.0.shown_charge(state).unwrap_or(Value::Null)
    }
}

impl Books<'_> {
    /// `POST /v1/payment_intents/{id}/confirm`: another attempt, with another payment method if one is sent.
    pub(crate) fn confirm_payment(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let method = params.text("payment_method")?;
        params.ignore(&["off_session", "return_url"]);
        params.finish()?;
        let payment = self.state.payment(id, None)?.clone();
        let pays = matches!(payment.progress, Progress::Waits | Progress::Failed(_));
        if !pays {
            let message = format!(
                "You cannot confirm this PaymentIntent because it has a status of {}.",
                payment.progress.word()
            );
            let code = "payment_intent_unexpected_state";
            return Err(Refusal::Coded { code, message });
        }
        self.check_still(&payment.customer)?;
        self.live_by(&payment.customer);
        let outcome = match method {
            None => self.collect(&payment.invoice)?,
            Some(method) => {
                let method = self.attached(&method, &payment.customer, Some("payment_method"))?;
                let instrument = self.state.method(&method, None)?.instrument.clone();
                self.collect_with(&payment.invoice, Some(&instrument))?
            }
        };
        let shown = self.state.payment(id, None)?.shown(self.state);
        match outcome {
            // The bank's question is part of the answer, not a failure.
            Attempt::Asks => Ok(shown),
            Attempt::Paid | Attempt::Processing | Attempt::Failed(_) | Attempt::Unable => {
                match outcome.refusal(Some(shown.clone())) {
                    None => Ok(shown),
                    Some(refusal) => Err(refusal),
                }
            }
        }
    }
}

impl State {
    pub(crate) fn payment(
        &self,
        id: &str,
        param: Option<&'static str>,
    ) -> Result<&Payment, Refusal> {
        self.payments
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: Payment::NAME,
                id: id.to_owned(),
                param,
            })
    }

    /// The payment with this charge.
    pub(crate) fn charged(
        &self,
        charge: &str,
        param: Option<&'static str>,
    ) -> Result<&Payment, Refusal> {
        self.payments
            .values()
            .find(|payment| payment.charge.as_deref() == Some(charge))
            .ok_or_else(|| Refusal::NoSuch {
                what: "charge",
                id: charge.to_owned(),
                param,
            })
    }
}
