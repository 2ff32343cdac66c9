//! How invoices, their lines and their links to payments look.

use serde_json::{Value, json};

use super::{Invoice, Line, Standing};
use crate::stripe::State;
use crate::stripe::list::{Object, joined, list_of};

impl Invoice {
    fn shown_line(&self, line: &Line) -> Value {
        json!({
            "id": line.id,
            "object": "line_item",
            "amount": line.amount,
            "currency": self.currency,
            "description": line.description,
            "discount_amounts": [],
            "discountable": true,
            "discounts": [],
            "invoice": self.id,
            "livemode": false,
            "metadata": self.metadata,
            "parent": {
                "type": "subscription_item_details",
                "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": null,
                    "proration": false,
                    "proration_details": null,
                    "subscription": self.subscription,
                    "subscription_item": line.item,
                },
            },
            "period": { "start": self.period_start, "end": self.period_end },
            "pricing": {
                "type": "price_details",
                "price_details": { "price": line.price, "product": line.product },
                "unit_amount_decimal": (line.amount / line.quantity.max(1)).to_string(),
            },
            "quantity": line.quantity,
            "subtotal": line.amount,
            "taxes": [],
        })
    }

    /// Lines, origin, period, state and sums.
    fn shown_rest(&self) -> Value {
        let lines: Vec<_> = self
            .lines
            .iter()
            .map(|line| self.shown_line(line))
            .collect();
        json!({
            "issuer": { "type": "self" },
            "lines": list_of(&format!("/v1/invoices/{}/lines", self.id), &lines, false),
            "livemode": false,
            "metadata": {},
            "next_payment_attempt": self.next_attempt,
            "number": self.number,
            "parent": {
                "type": "subscription_details",
                "quote_details": null,
                "subscription_details": { "metadata": self.metadata, "subscription": self.subscription },
            },
            "payment_settings": { "default_mandate": null, "payment_method_options": null, "payment_method_types": null },
            "period_end": self.period_end,
            "period_start": self.period_start,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "starting_balance": 0,
            "status": self.standing.word(),
            "status_transitions": {
                "finalized_at": self.created,
                "marked_uncollectible_at": null,
                "paid_at": self.paid_at,
                "voided_at": null,
            },
            "subtotal": self.total,
            "total": self.total,
            "total_discount_amounts": [],
            "total_taxes": [],
        })
    }

    fn paid(&self) -> i64 {
        match self.standing {
            Standing::Paid => self.total,
            Standing::Open | Standing::Void => 0,
        }
    }
}

impl Object for Invoice {
    const NAME: &'static str = "invoice";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, state: &State) -> Value {
        let customer = state.customers.get(&self.customer);
        let paid = self.paid();
        let shown = json!({
            "id": self.id,
            "object": Self::NAME,
            "amount_due": self.total,
            "amount_overpaid": 0,
            "amount_paid": paid,
            "amount_remaining": self.total - paid,
            "amount_shipping": 0,
            "attempt_count": self.attempts,
            "attempted": self.attempts > 0,
            "auto_advance": self.standing == Standing::Open,
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null },
            "billing_reason": self.because,
            "collection_method": "charge_automatically",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_email": customer.and_then(|customer| customer.email.clone()),
            "customer_name": customer.and_then(|customer| customer.name.clone()),
            "default_tax_rates": [],
            "description": null,
            "discounts": [],
            "due_date": null,
            "ending_balance": 0,
            "hosted_invoice_url": format!("{}/i/{}", state.base, self.id),
            "invoice_pdf": null,
        });
        joined(shown, self.shown_rest())
    }
}

/// The link between an invoice and the payment that pays it; since 2025-03-31 the only way from one to the other.
pub(crate) struct InvoicePayment<'i> {
    id: String,
    invoice: &'i Invoice,
    pub(crate) payment: &'i str,
}

impl<'i> InvoicePayment<'i> {
    pub(crate) fn of(invoice: &'i Invoice) -> Option<Self> {
        let payment = invoice.payment.as_deref()?;
        let tail = payment.trim_start_matches("pi");
        Some(Self {
            id: format!("inpay{tail}"),
            invoice,
            payment,
        })
    }
}

impl Object for InvoicePayment<'_> {
    const NAME: &'static str = "invoice_payment";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, _: &State) -> Value {
        let (status, paid) = match self.invoice.standing {
            Standing::Paid => ("paid", Some(self.invoice.total)),
            Standing::Open => ("open", None),
            Standing::Void => ("canceled", None),
        };
        json!({
            "id": self.id,
            "object": Self::NAME,
            "amount_paid": paid,
            "amount_requested": self.invoice.total,
            "created": self.invoice.created,
            "currency": self.invoice.currency,
            "invoice": self.invoice.id,
            "is_default": true,
            "livemode": false,
            "payment": { "type": "payment_intent", "payment_intent": self.payment },
            "status": status,
            "status_transitions": { "canceled_at": null, "paid_at": self.invoice.paid_at },
        })
    }
}
