//! One object as of one version: its bytes, and the little that is looked at without reading them.
//!
//! A tree of JSON values takes ten times the room of its text, so no tree is kept: who needs one reads
//! it, which costs no more than copying it would.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

/// Holds a deleted object until nothing names it as an owner any more.
pub(crate) const ORPHAN: &str = "orphan";
/// Holds a deleted object until the dependents that block it are gone.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";

/// An object that no longer changes.
#[derive(Debug)]
pub(crate) struct Stored {
    version: u64,
    bytes: Bytes,
    about: About,
}

/// What is asked of every object, as far as it says it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct About {
    api_version: Box<str>,
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: Box<str>,
    namespace: Box<str>,
    uid: Box<str>,
    deletion_timestamp: Option<Box<str>>,
    labels: Option<BTreeMap<Box<str>, Box<str>>>,
    finalizers: Option<Box<[Box<str>]>>,
    owner_references: Option<Box<[Owner]>>,
}

/// Whom an object says it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Owner {
    pub(crate) api_version: Box<str>,
    pub(crate) kind: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) uid: Box<str>,
    /// Does the owner, deleted in the foreground, wait for this object?
    block_owner_deletion: Option<bool>,
}

impl Owner {
    pub(crate) fn blocks(&self) -> bool {
        self.block_owner_deletion == Some(true)
    }
}

impl Stored {
    /// `value` as of `version`, which it then says itself in `metadata.resourceVersion`.
    pub(crate) fn stamp(mut value: Value, version: u64) -> Arc<Self> {
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".to_owned(), version.to_string().into());
        }
        Self::of(&value, version)
    }

    /// The outcome of a dry run: it has the version it was decided upon, if any.
    pub(crate) fn unkept(value: &Value) -> Arc<Self> {
        let version = value["metadata"]["resourceVersion"].as_str();
        let version = version.and_then(|text| text.parse().ok());
        Self::of(value, version.unwrap_or(0))
    }

    fn of(value: &Value, version: u64) -> Arc<Self> {
        Arc::new(Self {
            version,
            bytes: Bytes::from(value.to_string()),
            // Admission has seen to it that these are of their types.
            about: About::deserialize(value).unwrap_or_default(),
        })
    }

    /// What a journal held.
    pub(crate) fn load(version: u64, body: Bytes) -> Result<Arc<Self>, serde_json::Error> {
        Ok(Arc::new(Self {
            version,
            about: serde_json::from_slice(&body)?,
            bytes: body,
        }))
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The whole of it, read anew.
    pub(crate) fn value(&self) -> Value {
        // They were made from a value, or a journal's reader has read them.
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    pub(crate) fn api_version(&self) -> &str {
        &self.about.api_version
    }

    pub(crate) fn name(&self) -> &str {
        &self.about.metadata.name
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.about.metadata.namespace
    }

    pub(crate) fn uid(&self) -> &str {
        &self.about.metadata.uid
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.about
            .metadata
            .labels
            .as_ref()?
            .get(key)
            .map(AsRef::as_ref)
    }

    pub(crate) fn finalizers(&self) -> impl Iterator<Item = &str> {
        let finalizers = self.about.metadata.finalizers.as_deref();
        finalizers.into_iter().flatten().map(AsRef::as_ref)
    }

    pub(crate) fn has_finalizer(&self, finalizer: &str) -> bool {
        self.finalizers().any(|has| has == finalizer)
    }

    pub(crate) fn owners(&self) -> &[Owner] {
        self.about
            .metadata
            .owner_references
            .as_deref()
            .unwrap_or_default()
    }

    /// Has it been deleted in the foreground?
    pub(crate) fn waits_for_dependents(&self) -> bool {
        self.is_deleting() && self.has_finalizer(FOREGROUND)
    }

    /// Has it been asked to go?
    pub(crate) fn is_deleting(&self) -> bool {
        self.about.metadata.deletion_timestamp.is_some()
    }
}
