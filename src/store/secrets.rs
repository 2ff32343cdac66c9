//! The embedded secret store: [`Secrets`] for one machine, each value in an envelope of its own.
//!
//! As Vault's KV v2 with compare-and-swap, with two differences on purpose: only the newest version is
//! kept, and versions go on rising after a path was destroyed, so that a number never means two values.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use sqlx::SqlitePool;
use zeroize::Zeroizing;

use super::Database;
use super::envelope::{EnvelopeError, Keyring};
use super::keys::{self, KeyFileError};
use crate::provider::{ProviderError, Refusal, SecretPath, SecretValues, SecretVersion, Secrets};

const PATH_CHARACTERS_MAX: usize = 256;
const VALUES_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum SecretStoreError {
    #[error("the secret store cannot be read")]
    Read(#[source] sqlx::Error),
    #[error("the keys of the secret store cannot be had")]
    Keys(#[source] KeyFileError),
    #[error(
        "the key file does not fit the secrets in the database; restore the one that was backed up with it"
    )]
    KeysDoNotFit(#[source] EnvelopeError),
}

/// No `Debug`: it holds keys.
pub struct EmbeddedSecrets {
    pool: SqlitePool,
    keyring: Keyring,
}

impl EmbeddedSecrets {
    /// Reads the key file, which is made if it is missing and nothing is sealed yet, and tries it on
    /// what is sealed: a key file that does not fit is found now and not when a secret is needed.
    pub async fn open(database: &Database, key_file: &Path) -> Result<Self, SecretStoreError> {
        let pool = database.pool.clone();
        let any: Option<(String, String)> =
            sqlx::query_as("SELECT path, sealed FROM secrets WHERE sealed IS NOT NULL LIMIT 1")
                .fetch_optional(&pool)
                .await
                .map_err(SecretStoreError::Read)?;
        let keyring = keys::load(key_file, any.is_none()).map_err(SecretStoreError::Keys)?;
        if let Some((path, sealed)) = any {
            keyring
                .open(&sealed, &place(&path))
                .map_err(SecretStoreError::KeysDoNotFit)?;
        }
        Ok(Self { pool, keyring })
    }
}

#[async_trait]
impl Secrets for EmbeddedSecrets {
    async fn read(&self, path: &SecretPath) -> Result<Option<SecretVersion>, ProviderError> {
        let found: Option<(i64, Option<String>)> =
            sqlx::query_as("SELECT version, sealed FROM secrets WHERE path = $1")
                .bind(&path.0)
                .fetch_optional(&self.pool)
                .await
                .map_err(|cause| ProviderError::Unreachable(Box::new(cause)))?;
        let Some((version, Some(sealed))) = found else {
            return Ok(None);
        };
        let opened = self.keyring.open(&sealed, &place(&path.0));
        let text = opened.map_err(|fault| refused(Refusal::Denied, path, &fault.to_string()))?;
        let values = decode(&text)
            .ok_or_else(|| refused(Refusal::Denied, path, "the value is not what was written"))?;
        Ok(Some(SecretVersion {
            values,
            version: u64::try_from(version).unwrap_or(0),
        }))
    }

    async fn write(
        &self,
        path: &SecretPath,
        values: &SecretValues,
        expected: u64,
    ) -> Result<u64, ProviderError> {
        if path.0.is_empty() || path.0.chars().count() > PATH_CHARACTERS_MAX {
            return Err(refused(
                Refusal::Invalid,
                path,
                "the path is empty or too long",
            ));
        }
        let text = encode(values)
            .filter(|text| text.len() <= VALUES_BYTES_MAX)
            .ok_or_else(|| refused(Refusal::Invalid, path, "the values are too long"))?;
        let sealed = self
            .keyring
            .seal(&text, &place(&path.0))
            .map_err(|cause| ProviderError::Unreachable(Box::new(cause)))?;
        let stale = || refused(Refusal::Stale, path, "another version is there");
        let expected = i64::try_from(expected).map_err(|_| stale())?;
        // One statement, so that two writers cannot both see the version they expect.
        let written: Option<(i64,)> = sqlx::query_as(
            "INSERT INTO secrets (path, version, sealed)
             SELECT $1, 1, $2 WHERE $3 = 0 OR EXISTS (SELECT 1 FROM secrets WHERE path = $1)
             ON CONFLICT (path) DO UPDATE SET version = secrets.version + 1, sealed = excluded.sealed
             WHERE CASE WHEN secrets.sealed IS NULL THEN 0 ELSE secrets.version END = $3
             RETURNING version",
        )
        .bind(&path.0)
        .bind(sealed)
        .bind(expected)
        .fetch_optional(&self.pool)
        .await
        .map_err(|cause| ProviderError::Unknown(Box::new(cause)))?;
        let (version,) = written.ok_or_else(stale)?;
        Ok(u64::try_from(version).unwrap_or(0))
    }

    async fn destroy(&self, path: &SecretPath) -> Result<(), ProviderError> {
        sqlx::query("UPDATE secrets SET sealed = NULL WHERE path = $1")
            .bind(&path.0)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|cause| ProviderError::Unknown(Box::new(cause)))
    }
}

/// What an envelope is bound to: table, column, row.
fn place(path: &str) -> String {
    format!("secrets.sealed.{path}")
}

fn refused(why: Refusal, path: &SecretPath, message: &str) -> ProviderError {
    ProviderError::Refused {
        why,
        message: format!("secrets at {:?}: {message}", path.0),
    }
}

fn encode(values: &SecretValues) -> Option<Zeroizing<Vec<u8>>> {
    let exposed: BTreeMap<&str, &str> = values
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect();
    serde_json::to_vec(&exposed).ok().map(Zeroizing::new)
}

fn decode(text: &[u8]) -> Option<SecretValues> {
    let exposed: BTreeMap<String, String> = serde_json::from_slice(text).ok()?;
    let hidden = exposed
        .into_iter()
        .map(|(name, value)| (name, SecretString::from(value)));
    Some(hidden.collect())
}

#[cfg(test)]
mod tests;
