//! Clawdet.
