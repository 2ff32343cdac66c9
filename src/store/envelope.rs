//! Sealing a value so that only its own place in the database opens it. Pure but for randomness; where
//! the keys come from is not known here.
//!
//! AES-256-GCM twice: a fresh data key seals the value, and the newest wrapping key seals the data key.
//! Both are bound to `table.column.row`, so that a row copied to another place does not open. A
//! wrapping key's nonces are random, which is sound for 2^32 values (NIST SP 800-38D, 8.3).

use std::collections::BTreeMap;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// A key that wraps data keys. No `Debug`.
pub type WrappingKey = Zeroizing<[u8; KEY_BYTES]>;

#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    #[error("the operating system gives no randomness")]
    Random(#[source] getrandom::Error),
    #[error("the value is too long to be sealed")]
    TooLong,
    #[error("the sealed value is damaged")]
    Malformed,
    #[error("the key file lacks version {0}, which sealed the value")]
    KeyMissing(u32),
    #[error("the sealed value was changed, is at another's place, or was sealed with another key")]
    Forged,
}

/// The wrapping keys by version: the newest seals, all open. No `Debug`.
pub struct Keyring {
    newest: (u32, WrappingKey),
    older: BTreeMap<u32, WrappingKey>,
}

impl Keyring {
    /// None when there is no key.
    pub fn new(mut keys: BTreeMap<u32, WrappingKey>) -> Option<Self> {
        let newest = keys.pop_last()?;
        Some(Self {
            newest,
            older: keys,
        })
    }

    /// `v<key version>.<wrapped data key>.<sealed value>`, the last two in base64.
    pub fn seal(&self, value: &[u8], place: &str) -> Result<String, EnvelopeError> {
        let mut data_key = WrappingKey::default();
        getrandom::fill(&mut data_key[..]).map_err(EnvelopeError::Random)?;
        let (version, wrapping_key) = &self.newest;
        let wrapped = seal(wrapping_key, &data_key[..], place)?;
        let sealed = seal(&data_key, value, place)?;
        let [wrapped, sealed] = [wrapped, sealed].map(|bytes| STANDARD_NO_PAD.encode(bytes));
        Ok(format!("v{version}.{wrapped}.{sealed}"))
    }

    pub fn open(&self, envelope: &str, place: &str) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let (version, wrapped, sealed) = split(envelope).ok_or(EnvelopeError::Malformed)?;
        let wrapping_key = self
            .key(version)
            .ok_or(EnvelopeError::KeyMissing(version))?;
        let opened = open(wrapping_key, &wrapped, place)?;
        let mut data_key = WrappingKey::default();
        if opened.len() != KEY_BYTES {
            return Err(EnvelopeError::Malformed);
        }
        data_key.copy_from_slice(&opened);
        open(&data_key, &sealed, place)
    }

    fn key(&self, version: u32) -> Option<&WrappingKey> {
        if version == self.newest.0 {
            return Some(&self.newest.1);
        }
        self.older.get(&version)
    }
}

fn split(envelope: &str) -> Option<(u32, Vec<u8>, Vec<u8>)> {
    let mut parts = envelope.strip_prefix('v')?.split('.');
    let version = parts.next()?.parse().ok()?;
    let mut bytes = || STANDARD_NO_PAD.decode(parts.next()?).ok();
    let (wrapped, sealed) = (bytes()?, bytes()?);
    parts.next().is_none().then_some((version, wrapped, sealed))
}

/// The nonce, then the ciphertext with its tag.
fn seal(key: &WrappingKey, value: &[u8], place: &str) -> Result<Vec<u8>, EnvelopeError> {
    let mut nonce = [0_u8; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(EnvelopeError::Random)?;
    let payload = Payload {
        msg: value,
        aad: place.as_bytes(),
    };
    let sealed = cipher(key)
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| EnvelopeError::TooLong)?;
    Ok([&nonce[..], &sealed].concat())
}

fn open(key: &WrappingKey, bytes: &[u8], place: &str) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let (nonce, sealed) = bytes
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(EnvelopeError::Malformed)?;
    let payload = Payload {
        msg: sealed,
        aad: place.as_bytes(),
    };
    cipher(key)
        .decrypt(&Nonce::from(*nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| EnvelopeError::Forged)
}

fn cipher(key: &WrappingKey) -> Aes256Gcm {
    let bytes: &[u8; KEY_BYTES] = key;
    Aes256Gcm::new(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "secrets.sealed.instances/1/gateway";

    fn ring(keys: &[(u32, u8)]) -> Keyring {
        let keys = keys
            .iter()
            .map(|(version, fill)| (*version, Zeroizing::new([*fill; KEY_BYTES])));
        Keyring::new(keys.collect()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_at_its_place_and_nowhere_else() {
        let ring = ring(&[(1, 7)]);
        let sealed = ring.seal(b"value", PLACE).unwrap();
        assert_eq!(&ring.open(&sealed, PLACE).unwrap()[..], b"value");
        let elsewhere = ring.open(&sealed, "secrets.sealed.instances/2/gateway");
        assert!(matches!(elsewhere, Err(EnvelopeError::Forged)));
    }

    #[test]
    fn the_same_value_never_looks_the_same_twice() {
        let ring = ring(&[(1, 7)]);
        assert_ne!(
            ring.seal(b"value", PLACE).unwrap(),
            ring.seal(b"value", PLACE).unwrap()
        );
    }

    #[test]
    fn the_newest_key_seals_and_older_ones_still_open() {
        let old = ring(&[(1, 7)]).seal(b"value", PLACE).unwrap();
        let both = ring(&[(1, 7), (2, 9)]);
        assert_eq!(&both.open(&old, PLACE).unwrap()[..], b"value");
        assert!(both.seal(b"value", PLACE).unwrap().starts_with("v2."));
        let lost = ring(&[(2, 9)]).open(&old, PLACE);
        assert!(matches!(lost, Err(EnvelopeError::KeyMissing(1))));
        let other = ring(&[(1, 8)]).open(&old, PLACE);
        assert!(matches!(other, Err(EnvelopeError::Forged)));
    }

    #[test]
    fn a_change_of_any_character_is_noticed() {
        let ring = ring(&[(1, 7)]);
        let sealed = ring.seal(b"value", PLACE).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(ring.open(&changed, PLACE).is_err(), "at {at}: {changed}");
        }
        for part in ["", "v1", "v1..", "v1.AAAA.AAAA", "v1.AA.AA.AA"] {
            assert!(ring.open(part, PLACE).is_err(), "{part}");
        }
    }
}
