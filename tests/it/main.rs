//! The one integration binary: the rules of the house, money from a browser to an instance, and the proofs against
//! real tools.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod architecture;
mod check_config;
mod convergence;
mod crds;
#[path = "../../crates/world/tests/spec/judge.rs"]
mod judge;
mod kube;
mod money;
mod real;
mod samples;
mod sweep;
mod vocabulary;
