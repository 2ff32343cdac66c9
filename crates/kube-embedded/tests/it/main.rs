//! The server from outside: through kube's client and runtime, raw HTTP, and kubectl.

mod runtime;
mod world;
