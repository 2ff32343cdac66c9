//! Events: what kinds there are, which are sent to the webhook endpoint, and how one looks.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::list::Object;
use super::{API_VERSION, State};

/// How long events can be listed.
/// Source: Stripe's reference of `GET /v1/events`.
pub(crate) const KEPT_SECONDS: i64 = 30 * 24 * 3_600;

macro_rules! event_kinds {
    ($($name:ident $word:literal $delivered:literal,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum EventKind {
            $(#[serde(rename = $word)] $name,)*
        }

        impl EventKind {
            pub(crate) fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Whether the webhook endpoint asked for this kind.
            pub(crate) fn is_delivered(self) -> bool {
                match self { $(Self::$name => $delivered,)* }
            }
        }
    };
}

event_kinds! {
    ChargeFailed "charge.failed" false,
    ChargeRefundUpdated "charge.refund.updated" false,
    ChargeRefunded "charge.refunded" true,
    ChargeSucceeded "charge.succeeded" false,
    ClockAdvancing "test_helpers.test_clock.advancing" false,
    ClockCreated "test_helpers.test_clock.created" false,
    ClockDeleted "test_helpers.test_clock.deleted" false,
    ClockReady "test_helpers.test_clock.ready" false,
    CustomerCreated "customer.created" false,
    CustomerDeleted "customer.deleted" false,
    CustomerUpdated "customer.updated" false,
    DisputeClosed "charge.dispute.closed" false,
    DisputeCreated "charge.dispute.created" false,
    DisputeUpdated "charge.dispute.updated" false,
    DisputeWithdrawn "charge.dispute.funds_withdrawn" false,
    InvoiceActionRequired "invoice.payment_action_required" true,
    InvoiceCreated "invoice.created" false,
    InvoiceFinalized "invoice.finalized" false,
    InvoicePaid "invoice.paid" true,
    InvoicePaymentFailed "invoice.payment_failed" true,
    InvoicePaymentSucceeded "invoice.payment_succeeded" false,
    InvoiceUncollectible "invoice.marked_uncollectible" false,
    InvoiceUpdated "invoice.updated" false,
    InvoiceVoided "invoice.voided" false,
    ItemCreated "invoiceitem.created" false,
    MethodAttached "payment_method.attached" false,
    MethodDetached "payment_method.detached" false,
    MethodUpdated "payment_method.updated" false,
    PaymentCreated "payment_intent.created" false,
    PaymentFailed "payment_intent.payment_failed" false,
    PaymentProcessing "payment_intent.processing" false,
    PaymentRequiresAction "payment_intent.requires_action" false,
    PaymentSucceeded "payment_intent.succeeded" false,
    PriceCreated "price.created" false,
    PriceUpdated "price.updated" false,
    ProductCreated "product.created" false,
    ProductDeleted "product.deleted" false,
    ProductUpdated "product.updated" false,
    RefundCreated "refund.created" true,
    RefundUpdated "refund.updated" false,
    SessionAsyncFailed "checkout.session.async_payment_failed" true,
    SessionAsyncSucceeded "checkout.session.async_payment_succeeded" true,
    SessionCompleted "checkout.session.completed" true,
    SessionExpired "checkout.session.expired" true,
    SubscriptionCreated "customer.subscription.created" true,
    SubscriptionDeleted "customer.subscription.deleted" true,
    SubscriptionUpdated "customer.subscription.updated" true,
    TrialWillEnd "customer.subscription.trial_will_end" false,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) kind: EventKind,
    /// The object as it was just after the change.
    pub(crate) object: Value,
    pub(crate) previous: Option<Value>,
    pub(crate) request: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    /// The webhook has not been answered with 2xx yet.
    pub(crate) pending: bool,
}

impl Object for Event {
    const NAME: &'static str = "event";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, _: &State) -> Value {
        let mut data = json!({ "object": self.object });
        if let Some(previous) = &self.previous {
            data["previous_attributes"] = previous.clone();
        }
        json!({
            "id": self.id,
            "object": Self::NAME,
            "api_version": API_VERSION,
            "created": self.created,
            "data": data,
            "livemode": false,
            "pending_webhooks": u8::from(self.pending),
            "request": { "id": self.request, "idempotency_key": self.idempotency_key },
            "type": self.kind.word(),
        })
    }
}
