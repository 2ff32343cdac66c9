//! Single decisions made wrong on purpose, switched on by tests only, to show that the tests would notice.
//! Without the feature `mutants` none of them exists.

use std::time::Duration;

/// One decision made wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A server that is not written down yet is not recognised as ours.
    NoAdoption,
    /// An order whose answer was lost is sent again after a while, as the providers' own clients do.
    RetryOnUnknown,
}

/// How long [`Mutant::RetryOnUnknown`] waits.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(90);

#[cfg(feature = "mutants")]
mod switch {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        static ACTIVE: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Switches a mutant on for this thread, or all off.
    pub fn activate(mutant: Option<Mutant>) {
        ACTIVE.set(mutant);
    }

    pub(super) fn active() -> Option<Mutant> {
        ACTIVE.get()
    }
}

#[cfg(feature = "mutants")]
pub use switch::activate;

#[cfg(not(feature = "mutants"))]
mod switch {
    pub(super) const fn active() -> Option<super::Mutant> {
        None
    }
}

/// Whether this decision shall be made wrong.
pub(crate) fn is(mutant: Mutant) -> bool {
    switch::active() == Some(mutant)
}
