//! Compares what a Plan shows with what would be charged, and says what was seen. Pure.

use jiff::Timestamp;

use crate::api::condition::{Claim, Truth, conditions};
use crate::api::plan::Price;
use crate::api::{ConditionType, PlanStatus, Reason};
use crate::provider::SellingPrice;

/// What was seen of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub in_use: usize,
    /// The first price that cannot be sold as it is shown.
    pub fault: Option<PriceFault>,
}

/// Why a price cannot be sold as the plan shows it, in words for whoever wrote the plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceFault {
    #[error("the payment provider has no price {0:?}")]
    Missing(String),
    #[error("the price {0:?} is archived at the payment provider")]
    Archived(String),
    #[error("the price {id:?} is shown as {shown} and charged as {charged}")]
    Differs {
        id: String,
        shown: String,
        charged: String,
    },
}

/// What is wrong with a price, given what the payment provider says of it.
pub fn fault(shown: &Price, sold: Option<&SellingPrice>) -> Option<PriceFault> {
    let id = || shown.id.clone();
    let Some(sold) = sold else {
        return Some(PriceFault::Missing(id()));
    };
    if !sold.on_sale {
        return Some(PriceFault::Archived(id()));
    }
    let same = sold.amount_cents == Some(shown.amount_cents)
        && sold.currency == shown.currency
        && sold.interval == Some(shown.interval);
    (!same).then(|| PriceFault::Differs {
        id: id(),
        shown: format!(
            "{} cents {} each {:?}",
            shown.amount_cents, shown.currency, shown.interval
        ),
        charged: told(sold),
    })
}

fn told(sold: &SellingPrice) -> String {
    let amount = sold
        .amount_cents
        .map_or("no fixed amount".to_owned(), |cents| {
            format!("{cents} cents")
        });
    let interval = sold
        .interval
        .map_or("some other interval".to_owned(), |each| {
            format!("each {each:?}")
        });
    format!("{amount} {} {interval}", sold.currency)
}

/// The status of a plan after a visit.
pub fn status(
    previous: &PlanStatus,
    observed: &Observed,
    generation: Option<i64>,
    now: Timestamp,
) -> PlanStatus {
    PlanStatus {
        observed_generation: generation,
        in_use: i64::try_from(observed.in_use).ok(),
        conditions: conditions(&previous.conditions, &claims(observed), generation, now),
    }
}

fn claims(observed: &Observed) -> Vec<Claim> {
    let claim = |kind, is: bool, reason: Reason, message: String| Claim {
        kind,
        truth: Truth::from(is),
        reason,
        message,
    };
    let plain = |reason: Reason| reason.sentence().to_owned();
    match &observed.fault {
        None => vec![
            claim(
                ConditionType::Ready,
                true,
                Reason::Ready,
                plain(Reason::Ready),
            ),
            claim(
                ConditionType::Stalled,
                false,
                Reason::AsDesired,
                plain(Reason::AsDesired),
            ),
        ],
        Some(fault) => {
            let because = Reason::PriceInvalid;
            let message =
                format!("{fault}. Correct the plan, or the price at the payment provider.");
            vec![
                claim(ConditionType::Ready, false, because, message.clone()),
                claim(ConditionType::Stalled, true, because, message),
            ]
        }
    }
}
