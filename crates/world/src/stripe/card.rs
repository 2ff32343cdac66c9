//! The test cards and test bank accounts, and what each does. What follows from it is decided elsewhere.
//!
//! Source: Stripe's page on testing (card numbers, SEPA debit account numbers).

use serde::{Deserialize, Serialize};

/// What a payment is made with. Only the behaviour of a number is kept, never the number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instrument {
    pub(crate) way: Way,
    pub(crate) last4: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    CardPays,
    /// 4000 0000 0000 0002 and its relatives.
    CardDeclined(Decline),
    /// 4000 0000 0000 0341: can be kept, and is declined when it is to pay.
    CardFailsLater,
    /// 4000 0000 0000 0259: pays, and the customer disputes it.
    CardDisputes,
    /// 4000 0027 6000 3184: the bank asks the customer each time, also at renewals.
    CardAsks,
    /// A debit: it looks fine, and arrives (or comes back) later.
    Debit {
        arrives: bool,
        slow: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decline {
    Generic,
    InsufficientFunds,
    Expired,
    WrongCvc,
    /// The customer said no to the bank.
    NotConfirmed,
}

impl Decline {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Generic => "generic_decline",
            Self::InsufficientFunds => "insufficient_funds",
            Self::Expired => "expired_card",
            Self::WrongCvc => "incorrect_cvc",
            Self::NotConfirmed => "authentication_required",
        }
    }

    /// Stripe's error code; the decline code says more.
    pub(crate) fn error_code(self) -> &'static str {
        match self {
            Self::Generic | Self::InsufficientFunds => "card_declined",
            Self::Expired => "expired_card",
            Self::WrongCvc => "incorrect_cvc",
            Self::NotConfirmed => "authentication_required",
        }
    }

    /// The message of Stripe's API.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Generic => "Your card was declined.",
            Self::InsufficientFunds => "Your card has insufficient funds.",
            Self::Expired => "Your card has expired.",
            Self::WrongCvc => "Your card's security code is incorrect.",
            Self::NotConfirmed => {
                "Your card was declined. This transaction requires authentication."
            }
        }
    }

    /// What the customer reads.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Generic => "Your card was declined. Try another card.",
            Self::InsufficientFunds => "Your card has insufficient funds. Try another card.",
            Self::Expired => "Your card has expired. Try another card.",
            Self::WrongCvc => "Your card's security code is incorrect.",
            Self::NotConfirmed => {
                "The bank could not confirm that it is you. Try again, or another card."
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotATestNumber {
    #[error("Your card number is incomplete.")]
    Incomplete,
    #[error("Only test cards work here, for example 4242 4242 4242 4242.")]
    Card,
    #[error("Only test accounts work here, for example AT32 1904 3002 3547 3204.")]
    Account,
}

impl Instrument {
    pub(crate) fn card(number: &str) -> Result<Self, NotATestNumber> {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let way = match digits.as_str() {
            "4242424242424242" | "4000056655665556" | "5555555555554444" | "378282246310005" => {
                Way::CardPays
            }
            "4000000000000002" => Way::CardDeclined(Decline::Generic),
            "4000000000009995" => Way::CardDeclined(Decline::InsufficientFunds),
            "4000000000000069" => Way::CardDeclined(Decline::Expired),
            "4000000000000127" => Way::CardDeclined(Decline::WrongCvc),
            "4000000000000341" => Way::CardFailsLater,
            "4000000000000259" => Way::CardDisputes,
            "4000002760003184" => Way::CardAsks,
            short if short.len() < 15 => return Err(NotATestNumber::Incomplete),
            _ => return Err(NotATestNumber::Card),
        };
        Ok(Self {
            way,
            last4: last_four(&digits),
        })
    }

    pub(crate) fn account(iban: &str) -> Result<Self, NotATestNumber> {
        let iban: String = iban
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let (arrives, slow) = match iban.as_str() {
            "AT321904300235473204" | "DE89370400440532013000" => (true, false),
            "AT591904300235473203" => (true, true),
            "AT861904300235473202" | "DE62370400440532013001" => (false, false),
            "AT051904300235473205" => (false, true),
            _ => return Err(NotATestNumber::Account),
        };
        Ok(Self {
            way: Way::Debit { arrives, slow },
            last4: last_four(&iban),
        })
    }

    /// What one of Stripe's ready-made payment methods is, such as `pm_card_visa`.
    pub(crate) fn ready_made(name: &str) -> Option<Self> {
        let number = match name {
            "pm_card_visa" => "4242424242424242",
            "pm_card_visa_debit" => "4000056655665556",
            "pm_card_mastercard" => "5555555555554444",
            "pm_card_amex" => "378282246310005",
            "pm_card_chargeCustomerFail" => "4000000000000341",
            "pm_card_visa_chargeDeclined" | "pm_card_chargeDeclined" => "4000000000000002",
            "pm_card_visa_chargeDeclinedInsufficientFunds"
            | "pm_card_chargeDeclinedInsufficientFunds" => "4000000000009995",
            "pm_card_chargeDeclinedExpiredCard" => "4000000000000069",
            "pm_card_chargeDeclinedIncorrectCvc" => "4000000000000127",
            "pm_card_authenticationRequired" => "4000002760003184",
            "pm_card_createDispute" => "4000000000000259",
            _ => return None,
        };
        Self::card(number).ok()
    }

    pub(crate) fn is_card(&self) -> bool {
        match self.way {
            Way::CardPays
            | Way::CardDeclined(_)
            | Way::CardFailsLater
            | Way::CardDisputes
            | Way::CardAsks => true,
            Way::Debit { .. } => false,
        }
    }

    /// The network of a card, by what is kept of its number.
    pub(crate) fn brand(&self) -> &'static str {
        match self.last4.as_str() {
            "4444" => "mastercard",
            "0005" => "amex",
            _ => "visa",
        }
    }

    /// As `payment_method_types` calls it.
    pub(crate) fn kind(&self) -> &'static str {
        if self.is_card() { "card" } else { "sepa_debit" }
    }
}

fn last_four(number: &str) -> String {
    number
        .get(number.len().saturating_sub(4)..)
        .unwrap_or_default()
        .to_owned()
}
