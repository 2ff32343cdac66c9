//! The key tokens are signed with: made once, kept beside the objects, and never shown.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ledger::{Address, Ledger, Write};

/// No resource is called so, therefore no request comes here.
const KEPT_AS: &str = "kube-embedded/signing-key";
/// What stands before the point in the DER of a P-256 public key: RFC 5480.
const PUBLIC_KEY_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("a signing key could not be made")]
    Make,
    #[error("the signing key could not be kept")]
    Keep,
    #[error("the signing key that was kept is none")]
    Damaged,
}

/// An elliptic curve key (P-256), and its name.
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    id: String,
    random: SystemRandom,
}

impl SigningKey {
    /// The key of that ledger; a new one if it has none.
    pub(crate) async fn open(ledger: &Ledger) -> Result<Self, KeyError> {
        let address = Address {
            resource: KEPT_AS.into(),
            key: "/".into(),
        };
        if let Some(kept) = ledger.latest(&address) {
            let kept = kept.value();
            let encoded = kept["pkcs8"].as_str().unwrap_or_default();
            let secret = STANDARD.decode(encoded).map_err(|_| KeyError::Damaged)?;
            return Self::of(&secret).ok_or(KeyError::Damaged);
        }
        let random = SystemRandom::new();
        let secret = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| KeyError::Make)?;
        let value = json!({ "pkcs8": STANDARD.encode(secret.as_ref()) });
        let write = Write::create(address, value, Vec::new());
        ledger.write(write).await.map_err(|_| KeyError::Keep)?;
        Self::of(secret.as_ref()).ok_or(KeyError::Make)
    }

    fn of(secret: &[u8]) -> Option<Self> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, secret, &random).ok()?;
        let public = [&PUBLIC_KEY_INFO, pair.public_key().as_ref()].concat();
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(public));
        Some(Self { pair, id, random })
    }

    /// The claims as a token.
    pub(super) fn sign(&self, claims: &[u8]) -> Option<String> {
        let header = json!({ "alg": "ES256", "kid": self.id }).to_string();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let message = format!("{}.{}", encode(header.as_bytes()), encode(claims));
        let signature = self.pair.sign(&self.random, message.as_bytes()).ok()?;
        Some(format!("{message}.{}", encode(signature.as_ref())))
    }

    /// What a token claims, and whether this key signed it; none if it is no token.
    pub(super) fn read(&self, token: &str) -> Option<(Vec<u8>, bool)> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
        let payload = decode(payload)?;
        let signed = header["alg"] == "ES256"
            && decode(signature).is_some_and(|signature| {
                let public = self.pair.public_key();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
                    .verify(message.as_bytes(), &signature)
                    .is_ok()
            });
        Some((payload, signed))
    }

    /// `/openid/v1/jwks`: RFC 7517 and, for the curve, RFC 7518, 6.2.
    pub(crate) fn published(&self) -> Value {
        // An uncompressed point: 4, then both coordinates of 32 bytes each.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point
            .get(1..)
            .unwrap_or_default()
            .split_at_checked(32)
            .unwrap_or_default();
        json!({ "keys": [{
            "use": "sig",
            "kty": "EC",
            "kid": self.id,
            "crv": "P-256",
            "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
        }] })
    }
}
