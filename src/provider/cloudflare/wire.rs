//! Cloudflare's DNS shapes as they come over the wire, and what they mean in our words. Tolerant:
//! record types and fields we do not know are no errors.
//!
//! Source: the vendor's API reference for DNS records and its guide to batch changes.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Hostname, InstallationName, MANAGED_BY, Uid};
use crate::provider::{Owner, Record, Target};

#[derive(Deserialize)]
pub(super) struct Envelope<T> {
    pub result: T,
    pub result_info: Option<ResultInfo>,
}

#[derive(Default, Deserialize)]
pub(super) struct ResultInfo {
    pub total_pages: Option<u32>,
    pub total_count: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct ZoneBody {
    pub id: String,
    pub name: String,
}

#[derive(Deserialize)]
pub(super) struct RecordBody {
    pub id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    /// Not every type has one.
    content: Option<String>,
    proxied: Option<bool>,
    comment: Option<String>,
}

/// What a batch did.
#[derive(Deserialize)]
pub(super) struct BatchDone {
    pub deletes: Option<Vec<Deleted>>,
    pub patches: Option<Vec<RecordBody>>,
    pub posts: Option<Vec<RecordBody>>,
}

#[derive(Deserialize)]
pub(super) struct Deleted {
    pub id: String,
}

impl RecordBody {
    pub(super) fn seen(self, installation: &InstallationName) -> Record {
        let target = self
            .content
            .as_deref()
            .and_then(|content| target(&self.kind, content));
        let comment = self.comment.as_deref().unwrap_or_default();
        Record {
            owner: owner(comment, installation),
            id: self.id,
            host: Hostname::observed(&self.name),
            target,
            proxied: self.proxied.unwrap_or(false),
        }
    }
}

fn target(kind: &str, content: &str) -> Option<Target> {
    match kind {
        "A" => content.parse().ok().map(Target::V4),
        "AAAA" => content.parse().ok().map(Target::V6),
        _ => None,
    }
}

/// Our mark on a record: a comment, because tags are not to be had on the free plan. At
/// most 87 characters of the 100 that plan allows.
pub(super) fn comment(installation: &InstallationName, owner: &Uid) -> String {
    format!("{MANAGED_BY} installation={installation} instance={owner}")
}

/// Strict: a comment that was edited is not ours to rely on.
pub(super) fn owner(comment: &str, installation: &InstallationName) -> Owner {
    let mark = format!("{MANAGED_BY} installation={installation} instance=");
    match comment.strip_prefix(&mark) {
        Some(uid) if is_uid(uid) => Owner::Ours(Uid::new(uid)),
        Some(_) | None => Owner::Stranger,
    }
}

fn is_uid(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(inside)
}

/// The content of a record that shall say `target`: its type and its text.
pub(super) fn content(target: Target) -> Value {
    match target {
        Target::V4(address) => json!({"type": "A", "content": address}),
        Target::V6(address) => json!({"type": "AAAA", "content": address}),
    }
}

#[cfg(test)]
mod tests;
