//! How subscriptions and their items look.

use serde_json::{Value, json};

use super::{Ending, Item, Subscription};
use crate::stripe::State;
use crate::stripe::catalog::Price;
use crate::stripe::list::{Object, joined, list_of};
use crate::stripe::refusal::Refusal;

impl Subscription {
    /// When it will end, or ended, by request.
    fn cancel_at(&self) -> Option<i64> {
        self.cancel_at
            .or(self.cancel_at_period_end.then_some(self.period_end))
    }

    fn shown_item(&self, item: &Item, state: &State) -> Value {
        let price = state
            .prices
            .get(&item.price)
            .map_or(Value::Null, |price| price.shown(state));
        json!({
            "id": item.id,
            "object": "subscription_item",
            "billing_thresholds": null,
            "created": self.created,
            "current_period_end": self.period_end,
            "current_period_start": self.period_start,
            "discounts": [],
            "metadata": item.metadata,
            "plan": Self::shown_plan(item, state),
            "price": price,
            "quantity": item.quantity,
            "subscription": self.id,
            "tax_rates": [],
        })
    }

    /// A price as a plan, which is what prices were before; Stripe still sends it.
    fn shown_plan(item: &Item, state: &State) -> Value {
        let plan = |price: &Price| {
            json!({
                "id": price.id,
                "object": "plan",
                "active": price.active,
                "amount": price.unit_amount,
                "amount_decimal": price.unit_amount.to_string(),
                "billing_scheme": "per_unit",
                "created": price.created,
                "currency": price.currency,
                "interval": price.interval.word(),
                "interval_count": price.interval_count,
                "livemode": false,
                "metadata": price.metadata,
                "meter": null,
                "nickname": price.nickname,
                "product": price.product,
                "tiers_mode": null,
                "transform_usage": null,
                "trial_period_days": null,
                "usage_type": "licensed",
            })
        };
        state.prices.get(&item.price).map_or(Value::Null, plan)
    }

    /// Items, payment, schedule and trial.
    fn shown_rest(&self, state: &State) -> Value {
        let customer = state.customers.get(&self.customer);
        let items: Vec<_> = self
            .items
            .iter()
            .map(|item| self.shown_item(item, state))
            .collect();
        json!({
            "ended_at": self.ended_at,
            "invoice_settings": { "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null, "issuer": { "type": "self" } },
            "items": list_of(&format!("/v1/subscription_items?subscription={}", self.id), &items, false),
            "latest_invoice": self.latest_invoice,
            "livemode": false,
            "managed_payments": { "enabled": false },
            "metadata": self.metadata,
            "next_pending_invoice_item_invoice": null,
            "on_behalf_of": null,
            "pause_collection": self.pausing.as_ref().map(|pause| json!({ "behavior": pause.behavior, "resumes_at": pause.resumes_at })),
            "payment_settings": { "payment_method_options": null, "payment_method_types": null, "save_default_payment_method": "off" },
            "pending_invoice_item_interval": null,
            "pending_setup_intent": null,
            "pending_update": null,
            "schedule": null,
            "start_date": self.created,
            "status": self.status.word(),
            "test_clock": customer.and_then(|customer| customer.test_clock.clone()),
            "transfer_data": null,
            "trial_end": self.trial_end,
            "trial_settings": { "end_behavior": { "missing_payment_method": if self.ends_without_method { "cancel" } else { "create_invoice" } } },
            "trial_start": self.trial_end.map(|_| self.created),
        })
    }
}

impl Object for Subscription {
    const NAME: &'static str = "subscription";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, state: &State) -> Value {
        let currency = self
            .items
            .first()
            .and_then(|item| state.prices.get(&item.price))
            .map(|price| price.currency.clone());
        let shown = json!({
            "id": self.id,
            "object": Self::NAME,
            "application": null,
            "application_fee_percent": null,
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
            "billing_cycle_anchor": self.anchor,
            "billing_cycle_anchor_config": null,
            "billing_mode": { "flexible": { "proration_discounts": "included" }, "type": "flexible" },
            "billing_schedules": [],
            "billing_thresholds": null,
            "cancel_at": self.cancel_at(),
            "cancel_at_period_end": self.cancel_at_period_end,
            "canceled_at": self.canceled_at,
            "cancellation_details": { "comment": self.comment, "feedback": self.feedback, "feedback_option": null, "reason": self.ending.map(Ending::word) },
            "collection_method": "charge_automatically",
            "created": self.created,
            "currency": currency,
            "customer": self.customer,
            "customer_account": null,
            "days_until_due": null,
            "default_payment_method": self.method,
            "default_source": null,
            "default_tax_rates": [],
            "description": self.description,
            "discounts": [],
        });
        joined(shown, self.shown_rest(state))
    }
}

impl State {
    /// The items of a subscription named in a query.
    pub(crate) fn shown_items(&self, subscription: &str) -> Result<Vec<Value>, Refusal> {
        let subscription = self.subscription(subscription, Some("subscription"))?;
        Ok(subscription
            .items
            .iter()
            .map(|item| subscription.shown_item(item, self))
            .collect())
    }
}
