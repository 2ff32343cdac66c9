//! Checkout sessions: what one asks for, how one is made, and how it expires. How it looks is in `shown`; what happens when somebody pays is
//! decided in `checkout`.

mod shown;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::State;
use super::books::Books;
use super::card::Instrument;
use super::due::Due;
use super::event::EventKind;
use super::form::{Metadata, Params, merge_metadata};
use super::list::{Object, list_of};
use super::refusal::Refusal;
use crate::history::{Change, Kind};

const HOUR: i64 = 3_600;
/// A session lives for 24 hours unless told otherwise, and never shorter than 30 minutes.
/// Source: Stripe's reference of `expires_at`.
const LIFE: i64 = 24 * HOUR;
const SHORTEST_LIFE: i64 = HOUR / 2;
const MOST_LINES: usize = 20;
const MOST_QUANTITY: i64 = 1_000;
const MOST_TRIAL_DAYS: i64 = 730;
/// Parameters that are taken and change nothing here.
const WITHOUT_EFFECT: [&str; 14] = [
    "adaptive_pricing",
    "allow_promotion_codes",
    "automatic_tax",
    "billing_address_collection",
    "branding_settings",
    "consent_collection",
    "custom_text",
    "customer_update",
    "locale",
    "payment_method_collection",
    "payment_method_options",
    "payment_method_types",
    "phone_number_collection",
    "tax_id_collection",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Open,
    Complete,
    Expired,
}

impl Stage {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Money {
    Unpaid,
    Paid,
    NoPaymentRequired,
}

impl Money {
    fn word(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Paid => "paid",
            Self::NoPaymentRequired => "no_payment_required",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    id: String,
    pub(crate) price: String,
    pub(crate) quantity: i64,
}

/// Who pays, as typed on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payer {
    pub(crate) email: String,
    pub(crate) name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) expires_at: i64,
    pub(crate) stage: Stage,
    pub(crate) money: Money,
    pub(crate) customer: Option<String>,
    pub(crate) customer_email: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) lines: Vec<Wanted>,
    pub(crate) success_url: String,
    pub(crate) cancel_url: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) subscription_metadata: Metadata,
    pub(crate) subscription_description: Option<String>,
    pub(crate) trial_days: i64,
    pub(crate) subscription: Option<String>,
    pub(crate) invoice: Option<String>,
    pub(crate) payer: Option<Payer>,
    /// Waits for the customer to answer the bank's question.
    pub(crate) confirming: Option<Instrument>,
}

impl Session {
    pub(crate) fn total(&self, state: &State) -> i64 {
        let amount = |line: &Wanted| {
            state
                .prices
                .get(&line.price)
                .map_or(0, |price| price.unit_amount.saturating_mul(line.quantity))
        };
        self.lines.iter().map(amount).sum()
    }

    pub(crate) fn currency(&self, state: &State) -> String {
        self.lines
            .first()
            .and_then(|line| state.prices.get(&line.price))
            .map_or_else(String::new, |price| price.currency.clone())
    }

    /// Where the customer goes after paying.
    pub(crate) fn success_location(&self) -> String {
        self.success_url.replace("{CHECKOUT_SESSION_ID}", &self.id)
    }
}

