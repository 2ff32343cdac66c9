//! `watch`: what happens to the objects a client selected, as it happens.
//!
//! A watch holds no queue: it remembers how far it is and reads on from the ledger's recent events. A
//! client too slow for those gets 410 and lists again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Call;
use super::read::Selection;
use crate::answer::{Answer, Content};
use crate::cause::Cause;
use crate::cluster::Cluster;
use crate::ledger::{Event, EventKind, Expired, Range};
use crate::project::Projection;
use crate::registry::Served;
use crate::request::{Query, VersionMatch};
use crate::status::Failure;
use crate::stored::Stored;

/// Events in one chunk of the answer.
const CHUNK: usize = 256;
/// Bytes around an object in a line of the answer, at most.
const FRAME: usize = 40;
/// How often a quiet watch says how far it is; as in Kubernetes.
const BOOKMARK_EVERY: Duration = Duration::from_mins(1);
/// A watch that names no time ends after one to two of these; as in Kubernetes.
const DEFAULT_TIMEOUT_SECONDS: u64 = 1800;

pub(crate) fn watch(call: &Call<'_>) -> Result<Answer, Failure> {
    let query = &call.ask.query;
    let start = Start::asked(query)?;
    let selection = Selection::asked(call)?;
    let served = Arc::clone(&call.target.served);
    let now = Instant::now();
    let seconds = query
        .number("timeoutSeconds")?
        .filter(|seconds| *seconds > 0);
    let seconds = seconds
        .unwrap_or_else(|| DEFAULT_TIMEOUT_SECONDS + call.cluster.up_to(DEFAULT_TIMEOUT_SECONDS));
    let mut watching = Watching {
        cluster: Arc::clone(call.cluster),
        follow: call.cluster.ledger.follow(&served.stored_as),
        projection: Projection::asked(&served, call.ask, call.cluster.now())?,
        prefix: selection.prefix(&call.target),
        selection,
        served,
        version: 0,
        said_columns: false,
        bookmarks: query
            .flag("allowWatchBookmarks")
            .then_some(now + BOOKMARK_EVERY),
        // No watch outlives a century, and the clock's arithmetic stays in range.
        deadline: now + Duration::from_secs(seconds.min(60 * 60 * 24 * 365 * 100)),
        stop: call.stop.clone(),
        over: false,
    };
    let first = watching.begin(start);
    let first = futures::stream::iter(first.map(Ok::<_, Infallible>));
    let rest = futures::stream::unfold(watching, |mut watching| async move {
        let chunk = watching.next().await?;
        Some((Ok(chunk), watching))
    });
    let body = Body::from_stream(futures::StreamExt::chain(first, rest));
    Ok(Answer::of(Content::Stream(body)))
}

/// Where a watch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// With everything there is, and perhaps a bookmark behind it.
    State {
        marks_end: bool,
    },
    After(u64),
}

impl Start {
    fn asked(query: &Query) -> Result<Self, Failure> {
        let initial = query
            .get("sendInitialEvents")
            .map(|_| query.flag("sendInitialEvents"));
        let forbidden = |field: &str, why: &str| {
            Err(Failure::options(
                "ListOptions",
                Cause::forbidden(field, why),
            ))
        };
        match (initial, query.version_match()?) {
            (Some(_), Some(VersionMatch::NotOlderThan)) | (None, None) => {}
            (Some(_), None | Some(VersionMatch::Exact)) => {
                let field = "resourceVersionMatch";
                let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
                let mut causes = vec![Cause::forbidden(field, why)];
                if query.version_match()?.is_some() {
                    let right = ["NotOlderThan"];
                    causes.push(Cause::not_supported(field, &"Exact".into(), &right));
                }
                return Err(Failure::options_with("ListOptions", causes));
            }
            (None, Some(_)) => {
                let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
                return forbidden("resourceVersionMatch", why);
            }
        }
        let marks_end = initial == Some(true) && query.flag("allowWatchBookmarks");
        let state = Self::State { marks_end };
        Ok(
            match (
                initial,
                query.version().map_err(|failure| unclassified(&failure))?,
            ) {
                (Some(true), _) | (None, None | Some(0)) => state,
                (Some(false), None | Some(0)) => Self::After(u64::MAX),
                (_, Some(version)) => Self::After(version),
            },
        )
    }
}

/// A watch's version that is none, Kubernetes calls 500.
fn unclassified(failure: &Failure) -> Failure {
    let words = failure.to_string();
    Failure::Unclassified(
        words
            .trim_start_matches("invalid resource version: ")
            .to_owned(),
    )
}

struct Watching {
    cluster: Arc<Cluster>,
    served: Arc<Served>,
    follow: watch::Receiver<u64>,
    projection: Projection,
    selection: Selection,
    prefix: String,
    /// Everything up to here is said.
    version: u64,
    said_columns: bool,
    /// When the next one is due, if the client wants them.
    bookmarks: Option<Instant>,
    deadline: Instant,
    stop: CancellationToken,
    over: bool,
}

