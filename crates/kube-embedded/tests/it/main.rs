//! The server from outside: through kube's client and runtime, raw HTTP, and kubectl.

mod containers;
mod http;
mod keeping;
mod kubectl;
mod objects;
mod reading;
mod runtime;
mod world;
