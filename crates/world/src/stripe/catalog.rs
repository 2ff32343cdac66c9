//! Products and prices: what is for sale, how it is made, changed and shown.

use jiff::{Span, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::books::Books;
use super::customer::set_text;
use super::event::EventKind;
use super::form::{Metadata, Params, merge_metadata};
use super::list::Object;
use super::refusal::Refusal;
use crate::history::{Change, Kind};
use crate::options::Offer;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) active: bool,
    pub(crate) metadata: Metadata,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Price {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) product: String,
    /// In the currency's smallest unit.
    pub(crate) unit_amount: i64,
    /// Three lower-case letters.
    pub(crate) currency: String,
    pub(crate) interval: Interval,
    pub(crate) interval_count: i64,
    pub(crate) lookup_key: Option<String>,
    pub(crate) nickname: Option<String>,
    pub(crate) active: bool,
    pub(crate) metadata: Metadata,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Interval {
    Day,
    Week,
    Month,
    Year,
}

impl Interval {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Day, Self::Week, Self::Month, Self::Year]
            .into_iter()
            .find(|interval| interval.word() == word)
    }

    fn span(self, count: i64) -> Span {
        let span = Span::new();
        match self {
            Self::Day => span.days(count),
            Self::Week => span.weeks(count),
            Self::Month => span.months(count),
            Self::Year => span.years(count),
        }
    }
}

/// At most three years, as Stripe allows.
const MOST_INTERVALS: i64 = 36;

impl Price {
    /// Unix seconds of the end of the `nth` period after `anchor`, counted from the anchor so that the 31st comes back
    /// after a short month.
    pub(crate) fn period_end(&self, anchor: i64, nth: i64) -> i64 {
        let count = self.interval_count.saturating_mul(nth).min(10_000);
        Timestamp::from_second(anchor)
            .ok()
            .and_then(|at| {
                let zoned = at.to_zoned(TimeZone::UTC);
                zoned.checked_add(self.interval.span(count)).ok()
            })
            .map_or(i64::MAX, |end| end.timestamp().as_second())
    }

    /// As an invoice line names it, such as `1 × Basic (at €19.00 / month)`.
    pub(crate) fn described(&self, product: &str, quantity: i64) -> String {
        let amount = money(self.unit_amount, &self.currency);
        format!(
            "{quantity} × {product} (at {amount} / {})",
            self.interval.word()
        )
    }
}

/// An amount as a person reads it. `amount` is in hundredths, which is wrong for the few currencies without them.
pub(crate) fn money(amount: i64, currency: &str) -> String {
    let sign = match currency {
        "eur" => "€",
        "usd" => "$",
        "gbp" => "£",
        other => {
            return format!(
                "{}.{:02} {}",
                amount / 100,
                amount % 100,
                other.to_uppercase()
            );
        }
    };
    format!("{sign}{}.{:02}", amount / 100, amount % 100)
}

impl Object for Product {
    const NAME: &'static str = "product";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, _: &State) -> Value {
        json!({
            "id": self.id,
            "object": Self::NAME,
            "active": self.active,
            "created": self.created,
            "default_price": null,
            "description": self.description,
            "images": [],
            "livemode": false,
            "marketing_features": [],
            "metadata": self.metadata,
            "name": self.name,
            "package_dimensions": null,
            "shippable": null,
            "statement_descriptor": null,
            "tax_code": null,
            "type": "service",
            "unit_label": null,
            "updated": self.updated,
            "url": null,
        })
    }
}

impl Object for Price {
    const NAME: &'static str = "price";

    fn id(&self) -> &str {
        &self.id
    }

