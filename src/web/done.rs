//! The page after a payment: looks up what the checkout made and shows how far it is. It waits for nothing;
//! the browser looks again.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use axum::extract::{Query, State};
use axum::response::Response;
use kube::Api;
use serde::Deserialize;

use super::error::WebError;
use super::view::{Chrome, DonePage, page};
use super::{Here, Shared, progress};
use crate::api::{Instance, Reason};
use crate::intent::order::is_of;
use crate::intent::{Order, instance_name};

/// Checkouts whose instance is remembered; past it the memory starts anew.
const REMEMBERED_MAX: usize = 1024;

/// What a paid checkout bought.
#[derive(Clone)]
pub(super) struct Bought {
    /// The name of the instance that it makes.
    instance: String,
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    session_id: String,
}

pub(super) async fn show(
    State(here): Here,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let bought = bought(&here, &asked.session_id).await?;
    let instances: Api<Instance> = Api::namespaced(here.site.client.clone(), &here.site.namespace);
    let instance = match &bought {
        Some(bought) => instances
            .get_opt(&bought.instance)
            .await
            .map_err(WebError::Cluster)?,
        None => None,
    };
    let stuck = match (&bought, &instance) {
        (Some(_), Some(instance)) => progress::stuck(instance),
        (Some(bought), None) => unservable(&here, bought),
        (None, _) => None,
    };
    let session = url::form_urlencoded::byte_serialize(asked.session_id.as_bytes());
    let done = DonePage {
        chrome: Chrome::of(&here.site),
        steps: progress::steps(bought.is_some(), instance.as_ref()),
        url: instance.as_ref().and_then(progress::url),
        stuck,
        again: format!("/checkout/done?session_id={}", session.collect::<String>()),
    };
    page(&done).map_err(WebError::Page)
}

/// Why an order that was paid is not booked, when it cannot be: a person has been told by then.
fn unservable(here: &Shared, bought: &Bought) -> Option<&'static str> {
    let catalog = &here.site.catalog;
    let can = Order::parse(&bought.metadata).is_ok_and(|order| {
        catalog.plan(&order.plan).is_some() && !catalog.is_claimed(order.subdomain.as_str())
    });
    (!can).then_some(Reason::OrderInvalid.as_str())
}

/// What a checkout bought; None while it is not paid.
async fn bought(here: &Shared, session: &str) -> Result<Option<Bought>, WebError> {
    if let Some(known) = lock(here).get(session) {
        return Ok(Some(known.clone()));
    }
    let billing = &here.site.billing;
    let found = billing
        .session(session)
        .await
        .map_err(WebError::Billing)?
        .ok_or(WebError::NotFound)?;
    let (true, Some(subscription)) = (found.paid, found.subscription) else {
        return Ok(None);
    };
    let subscription = billing
        .subscription(&subscription)
        .await
        .map_err(WebError::Billing)?
        .ok_or(WebError::NotFound)?;
    if !is_of(&here.site.installation, &subscription.metadata) {
        return Err(WebError::NotFound);
    }
    let found = Bought {
        instance: instance_name(&subscription.item),
        metadata: subscription.metadata,
    };
    let mut known = lock(here);
    if known.len() >= REMEMBERED_MAX {
        known.clear();
    }
    known.insert(session.to_owned(), found.clone());
    Ok(Some(found))
}

fn lock(here: &Shared) -> MutexGuard<'_, BTreeMap<String, Bought>> {
    here.bought.lock().unwrap_or_else(PoisonError::into_inner)
}
