//! The first page: what is for sale, and the form that buys it. It checks nothing; see `checkout`.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::error::WebError;
use super::view::{Chrome, Faults, IntervalChoice, LandingPage, PlanCard, page};
use super::{Here, Shared};
use crate::api::PlanSpec;
use crate::api::plan::{Interval, Price};

/// What a person has entered, as it came.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    pub(super) plan: String,
    pub(super) interval: String,
    pub(super) subdomain: String,
    pub(super) display_name: String,
    pub(super) order: String,
}

/// Empty, or as it was filled in before a checkout was cancelled.
pub(super) async fn show(
    State(here): Here,
    Query(entry): Query<Entry>,
) -> Result<Response, WebError> {
    if !here.site.catalog.is_synced() {
        return Err(WebError::Starting);
    }
    again(&here, &entry, &Faults::default())
}

/// The form with what was entered, and what is wrong with it.
pub(super) fn again(here: &Shared, entry: &Entry, faults: &Faults) -> Result<Response, WebError> {
    let mut plans = here.site.catalog.plans();
    plans.sort_by_key(|(name, plan)| (cheapest(plan), name.clone()));
    let chosen = plans
        .iter()
        .map(|(name, _)| name)
        .find(|name| **name == entry.plan)
        .or(plans.first().map(|(name, _)| name));
    let cards = plans
        .iter()
        .map(|(name, plan)| card(name, plan, chosen == Some(name)))
        .collect();
    let landing = LandingPage {
        chrome: Chrome::of(&here.site),
        zone: &here.site.zone,
        plans: cards,
        intervals: intervals(plans.iter().map(|(_, plan)| plan.as_ref()), entry),
        subdomain: &entry.subdomain,
        display_name: &entry.display_name,
        order: order_token()?,
        faults,
    };
    page(&landing).map_err(WebError::Page)
}

fn cheapest(plan: &PlanSpec) -> i64 {
    plan.prices
        .iter()
        .map(|price| price.amount_cents)
        .min()
        .unwrap_or(i64::MAX)
}

fn card(name: &str, plan: &PlanSpec, chosen: bool) -> PlanCard {
    PlanCard {
        name: name.to_owned(),
        display_name: plan.display_name.clone(),
        description: plan.description.clone(),
        prices: plan.prices.iter().map(price_tag).collect(),
        chosen,
    }
}

/// Every way to pay that any plan has, when there is a choice.
fn intervals<'a>(plans: impl Iterator<Item = &'a PlanSpec>, entry: &Entry) -> Vec<IntervalChoice> {
    let prices: Vec<&Price> = plans.flat_map(|plan| &plan.prices).collect();
    let offered = |interval| prices.iter().any(|price| price.interval == interval);
    let ways = [Interval::Month, Interval::Year];
    if !ways.into_iter().all(offered) {
        return Vec::new();
    }
    ways.into_iter()
        .map(|interval| IntervalChoice {
            value: value_of(interval),
            label: match interval {
                Interval::Month => "Monthly",
                Interval::Year => "Yearly",
            },
            chosen: match interval {
                Interval::Month => entry.interval != value_of(Interval::Year),
                Interval::Year => entry.interval == value_of(Interval::Year),
            },
        })
        .collect()
}

/// How the form spells an interval.
pub(super) fn value_of(interval: Interval) -> &'static str {
    match interval {
        Interval::Month => "month",
        Interval::Year => "year",
    }
}

/// Such as `€9.50 a month`.
fn price_tag(price: &Price) -> String {
    let amount = format!(
        "{}.{:02}",
        price.amount_cents / 100,
        price.amount_cents % 100
    );
    let amount = match price.currency.as_str() {
        "eur" => format!("€{amount}"),
        "usd" => format!("${amount}"),
        "gbp" => format!("£{amount}"),
        other => format!("{amount} {}", other.to_uppercase()),
    };
    format!("{amount} a {}", value_of(price.interval))
}

/// 128 random bits: the same form sent twice is the same order.
fn order_token() -> Result<String, WebError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(WebError::Randomness)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(amount_cents: i64, currency: &str, interval: Interval, expected: &str) {
        let price = Price {
            id: "price_1".into(),
            interval,
            amount_cents,
            currency: currency.into(),
        };
        assert_eq!(price_tag(&price), expected);
    }

    #[test]
    fn a_price_is_told_as_people_write_it() {
        check(950, "eur", Interval::Month, "€9.50 a month");
        check(9900, "usd", Interval::Year, "$99.00 a year");
        check(5, "gbp", Interval::Month, "£0.05 a month");
        check(1200, "chf", Interval::Month, "12.00 CHF a month");
    }
}