/// Why a watch that waits goes on.
enum Woken {
    Changed,
    Bookmark,
    End,
}

impl Watching {
    /// The state a watch begins with, if it begins with one.
    fn begin(&mut self, start: Start) -> Option<Bytes> {
        let marks_end = match start {
            Start::After(u64::MAX) => {
                self.version = self.cluster.ledger.version();
                return None;
            }
            Start::After(version) => {
                self.version = version;
                return None;
            }
            Start::State { marks_end } => marks_end,
        };
        let (served, selection) = (&self.served, &self.selection);
        let range = Range {
            prefix: &self.prefix,
            ..Range::default()
        };
        let picks = |object: &Stored| selection.picks(served, object);
        // Today's state is always known.
        let page = self
            .cluster
            .ledger
            .page(&served.stored_as, &range, &picks)
            .ok()?;
        self.version = page.version;
        let mut lines = BytesMut::new();
        for object in &page.objects {
            self.say(&mut lines, "ADDED", object);
        }
        if marks_end {
            self.mark(&mut lines, true);
        }
        (!lines.is_empty()).then(|| lines.freeze())
    }

    /// The next chunk of the answer; None when the watch is over.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.over {
            self.follow.borrow_and_update();
            // Before the look: whatever is not seen by it is newer than this.
            let version = self.cluster.ledger.version();
            let resource = &self.served.stored_as;
            let events = match self
                .cluster
                .ledger
                .events_after(resource, self.version, CHUNK)
            {
                Ok(events) => events,
                Err(expired) => return Some(self.expire(&expired)),
            };
            let mut lines = BytesMut::new();
            for event in &events {
                self.tell(&mut lines, event);
                self.version = event.object.version();
            }
            if !lines.is_empty() {
                return Some(lines.freeze());
            }
            if !events.is_empty() {
                continue;
            }
            self.version = self.version.max(version);
            if let Some(chunk) = self.wait().await {
                return Some(chunk);
            }
        }
        None
    }

    async fn wait(&mut self) -> Option<Bytes> {
        let bookmark = self.bookmarks;
        let woken = tokio::select! {
            biased;
            () = self.stop.cancelled() => Woken::End,
            changed = self.follow.changed() => changed.map_or(Woken::End, |()| Woken::Changed),
            () = sleep_until(self.deadline.min(bookmark.unwrap_or(self.deadline))) => {
                if Instant::now() < self.deadline { Woken::Bookmark } else { Woken::End }
            }
        };
        match woken {
            Woken::Changed => return None,
            Woken::Bookmark => self.bookmarks = bookmark.map(|_| Instant::now() + BOOKMARK_EVERY),
            Woken::End => self.over = true,
        }
        let mut lines = BytesMut::new();
        if bookmark.is_some() {
            self.mark(&mut lines, false);
        }
        (!lines.is_empty()).then(|| lines.freeze())
    }

    /// One event, as far as it concerns what the client selected.
    fn tell(&mut self, lines: &mut BytesMut, event: &Event) {
        if !event.key.starts_with(&self.prefix) {
            return;
        }
        let picks = |object: &Stored| self.selection.picks(&self.served, object);
        let was = event.previous.as_deref().is_some_and(picks);
        let is = event.kind != EventKind::Deleted && picks(&event.object);
        match (was, is, &event.previous) {
            (false, true, _) => self.say(lines, "ADDED", &event.object),
            (true, true, _) => self.say(lines, "MODIFIED", &event.object),
            (true, false, _) if event.kind == EventKind::Deleted => {
                self.say(lines, "DELETED", &event.object);
            }
            // It left the selection: as it was when it was in it.
            (true, false, Some(previous)) => {
                let left = Stored::stamp(previous.value(), event.object.version());
                self.say(lines, "DELETED", &left);
            }
            (true, false, None) | (false, false, _) => {}
        }
    }

    fn say(&mut self, lines: &mut BytesMut, kind: &str, object: &Stored) {
        let object = self.projection.event_bytes(object, !self.said_columns);
        lines.reserve(object.len() + FRAME);
        lines.put_slice(br#"{"type":""#);
        lines.put_slice(kind.as_bytes());
        lines.put_slice(br#"","object":"#);
        lines.put(object);
        lines.put_slice(b"}\n");
        self.said_columns = true;
    }

    fn mark(&self, lines: &mut BytesMut, ends_initial_events: bool) {
        let object = self.projection.bookmark(self.version, ends_initial_events);
        let line = json!({ "type": "BOOKMARK", "object": object });
        lines.put_slice(line.to_string().as_bytes());
        lines.put_u8(b'\n');
    }

    fn expire(&mut self, expired: &Expired) -> Bytes {
        self.over = true;
        let status = Failure::expired(expired).status();
        Bytes::from(format!(
            "{}\n",
            json!({ "type": "ERROR", "object": status })
        ))
    }
}
