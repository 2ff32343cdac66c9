//! How a checkout session and its lines look.

use serde_json::{Value, json};

use super::{Session, Stage, Wanted};
use crate::stripe::State;
use crate::stripe::list::{Object, joined};

impl Session {
    pub(crate) fn shown_lines(&self, state: &State) -> Vec<Value> {
        let shown = |line: &Wanted| {
            let price = state.prices.get(&line.price)?;
            let product = state.products.get(&price.product);
            let amount = price.unit_amount.saturating_mul(line.quantity);
            Some(json!({
                "id": line.id,
                "object": "item",
                "adjustable_quantity": null,
                "amount_discount": 0,
                "amount_subtotal": amount,
                "amount_tax": 0,
                "amount_total": amount,
                "currency": price.currency,
                "description": product.map(|product| product.name.clone()),
                "metadata": {},
                "price": price.shown(state),
                "quantity": line.quantity,
            }))
        };
        self.lines.iter().filter_map(shown).collect()
    }

    /// Where to pay, as long as that is possible.
    fn url(&self, state: &State) -> Option<String> {
        (self.stage == Stage::Open).then(|| format!("{}/c/pay/{}", state.base, self.id))
    }

    /// How it can be paid, what became of it, where it leads.
    fn shown_rest(&self, state: &State) -> Value {
        json!({
            "livemode": false,
            "locale": null,
            "managed_payments": { "enabled": false },
            "metadata": self.metadata,
            "mode": "subscription",
            "payment_intent": null,
            "payment_link": null,
            "origin_context": null,
            "payment_method_collection": "always",
            "payment_method_configuration_details": null,
            "payment_method_options": null,
            "payment_method_types": ["card", "sepa_debit"],
            "payment_status": self.money.word(),
            "permissions": null,
            "phone_number_collection": { "enabled": false },
            "recovered_from": null,
            "saved_payment_method_options": null,
            "setup_intent": null,
            "shipping_address_collection": null,
            "shipping_cost": null,
            "shipping_options": [],
            "status": self.stage.word(),
            "submit_type": null,
            "subscription": self.subscription,
            "success_url": self.success_url,
            "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
            "ui_mode": "hosted_page",
            "url": self.url(state),
            "wallet_options": null,
        })
    }
}

impl Object for Session {
    const NAME: &'static str = "checkout.session";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, state: &State) -> Value {
        let total = if self.trial_days > 0 {
            0
        } else {
            self.total(state)
        };
        let details = self.payer.as_ref().map(|payer| {
            json!({
                "address": super::super::method::address(),
                "business_name": null,
                "email": payer.email,
                "individual_name": null,
                "name": payer.name,
                "phone": null,
                "tax_exempt": "none",
                "tax_ids": [],
            })
        });
        let shown = json!({
            "id": self.id,
            "object": Self::NAME,
            "adaptive_pricing": { "enabled": false },
            "after_expiration": null,
            "allow_promotion_codes": null,
            "amount_subtotal": total,
            "amount_total": total,
            "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
            "billing_address_collection": null,
            "cancel_url": self.cancel_url,
            "client_reference_id": self.reference,
            "client_secret": null,
            "collected_information": null,
            "consent": null,
            "consent_collection": null,
            "created": self.created,
            "currency": self.currency(state),
            "currency_conversion": null,
            "custom_fields": [],
            "custom_text": { "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null },
            "customer": self.customer,
            "customer_account": null,
            "customer_creation": if self.customer.is_none() { json!("always") } else { Value::Null },
            "customer_details": details,
            "customer_email": self.customer_email,
            "discounts": null,
            "expires_at": self.expires_at,
            "integration_identifier": null,
            "invoice": self.invoice,
            "invoice_creation": null,
        });
        joined(shown, self.shown_rest(state))
    }
}
