//! What every request works on: the ledger, the served resources, the time, and where names come from.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::access::Access;
use crate::authenticate::Tokens;
use crate::expiry::Expiry;
use crate::garbage::Unresolved;
use crate::ledger::Ledger;
use crate::registry::{DEFINITIONS, Registry};
use crate::tokens::SigningKey;

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(crate) struct Cluster {
    pub(crate) ledger: Arc<Ledger>,
    registry: RwLock<Arc<Registry>>,
    clock: Clock,
    chance: Mutex<StdRng>,
    pub(crate) expiry: Expiry,
    pub(crate) access: Access,
    pub(crate) tokens: Tokens,
    pub(crate) signing_key: SigningKey,
    pub(crate) unresolved: Unresolved,
    /// Held while definitions get their names.
    pub(crate) naming: tokio::sync::Mutex<()>,
}

/// What decides who somebody is, and what they may do.
pub(crate) struct Guard {
    pub(crate) access: Access,
    pub(crate) tokens: Tokens,
    pub(crate) signing_key: SigningKey,
}

impl Cluster {
    pub(crate) fn new(ledger: Arc<Ledger>, clock: Clock, seed: u64, guard: Guard) -> Self {
        Self {
            ledger,
            registry: RwLock::new(Arc::new(Registry::builtin())),
            clock,
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
            expiry: Expiry::default(),
            access: guard.access,
            tokens: guard.tokens,
            signing_key: guard.signing_key,
            unresolved: Unresolved::default(),
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

#[cfg(test)]
impl Cluster {
    /// In memory, without its first objects; the tokens are of users with those names.
    pub(crate) async fn of_a_test(
        authorization: crate::access::Authorization,
        tokens: &[(&str, &str)],
    ) -> Self {
        let storage = crate::storage::Storage::memory();
        let ledger = Ledger::open(storage, 16).await.unwrap();
        let mut users = Tokens::default();
        for (token, name) in tokens {
            let user = crate::access::User {
                name: (*name).to_owned(),
                ..crate::access::User::default()
            };
            users.add((*token).to_owned(), user);
        }
        let guard = Guard {
            access: Access::new(authorization),
            tokens: users,
            signing_key: SigningKey::open(&ledger).await.unwrap(),
        };
        Self::new(ledger, Arc::new(|| Timestamp::UNIX_EPOCH), 1, guard)
    }
}
