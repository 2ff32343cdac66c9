//! Payments: a payment intent with its charge, the refunds on it, and how each is shown. Whether an attempt
//! succeeds is decided in `invoice`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::card::{Decline, Instrument};
use super::catalog::money;
use super::event::EventKind;
use super::form::{Metadata, Params, merge_metadata};
use super::list::Object;
use super::refusal::Refusal;
use crate::history::{Change, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
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
            Self::Failed(_) => "requires_payment_method",
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
    pub(crate) instrument: Instrument,
    pub(crate) refunded: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) payment: String,
    pub(crate) charge: Option<String>,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) reason: Option<Reason>,
    pub(crate) metadata: Metadata,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    Duplicate,
    Fraudulent,
    RequestedByCustomer,
}

impl Payment {
    fn received(&self) -> i64 {
        match self.progress {
            Progress::Succeeded => self.amount,
            Progress::Failed(_) | Progress::Asks | Progress::Processing => 0,
        }
    }

    fn shown_error(&self) -> Value {
        match self.progress {
            Progress::Failed(decline) => json!({
                "code": "card_declined",
                "decline_code": decline.code(),
                "message": decline.sentence(),
                "type": "card_error",
            }),
            Progress::Asks | Progress::Processing | Progress::Succeeded => Value::Null,
        }
    }

    /// The charge of this payment, if it has one.
    pub(crate) fn shown_charge(&self, state: &State) -> Option<Value> {
        let id = self.charge.as_ref()?;
        let (status, failure) = match self.progress {
            Progress::Succeeded => ("succeeded", None),
            Progress::Processing | Progress::Asks => ("pending", None),
            Progress::Failed(decline) => ("failed", Some(decline)),
        };
        let customer = state.customers.get(&self.customer);
        Some(json!({
            "id": id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.received(),
            "amount_refunded": self.refunded,
            "balance_transaction": null,
            "billing_details": {
                "address": null,
                "email": customer.and_then(|customer| customer.email.clone()),
                "name": customer.and_then(|customer| customer.name.clone()),
                "phone": null,
                "tax_id": null,
            },
            "captured": status == "succeeded",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": null,
            "disputed": false,
            "failure_code": failure.map(|_| "card_declined"),
            "failure_message": failure.map(Decline::sentence),
            "livemode": false,
            "metadata": {},
            "paid": status == "succeeded",
            "payment_intent": self.id,
            "payment_method": null,
            "payment_method_details": { "type": self.instrument.kind(), self.instrument.kind(): { "last4": self.instrument.last4 } },
            "receipt_url": null,
            "refunded": self.amount > 0 && self.refunded == self.amount,
            "status": status,
        }))
    }
}

impl Object for Payment {
    const NAME: &'static str = "payment_intent";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, _: &State) -> Value {
        json!({
            "id": self.id,
            "object": Self::NAME,
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_received": self.received(),
            "canceled_at": null,
            "cancellation_reason": null,
            "capture_method": "automatic",
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": "Subscription payment",
            "last_payment_error": self.shown_error(),
            "latest_charge": self.charge,
            "livemode": false,
            "metadata": {},
            "next_action": if self.progress == Progress::Asks { json!({ "type": "use_stripe_sdk" }) } else { Value::Null },
            "payment_method": null,
            "payment_method_types": [self.instrument.kind()],
            "receipt_email": null,
            "setup_future_usage": "off_session",
            "status": self.progress.word(),
        })
    }
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

impl Object for Refund {
    const NAME: &'static str = "refund";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, _: &State) -> Value {
        json!({
            "id": self.id,
            "object": Self::NAME,
            "amount": self.amount,
            "balance_transaction": null,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "destination_details": { "card": { "type": "refund" }, "type": "card" },
            "metadata": self.metadata,
            "payment_intent": self.payment,
            "reason": self.reason,
            "receipt_number": null,
            "status": "succeeded",
        })
    }
}

impl Books<'_> {
    pub(crate) fn create_refund(&mut self, mut params: Params) -> Result<Value, Refusal> {
        let (payment, charge) = (params.text("payment_intent")?, params.text("charge")?);
        let amount = params.number("amount")?;
        let reason = reason(params.text("reason")?.as_deref())?;
        let mut metadata = Metadata::new();
        merge_metadata(&mut metadata, params.metadata()?);
        params.finish()?;
        let mut payment = match (payment, charge) {
            (Some(id), None) => self.state.payment(&id, Some("payment_intent"))?.clone(),
            (None, Some(id)) => self.state.charged(&id, Some("charge"))?.clone(),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Refusal::State(
                    "One of payment_intent or charge must be provided.".to_owned(),
                ));
            }
        };
        let amount = refundable(&payment, amount)?;
        payment.refunded += amount;
        self.state
            .payments
            .insert(payment.id.clone(), payment.clone());
        let refund = Refund {
            id: self.id("re"),
            created: self.at,
            payment: payment.id.clone(),
            charge: payment.charge.clone(),
            amount,
            currency: payment.currency.clone(),
            reason,
            metadata,
        };
        self.state.refunds.insert(refund.id.clone(), refund.clone());
        self.note(Kind::Refund, &refund.id, Change::Created, &refund.metadata);
        self.tell(EventKind::RefundCreated, &refund);
        self.tell(EventKind::ChargeRefunded, &Charge(&payment));
        Ok(refund.shown(self.state))
    }
}

fn reason(word: Option<&str>) -> Result<Option<Reason>, Refusal> {
    match word {
        None => Ok(None),
        Some("duplicate") => Ok(Some(Reason::Duplicate)),
        Some("fraudulent") => Ok(Some(Reason::Fraudulent)),
        Some("requested_by_customer") => Ok(Some(Reason::RequestedByCustomer)),
        Some(_) => Err(Refusal::param("reason", "Invalid reason")),
    }
}

/// How much of the payment goes back: what is asked for, or all that is left.
fn refundable(payment: &Payment, asked: Option<i64>) -> Result<i64, Refusal> {
    if payment.progress != Progress::Succeeded {
        return Err(Refusal::State(format!(
            "This PaymentIntent ({}) does not have a successful charge to refund.",
            payment.id
        )));
    }
    let left = payment.amount - payment.refunded;
    if left <= 0 {
        let charge = payment.charge.clone().unwrap_or_default();
        return Err(Refusal::AlreadyRefunded(charge));
    }
    match asked.unwrap_or(left) {
        amount if amount < 1 => Err(Refusal::param("amount", "Invalid positive integer")),
        amount if amount > left => Err(Refusal::State(format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            money(amount, &payment.currency),
            money(left, &payment.currency),
        ))),
        amount => Ok(amount),
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
