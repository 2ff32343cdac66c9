//! Every object, its version and what happened lately; the only place where the state changes.
//!
//! A write is a compare-and-swap on one object. It gets the next version at once (`head`), and is seen
//! by readers (`visible`) when it is kept: immediately in memory, after the commit with a journal.
//! Requests that write must therefore look at `latest`, requests that read at `get`.

mod collection;
mod commit;
mod ownership;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use crate::storage::{Change, Kind, Storage, StorageError};
use crate::stored::Stored;

use collection::Collection;
pub(crate) use collection::{Event, EventKind, Expired, Page, Range};
use ownership::Ownership;
pub(crate) use ownership::UNCOLLECTED;

/// Writes that may wait for the journal; the next one waits outside.
const QUEUE_LIMIT: usize = 1024;

/// Which object: the resource as stored (`leases.coordination.k8s.io`), and `<namespace>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) resource: Arc<str>,
    pub(crate) key: Arc<str>,
}

/// One change to one object.
pub(crate) struct Write {
    pub(crate) address: Address,
    /// The version it was decided upon; none if there was no such object.
    pub(crate) expected: Option<u64>,
    /// The new state or, of an object that goes, the last.
    pub(crate) value: Value,
    pub(crate) removes: bool,
    /// What a new object is in: all of these must be there, and not be going.
    pub(crate) within: Vec<Address>,
}

impl Write {
    /// A first value.
    pub(crate) fn create(address: Address, value: Value, within: Vec<Address>) -> Self {
        Self {
            address,
            expected: None,
            value,
            removes: false,
            within,
        }
    }

    /// A next value, or the last.
    pub(crate) fn change(address: Address, old: &Stored, value: Value, removes: bool) -> Self {
        Self {
            address,
            expected: Some(old.version()),
            value,
            removes,
            within: Vec::new(),
        }
    }
}

/// Why a write did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Decide again: somebody else was faster.
    #[error("the object has changed meanwhile")]
    Changed,
    #[error("what the object is to be in is going, or gone")]
    Closed,
    #[error("the change could not be kept")]
    NotKept,
}

pub(crate) struct Ledger {
    head: Mutex<Head>,
    visible: RwLock<Visible>,
    queue: Option<mpsc::Sender<Queued>>,
}

/// What has been decided, kept or not.
struct Head {
    version: u64,
    /// Decided and not yet kept; `None` is a removal.
    pending: HashMap<Address, (u64, Option<Arc<Stored>>)>,
}

/// What everybody may see.
struct Visible {
    version: u64,
    /// Nothing is known of what happened up to here: it was before this process.
    base: u64,
    window: usize,
    collections: HashMap<Arc<str>, Collection>,
    ownership: Ownership,
}

/// A decided change on its way into the journal.
struct Queued {
    address: Address,
    object: Arc<Stored>,
    removes: bool,
    kept: oneshot::Sender<bool>,
}

impl Queued {
    fn change(&self) -> Change {
        Change {
            resource: self.address.resource.to_string(),
            key: self.address.key.to_string(),
            version: self.object.version(),
            body: (!self.removes).then(|| self.object.bytes()),
        }
    }
}

impl Ledger {
    /// Reads what `storage` holds. `window` is how many recent events each resource keeps for watches.
    pub(crate) async fn open(storage: Storage, window: usize) -> Result<Arc<Self>, StorageError> {
        match storage.0 {
            Kind::Memory => Ok(Arc::new(Self::holding(Visible::new(1, window), None))),
            Kind::Journal(mut journal) => {
                let snapshot = journal.load().await?;
                let mut visible = Visible::new(snapshot.version.max(1), window);
                for change in snapshot.objects {
                    visible.load(change)?;
                }
                let (sender, receiver) = mpsc::channel(QUEUE_LIMIT);
                let ledger = Arc::new(Self::holding(visible, Some(sender)));
                commit::start(journal, receiver, Arc::downgrade(&ledger));
                Ok(ledger)
            }
        }
    }

    fn holding(visible: Visible, queue: Option<mpsc::Sender<Queued>>) -> Self {
        Self {
            head: Mutex::new(Head {
                version: visible.version,
                pending: HashMap::new(),
            }),
            visible: RwLock::new(visible),
            queue,
        }
    }

