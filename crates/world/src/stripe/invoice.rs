//! Invoices: what is kept about one, and which ones there are. How one is drawn up is in `draw`, how it is paid or not in
//! `collect`, what requests do to it in `requests`, and how it looks in `shown`.

mod collect;
mod draw;
mod preview;
mod requests;
mod shown;

use serde::{Deserialize, Serialize};

use super::State;
use super::books::Books;
use super::form::Metadata;
use super::list::Object;
use super::refusal::Refusal;
use crate::history::{Change, Kind};

pub(crate) use collect::{Attempt, attempt};
pub(crate) use shown::InvoicePayment;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Draft,
    Open,
    Paid,
    Void,
    Uncollectible,
}

impl Standing {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Void => "void",
            Self::Uncollectible => "uncollectible",
        }
    }

    /// Whether it can still be paid.
    pub(crate) fn is_payable(self) -> bool {
        match self {
            Self::Open | Self::Uncollectible => true,
            Self::Draft | Self::Paid | Self::Void => false,
        }
    }
}

/// Why an invoice was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Because {
    SubscriptionCreate,
    SubscriptionCycle,
    SubscriptionUpdate,
    /// A preview of what comes next.
    Upcoming,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) price: String,
    pub(crate) product: String,
    pub(crate) quantity: i64,
    pub(crate) description: String,
    /// The subscription item it is for.
    pub(crate) item: String,
    /// Unix seconds.
    #[serde(default)]
    pub(crate) start: i64,
    #[serde(default)]
    pub(crate) end: i64,
    /// It settles a change in the middle of a period.
    #[serde(default)]
    pub(crate) prorates: bool,
    /// The invoice item it comes from, if it waited as one.
    #[serde(default)]
    pub(crate) waited_as: Option<String>,
}

impl Line {
    pub(crate) fn product_name(&self, state: &State) -> String {
        let product = state.products.get(&self.product);
        product.map_or_else(|| self.price.clone(), |product| product.name.clone())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Invoice {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// Given when it is finalized.
    pub(crate) number: Option<String>,
    pub(crate) customer: String,
    pub(crate) subscription: String,
    /// The subscription's metadata when the invoice was made.
    pub(crate) metadata: Metadata,
    /// The invoice's own.
    #[serde(default)]
    pub(crate) own_metadata: Metadata,
    pub(crate) because: Because,
    pub(crate) lines: Vec<Line>,
    pub(crate) currency: String,
    /// The sum of the lines; below zero when more was paid before than is owed now.
    pub(crate) total: i64,
    /// What of it has to be paid, after the customer's balance.
    #[serde(default)]
    pub(crate) due: i64,
    /// The customer's balance before and after; below zero is credit.
    #[serde(default)]
    pub(crate) starting_balance: i64,
    #[serde(default)]
    pub(crate) ending_balance: Option<i64>,
    pub(crate) standing: Standing,
    pub(crate) attempts: u32,
    pub(crate) next_attempt: Option<i64>,
    /// When the draft finalizes by itself.
    #[serde(default)]
    pub(crate) finalizes_at: Option<i64>,
    /// The payment that is to pay it; the same one over all attempts.
    pub(crate) payment: Option<String>,
    #[serde(default)]
    pub(crate) finalized_at: Option<i64>,
    pub(crate) paid_at: Option<i64>,
    #[serde(default)]
    pub(crate) voided_at: Option<i64>,
    #[serde(default)]
    pub(crate) given_up_at: Option<i64>,
    pub(crate) period_start: i64,
    pub(crate) period_end: i64,
}

impl Books<'_> {
    pub(crate) fn keep_invoice(&mut self, invoice: &Invoice, change: Change) {
        self.state
            .invoices
            .insert(invoice.id.clone(), invoice.clone());
        self.note(Kind::Invoice, &invoice.id, change, &invoice.metadata);
    }
}

impl State {
    pub(crate) fn invoice(
        &self,
        id: &str,
        param: Option<&'static str>,
    ) -> Result<&Invoice, Refusal> {
        self.invoices
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: Invoice::NAME,
                id: id.to_owned(),
                param,
            })
    }
}
