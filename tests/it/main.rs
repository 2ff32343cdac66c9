//! The one integration binary: the rules of the house, as tests.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod architecture;
mod crds;
mod vocabulary;
