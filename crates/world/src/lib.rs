//! The simulated outside world.
