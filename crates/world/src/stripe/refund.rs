//! Refunds: how much of a payment can still be given back, how a refund is made, changed and shown.
//!
//! Source: Stripe's reference of refunds.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::catalog::money;
use super::event::EventKind;
use super::form::{Metadata, Params, merge_metadata};
use super::list::Object;
use super::payment::{Charge, Payment, Progress};
use super::refusal::Refusal;
use crate::history::{Change, Kind};

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

impl Object for Refund {
    const NAME: &'static str = "refund";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, state: &State) -> Value {
        let payment = state.payments.get(&self.payment);
        json!({
            "id": self.id,
            "object": Self::NAME,
            "amount": self.amount,
            "balance_transaction": self.id.replacen("re_", "txn_", 1),
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "customer": payment.map(|payment| payment.customer.clone()),
            "customer_account": null,
            "destination_details": {
                "card": { "reference": null, "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund" },
                "type": "card",
            },
            "metadata": self.metadata,
            "payment_intent": self.payment,
            "payment_method": payment.and_then(|payment| payment.method.clone()),
            "reason": self.reason,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": "succeeded",
            "transfer_reversal": null,
        })
    }
}

impl Books<'_> {
    pub(crate) fn create_refund(&mut self, mut params: Params) -> Result<Value, Refusal> {
        let (payment, charge) = (params.text("payment_intent")?, params.text("charge")?);
        let amount = params.number("amount")?;
        let reason = reason(params.text("reason")?.as_deref())?;
        let mut metadata = Metadata::new();
        merge_metadata(&mut metadata, params.metadata()?)?;
        params.finish()?;
        let mut payment = match (payment, charge) {
            (Some(id), None) => self.state.payment(&id, Some("payment_intent"))?.clone(),
            (None, Some(id)) => self.state.charged(&id, Some("charge"))?.clone(),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Refusal::State(
                    "One of the following params should be provided for this request: payment_intent or charge."
                        .to_owned(),
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
            created: self.now,
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

    /// `POST /v1/refunds/{id}`: only metadata can change.
    pub(crate) fn update_refund(&mut self, id: &str, mut params: Params) -> Result<Value, Refusal> {
        let mut refund = self.state.refund(id)?.clone();
        merge_metadata(&mut refund.metadata, params.metadata()?)?;
        params.finish()?;
        self.state.refunds.insert(refund.id.clone(), refund.clone());
        let change = Change::Changed("updated".to_owned());
        self.note(Kind::Refund, &refund.id, change, &refund.metadata);
        self.tell(EventKind::RefundUpdated, &refund);
        self.tell(EventKind::ChargeRefundUpdated, &refund);
        Ok(refund.shown(self.state))
    }
}

fn reason(word: Option<&str>) -> Result<Option<Reason>, Refusal> {
    match word {
        None => Ok(None),
        Some("duplicate") => Ok(Some(Reason::Duplicate)),
        Some("fraudulent") => Ok(Some(Reason::Fraudulent)),
        Some("requested_by_customer") => Ok(Some(Reason::RequestedByCustomer)),
        Some(_) => Err(Refusal::choice(
            "reason",
            &["duplicate", "fraudulent", "requested_by_customer"],
        )),
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
    let charge = payment.charge.clone().unwrap_or_default();
    if payment.disputed {
        return Err(Refusal::Coded {
            code: "charge_disputed",
            message: format!("Charge {charge} has been charged back; cannot issue a refund."),
        });
    }
    let left = payment.amount - payment.refunded;
    if left <= 0 {
        return Err(Refusal::AlreadyRefunded(charge));
    }
    match asked.unwrap_or(left) {
        amount if amount < 1 => {
            let why = "This value must be greater than or equal to 1.";
            Err(Refusal::integer("amount", why))
        }
        amount if amount > left => Err(Refusal::param(
            "amount",
            format!(
                "Refund amount ({}) is greater than unrefunded amount on charge ({})",
                money(amount, &payment.currency),
                money(left, &payment.currency),
            ),
        )),
        amount => Ok(amount),
    }
}

impl State {
    pub(crate) fn refund(&self, id: &str) -> Result<&Refund, Refusal> {
        self.refunds
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: Refund::NAME,
                id: id.to_owned(),
                param: None,
            })
    }
}
