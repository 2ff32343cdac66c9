//! How state is kept: ordered tables that know which rows changed, counters, and chance drawn from the seed.
//! Where the changes go is decided elsewhere (`storage`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    str::FromStr,
};

use serde::{Serialize, de::DeserializeOwned};

/// One changed row on its way to the file; `body` is absent when the row is gone.
pub(crate) struct Row {
    pub table: &'static str,
    pub key: String,
    pub body: Option<String>,
}

/// What storage needs of a table, whatever is in it.
pub(crate) trait Stored {
    fn name(&self) -> &'static str;
    /// Hands over what changed since the last time.
    fn drain(&mut self, into: &mut Vec<Row>);
    /// Forgets what changed; for worlds that are kept nowhere.
    fn settle(&mut self);
    /// Takes a row that was kept. The error says what is wrong with it.
    fn restore(&mut self, key: &str, body: &str) -> Result<(), String>;
}

/// A map in key order whose changed rows can be saved one by one.
pub(crate) struct Table<K, V> {
    name: &'static str,
    rows: BTreeMap<K, V>,
    changed: BTreeSet<K>,
}

impl<K: Ord + Clone, V> Table<K, V> {
    #[must_use]
    pub(crate) fn new(name: &'static str) -> Table<K, V> {
        Table {
            name,
            rows: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// A row to change; it counts as changed.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let row = self.rows.get_mut(key)?;
        self.changed.insert(key.clone());
        Some(row)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.changed.insert(key.clone());
        self.rows.insert(key, value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let row = self.rows.remove(key)?;
        self.changed.insert(key.clone());
        Some(row)
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.rows.contains_key(key)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    pub(crate) fn range(
        &self,
        range: impl std::ops::RangeBounds<K>,
    ) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.range(range)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.rows.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

impl<K, V> Stored for Table<K, V>
where
    K: Ord + Clone + Display + FromStr,
    V: Serialize + DeserializeOwned,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn drain(&mut self, into: &mut Vec<Row>) {
        for key in std::mem::take(&mut self.changed) {
            // A row of plain fields always has a JSON form.
            let body = self
                .rows
                .get(&key)
                .and_then(|row| serde_json::to_string(row).ok());
            into.push(Row {
                table: self.name,
                key: key.to_string(),
                body,
            });
        }
    }

    fn settle(&mut self) {
        self.changed.clear();
    }

    fn restore(&mut self, key: &str, body: &str) -> Result<(), String> {
        let parsed = key
            .parse()
            .map_err(|_| format!("the key {key:?} cannot be read"))?;
        let row = serde_json::from_str(body).map_err(|error| error.to_string())?;
        self.rows.insert(parsed, row);
        Ok(())
    }
}

/// Counters by purpose: ids, and how often chance was asked. Kept with the state, so nothing repeats after a restart.
pub struct Counters {
    pub(crate) table: Table<String, u64>,
    seed: u64,
}

impl Counters {
    #[must_use]
    pub fn new(seed: u64) -> Counters {
        Counters {
            table: Table::new("counters"),
            seed,
        }
    }

    /// 1, 2, 3 … for each purpose by itself.
    pub fn next(&mut self, purpose: &str) -> u64 {
        let key = purpose.to_owned();
        let next = self.table.get(&key).copied().unwrap_or(0) + 1;
        self.table.insert(key, next);
        next
    }

    /// A number drawn from the seed. Every purpose has a stream of its own: one more draw here shifts nothing elsewhere.
    pub fn roll(&mut self, purpose: &str) -> u64 {
        let drawn = self.next(&format!("chance/{purpose}"));
        draw(self.seed, purpose, drawn)
    }

    /// Letters and digits drawn from the seed.
    pub fn text(&mut self, purpose: &str, length: usize) -> String {
        let seed = self.roll(purpose);
        derived_text(seed, purpose, length)
    }

    /// Lower-case hexadecimal digits drawn from the seed.
    pub fn hex(&mut self, purpose: &str, length: usize) -> String {
        let seed = self.roll(purpose);
        let digits: String = (0..)
            .map(|n| format!("{:016x}", draw(seed, purpose, n)))
            .take(length / 16 + 1)
            .collect();
        digits.chars().take(length).collect()
    }
}

/// The `drawn`-th number of a purpose's stream: FNV-1a of the purpose, then the `SplitMix64` finaliser.
#[must_use]
pub(crate) fn draw(seed: u64, purpose: &str, drawn: u64) -> u64 {
    let hash = purpose
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let mut mixed =
        (seed ^ hash).wrapping_add(drawn.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Letters and digits that belong to a seed and a purpose, the same every time.
#[must_use]
pub(crate) fn derived_text(seed: u64, purpose: &str, length: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0_u64..)
        .take(length)
        .filter_map(|n| {
            let index = usize::try_from(draw(seed, purpose, n) % 62).ok()?;
            LETTERS.get(index).map(|letter| char::from(*letter))
        })
        .collect()
}
