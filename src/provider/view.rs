//! What we know of a provider's collection: the last complete list, and over it what we did or read
//! ourselves since, because a list may lag behind. It asks nothing on its own account.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::shared_list::{Listed, SharedList};
use super::{BegunAfter, Priority, ProviderError};

/// A list begun so long after a change shows it for certain; our simulators and the vendors' incident
/// reports know lags up to ten seconds.
pub(super) const LIST_LAG: Duration = Duration::from_secs(15);

/// Whose something is may be taken from what was read so long ago, before it is changed.
pub(super) const OWNERSHIP_AGE: Duration = Duration::from_secs(30);

/// A collection of `V` by key `K`, handed out as a picture `T` made of all of them.
pub(super) struct View<K, V, T> {
    list: SharedList<Vec<V>>,
    known: Mutex<Known<K, V, T>>,
    key: fn(&V) -> K,
    picture: fn(Vec<V>, Instant) -> T,
}

struct Known<K, V, T> {
    notes: BTreeMap<K, Note<V>>,
    /// Rises with each note, so that a picture knows whether it is still true.
    version: u64,
    made: Option<Made<T>>,
}

struct Note<V> {
    at: Instant,
    /// When the item was last read whole; earlier than `at` when we only changed a part of it.
    read: Instant,
    /// None: it is gone.
    there: Option<V>,
}

impl<V> Note<V> {
    fn outweighs(&self, listed: Instant) -> bool {
        self.at + LIST_LAG > listed
    }
}

struct Made<T> {
    begun: Instant,
    version: u64,
    picture: Arc<T>,
}

impl<K, V, T> View<K, V, T>
where
    K: Ord + Clone,
    V: Clone + Send + Sync + 'static,
{
    /// `picture` gets the items in no particular order, and when their list was begun.
    pub(super) fn new(key: fn(&V) -> K, picture: fn(Vec<V>, Instant) -> T) -> Self {
        Self {
            list: SharedList::default(),
            known: Mutex::new(Known {
                notes: BTreeMap::new(),
                version: 0,
                made: None,
            }),
            key,
            picture,
        }
    }

    /// The picture from a list begun after `asked`, with everything noted since laid over it.
    pub(super) async fn get<F, Fut>(
        &self,
        priority: Priority,
        asked: BegunAfter,
        list: F,
    ) -> Result<Arc<T>, ProviderError>
    where
        F: FnOnce(Priority) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Vec<V>, ProviderError>> + Send,
    {
        let listed = self.list.get(priority, asked, list).await?;
        Ok(self.picture_of(&listed))
    }

    fn picture_of(&self, listed: &Listed<Vec<V>>) -> Arc<T> {
        // Notes that a newer list has made needless are gone, so an older list may not be shown any more.
        let newest = self.list.latest();
        let listed = newest
            .as_ref()
            .filter(|newest| newest.begun > listed.begun)
            .unwrap_or(listed);
        let mut known = self.lock();
        if let Some(made) = &known.made
            && made.begun == listed.begun
            && made.version == known.version
        {
            return Arc::clone(&made.picture);
        }
        known.notes.retain(|_, note| note.outweighs(listed.begun));
        let noted = known.notes.values().filter_map(|note| note.there.clone());
        let others = listed.items.iter();
        let others = others.filter(|item| !known.notes.contains_key(&(self.key)(item)));
        let all = others.cloned().chain(noted).collect();
        let picture = Arc::new((self.picture)(all, listed.begun));
        known.made = Some(Made {
            begun: listed.begun,
            version: known.version,
            picture: Arc::clone(&picture),
        });
        picture
    }

    /// We made it, changed it or read it just now.
    pub(super) fn note(&self, item: V) {
        self.put((self.key)(&item), Instant::now(), Some(item));
    }

    /// We know that it is gone.
    pub(super) fn note_gone(&self, key: K) {
        self.put(key, Instant::now(), None);
    }

    /// We changed a part of it; nothing is noted when we do not know the rest.
    pub(super) fn note_change(&self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some((read, Some(mut item))) = self.newest(key) {
            change(&mut item);
            self.put(key.clone(), read, Some(item));
        }
    }

    /// The newest we know of one item, without asking, and when it was read.
    fn newest(&self, key: &K) -> Option<(Instant, Option<V>)> {
        let latest = self.list.latest();
        let known = self.lock();
        if let Some(note) = known.notes.get(key)
            && latest
                .as_ref()
                .is_none_or(|latest| note.outweighs(latest.begun))
        {
            return Some((note.read, note.there.clone()));
        }
        drop(known);
        let latest = latest?;
        let mut items = latest.items.iter();
        let found = items.find(|item| &(self.key)(item) == key).cloned();
        Some((latest.begun, found))
    }

    /// One item as it was read or made at most [`OWNERSHIP_AGE`] ago; None when we do not know of it.
    pub(super) fn known_lately(&self, key: &K) -> Option<V> {
        let (read, there) = self.newest(key)?;
        there.filter(|_| read.elapsed() <= OWNERSHIP_AGE)
    }

    fn put(&self, key: K, read: Instant, there: Option<V>) {
        let mut known = self.lock();
        known.version += 1;
        let at = Instant::now();
        known.notes.insert(key, Note { at, read, there });
    }

    fn lock(&self) -> MutexGuard<'_, Known<K, V, T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
