//! What a customer typed into the payment form, and what is wrong with it, field by field.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::State;
use super::card::Instrument;
use super::session::{Payer, Session};

const LONGEST: usize = 200;

/// Absent means that a script left the field out; empty means that a person did.
#[derive(Clone, Default)]
pub(crate) struct Typed {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) debit: bool,
    card_number: String,
    expiry: Option<String>,
    cvc: Option<String>,
    iban: String,
}

/// One sentence for each field that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) card_number: Option<String>,
    pub(crate) expiry: Option<String>,
    pub(crate) cvc: Option<String>,
    pub(crate) iban: Option<String>,
}

impl Typed {
    /// What is known before anybody typed.
    pub(crate) fn expected(session: &Session, stripe: &State) -> Self {
        let customer = session
            .customer
            .as_ref()
            .and_then(|id| stripe.customers.get(id));
        let payer = session.payer.as_ref();
        let email = payer
            .map(|payer| payer.email.clone())
            .or_else(|| session.customer_email.clone())
            .or_else(|| customer.and_then(|customer| customer.email.clone()));
        let name = payer
            .map(|payer| payer.name.clone())
            .or_else(|| customer.and_then(|customer| customer.name.clone()));
        Self::known(email, name)
    }

    pub(crate) fn known(email: Option<String>, name: Option<String>) -> Self {
        Self {
            email: email.unwrap_or_default(),
            name: name.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// What was sent, on top of what is known.
    pub(crate) fn read(self, body: &[u8]) -> Self {
        let mut typed = self;
        for (key, value) in url::form_urlencoded::parse(body) {
            let value: String = value.trim().chars().take(LONGEST).collect();
            match key.as_ref() {
                "email" => typed.email = value,
                "name" => typed.name = value,
                "method" => typed.debit = value == "sepa_debit",
                "card_number" => typed.card_number = value,
                "expiry" => typed.expiry = Some(value),
                "cvc" => typed.cvc = Some(value),
                "iban" => typed.iban = value,
                _ => {}
            }
        }
        typed
    }

    /// Who pays and with what, or what is wrong. `now` decides which cards have expired.
    pub(crate) fn checked(&self, now: Timestamp) -> Result<(Payer, Instrument), Box<Wrong>> {
        let mut wrong = Wrong::default();
        if !is_email(&self.email) {
            wrong.email = Some("Enter an email address, such as ada@example.com.".to_owned());
        }
        if self.name.is_empty() {
            wrong.name = Some("Enter your name.".to_owned());
        }
        let instrument = if self.debit {
            let account = Instrument::account(&self.iban);
            account.map_err(|error| wrong.iban = Some(error.to_string()))
        } else {
            wrong.expiry = self
                .expiry
                .as_deref()
                .and_then(|text| expiry_wrong(text, now));
            wrong.cvc = self.cvc.as_deref().and_then(cvc_wrong);
            let card = Instrument::card(&self.card_number);
            card.map_err(|error| wrong.card_number = Some(error.to_string()))
        };
        match instrument {
            Ok(instrument) if wrong == Wrong::default() => {
                let payer = Payer {
                    email: self.email.clone(),
                    name: self.name.clone(),
                };
                Ok((payer, instrument))
            }
            Ok(_) | Err(()) => Err(Box::new(wrong)),
        }
    }
}

fn is_email(text: &str) -> bool {
    match text.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace)
        }
        None => false,
    }
}

fn cvc_wrong(text: &str) -> Option<String> {
    let fine = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (!fine).then(|| "Enter the three or four digits on the card.".to_owned())
}

fn expiry_wrong(text: &str, now: Timestamp) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (month, year) = match digits.len() {
        4 => digits.split_at(2),
        3 => digits.split_at(1),
        _ => return Some("Enter month and year, such as 12 / 34.".to_owned()),
    };
    let (month, year): (i32, i32) = (month.parse().unwrap_or(0), year.parse().unwrap_or(0));
    if !(1..=12).contains(&month) {
        return Some("There is no such month.".to_owned());
    }
    let today = now.to_zoned(TimeZone::UTC);
    let reached = i32::from(today.year()) * 12 + i32::from(today.month());
    let past = (2_000 + year) * 12 + month < reached;
    past.then(|| "Your card has expired.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> Option<String> {
        let now: Timestamp = "2026-11-02T09:00:00Z".parse().unwrap();
        expiry_wrong(text, now)
    }

    #[test]
    fn a_card_is_good_until_the_end_of_its_month() {
        assert_eq!(wrong("11 / 26"), None);
        assert_eq!(wrong("1/27"), None);
        assert_eq!(wrong("10/26").unwrap(), "Your card has expired.");
        assert_eq!(wrong("13/30").unwrap(), "There is no such month.");
        assert!(wrong("soon").is_some());
    }
}
