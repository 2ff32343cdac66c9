//! Builds, fetches, starts and tests what the project needs.
fn main() {}