impl Books<'_> {
    pub(crate) fn create_session(&mut self, mut params: Params) -> Result<Value, Refusal> {
        refuse_what_is_not_simulated(&mut params)?;
        let lines = self.wanted(&mut params)?;
        let success_url = absolute_url(&mut params, "success_url")?
            .ok_or_else(|| Refusal::Missing("success_url".to_owned()))?;
        let cancel_url = absolute_url(&mut params, "cancel_url")?;
        let customer = params.text("customer")?;
        let customer_email = params.text("customer_email")?;
        if let Some(customer) = &customer {
            self.check_still(customer)?;
            self.state.live_customer(customer, Some("customer"))?;
            if customer_email.is_some() {
                let why = "You may only specify one of these parameters: customer, customer_email.";
                return Err(Refusal::State(why.to_owned()));
            }
        }
        let reference = params.text("client_reference_id")?;
        let expires_at = self.expiry(params.number("expires_at")?)?;
        let mut metadata = Metadata::new();
        merge_metadata(&mut metadata, params.metadata()?)?;
        let ordered = subscription_data(&mut params)?;
        params.finish()?;
        let session = Session {
            id: self.id("cs_test"),
            created: self.now,
            expires_at,
            stage: Stage::Open,
            money: if ordered.trial_days > 0 {
                Money::NoPaymentRequired
            } else {
                Money::Unpaid
            },
            customer,
            customer_email,
            reference,
            lines,
            success_url,
            cancel_url,
            metadata,
            subscription_metadata: ordered.metadata,
            subscription_description: ordered.description,
            trial_days: ordered.trial_days,
            subscription: None,
            invoice: None,
            payer: None,
            confirming: None,
        };
        self.keep_session(&session, Change::Created);
        let due = Due::SessionExpires(session.id.clone());
        self.state.agenda.plan(None, expires_at, &due);
        Ok(session.shown(self.state))
    }

    pub(crate) fn keep_session(&mut self, session: &Session, change: Change) {
        self.state
            .sessions
            .insert(session.id.clone(), session.clone());
        self.note(Kind::Session, &session.id, change, &session.metadata);
    }

    fn expiry(&self, asked: Option<i64>) -> Result<i64, Refusal> {
        let at = asked.unwrap_or(self.now + LIFE);
        if (self.now + SHORTEST_LIFE..=self.now + LIFE).contains(&at) {
            Ok(at)
        } else {
            let why = "The timestamp must be between 30 minutes and 24 hours from now.";
            Err(Refusal::param("expires_at", why))
        }
    }

    fn wanted(&mut self, params: &mut Params) -> Result<Vec<Wanted>, Refusal> {
        let groups = params.groups("line_items")?;
        if groups.is_empty() {
            return Err(Refusal::Missing("line_items".to_owned()));
        }
        if groups.len() > MOST_LINES {
            return Err(Refusal::param(
                "line_items",
                "At most 20 recurring line items",
            ));
        }
        let mut lines: Vec<Wanted> = Vec::with_capacity(groups.len());
        for mut group in groups {
            let price = group.required("price")?;
            let quantity = group.number("quantity")?.unwrap_or(1);
            group.finish()?;
            let found = self.state.price(&price, Some("line_items[0][price]"))?;
            if !found.active {
                let why = "The price specified is inactive. This field only accepts active prices.";
                return Err(Refusal::param("line_items[0][price]", why));
            }
            if !(1..=MOST_QUANTITY).contains(&quantity) {
                let why = format!("This value must be between 1 and {MOST_QUANTITY}.");
                return Err(Refusal::integer("line_items[0][quantity]", why));
            }
            lines.push(Wanted {
                id: self.id("li"),
                price,
                quantity,
            });
        }
        let prices = lines.iter().map(|line| line.price.as_str());
        self.state.refuse_mixed(prices)?;
        Ok(lines)
    }

    /// `POST /v1/checkout/sessions/{id}/expire`.
    pub(crate) fn expire_session(&mut self, id: &str, params: Params) -> Result<Value, Refusal> {
        params.finish()?;
        if self.state.session(id)?.stage != Stage::Open {
            return Err(Refusal::State(
                "Only Checkout Sessions with a status in [\"open\"] can be expired.".to_owned(),
            ));
        }
        self.expire_if_open(id)?;
        Ok(self.state.session(id)?.shown(self.state))
    }

    pub(crate) fn expire_if_open(&mut self, id: &str) -> Result<(), Refusal> {
        let mut session = self.state.session(id)?.clone();
        if session.stage == Stage::Open {
            session.stage = Stage::Expired;
            session.confirming = None;
            self.keep_session(&session, Change::Changed("expired".to_owned()));
            self.tell(EventKind::SessionExpired, &session);
        }
        Ok(())
    }

    pub(crate) fn show_lines(&self, id: &str) -> Result<Value, Refusal> {
        let session = self.state.session(id)?;
        let url = format!("/v1/checkout/sessions/{id}/line_items");
        Ok(list_of(&url, &session.shown_lines(self.state), false))
    }
}

fn refuse_what_is_not_simulated(params: &mut Params) -> Result<(), Refusal> {
    match params.required("mode")?.as_str() {
        "subscription" => {}
        "payment" | "setup" => {
            let why = "Only mode=subscription is simulated.";
            return Err(Refusal::param("mode", why));
        }
        _ => {
            let modes = ["payment", "setup", "subscription"];
            return Err(Refusal::choice("mode", &modes));
        }
    }
    let ui_mode = params.text("ui_mode")?;
    if !matches!(ui_mode.as_deref(), None | Some("hosted_page" | "hosted")) {
        return Err(Refusal::param(
            "ui_mode",
            "Only the hosted page is simulated.",
        ));
    }
    params.ignore(&WITHOUT_EFFECT);
    Ok(())
}

/// What a session asks of the subscription it starts.
struct Ordered {
    metadata: Metadata,
    description: Option<String>,
    trial_days: i64,
}

fn subscription_data(params: &mut Params) -> Result<Ordered, Refusal> {
    let mut group = params.group("subscription_data")?;
    let mut metadata = Metadata::new();
    merge_metadata(&mut metadata, group.metadata()?)?;
    let description = group.text("description")?;
    let trial_days = group.number("trial_period_days")?.unwrap_or(0);
    group.ignore(&["billing_mode", "proration_behavior", "invoice_settings"]);
    group.finish()?;
    if !(0..=MOST_TRIAL_DAYS).contains(&trial_days) {
        let why = "The trial must be between 1 and 730 days";
        return Err(Refusal::param("subscription_data[trial_period_days]", why));
    }
    Ok(Ordered {
        metadata,
        description,
        trial_days,
    })
}

fn absolute_url(params: &mut Params, key: &str) -> Result<Option<String>, Refusal> {
    let Some(text) = params.text(key)? else {
        return Ok(None);
    };
    // It goes into a Location header as it is.
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    match Url::parse(&text) {
        Ok(url) if plain && matches!(url.scheme(), "http" | "https") => Ok(Some(text)),
        Ok(_) | Err(_) => Err(Refusal::UrlInvalid(key.to_owned())),
    }
}

impl State {
    /// What is bought together has one currency and one rhythm.
    pub(crate) fn refuse_mixed<'p>(
        &self,
        prices: impl Iterator<Item = &'p str>,
    ) -> Result<(), Refusal> {
        let rhythm = |id: &str| {
            let price = self.prices.get(&id.to_owned())?;
            Some((price.currency.clone(), price.interval, price.interval_count))
        };
        let mut rhythms = prices.map(rhythm);
        let first = rhythms.next().flatten();
        if rhythms.all(|rhythm| rhythm == first) {
            Ok(())
        } else {
            let why = "If you specify multiple recurring prices, they must all have the same currency and interval.";
            Err(Refusal::State(why.to_owned()))
        }
    }

    pub(crate) fn session(&self, id: &str) -> Result<&Session, Refusal> {
        self.sessions
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: Session::NAME,
                id: id.to_owned(),
                param: None,
            })
    }
}
