//! A secret store in memory that outlives the operators: compare-and-swap, versions only rise.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clawdet::provider::{ProviderError, Refusal, SecretPath, SecretValues, SecretVersion, Secrets};

/// By path: the values unless destroyed, and the version.
type Kept = BTreeMap<SecretPath, (Option<SecretValues>, u64)>;

#[derive(Clone, Default)]
pub(super) struct Vault(Arc<Mutex<Kept>>);

impl Vault {
    /// How many secrets are there.
    pub(super) fn len(&self) -> usize {
        let kept = self.0.lock().unwrap();
        kept.values().filter(|(values, _)| values.is_some()).count()
    }
}

#[async_trait]
impl Secrets for Vault {
    async fn read(&self, path: &SecretPath) -> Result<Option<SecretVersion>, ProviderError> {
        let kept = self.0.lock().unwrap();
        Ok(kept.get(path).and_then(|(values, version)| {
            Some(SecretVersion {
                values: values.clone()?,
                version: *version,
            })
        }))
    }

    async fn write(
        &self,
        path: &SecretPath,
        values: &SecretValues,
        expected: u64,
    ) -> Result<u64, ProviderError> {
        let mut kept = self.0.lock().unwrap();
        let (now, version) = kept.entry(path.clone()).or_insert((None, 0));
        let current = if now.is_some() { *version } else { 0 };
        if current != expected {
            return Err(ProviderError::Refused {
                why: Refusal::Stale,
                message: "another version".into(),
            });
        }
        *version += 1;
        *now = Some(values.clone());
        Ok(*version)
    }

    async fn destroy(&self, path: &SecretPath) -> Result<(), ProviderError> {
        if let Some((values, _)) = self.0.lock().unwrap().get_mut(path) {
            *values = None;
        }
        Ok(())
    }
}
