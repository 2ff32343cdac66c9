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
                    "invoice_item": line.waited_as,
                    "proration": line.prorates,
                    "proration_details": { "credited_items": null },
                    "subscription": self.subscription,
                    "subscription_item": line.item,
                },
            },
            "period": { "start": line.start, "end": line.end },
            "pretax_credit_amounts": [],
            "pricing": {
                "type": "price_details",
                "price_details": { "price": line.price, "product": line.product },
                "unit_amount_decimal": (line.amount / line.quantity.max(1)).to_string(),
            },
            "quantity": line.quantity,
            "quantity_decimal": line.quantity.to_string(),
            "subscription": self.subscription,
            "subtotal": line.amount,
            "taxes": [],
        })
    }

    /// What this account never uses.
    fn shown_unused() -> Value {
        json!({
            "account_country": "AT",
            "account_name": "Test shop",
            "account_tax_ids": null,
            "amount_paid_off_stripe": 0,
            "application": null,
            "custom_fields": null,
            "customer_account": null,
            "customer_address": null,
            "customer_phone": null,
            "customer_shipping": null,
            "customer_tax_exempt": "none",
            "customer_tax_ids": [],
            "default_payment_method": null,
            "default_source": null,
            "footer": null,
            "from_invoice": null,
            "last_finalization_error": null,
            "latest_revision": null,
            "on_behalf_of": null,
            "receipt_number": null,
            "rendering": null,
            "shipping_cost": null,
            "shipping_details": null,
            "statement_descriptor": null,
            "total_pretax_credit_amounts": [],
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
            "metadata": self.own_metadata,
            "next_payment_attempt": self.next_attempt.or(self.finalizes_at),
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
            "starting_balance": self.starting_balance,
            "status": self.standing.word(),
            "status_transitions": {
                "finalized_at": self.finalized_at,
                "marked_uncollectible_at": self.given_up_at,
                "paid_at": self.paid_at,
                "voided_at": self.voided_at,
            },
            "subtotal": self.total,
            "subtotal_excluding_tax": self.total,
            "total": self.total,
            "total_excluding_tax": self.total,
            "total_discount_amounts": [],
            "total_taxes": [],
        })
    }

    fn paid(&self) -> i64 {
        match self.standing {
            Standing::Paid => self.due,
            Standing::Draft | Standing::Open | Standing::Void | Standing::Uncollectible => 0,
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
            "amount_due": self.due,
            "amount_overpaid": 0,
            "amount_paid": paid,
            "amount_remaining": self.due - paid,
            "amount_shipping": 0,
            "attempt_count": self.attempts,
            "attempted": self.attempts > 0,
            "auto_advance": matches!(self.standing, Standing::Draft | Standing::Open),
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null },
            "automatically_finalizes_at": self.finalizes_at,
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
            "effective_at": self.finalized_at,
            "ending_balance": self.ending_balance,
            "hosted_invoice_url": self.finalized_at.map(|_| format!("{}/i/{}", state.base, self.id)),
            "invoice_pdf": null,
            "test_clock": customer.and_then(|customer| customer.test_clock.clone()),
            "webhooks_delivered_at": self.created,
        });
        joined(joined(shown, self.shown_rest()), Self::shown_unused())
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
            Standing::Paid => ("paid", Some(self.invoice.due)),
            Standing::Draft | Standing::Open | Standing::Uncollectible => ("open", None),
            Standing::Void => ("canceled", None),
        };
        json!({
            "id": self.id,
            "object": Self::NAME,
            "amount_paid": paid,
            "amount_requested": self.invoice.due,
            "created": self.invoice.created,
            "currency": self.invoice.currency,
            "invoice": self.invoice.id,
            "is_default": true,
            "livemode": false,
            "payment": { "type": "payment_intent", "payment_intent": self.payment },
            "status": status,
            "status_transitions": { "canceled_at": self.invoice.voided_at, "paid_at": self.invoice.paid_at },
        })
    }
}
