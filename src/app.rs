//! The composition root: the only place that knows whether the world is real.

mod folder;
pub mod operator;