    fn shown(&self, _: &State) -> Value {
        json!({
            "id": self.id,
            "object": Self::NAME,
            "active": self.active,
            "billing_scheme": "per_unit",
            "created": self.created,
            "currency": self.currency,
            "custom_unit_amount": null,
            "livemode": false,
            "lookup_key": self.lookup_key,
            "metadata": self.metadata,
            "nickname": self.nickname,
            "product": self.product,
            "recurring": {
                "interval": self.interval.word(),
                "interval_count": self.interval_count,
                "meter": null,
                "trial_period_days": null,
                "usage_type": "licensed",
            },
            "tax_behavior": "unspecified",
            "tiers_mode": null,
            "transform_quantity": null,
            "type": "recurring",
            "unit_amount": self.unit_amount,
            "unit_amount_decimal": self.unit_amount.to_string(),
        })
    }
}

/// What the world's options put on sale before anybody asked.
pub(crate) fn stock(state: &mut State, offers: &[Offer], at: i64) {
    for offer in offers {
        let product = format!("prod_{}", offer.product.replace(' ', "_").to_lowercase());
        let shown = Product {
            id: product.clone(),
            created: at,
            updated: at,
            name: offer.product.clone(),
            description: None,
            active: true,
            metadata: Metadata::new(),
        };
        let price = Price {
            id: offer.price.clone(),
            created: at,
            product: product.clone(),
            unit_amount: offer.amount,
            currency: offer.currency.to_lowercase(),
            interval: if offer.yearly {
                Interval::Year
            } else {
                Interval::Month
            },
            interval_count: 1,
            lookup_key: Some(offer.price.clone()),
            nickname: None,
            active: true,
            metadata: Metadata::new(),
        };
        state.products.insert(product, shown);
        state.prices.insert(price.id.clone(), price);
    }
}

