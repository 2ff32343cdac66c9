//! What we pay for and nobody owns: returned, but never in haste.

pub mod plan;