    /// Does a write wait for anything? In memory it never does, so nothing can come between its parts.
    pub(crate) fn waits(&self) -> bool {
        self.queue.is_some()
    }

    /// The version of the last change that is kept.
    pub(crate) fn version(&self) -> u64 {
        self.read().version
    }

    /// The version of the last kept change to any object of that resource; 0 if there was none here.
    pub(crate) fn version_of(&self, resource: &str) -> u64 {
        self.read()
            .collections
            .get(resource)
            .map_or(0, Collection::version)
    }

    /// The object as kept.
    pub(crate) fn get(&self, resource: &str, key: &str) -> Option<Arc<Stored>> {
        self.read().collections.get(resource)?.get(key)
    }

    /// The object as decided, for whoever wants to decide upon it.
    pub(crate) fn latest(&self, address: &Address) -> Option<Arc<Stored>> {
        self.head().latest(self, address)
    }

    /// One page of a resource's objects as of one version.
    pub(crate) fn page(
        &self,
        resource: &str,
        range: &Range<'_>,
        picks: &dyn Fn(&Stored) -> bool,
    ) -> Result<Page, Expired> {
        let visible = self.read();
        match visible.collections.get(resource) {
            Some(collection) => collection.page(range, visible.version, picks),
            None => Ok(Page::empty(range.at.unwrap_or(visible.version))),
        }
    }

    /// Every object of a resource, as kept.
    pub(crate) fn all(&self, resource: &str) -> Vec<Arc<Stored>> {
        self.page(resource, &Range::default(), &|_| true)
            .map(|page| page.objects)
            .unwrap_or_default()
    }

    /// The objects that name that uid as an owner, as kept, in a fixed order.
    pub(crate) fn dependents(&self, owner: &str) -> Vec<Address> {
        self.read().ownership.dependents(owner).cloned().collect()
    }

    /// Does any object that names that uid as an owner satisfy this?
    pub(crate) fn any_dependent(&self, owner: &str, is: &dyn Fn(&Stored) -> bool) -> bool {
        let visible = self.read();
        visible.ownership.dependents(owner).any(|address| {
            let collection = visible.collections.get(&address.resource);
            let object = collection.and_then(|collection| collection.get(&address.key));
            object.is_some_and(|object| is(&object))
        })
    }

    /// Where the object of that uid is, if it waits for its dependents to go.
    pub(crate) fn waiting_owner(&self, uid: &str) -> Option<Address> {
        self.read().ownership.waiting(uid).cloned()
    }

    /// Every deleted object that waits for its dependents, or is to let go of them, as kept.
    pub(crate) fn held_for_dependents(&self) -> BTreeSet<Address> {
        self.read().ownership.held()
    }

    /// Every object that names an owner, as kept.
    pub(crate) fn owned(&self) -> BTreeSet<Address> {
        self.read().ownership.owned()
    }

    /// Changes whenever something happens to an object of that resource.
    pub(crate) fn follow(&self, resource: &Arc<str>) -> watch::Receiver<u64> {
        self.visible().collection(resource).follow()
    }