impl Books<'_> {
    pub(crate) fn create_product(&mut self, mut params: Params) -> Result<Value, Refusal> {
        let name = params.required("name")?;
        let description = params.text("description")?.filter(|text| !text.is_empty());
        let active = params.flag("active")?.unwrap_or(true);
        let id = params.text("id")?.filter(|text| !text.is_empty());
        let mut metadata = Metadata::new();
        merge_metadata(&mut metadata, params.metadata()?)?;
        params.finish()?;
        let id = id.unwrap_or_else(|| self.id("prod"));
        if self.state.products.contains(&id) {
            return Err(Refusal::State(format!("Product already exists: {id}")));
        }
        let product = Product {
            id,
            created: self.at,
            updated: self.at,
            name,
            description,
            active,
            metadata,
        };
        self.keep_product(&product, Change::Created, EventKind::ProductCreated);
        Ok(product.shown(self.state))
    }

    pub(crate) fn update_product(
        &mut self,
        id: &str,
        mut params: Params,
    ) -> Result<Value, Refusal> {
        let mut product = self.state.product(id, None)?.clone();
        if let Some(name) = params.text("name")? {
            product.name = name;
        }
        set_text(&mut product.description, params.text("description")?);
        product.active = params.flag("active")?.unwrap_or(product.active);
        merge_metadata(&mut product.metadata, params.metadata()?)?;
        params.finish()?;
        product.updated = self.at;
        let change = Change::Changed("updated".to_owned());
        self.keep_product(&product, change, EventKind::ProductUpdated);
        Ok(product.shown(self.state))
    }

    /// One that is sold, or was, stays.
    pub(crate) fn delete_product(&mut self, id: &str, params: Params) -> Result<Value, Refusal> {
        params.finish()?;
        let product = self.state.product(id, None)?.clone();
        if self.state.prices.values().any(|price| price.product == id) {
            let why =
                "This product cannot be deleted because it has one or more user-created prices.";
            return Err(Refusal::State(why.to_owned()));
        }
        self.state.products.remove(&id.to_owned());
        self.note(Kind::Product, id, Change::Removed, &product.metadata);
        self.tell(EventKind::ProductDeleted, &product);
        Ok(json!({ "id": id, "object": Product::NAME, "deleted": true }))
    }

    fn keep_product(&mut self, product: &Product, change: Change, kind: EventKind) {
        self.state
            .products
            .insert(product.id.clone(), product.clone());
        self.note(Kind::Product, &product.id, change, &product.metadata);
        self.tell(kind, product);
    }

    pub(crate) fn create_price(&mut self, mut params: Params) -> Result<Value, Refusal> {
        let product = params.required("product")?;
        let currency = params.required("currency")?.to_lowercase();
        let unit_amount = params
            .number("unit_amount")?
            .filter(|amount| *amount >= 0)
            .ok_or_else(|| Refusal::Missing("unit_amount".to_owned()))?;
        let (interval, interval_count) = recurring(&mut params)?;
        let lookup_key = params.text("lookup_key")?.filter(|text| !text.is_empty());
        let nickname = params.text("nickname")?.filter(|text| !text.is_empty());
        let active = params.flag("active")?.unwrap_or(true);
        let mut metadata = Metadata::new();
        merge_metadata(&mut metadata, params.metadata()?)?;
        params.finish()?;
        self.state.product(&product, Some("product"))?;
        let price = Price {
            id: self.id("price"),
            created: self.at,
            product,
            unit_amount,
            currency,
            interval,
            interval_count,
            lookup_key,
            nickname,
            active,
            metadata,
        };
        self.keep_price(&price, Change::Created, EventKind::PriceCreated)?;
        Ok(price.shown(self.state))
    }

    pub(crate) fn update_price(&mut self, id: &str, mut params: Params) -> Result<Value, Refusal> {
        let mut price = self.state.price(id, None)?.clone();
        price.active = params.flag("active")?.unwrap_or(price.active);
        set_text(&mut price.nickname, params.text("nickname")?);
        set_text(&mut price.lookup_key, params.text("lookup_key")?);
        merge_metadata(&mut price.metadata, params.metadata()?)?;
        params.finish()?;
        let change = Change::Changed("updated".to_owned());
        self.keep_price(&price, change, EventKind::PriceUpdated)?;
        Ok(price.shown(self.state))
    }

    /// A look-up key belongs to one price.
    fn keep_price(
        &mut self,
        price: &Price,
        change: Change,
        kind: EventKind,
    ) -> Result<(), Refusal> {
        let taken = |other: &&Price| other.id != price.id && other.lookup_key == price.lookup_key;
        if price.lookup_key.is_some() && self.state.prices.values().any(|other| taken(&other)) {
            let why = "A price already uses this lookup key";
            return Err(Refusal::param("lookup_key", why));
        }
        self.state.prices.insert(price.id.clone(), price.clone());
        self.note(Kind::Price, &price.id, change, &price.metadata);
        self.tell(kind, price);
        Ok(())
    }
}

fn recurring(params: &mut Params) -> Result<(Interval, i64), Refusal> {
    let mut group = params.group("recurring")?;
    if group.is_empty() {
        return Err(Refusal::State(
            "Only recurring prices are simulated; send recurring[interval].".to_owned(),
        ));
    }
    let word = group.required("interval")?;
    let interval = Interval::parse(&word)
        .ok_or_else(|| Refusal::choice("recurring[interval]", &["day", "month", "week", "year"]))?;
    let count = group.number("interval_count")?.unwrap_or(1);
    group.finish()?;
    if (1..=MOST_INTERVALS).contains(&count) {
        Ok((interval, count))
    } else {
        Err(Refusal::param(
            "recurring[interval_count]",
            "Invalid interval count",
        ))
    }
}

impl State {
    pub(crate) fn product(
        &self,
        id: &str,
        param: Option<&'static str>,
    ) -> Result<&Product, Refusal> {
        self.products
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: Product::NAME,
                id: id.to_owned(),
                param,
            })
    }

    pub(crate) fn price(&self, id: &str, param: Option<&'static str>) -> Result<&Price, Refusal> {
        self.prices
            .get(&id.to_owned())
            .ok_or_else(|| Refusal::NoSuch {
                what: Price::NAME,
                id: id.to_owned(),
                param,
            })
    }
}
