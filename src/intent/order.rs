//! What a checkout asks for, as it travels through the payment provider's metadata and back.
//! Pure; whether it can be served is for the payment's plan.

use std::collections::BTreeMap;

use crate::api::names::NameError;
use crate::api::{InstallationName, Subdomain};

const INSTALLATION: &str = "installation";
const PLAN: &str = "plan";
const SUBDOMAIN: &str = "subdomain";
const DISPLAY_NAME: &str = "display_name";

/// The most characters of a Customer's `spec.displayName`.
pub const DISPLAY_NAME_LENGTH_MAX: usize = 128;
/// The most characters of a reference to a Plan.
const PLAN_LENGTH_MAX: usize = 63;
/// What of a bad value is shown to a person.
const SHOWN_LENGTH_MAX: usize = 64;

/// An assistant of this plan under this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub plan: String,
    pub subdomain: Subdomain,
    pub display_name: String,
}

/// What is wrong with an order, in words for the person who runs the installation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderFault {
    #[error("the order names no plan")]
    NoPlan,
    #[error("the order names no address")]
    NoSubdomain,
    #[error("the address {0:?} {1}")]
    Subdomain(String, NameError),
    #[error("there is no plan {0:?}")]
    UnknownPlan(String),
    #[error("the address {0:?} belongs to another instance")]
    Taken(String),
}

impl Order {
    /// As our checkout writes it on a session and its subscription.
    pub fn metadata(&self, installation: &InstallationName) -> BTreeMap<String, String> {
        BTreeMap::from([
            (INSTALLATION.to_owned(), installation.to_string()),
            (PLAN.to_owned(), self.plan.clone()),
            (SUBDOMAIN.to_owned(), self.subdomain.to_string()),
            (DISPLAY_NAME.to_owned(), self.display_name.clone()),
        ])
    }

    /// Read back; a person may have edited it at the payment provider.
    pub fn parse(metadata: &BTreeMap<String, String>) -> Result<Self, OrderFault> {
        let field = |key| {
            let value = metadata.get(key).map(|value| value.trim());
            value.filter(|value| !value.is_empty())
        };
        let plan = field(PLAN).ok_or(OrderFault::NoPlan)?;
        if plan.chars().count() > PLAN_LENGTH_MAX {
            return Err(OrderFault::UnknownPlan(shown(plan)));
        }
        let subdomain = field(SUBDOMAIN).ok_or(OrderFault::NoSubdomain)?;
        let subdomain = Subdomain::parse(subdomain)
            .map_err(|error| OrderFault::Subdomain(shown(subdomain), error))?;
        let display_name = field(DISPLAY_NAME).unwrap_or(subdomain.as_str());
        Ok(Self {
            plan: plan.to_owned(),
            display_name: display_name.chars().take(DISPLAY_NAME_LENGTH_MAX).collect(),
            subdomain,
        })
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_LENGTH_MAX).collect()
}

/// Whether the thing was sold by this installation's own checkout.
pub fn is_of(installation: &InstallationName, metadata: &BTreeMap<String, String>) -> bool {
    metadata.get(INSTALLATION).map(String::as_str) == Some(installation.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        Order {
            plan: "basic".into(),
            subdomain: Subdomain::parse("ada").unwrap(),
            display_name: "Ada Lovelace".into(),
        }
    }

    fn here() -> InstallationName {
        InstallationName::parse("here").unwrap()
    }

    #[test]
    fn what_goes_out_comes_back_and_only_to_the_installation_that_sent_it() {
        let metadata = order().metadata(&here());
        assert_eq!(Order::parse(&metadata), Ok(order()));
        assert!(is_of(&here(), &metadata));
        assert!(!is_of(
            &InstallationName::parse("there").unwrap(),
            &metadata
        ));
        assert!(!is_of(&here(), &BTreeMap::new()));
    }

    fn check(key: &str, value: &str, expected: &str) {
        let mut metadata = order().metadata(&here());
        metadata.insert(key.to_owned(), value.to_owned());
        assert_eq!(Order::parse(&metadata).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_fault_says_what_is_wrong_in_words_for_a_founder() {
        check("plan", " ", "the order names no plan");
        check("subdomain", "", "the order names no address");
        check(
            "subdomain",
            "Ada!",
            "the address \"Ada!\" may hold only a-z, 0-9 and '-', and must start and end with a letter or digit",
        );
        check(
            "subdomain",
            "www",
            "the address \"www\" \"www\" is reserved; choose another name",
        );
        let long = format!("there is no plan {:?}", "p".repeat(64));
        check("plan", &"p".repeat(500), &long);
    }

    #[test]
    fn without_a_display_name_the_address_stands_in_and_a_long_one_is_cut() {
        let mut metadata = order().metadata(&here());
        metadata.insert(DISPLAY_NAME.to_owned(), "é".repeat(400));
        let cut = Order::parse(&metadata).unwrap().display_name;
        assert_eq!(cut.chars().count(), DISPLAY_NAME_LENGTH_MAX);
        metadata.remove(DISPLAY_NAME);
        assert_eq!(Order::parse(&metadata).unwrap().display_name, "ada");
    }
}
