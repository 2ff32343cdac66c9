//! The server from outside: through kube's client and runtime, raw HTTP, and kubectl.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests, and one says what it skips"
)]

mod access;
mod agreement;
mod connections;
mod containers;
mod garbage;
mod http;
mod keeping;
mod kubectl;
mod objects;
mod preload;
mod reading;
mod refusals;
mod restarts;
mod runtime;
mod scale;
mod world;