    /// What happened to the resource after `version`, oldest first, at most `limit` of it.
    pub(crate) fn events_after(
        &self,
        resource: &str,
        version: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, Expired> {
        match self.read().collections.get(resource) {
            Some(collection) => collection.events_after(version, limit),
            None => Ok(Vec::new()),
        }
    }

    /// Makes the change if the object is still as expected; returns when it is kept and visible.
    ///
    /// A caller that goes away after the decision does not undo it. The answer to a removal is the
    /// object as it was, with the version of its removal.
    pub(crate) async fn write(&self, write: Write) -> Result<Arc<Stored>, WriteError> {
        let Some(queue) = &self.queue else {
            let mut head = self.head();
            let (address, removes) = (write.address.clone(), write.removes);
            let object = head.decide(self, write)?;
            self.visible().apply(&address, &object, removes);
            return Ok(object);
        };
        // The place in the queue first, so that what is decided is also sent.
        let place = queue.reserve().await.map_err(|_| WriteError::NotKept)?;
        let (object, kept) = {
            let mut head = self.head();
            let (address, removes) = (write.address.clone(), write.removes);
            let object = head.decide(self, write)?;
            let (sender, kept) = oneshot::channel();
            let next = (!removes).then(|| Arc::clone(&object));
            head.pending
                .insert(address.clone(), (object.version(), next));
            place.send(Queued {
                address,
                object: Arc::clone(&object),
                removes,
                kept: sender,
            });
            (object, kept)
        };
        match kept.await {
            Ok(true) => Ok(object),
            Ok(false) | Err(_) => Err(WriteError::NotKept),
        }
    }

    /// The batch is in the journal: everybody may see it.
    fn kept(&self, batch: Vec<Queued>) {
        let mut head = self.head();
        let mut visible = self.visible();
        for queued in batch {
            visible.apply(&queued.address, &queued.object, queued.removes);
            let latest = head
                .pending
                .get(&queued.address)
                .map(|(version, _)| *version);
            if latest == Some(queued.object.version()) {
                head.pending.remove(&queued.address);
            }
            // Whoever asked may have gone; the change stands.
            let _ = queued.kept.send(true);
        }
    }

    /// The batch is not in the journal. Whatever was decided since stood on it and falls with it.
    fn lost(&self, batch: Vec<Queued>, queue: &mut mpsc::Receiver<Queued>) {
        let mut head = self.head();
        head.pending.clear();
        let since = std::iter::from_fn(|| queue.try_recv().ok());
        for queued in batch.into_iter().chain(since) {
            let _ = queued.kept.send(false);
        }
    }

    // A panic while one of these was held cannot have left the state half changed: every change under
    // them is an insert or a remove.
    fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Visible> {
        self.visible.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn visible(&self) -> RwLockWriteGuard<'_, Visible> {
        self.visible.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Head {
    fn latest(&self, ledger: &Ledger, address: &Address) -> Option<Arc<Stored>> {
        match self.pending.get(address) {
            Some((_, object)) => object.clone(),
            None => ledger.get(&address.resource, &address.key),
        }
    }

    /// Compares and, if nothing has changed, gives out the next version.
    fn decide(&mut self, ledger: &Ledger, write: Write) -> Result<Arc<Stored>, WriteError> {
        let open = |container: &Address| {
            let found = self.latest(ledger, container);
            found.is_some_and(|found| !found.is_deleting())
        };
        if !write.within.iter().all(open) {
            return Err(WriteError::Closed);
        }
        let current = self.latest(ledger, &write.address);
        if current.map(|object| object.version()) != write.expected {
            return Err(WriteError::Changed);
        }
        self.version += 1;
        Ok(Stored::stamp(write.value, self.version))
    }
}

impl Visible {
    fn new(version: u64, window: usize) -> Self {
        Self {
            version,
            base: version,
            window,
            collections: HashMap::new(),
            ownership: Ownership::default(),
        }
    }

    fn collection(&mut self, resource: &Arc<str>) -> &mut Collection {
        let (base, window) = (self.base, self.window);
        self.collections
            .entry(Arc::clone(resource))
            .or_insert_with(|| Collection::new(base, window))
    }

    fn load(&mut self, change: Change) -> Result<(), StorageError> {
        let Some(body) = change.body else {
            return Ok(());
        };
        let object = Stored::load(change.version, body).map_err(|_| StorageError::Damaged {
            key: format!("{} {}", change.resource, change.key),
        })?;
        let address = Address {
            resource: change.resource.into(),
            key: change.key.into(),
        };
        self.ownership.note(&address, None, Some(&object));
        self.collection(&address.resource)
            .load(&address.key, object);
        Ok(())
    }

    fn apply(&mut self, address: &Address, object: &Arc<Stored>, removes: bool) {
        self.version = self.version.max(object.version());
        let collection = self.collection(&address.resource);
        let old = collection.apply(&address.key, object, removes);
        let new = (!removes).then_some(&**object);
        self.ownership.note(address, old.as_deref(), new);
    }
}

#[cfg(test)]
mod tests;
