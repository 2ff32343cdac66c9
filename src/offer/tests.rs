//! What a plan's status says, for each thing that can be wrong with a price.

use jiff::Timestamp;

use super::status::{Observed, fault, status};
use crate::api::PlanStatus;
use crate::api::plan::{Interval, Price};
use crate::provider::SellingPrice;

fn shown() -> Price {
    Price {
        id: "price_1".into(),
        interval: Interval::Month,
        amount_cents: 1900,
        currency: "eur".into(),
    }
}

fn sold() -> SellingPrice {
    SellingPrice {
        amount_cents: Some(1900),
        currency: "eur".into(),
        interval: Some(Interval::Month),
        on_sale: true,
    }
}

fn check(sold: Option<&SellingPrice>, expected: &str) {
    let said = fault(&shown(), sold).map_or("fine".to_owned(), |f| f.to_string());
    assert_eq!(said, expected);
}

#[test]
fn a_price_is_sold_as_it_is_shown_or_it_is_said_how_not() {
    check(Some(&sold()), "fine");
    check(None, "the payment provider has no price \"price_1\"");
    let archived = SellingPrice {
        on_sale: false,
        ..sold()
    };
    check(
        Some(&archived),
        "the price \"price_1\" is archived at the payment provider",
    );
    let dearer = SellingPrice {
        amount_cents: Some(2900),
        ..sold()
    };
    check(
        Some(&dearer),
        "the price \"price_1\" is shown as 1900 cents eur each Month and charged as 2900 cents eur each Month",
    );
    let tiers = SellingPrice {
        amount_cents: None,
        interval: None,
        ..sold()
    };
    check(
        Some(&tiers),
        "the price \"price_1\" is shown as 1900 cents eur each Month and charged as no fixed amount eur \
         some other interval",
    );
}

#[test]
fn the_status_counts_and_is_the_same_bytes_when_nothing_changed() {
    let now = |second| Timestamp::from_second(second).unwrap();
    let observed = Observed {
        in_use: 3,
        fault: fault(&shown(), None),
    };
    let first = status(&PlanStatus::default(), &observed, Some(1), now(10));
    assert_eq!(first.in_use, Some(3));
    let ready = &first.conditions[0];
    assert_eq!(
        (ready.status.as_str(), ready.reason.as_str()),
        ("False", "PriceInvalid")
    );
    assert!(
        ready
            .message
            .contains("has no price \"price_1\". Correct the plan")
    );
    assert_eq!(status(&first, &observed, Some(1), now(99)), first);
}
