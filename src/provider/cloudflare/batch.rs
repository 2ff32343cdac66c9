//! Many hosts' changes as few requests: what goes into one batch, and what its answer says. Pure.

use serde_json::{Value, json};

use super::wire;
use crate::api::{Hostname, InstallationName, Uid};
use crate::provider::{Priority, RecordChange, Target};

/// Changes in one batch on the free plan; the others allow 3,500.
/// Source: <https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes/>
const CHANGES_MAX: usize = 200;

/// One host's change, as its caller asked for it.
#[derive(Clone, Debug)]
pub(super) struct HostChange {
    pub priority: Priority,
    pub host: Hostname,
    pub owner: Uid,
    pub change: RecordChange,
}

impl HostChange {
    fn size(&self) -> usize {
        self.change.delete.len() + self.change.update.len() + self.change.create.len()
    }
}

/// How records are to be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publishing {
    /// Whether Cloudflare's proxy stands before the server.
    pub proxied: bool,
    /// How long resolvers may keep an answer; the proxy decides itself.
    pub ttl_seconds: u32,
}

/// The changes in as few batches as the limit allows, each host's in one; by place in the list.
pub(super) fn split(changes: &[HostChange]) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for (place, change) in changes.iter().enumerate() {
        let size = change.size();
        match batches.last_mut() {
            Some(batch) if size <= room => {
                batch.push(place);
                room -= size;
            }
            Some(_) | None => {
                batches.push(vec![place]);
                room = CHANGES_MAX.saturating_sub(size);
            }
        }
    }
    batches
}

/// The body of one batch, carried out by the provider as one transaction.
pub(super) fn body(
    changes: &[&HostChange],
    installation: &InstallationName,
    publishing: Publishing,
) -> Value {
    let mut deletes = Vec::new();
    let mut patches = Vec::new();
    let mut posts = Vec::new();
    for change in changes {
        let comment = wire::comment(installation, &change.owner);
        let record = |target: Target| {
            let mut record = wire::content(target);
            record["name"] = json!(change.host);
            record["comment"] = json!(comment);
            record["proxied"] = json!(publishing.proxied);
            // 1 means automatic, the only value a proxied record can have.
            let ttl = if publishing.proxied {
                1
            } else {
                publishing.ttl_seconds
            };
            record["ttl"] = json!(ttl);
            record
        };
        deletes.extend(change.change.delete.iter().map(|id| json!({"id": id})));
        patches.extend(change.change.update.iter().map(|(id, target)| {
            let mut patch = record(*target);
            patch["id"] = json!(id);
            patch
        }));
        posts.extend(change.change.create.iter().map(|target| record(*target)));
    }
    json!({"deletes": deletes, "patches": patches, "posts": posts})
}

#[cfg(test)]
mod tests;
