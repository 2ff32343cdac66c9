//! What a Customer asks for, parsed once.

use jiff::Timestamp;

use crate::api::{Customer, Standing};

/// A Customer as the plan sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Desired {
    pub standing: Standing,
    /// Unknown for a customer made by hand: then nothing happens to them by itself.
    pub since: Option<Timestamp>,
}

impl Desired {
    pub fn parse(customer: &Customer) -> Self {
        Self {
            standing: customer.spec.standing,
            since: customer.spec.standing_since.as_ref().map(|since| since.0),
        }
    }
}
