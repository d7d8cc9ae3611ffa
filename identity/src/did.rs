//! `did:key` identifiers of Ed25519 keys.

use crate::PublicKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// The multicodec prefix of an Ed25519 public key, as an unsigned varint.
const ED25519_PUB: [u8; 2] = [0xed, 0x01];
const SCHEME: &str = "did:key:";
/// `did:key:`, `z`, and 34 bytes in base58btc, which is always 47 letters for this prefix.
const LENGTH: usize = 56;

/// A decentralised identifier: a public key, written as `did:key:z6Mk…`.
///
/// Each value was checked when it was made: the one canonical text of a usable Ed25519 key.
#[derive(Clone)]
pub struct Did {
    text: String,
    key: PublicKey,
}

/// Why a text is not a DID that this program works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DidError {
    /// Another method, or no DID at all.
    #[error("not a did:key")]
    Method,
    /// Not the canonical base58btc form, or not of the length of an Ed25519 key.
    #[error("not the canonical text of an Ed25519 did:key")]
    Encoding,
    /// Another kind of key.
    #[error("not an Ed25519 key")]
    KeyType,
    /// Not a point of the curve, not its canonical form, or of small order.
    #[error("not a usable Ed25519 public key")]
    Key,
}

impl Did {
    pub(crate) fn of(key: PublicKey) -> Self {
        let mut bytes = ED25519_PUB.to_vec();
        bytes.extend_from_slice(key.as_bytes());
        Self { text: format!("{SCHEME}z{}", bs58::encode(bytes).into_string()), key }
    }

    /// The key that this DID is.
    pub fn public_key(&self) -> PublicKey {
        self.key
    }

    /// The DID URL of the key, `did:key:z6Mk…#z6Mk…`.
    pub fn verification_method(&self) -> String {
        format!("{}#{}", self.text, self.fingerprint())
    }

    /// The part after `did:key:`.
    pub fn fingerprint(&self) -> &str {
        &self.text[SCHEME.len()..]
    }

    /// The DID as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Reads the DID URL of a key; accepts exactly what [`Did::verification_method`] writes.
    pub(crate) fn from_verification_method(url: &str) -> Result<Self, DidError> {
        let did: Self = url.split('#').next().unwrap_or_default().parse()?;
        if did.verification_method() == url { Ok(did) } else { Err(DidError::Encoding) }
    }
}

impl FromStr for Did {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        let fingerprint = text.strip_prefix(SCHEME).ok_or(DidError::Method)?;
        // Decoding base58 takes quadratic time, so the length is looked at first.
        if text.len() > 1024 {
            return Err(DidError::Encoding);
        }
        let base58 = fingerprint.strip_prefix('z').ok_or(DidError::Encoding)?;
        let bytes = bs58::decode(base58).into_vec().map_err(|_| DidError::Encoding)?;
        let key = bytes.strip_prefix(&ED25519_PUB).ok_or(DidError::KeyType)?;
        let key: [u8; 32] = key.try_into().map_err(|_| DidError::Encoding)?;
        let did = Self::of(PublicKey::from_bytes(&key).map_err(|_| DidError::Key)?);
        if text.len() == LENGTH && did.text == text { Ok(did) } else { Err(DidError::Encoding) }
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Did {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Did {}

impl PartialOrd for Did {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Did {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Did {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Serialize for Did {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Did {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
