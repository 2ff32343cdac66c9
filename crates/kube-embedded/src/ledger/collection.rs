//! The objects of one resource in the order of their keys, and the last things that happened to them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use tokio::sync::watch;

use crate::stored::Stored;

pub(crate) struct Collection {
    objects: BTreeMap<Arc<str>, Arc<Stored>>,
    recent: VecDeque<Arc<Event>>,
    /// Everything that happened after this version is in `recent`.
    floor: u64,
    window: usize,
    version: watch::Sender<u64>,
}

/// Something that happened to an object.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) key: Arc<str>,
    /// As it is now; for a removal as it was, with the version of the removal.
    pub(crate) object: Arc<Stored>,
    pub(crate) previous: Option<Arc<Stored>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    Added,
    Modified,
    Deleted,
}

/// That version is too old: what happened since is not all known.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("too old resource version: {asked} ({floor})")]
pub(crate) struct Expired {
    pub(crate) asked: u64,
    pub(crate) floor: u64,
}

/// Which objects a page is cut from.
#[derive(Debug, Default)]
pub(crate) struct Range<'a> {
    /// `<namespace>/`, or nothing for all namespaces.
    pub(crate) prefix: &'a str,
    /// Only keys behind this one.
    pub(crate) after: Option<&'a str>,
    /// As of this version; otherwise as of now.
    pub(crate) at: Option<u64>,
    pub(crate) limit: Option<usize>,
}

/// Objects as of one version.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) version: u64,
    pub(crate) objects: Vec<Arc<Stored>>,
    /// The last key of this page, if there are objects behind it.
    pub(crate) more_after: Option<Arc<str>>,
    /// How many objects, picked or not, are behind this page.
    pub(crate) remaining: usize,
}

impl Page {
    pub(crate) fn empty(version: u64) -> Self {
        Self {
            version,
            objects: Vec::new(),
            more_after: None,
            remaining: 0,
        }
    }
}

impl Collection {
    pub(crate) fn new(floor: u64, window: usize) -> Self {
        Self {
            objects: BTreeMap::new(),
            recent: VecDeque::new(),
            floor,
            window,
            version: watch::Sender::new(0),
        }
    }

    pub(crate) fn version(&self) -> u64 {
        *self.version.borrow()
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<Stored>> {
        self.objects.get(key).cloned()
    }

    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    pub(crate) fn load(&mut self, key: &Arc<str>, object: Arc<Stored>) {
        self.version
            .send_modify(|version| *version = object.version().max(*version));
        self.objects.insert(Arc::clone(key), object);
    }

    /// Gives back what was there before.
    pub(crate) fn apply(
        &mut self,
        key: &Arc<str>,
        object: &Arc<Stored>,
        removes: bool,
    ) -> Option<Arc<Stored>> {
        let previous = if removes {
            self.objects.remove(key)
        } else {
            self.objects.insert(Arc::clone(key), Arc::clone(object))
        };
        let kind = match (removes, &previous) {
            (true, _) => EventKind::Deleted,
            (false, Some(_)) => EventKind::Modified,
            (false, None) => EventKind::Added,
        };
        self.recent.push_back(Arc::new(Event {
            kind,
            key: Arc::clone(key),
            object: Arc::clone(object),
            previous: previous.clone(),
        }));
        while self.recent.len() > self.window {
            if let Some(event) = self.recent.pop_front() {
                self.floor = event.object.version();
            }
        }
        self.version.send_replace(object.version());
        previous
    }

    pub(crate) fn events_after(
        &self,
        version: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, Expired> {
        if version < self.floor {
            return Err(Expired {
                asked: version,
                floor: self.floor,
            });
        }
        let first = self
            .recent
            .partition_point(|event| event.object.version() <= version);
        Ok(self.recent.range(first..).take(limit).cloned().collect())
    }

    /// `now` is the version of the whole ledger.
    pub(crate) fn page(
        &self,
        range: &Range<'_>,
        now: u64,
        picks: &dyn Fn(&Stored) -> bool,
    ) -> Result<Page, Expired> {
        let undone = match range.at {
            Some(at) if at < now => Some(self.as_it_was(range.prefix, at)?),
            Some(_) | None => None,
        };
        let mut page = Page::empty(range.at.unwrap_or(now));
        let mut last = None;
        for (key, object) in undone.as_ref().unwrap_or(&self.objects).range::<str, _>((
            range
                .after
                .map_or(Bound::Included(range.prefix), Bound::Excluded),
            Bound::Unbounded,
        )) {
            if !key.starts_with(range.prefix) {
                break;
            }
            if range.limit.is_some_and(|limit| page.objects.len() >= limit) {
                page.remaining += 1;
                page.more_after.clone_from(&last);
            } else if picks(object) {
                page.objects.push(Arc::clone(object));
                last = Some(Arc::clone(key));
            }
        }
        Ok(page)
    }

    /// The objects as of an earlier version: today's, with everything since taken back.
    fn as_it_was(&self, prefix: &str, at: u64) -> Result<BTreeMap<Arc<str>, Arc<Stored>>, Expired> {
        let since = self.events_after(at, usize::MAX)?;
        let mut first: HashMap<&Arc<str>, &Arc<Event>> = HashMap::new();
        for event in &since {
            first.entry(&event.key).or_insert(event);
        }
        let mut objects: BTreeMap<_, _> = self
            .objects
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, object)| (Arc::clone(key), Arc::clone(object)))
            .collect();
        for (key, event) in first {
            match &event.previous {
                Some(previous) => objects.insert(Arc::clone(key), Arc::clone(previous)),
                None => objects.remove(key),
            };
        }
        Ok(objects)
    }
}
