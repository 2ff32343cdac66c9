//! From a filled-in form to the payment provider's hosted checkout: checks what was entered, and sends the
//! browser there. Nothing is made before the payment's webhook.

use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use sha2::{Digest, Sha256};

use super::error::WebError;
use super::frame::Rendered;
use super::landing::{self, Entry, value_of};
use super::view::{CancelledPage, Chrome, Faults, page};
use super::{Here, Shared};
use crate::api::Subdomain;
use crate::api::plan::Price;
use crate::catalog::Catalog;
use crate::cause::chain;
use crate::intent::Order;
use crate::intent::order::DISPLAY_NAME_LENGTH_MAX;
use crate::provider::{CheckoutOrder, ProviderError};

/// An order token as our form makes it.
const ORDER_TOKEN_LENGTH: usize = 32;

/// What may be bought, at which of the payment provider's prices.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Purchase {
    order: Order,
    price: String,
}

pub(super) async fn start(
    State(here): Here,
    Form(entry): Form<Entry>,
) -> Result<Response, WebError> {
    if !here.site.catalog.is_synced() {
        return Err(WebError::Starting);
    }
    let purchase = match check(&here.site.catalog, &entry) {
        Ok(purchase) => purchase,
        Err(faults) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(rendered(status, landing::again(&here, &entry, &faults)?));
        }
    };
    let order = checkout_order(&here, &entry, &purchase);
    match here.site.billing.start_checkout(&order).await {
        Ok(url) => Ok(Redirect::to(&url).into_response()),
        Err(error) => {
            tracing::error!(cause = %chain(&error), "A checkout could not be started");
            let faults = Faults {
                form: Some(advice(&error)),
                ..Faults::default()
            };
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Ok(rendered(status, landing::again(&here, &entry, &faults)?))
        }
    }
}

fn rendered(status: StatusCode, page: Response) -> Response {
    (status, Rendered::as_extension(), page).into_response()
}

/// What a person can do about a checkout that did not start. Starting one charges nothing.
fn advice(error: &ProviderError) -> &'static str {
    match error {
        ProviderError::Throttled { .. }
        | ProviderError::Unreachable(_)
        | ProviderError::Unknown(_) => {
            "Our payment provider does not answer. Nothing was ordered and nothing was charged. \
             What you entered is still here: try again in a minute."
        }
        ProviderError::Refused { .. } => {
            "Our payment provider did not accept this order. Nothing was charged, and we have been \
             told. Try again later, or choose another plan."
        }
    }
}

/// Looks at everything before it answers, so that all that is wrong is said at once.
fn check(catalog: &Catalog, entry: &Entry) -> Result<Purchase, Faults> {
    let mut faults = Faults::default();
    let subdomain = check_subdomain(catalog, &entry.subdomain)
        .map_err(|fault| faults.subdomain = Some(fault))
        .ok();
    let display_name = check_display_name(&entry.display_name)
        .map_err(|fault| faults.display_name = Some(fault))
        .ok();
    let price = check_plan(catalog, entry)
        .map_err(|fault| faults.plan = Some(fault))
        .ok();
    match (subdomain, display_name, price) {
        (Some(subdomain), Some(display_name), Some(price)) => Ok(Purchase {
            order: Order {
                plan: entry.plan.clone(),
                display_name: display_name.unwrap_or_else(|| subdomain.to_string()),
                subdomain,
            },
            price: price.id,
        }),
        _ => Err(faults),
    }
}

/// Capitals and spaces around it are a slip of the keyboard, not a fault.
fn check_subdomain(catalog: &Catalog, entered: &str) -> Result<Subdomain, String> {
    let entered = entered.trim().to_ascii_lowercase();
    if entered.is_empty() {
        return Err("Choose a name for the address.".to_owned());
    }
    let subdomain = Subdomain::parse(&entered).map_err(|error| format!("The name {error}."))?;
    if catalog.is_claimed(subdomain.as_str()) {
        return Err(format!("{subdomain} is taken. Choose another name."));
    }
    Ok(subdomain)
}

/// None when nothing was entered: it may be left out.
fn check_display_name(entered: &str) -> Result<Option<String>, String> {
    let entered = entered.trim();
    if entered.chars().count() > DISPLAY_NAME_LENGTH_MAX {
        return Err(format!(
            "Your name may have {DISPLAY_NAME_LENGTH_MAX} characters at most."
        ));
    }
    if entered.chars().any(char::is_control) {
        return Err("Your name has a character that cannot be shown.".to_owned());
    }
    Ok((!entered.is_empty()).then(|| entered.to_owned()))
}

fn check_plan(catalog: &Catalog, entry: &Entry) -> Result<Price, String> {
    let plan = catalog
        .plan(&entry.plan)
        .ok_or("Choose one of the plans below; this one is not for sale.")?;
    let asked =
        |price: &&Price| entry.interval.is_empty() || value_of(price.interval) == entry.interval;
    plan.prices.iter().find(asked).cloned().ok_or_else(|| {
        let offered: Vec<_> = plan
            .prices
            .iter()
            .map(|price| value_of(price.interval))
            .collect();
        let name = &plan.display_name;
        format!("{name} is paid by the {} only.", offered.join(" or "))
    })
}

