//! Proofs that nothing of ours can give alone: the built binary, and the real tools it must please.
//!
//! `cargo xtask test` brings the tools and says where they are. Without one, the tests that need it
//! say SKIPPED; in CI that is a failure.

pub(crate) mod apiserver;
mod by_hand;
#[path = "../../crates/kube-embedded/tests/real/cluster.rs"]
mod cluster;
mod definitions;
mod dev;
mod embedded;
mod http;
mod kill;
mod kubectl;
mod life;
mod official;
mod process;
mod shop;
mod stripe_mock;
pub(crate) mod tool;
pub(crate) mod wait;
mod webhook;
