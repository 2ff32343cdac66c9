//! Disputes: a customer's bank takes a payment back until it is decided who is right. How one is opened and closed, and how
//! it looks.
//!
//! Source: Stripe's reference of disputes; its page on testing (the card that is disputed at once).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::event::EventKind;
use super::form::{Metadata, Params, merge_metadata};
use super::list::{Object, Page, Span};
use super::payment::Payment;
use super::refusal::Refusal;

/// How long there is for evidence.
const EVIDENCE_SECONDS: i64 = 9 * 24 * 3_600;
const EVIDENCE: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dispute {
    id: String,
    created: i64,
    payment: String,
    charge: Option<String>,
    amount: i64,
    currency: String,
    lost: bool,
    metadata: Metadata,
}

impl Object for Dispute {
    const NAME: &'static str = "dispute";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, _: &State) -> Value {
        let mut evidence: Value = EVIDENCE
            .iter()
            .map(|name| ((*name).to_owned(), Value::Null))
            .collect::<serde_json::Map<_, _>>()
            .into();
        evidence["enhanced_evidence"] = json!({});
        json!({
            "id": self.id,
            "object": Self::NAME,
            "amount": self.amount,
            "balance_transactions": [],
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": evidence,
            "evidence_details": {
                "due_by": self.created + EVIDENCE_SECONDS,
                "enhanced_eligibility": {},
                "has_evidence": false,
                "past_due": false,
                "submission_count": 0,
            },
            "is_charge_refundable": false,
            "livemode": false,
            "metadata": self.metadata,
            "payment_intent": self.payment,
            "payment_method_details": {
                "card": { "brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "10.4" },
                "type": "card",
            },
            "reason": "fraudulent",
            "status": if self.lost { "lost" } else { "needs_response" },
        })
    }
}

impl Books<'_> {
    pub(crate) fn open_dispute(&mut self, payment: &Payment) {
        let dispute = Dispute {
            id: self.id("du"),
            created: self.now,
            payment: payment.id.clone(),
            charge: payment.charge.clone(),
            amount: payment.amount,
            currency: payment.currency.clone(),
            lost: false,
            metadata: Metadata::new(),
        };
        if let Some(payment) = self.state.payments.get_mut(&payment.id) {
            payment.disputed = true;
        }
        self.state
            .disputes
            .insert(dispute.id.clone(), dispute.clone());
        self.tell(EventKind::DisputeCreated, &dispute);
        self.tell(EventKind::DisputeWithdrawn, &dispute);
    }

    /// `POST /v1/disputes/{id}/close`: gives in; the money stays with the customer.
    pub(crate) fn close_dispute(&mut self, id: &str, params: Params) -> Result<Value, Refusal> {
        params.finish()?;
        let mut dispute = self.state.dispute(id)?.clone();
        if dispute.lost {
            return Err(Refusal::State("This dispute is already closed.".to_owned()));
        }
        dispute.lost = true;
        self.state
            .disputes
            .insert(dispute.id.clone(), dispute.clone());
        self.tell(EventKind::DisputeClosed, &dispute);
        Ok(dispute.shown(self.state))
    }

    /// `POST /v1/disputes/{id}`: metadata only; evidence is not weighed here.
    pub(crate) fn update_dispute(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let mut dispute = self.state.dispute(id)?.clone();
        merge_metadata(&mut dispute.metadata, params.metadata()?)?;
        params.finish()?;
        self.state
            .disputes
            .insert(dispute.id.clone(), dispute.clone());
        self.tell(EventKind::DisputeUpdated, &dispute);
        Ok(dispute.shown(self.state))
    }
}

impl State {
    pub(crate) fn dispute(&self, id: &str) -> Result<&Dispute, Refusal> {
        self.disputes
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: Dispute::NAME,
                id: id.to_owned(),
                param: None,
            })
    }

    pub(crate) fn list_disputes(&self, mut params: Params) -> Result<Value, Refusal> {
        let page = Page::take(&mut params)?;
        let (intent, charge) = (params.text("payment_intent")?, params.text("charge")?);
        let created = Span::take(&mut params, "created")?;
        params.finish()?;
        let wanted = |dispute: &&Dispute| {
            created.holds(dispute.created)
                && intent.as_ref().is_none_or(|id| *id == dispute.payment)
                && (charge.is_none() || dispute.charge == charge)
        };
        let found: Vec<_> = self.disputes.values().rev().filter(wanted).collect();
        page.list("/v1/disputes", &found, self)
    }
}
