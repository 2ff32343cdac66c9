//! What every request works on: the ledger, the served resources, the time, and where names come from.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::expiry::Expiry;
use crate::ledger::Ledger;
use crate::registry::{DEFINITIONS, Registry};

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(crate) struct Cluster {
    pub(crate) ledger: Arc<Ledger>,
    registry: RwLock<Arc<Registry>>,
    clock: Clock,
    chance: Mutex<StdRng>,
    pub(crate) expiry: Expiry,
    /// Held while definitions get their names.
    pub(crate) naming: tokio::sync::Mutex<()>,
}

impl Cluster {
    pub(crate) fn new(ledger: Arc<Ledger>, clock: Clock, seed: u64) -> Self {
        Self {
            ledger,
            registry: RwLock::new(Arc::new(Registry::builtin())),
            clock,
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
            expiry: Expiry::default(),
            naming: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// What is served, as of the last kept definition.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        let known = Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner));
        if known.version == self.ledger.version_of(DEFINITIONS) {
            return known;
        }
        let mut registry = self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *registry = Arc::new(registry.refreshed(&self.ledger));
        Arc::clone(&registry)
    }

    pub(crate) fn new_uid(&self) -> String {
        let mut bytes = [0; 16];
        self.chance().fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }

    /// The five characters behind a `generateName`; without vowels, so that no word comes out.
    pub(crate) fn name_suffix(&self) -> String {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut bytes = [0; 5];
        self.chance().fill_bytes(&mut bytes);
        let letters = bytes
            .iter()
            .map(|byte| ALPHABET[usize::from(*byte) % ALPHABET.len()]);
        letters.map(char::from).collect()
    }

    /// Some number below `limit`.
    pub(crate) fn up_to(&self, limit: u64) -> u64 {
        self.chance().next_u64() % limit.max(1)
    }

    fn chance(&self) -> std::sync::MutexGuard<'_, StdRng> {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
