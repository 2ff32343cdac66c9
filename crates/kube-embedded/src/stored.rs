//! One object as of one version: its value, and its bytes made once for everybody who asks.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

/// An object that no longer changes.
#[derive(Debug)]
pub(crate) struct Stored {
    version: u64,
    value: Value,
    bytes: OnceLock<Bytes>,
}

impl Stored {
    /// `value` as of `version`, which it then says itself in `metadata.resourceVersion`.
    pub(crate) fn stamp(mut value: Value, version: u64) -> Arc<Self> {
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".to_owned(), version.to_string().into());
        }
        Arc::new(Self {
            version,
            value,
            bytes: OnceLock::new(),
        })
    }

    /// The outcome of a dry run: it has the version it was decided upon, if any.
    pub(crate) fn unkept(value: Value) -> Arc<Self> {
        let version = value["metadata"]["resourceVersion"].as_str();
        Arc::new(Self {
            version: version.and_then(|text| text.parse().ok()).unwrap_or(0),
            value,
            bytes: OnceLock::new(),
        })
    }

    /// What a journal held.
    pub(crate) fn load(version: u64, body: Bytes) -> Result<Arc<Self>, serde_json::Error> {
        let value = serde_json::from_slice(&body)?;
        Ok(Arc::new(Self {
            version,
            value,
            bytes: OnceLock::from(body),
        }))
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    pub(crate) fn bytes(&self) -> Bytes {
        self.bytes
            .get_or_init(|| Bytes::from(self.value.to_string()))
            .clone()
    }
}
