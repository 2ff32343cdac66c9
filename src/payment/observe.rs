//! Reads what an event is about: at the payment provider, and in the cluster. "Cannot read" is an error
//! and never "absent".

use kube::ResourceExt;

use super::Controller;
use super::desired::{Desired, Topic};
use super::plan::{Observed, SeenCustomer, Subject, Supply};
use crate::api::{ANNOTATION_DELIVERED, Customer, Instance};
use crate::controller::VisitError;
use crate::intent::{Order, customer_name, instance_name};
use crate::provider::Subscription;

/// What was seen, and the objects it was seen on.
pub(super) struct Observation {
    pub(super) seen: Observed,
    pub(super) customer: Option<Customer>,
}

impl Observation {
    fn only(subject: Subject) -> Self {
        Self {
            seen: Observed {
                subject,
                customer: None,
                instance: false,
                supply: Supply::PlanUnknown,
                invoice_paid: false,
            },
            customer: None,
        }
    }
}

pub(super) async fn observe(
    here: &Controller,
    desired: &Desired,
) -> Result<Observation, VisitError> {
    if desired.topic == Topic::Other || desired.live_mode != here.settings.live_mode {
        return Ok(Observation::only(Subject::Unasked));
    }
    let id = match find_subscription(here, desired).await? {
        Ok(id) => id,
        Err(subject) => return Ok(Observation::only(subject)),
    };
    // Before the subscription, so that whoever writes the customer in between makes our write fail.
    let customer = here
        .api::<Customer>()
        .get_opt(&customer_name(&id))
        .await
        .map_err(VisitError::kube("read the customer"))?;
    let subscription = here
        .billing
        .subscription(&id)
        .await
        .map_err(VisitError::provider("read the subscription"))?;
    match subscription {
        Some(subscription) => observe_purchase(here, subscription, customer).await,
        None => Ok(Observation::only(Subject::Missing)),
    }
}

/// The id of the subscription that the event's subject belongs to, or why there is none.
async fn find_subscription(
    here: &Controller,
    desired: &Desired,
) -> Result<Result<String, Subject>, VisitError> {
    let subject = desired.subject.as_str();
    match desired.topic {
        Topic::Subscription => Ok(Ok(subject.to_owned())),
        Topic::Session => {
            let session = here
                .billing
                .session(subject)
                .await
                .map_err(VisitError::provider("read the checkout"))?;
            Ok(match session {
                None => Err(Subject::Missing),
                Some(session) if !session.paid => Err(Subject::Unpaid),
                Some(session) => session.subscription.ok_or(Subject::Unrelated),
            })
        }
        Topic::Invoice => {
            let invoice = here
                .billing
                .invoice(subject)
                .await
                .map_err(VisitError::provider("read the invoice"))?;
            Ok(match invoice {
                None => Err(Subject::Missing),
                Some(invoice) => invoice.subscription.ok_or(Subject::Unrelated),
            })
        }
        Topic::Other => Ok(Err(Subject::Unasked)),
    }
}

async fn observe_purchase(
    here: &Controller,
    subscription: Subscription,
    customer: Option<Customer>,
) -> Result<Observation, VisitError> {
    let instance = here
        .api::<Instance>()
        .get_metadata_opt(&instance_name(&subscription.item))
        .await
        .map_err(VisitError::kube("look for the instance"))?;
    // A plan or a name must not seem absent because nobody has listed them yet.
    here.catalog.synced().await;
    let seen = Observed {
        invoice_paid: is_invoice_paid(here, &subscription).await?,
        customer: customer.as_ref().map(|customer| SeenCustomer {
            standing: customer.spec.standing,
            delivered: customer.annotations().contains_key(ANNOTATION_DELIVERED),
        }),
        instance: instance.is_some(),
        supply: supply(here, &subscription),
        subject: Subject::Subscription(subscription),
    };
    Ok(Observation { seen, customer })
}

fn supply(here: &Controller, subscription: &Subscription) -> Supply {
    // An order that cannot be read is a fault of its own, found by the plan.
    let Ok(order) = Order::parse(&subscription.metadata) else {
        return Supply::PlanUnknown;
    };
    if here.catalog.plan(&order.plan).is_none() {
        Supply::PlanUnknown
    } else if here.catalog.is_claimed(order.subdomain.as_str()) {
        Supply::SubdomainClaimed
    } else {
        Supply::Free
    }
}

async fn is_invoice_paid(
    here: &Controller,
    subscription: &Subscription,
) -> Result<bool, VisitError> {
    let Some(id) = &subscription.latest_invoice else {
        return Ok(false);
    };
    let invoice = here
        .billing
        .invoice(id)
        .await
        .map_err(VisitError::provider("read the newest invoice"))?;
    Ok(invoice.is_some_and(|invoice| invoice.paid))
}
