//! The server from outside: through kube's client and runtime, raw HTTP, and kubectl.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests, and one says what it skips"
)]

mod agreement;
mod containers;
mod garbage;
mod http;
mod keeping;
mod kubectl;
mod objects;
mod reading;
mod refusals;
mod runtime;
mod scale;
mod world;
