//! What the world is made of: one state per simulator, and the counters they share.

use crate::{
    cloudflare, hetzner,
    options::Options,
    stripe,
    table::{Counters, Stored},
};

pub struct State {
    pub counters: Counters,
    pub hetzner: hetzner::State,
    pub cloudflare: cloudflare::State,
    pub stripe: stripe::State,
}

impl State {
    pub(crate) fn new(options: &Options) -> State {
        State {
            counters: Counters::new(options.seed),
            hetzner: hetzner::State::new(options),
            cloudflare: cloudflare::State::new(options),
            stripe: stripe::State::new(options),
        }
    }

    /// Every table there is, for storage.
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Stored> {
        let mut tables: Vec<&mut dyn Stored> = vec![&mut self.counters.table];
        tables.extend(self.hetzner.tables());
        tables.extend(self.cloudflare.tables());
        tables.extend(self.stripe.tables());
        tables
    }
}
