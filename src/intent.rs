//! Writes what people and payments ask for: the only writer of `spec` besides kubectl, by server-side
//! apply as field manager `web`. It does not decide what is asked for.

pub mod order;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::api::customer::BillingIds;
use crate::api::payment_event::{EventSource, ledger_name};
use crate::api::{
    ANNOTATION_DELIVERED, Customer, GROUP, Instance, MANAGER_WEB, PaymentEvent, PaymentEventSpec,
    Standing, VERSION,
};
use crate::provider::BillingEvent;

pub use order::{Order, OrderFault};

/// Why an intent was not written.
#[derive(Debug, thiserror::Error)]
pub enum IntentError {
    /// The object changed since it was read: read again and decide again.
    #[error("the object changed meanwhile")]
    Outdated,
    #[error("the cluster did not take it")]
    Cluster(#[source] kube::Error),
}

impl IntentError {
    fn of(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.is_conflict() || status.is_not_found() => {
                Self::Outdated
            }
            error => Self::Cluster(error),
        }
    }
}

/// The name of the Customer that a subscription makes.
pub fn customer_name(subscription: &str) -> String {
    ledger_name("cust", subscription)
}

/// The name of the Instance that a subscription's item makes: one item, one name, one instance.
pub fn instance_name(item: &str) -> String {
    ledger_name("inst", item)
}

/// Whether an event was new to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    New,
    Known,
}

/// Everything the site and the ledger may ask of the cluster.
#[derive(Clone)]
pub struct Intent {
    client: Client,
    namespace: String,
}

impl Intent {
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
        }
    }

    fn customers(&self) -> Api<Customer> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    fn instances(&self) -> Api<Instance> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Keeps an event, once: whoever comes second finds it there.
    pub async fn record(
        &self,
        event: &BillingEvent,
        source: EventSource,
    ) -> Result<Recorded, IntentError> {
        let spec = PaymentEventSpec {
            event_id: event.id.clone(),
            kind: event.kind.clone(),
            subject: event.subject.clone(),
            created: Some(Time(event.created)),
            live_mode: event.live_mode,
            source,
        };
        let entry = PaymentEvent::new(&ledger_name("evt", &event.id), spec);
        let ledger: Api<PaymentEvent> = Api::namespaced(self.client.clone(), &self.namespace);
        let params = PostParams {
            field_manager: Some(MANAGER_WEB.to_owned()),
            ..PostParams::default()
        };
        match ledger.create(&params, &entry).await {
            Ok(_) => Ok(Recorded::New),
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(Recorded::Known),
            Err(error) => Err(IntentError::Cluster(error)),
        }
    }

    /// Makes the Customer of a subscription, Active since `now`.
    pub async fn open_customer(
        &self,
        name: &str,
        order: &Order,
        billing: &BillingIds,
        now: Timestamp,
    ) -> Result<(), IntentError> {
        let spec = json!({
            "displayName": order.display_name,
            "plan": order.plan,
            "billing": billing,
            "standing": Standing::Active,
            "standingSince": to_the_second(now),
        });
        self.apply_customer(json!({"name": name}), spec).await
    }

    /// Moves a Customer to another standing, if it still is as it was read.
    pub async fn set_standing(
        &self,
        seen: &Customer,
        standing: Standing,
        now: Timestamp,
    ) -> Result<(), IntentError> {
        let mut spec = owned_spec(seen);
        spec["standing"] = json!(standing);
        spec["standingSince"] = json!(to_the_second(now));
        self.apply_customer(owned_metadata(seen), spec).await
    }

    /// Writes on a Customer that what was bought was delivered, so that it never is again.
    pub async fn record_delivery(
        &self,
        seen: &Customer,
        instance: &str,
    ) -> Result<(), IntentError> {
        let mut metadata = owned_metadata(seen);
        metadata["annotations"] = json!({ANNOTATION_DELIVERED: instance});
        self.apply_customer(metadata, owned_spec(seen)).await
    }

    async fn apply_customer(&self, metadata: Value, spec: Value) -> Result<(), IntentError> {
        let name = metadata["name"].as_str().unwrap_or_default().to_owned();
        let object = object("Customer", &metadata, &spec);
        self.customers()
            .patch(&name, &params(), &Patch::Apply(&object))
            .await
            .map(drop)
            .map_err(IntentError::of)
    }

    /// Makes an Instance, or finds it made. Only what the order says is ours; the rest is kubectl's.
    pub async fn open_instance(
        &self,
        name: &str,
        customer: &str,
        order: &Order,
    ) -> Result<(), IntentError> {
        let spec = json!({
            "customerRef": customer,
            "subdomain": order.subdomain,
            "plan": order.plan,
        });
        let object = object("Instance", &json!({"name": name}), &spec);
        self.instances()
            .patch(name, &params(), &Patch::Apply(&object))
            .await
            .map(drop)
            .map_err(IntentError::of)
    }

    /// Asks for the end of exactly this Instance; its finalizer gives back what was bought for it.
    pub async fn close_instance(&self, seen: &Instance) -> Result<(), IntentError> {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: seen.uid(),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        match self.instances().delete(&seen.name_any(), &params).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            Err(error) => Err(IntentError::of(error)),
        }
    }
}

/// Our fields win over a hand's: what a customer pays is decided at the payment provider.
fn params() -> PatchParams {
    PatchParams::apply(MANAGER_WEB).force()
}

fn object(kind: &str, metadata: &Value, spec: &Value) -> Value {
    json!({"apiVersion": format!("{GROUP}/{VERSION}"), "kind": kind, "metadata": metadata, "spec": spec})
}

/// All of the spec, as it was read: applying less would give the rest up.
fn owned_spec(seen: &Customer) -> Value {
    json!(seen.spec)
}

/// The identity and version that were read, which make the write a compare-and-swap.
fn owned_metadata(seen: &Customer) -> Value {
    let mut metadata = json!({
        "name": seen.name_any(),
        "uid": seen.uid(),
        "resourceVersion": seen.resource_version(),
    });
    if let Some(delivered) = seen.annotations().get(ANNOTATION_DELIVERED) {
        metadata["annotations"] = json!({ANNOTATION_DELIVERED: delivered});
    }
    metadata
}

fn to_the_second(now: Timestamp) -> Time {
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}
