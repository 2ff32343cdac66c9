//! The page after a payment: looks up what the checkout made and shows how far it is. It waits for nothing;
//! the browser looks again.

use std::sync::PoisonError;

use axum::extract::{Query, State};
use axum::response::Response;
use kube::Api;
use serde::Deserialize;

use super::error::WebError;
use super::view::{Chrome, DonePage, page};
use super::{Here, Shared, progress};
use crate::api::Instance;
use crate::intent::instance_name;

/// Checkouts whose instance is remembered; past it the memory starts anew.
const REMEMBERED_MAX: usize = 1024;

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
        Some(name) => instances.get_opt(name).await.map_err(WebError::Cluster)?,
        None => None,
    };
    let session = url::form_urlencoded::byte_serialize(asked.session_id.as_bytes());
    let done = DonePage {
        chrome: Chrome::of(&here.site),
        steps: progress::steps(bought.is_some(), instance.as_ref()),
        url: instance.as_ref().and_then(progress::url),
        stuck: instance.as_ref().and_then(progress::stuck),
        again: format!("/checkout/done?session_id={}", session.collect::<String>()),
    };
    page(&done).map_err(WebError::Page)
}

/// The name of the instance that a paid checkout makes; None while it is not paid.
async fn bought(here: &Shared, session: &str) -> Result<Option<String>, WebError> {
    if let Some(name) = lock(here).get(session) {
        return Ok(Some(name.clone()));
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
    let name = instance_name(&subscription.item);
    let mut known = lock(here);
    if known.len() >= REMEMBERED_MAX {
        known.clear();
    }
    known.insert(session.to_owned(), name.clone());
    Ok(Some(name))
}

fn lock(here: &Shared) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<String, String>> {
    here.bought.lock().unwrap_or_else(PoisonError::into_inner)
}
