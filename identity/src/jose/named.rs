//! The two DIDs that a key has by itself: its `did:key` and its `did:jwk`.

use crate::canonical::{parse_strict, to_canonical};
use crate::vc::{KeyId, KeyIdError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const SCHEME: &str = "did:jwk:";
/// The longest key that is read, in bytes, and its levels.
const MAX_JWK: usize = 1024;
const MAX_LEVELS: usize = 3;

/// A DID of one key, with that key: a `did:key` or a `did:jwk`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedKey {
    did: String,
    key: KeyId,
}

impl NamedKey {
    /// The key under its `did:key`.
    pub fn key_did(key: KeyId) -> Self {
        Self { did: key.to_string(), key }
    }

    /// The key under its `did:jwk`, made of the canonical form of its JWK.
    pub fn jwk_did(key: KeyId) -> Self {
        // A few texts always have a canonical form.
        let jwk = to_canonical(&key.to_jwk()).unwrap_or_default();
        Self { did: format!("{SCHEME}{}", URL_SAFE_NO_PAD.encode(jwk)), key }
    }

    /// Reads a DID. A `did:jwk` is its text: two texts of one key are two DIDs.
    pub fn parse(did: &str) -> Result<Self, KeyIdError> {
        let Some(encoded) = did.strip_prefix(SCHEME) else {
            return did.parse().map(Self::key_did);
        };
        if encoded.len() > 2 * MAX_JWK {
            return Err(KeyIdError::Invalid);
        }
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| KeyIdError::Invalid)?;
        let jwk = parse_strict(&bytes, MAX_JWK, MAX_LEVELS).map_err(|_| KeyIdError::Invalid)?;
        Ok(Self { did: did.to_owned(), key: KeyId::from_jwk(&jwk)? })
    }

    /// Reads the DID URL of a key: exactly what [`NamedKey::verification_method`] writes.
    pub fn from_verification_method(url: &str) -> Result<Self, KeyIdError> {
        let named = Self::parse(url.split('#').next().unwrap_or_default())?;
        if named.verification_method() == url { Ok(named) } else { Err(KeyIdError::Invalid) }
    }

    /// The DID.
    pub fn did(&self) -> &str {
        &self.did
    }

    /// The key.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// The DID URL of the key.
    pub fn verification_method(&self) -> String {
        if self.did.starts_with(SCHEME) { format!("{}#0", self.did) } else { self.key.verification_method() }
    }
}