fn checkout_order(here: &Shared, entry: &Entry, purchase: &Purchase) -> CheckoutOrder {
    let base = here.site.public_url.as_str().trim_end_matches('/');
    CheckoutOrder {
        price: purchase.price.clone(),
        metadata: purchase.order.metadata(&here.site.installation),
        // Stripe puts the session's id in place of the braces.
        success_url: format!("{base}/checkout/done?session_id={{CHECKOUT_SESSION_ID}}"),
        cancel_url: format!("{base}/checkout/cancelled?{}", filled_in(entry)),
        idempotency_key: idempotency_key(entry, purchase),
    }
}

/// The same form sent twice is one order; the same token with other contents is another.
fn idempotency_key(entry: &Entry, purchase: &Purchase) -> String {
    let is_token = entry.order.len() == ORDER_TOKEN_LENGTH
        && entry.order.bytes().all(|b| b.is_ascii_hexdigit());
    let token = if is_token {
        entry.order.clone()
    } else {
        uuid::Uuid::new_v4().to_string()
    };
    let Purchase { order, price } = purchase;
    let contents = [
        token.as_str(),
        price,
        &order.plan,
        order.subdomain.as_str(),
        &order.display_name,
    ];
    let mut digest = Sha256::new();
    for part in contents {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    hex::encode(digest.finalize())
}

/// What was entered as a query, so that a cancelled checkout loses nothing.
fn filled_in(entry: &Entry) -> String {
    let fields = [
        ("plan", &entry.plan),
        ("interval", &entry.interval),
        ("subdomain", &entry.subdomain),
        ("display_name", &entry.display_name),
    ];
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

pub(super) async fn cancelled(
    State(here): Here,
    Query(entry): Query<Entry>,
) -> Result<Response, WebError> {
    let cancelled = CancelledPage {
        chrome: Chrome::of(&here.site),
        back: format!("/?{}", filled_in(&entry)),
    };
    page(&cancelled).map_err(WebError::Page)
}

/// Somebody reloaded or typed the form's address.
pub(super) async fn nothing_here() -> Redirect {
    Redirect::to("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Customer, Plan};
    use serde_json::json;

    fn catalog() -> Catalog {
        let customer: Customer = serde_json::from_value(json!({"metadata": {"name": "c"},
            "spec": {"displayName": "C", "plan": "basic"}}))
        .unwrap();
        let plan: Plan = serde_json::from_value(json!({"metadata": {"name": "basic"}, "spec": {
            "displayName": "Basic", "placement": [],
            "prices": [{"id": "price_m", "interval": "Month", "amountCents": 900, "currency": "eur"}]}}))
        .unwrap();
        Catalog::holding(&customer, &plan)
    }

    fn entry() -> Entry {
        Entry {
            plan: "basic".into(),
            subdomain: "ada".into(),
            ..Entry::default()
        }
    }

    #[test]
    fn what_is_left_out_is_filled_in() {
        let purchase = check(&catalog(), &entry()).unwrap();
        assert_eq!(purchase.price, "price_m");
        assert_eq!(purchase.order.display_name, "ada");
        let shouted = Entry {
            subdomain: " Ada ".into(),
            ..entry()
        };
        let purchase = check(&catalog(), &shouted).unwrap();
        assert_eq!(purchase.order.subdomain.as_str(), "ada");
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_its_field() {
        let wrong = Entry {
            plan: "gold".into(),
            subdomain: "www".into(),
            display_name: "x".repeat(200),
            ..Entry::default()
        };
        let faults = check(&catalog(), &wrong).unwrap_err();
        assert!(faults.plan.unwrap().contains("not for sale"));
        assert!(faults.subdomain.unwrap().contains("reserved"));
        assert!(faults.display_name.unwrap().contains("128 characters"));
    }

    #[test]
    fn an_interval_that_a_plan_does_not_have_is_no_silent_other_price() {
        let yearly = Entry {
            interval: "year".into(),
            ..entry()
        };
        let faults = check(&catalog(), &yearly).unwrap_err();
        assert_eq!(
            faults.plan.as_deref(),
            Some("Basic is paid by the month only.")
        );
    }

    #[test]
    fn a_form_sent_twice_is_one_order_and_a_changed_one_another() {
        let purchase = check(&catalog(), &entry()).unwrap();
        let token = Entry {
            order: "0123456789abcdef0123456789abcdef".into(),
            ..entry()
        };
        let key = idempotency_key(&token, &purchase);
        assert_eq!(key, idempotency_key(&token, &purchase));
        let mut other = purchase.clone();
        other.order.display_name = "Other".into();
        assert_ne!(key, idempotency_key(&token, &other));
        let without = entry();
        assert_ne!(
            idempotency_key(&without, &purchase),
            idempotency_key(&without, &purchase)
        );
    }
}
