//! Keys of several kinds, and the `did:key` that each of them is.
//!
//! [`Did`](crate::Did) stays with the one kind that donors, biobanks and the log use. These are for the credentials of
//! everybody else.

use crate::{PublicKey, SigningKey};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use std::fmt;
use std::str::FromStr;

const SCHEME: &str = "did:key:";
/// Longer than any text of a key that is known; decoding takes quadratic time.
const MAX_TEXT: usize = 200;

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (FIPS 186-5).
    P256,
    /// ECDSA on P-384 with SHA-384 (FIPS 186-5).
    P384,
    /// BBS on BLS12-381 with public keys in G2 and SHA-256 (draft-irtf-cfrg-bbs-signatures). It signs lists of messages.
    Bls12381G2,
}

impl KeyKind {
    const ALL: [Self; 4] = [Self::Ed25519, Self::P256, Self::P384, Self::Bls12381G2];

    /// The multicodec prefix of a public key, as an unsigned varint.
    fn codec(self) -> [u8; 2] {
        match self {
            Self::Ed25519 => [0xed, 0x01],
            Self::P256 => [0x80, 0x24],
            Self::P384 => [0x81, 0x24],
            Self::Bls12381G2 => [0xeb, 0x01],
        }
    }

    /// How many bytes a private key has.
    pub fn secret_len(self) -> usize {
        if self == Self::P384 { 48 } else { 32 }
    }

    /// How many bytes a public key has.
    fn public_len(self) -> usize {
        match self {
            Self::Ed25519 => 32,
            Self::P256 => 33,
            Self::P384 => 49,
            Self::Bls12381G2 => 96,
        }
    }

    /// How many bytes a signature has.
    pub(crate) fn signature_len(self) -> usize {
        match self {
            Self::Ed25519 | Self::P256 => 64,
            Self::P384 => 96,
            Self::Bls12381G2 => 80,
        }
    }
}

/// Why a text is not a key that is known. The did:key method has a code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyIdError {
    /// No DID, or not in the one form that it may have.
    #[error("not the canonical text of a did:key")]
    Invalid,
    /// A DID of another method.
    #[error("a DID of a method that is not known")]
    Method,
    /// A kind of key that is not known.
    #[error("a kind of key that is not known")]
    KeyType,
    /// Too many or too few bytes for this kind of key.
    #[error("a public key of the wrong length")]
    Length,
    /// Not a usable point of the curve.
    #[error("not a usable public key")]
    Key,
}

/// Bytes that are no private key of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a private key of this kind")]
pub struct BadSecret;

#[derive(Clone)]
pub(super) enum Public {
    Ed25519(PublicKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Bls12381G2(Box<affinidi_bbs::PublicKey>),
}

/// The DID of a public key: the one canonical text of a usable key.
#[derive(Clone)]
pub struct KeyId {
    text: String,
    kind: KeyKind,
    public: Public,
}

impl KeyId {
    pub(super) fn of(public: Public) -> Self {
        let (kind, key) = match &public {
            Public::Ed25519(key) => (KeyKind::Ed25519, key.as_bytes().to_vec()),
            Public::P256(key) => (KeyKind::P256, key.to_encoded_point(true).as_bytes().to_vec()),
            Public::P384(key) => (KeyKind::P384, key.to_encoded_point(true).as_bytes().to_vec()),
            Public::Bls12381G2(key) => (KeyKind::Bls12381G2, key.to_bytes().to_vec()),
        };
        let bytes = [&kind.codec()[..], &key].concat();
        Self { text: format!("{SCHEME}z{}", bs58::encode(bytes).into_string()), kind, public }
    }

    /// The key of these bytes: 32 for Ed25519 (RFC 8032), 96 for BLS12-381, else a point in either form of SEC 1,
    /// section 2.3.
    pub(super) fn from_bytes(kind: KeyKind, bytes: &[u8]) -> Option<Self> {
        let public = match kind {
            KeyKind::Ed25519 => Public::Ed25519(PublicKey::from_bytes(bytes.try_into().ok()?).ok()?),
            KeyKind::P256 => Public::P256(p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).ok()?),
            KeyKind::P384 => Public::P384(p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes).ok()?),
            KeyKind::Bls12381G2 => {
                let key = affinidi_bbs::PublicKey::from_bytes(bytes.try_into().ok()?).ok()?;
                Public::Bls12381G2(Box::new(key))
            }
        };
        Some(Self::of(public))
    }

    /// The kind of the key.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The DID as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The public key in multibase: the part after `did:key:`.
    pub fn multibase(&self) -> &str {
        &self.text[SCHEME.len()..]
    }

    /// Reads a public key in multibase: exactly what [`KeyId::multibase`] writes.
    pub fn from_multibase(text: &str) -> Result<Self, KeyIdError> {
        // Before it is copied; no longer text is one of a key.
        if text.len() > MAX_TEXT { Err(KeyIdError::Invalid) } else { format!("{SCHEME}{text}").parse() }
    }

    pub(super) fn public(&self) -> &Public {
        &self.public
    }

    /// The DID URL of the key.
    pub fn verification_method(&self) -> String {
        format!("{}#{}", self.text, self.multibase())
    }

    /// Reads the DID URL of a key: exactly what [`KeyId::verification_method`] writes.
    pub fn from_verification_method(url: &str) -> Result<Self, KeyIdError> {
        let key: Self = url.split('#').next().unwrap_or_default().parse()?;
        if key.verification_method() == url { Ok(key) } else { Err(KeyIdError::Invalid) }
    }

    /// The public key as a Multikey: its multicodec prefix and its bytes.
    pub(super) fn multikey(&self) -> Vec<u8> {
        bs58::decode(&self.multibase()[1..]).into_vec().unwrap_or_default()
    }

    /// The key of a Multikey.
    pub(super) fn from_multikey(bytes: &[u8]) -> Result<Self, KeyIdError> {
        let kind = KeyKind::ALL.into_iter().find(|kind| bytes.starts_with(&kind.codec())).ok_or(KeyIdError::KeyType)?;
        let bytes = &bytes[2..];
        if bytes.len() != kind.public_len() {
            return Err(KeyIdError::Length);
        }
        Self::from_bytes(kind, bytes).ok_or(KeyIdError::Key)
    }

    /// The key as one of BBS.
    pub(super) fn bbs(&self) -> Option<&affinidi_bbs::PublicKey> {
        match &self.public {
            Public::Bls12381G2(key) => Some(key),
            _ => None,
        }
    }

    /// Whether this is the key's signature of the message. A key for lists of messages has none of a single one.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Ed25519(key) => signature.try_into().is_ok_and(|signature| key.verify(message, signature).is_ok()),
            Public::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Public::P384(key) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Public::Bls12381G2(_) => false,
        }
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let Some(multibase) = text.strip_prefix(SCHEME) else {
            let method = text.strip_prefix("did:").and_then(|rest| rest.split_once(':'));
            let named = method.is_some_and(|(name, id)| {
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) && !id.is_empty()
            });
            return Err(if named { KeyIdError::Method } else { KeyIdError::Invalid });
        };
        let base58 = multibase.strip_prefix('z').filter(|text| text.len() <= MAX_TEXT).ok_or(KeyIdError::Invalid)?;
        let bytes = bs58::decode(base58).into_vec().map_err(|_| KeyIdError::Invalid)?;
        let id = Self::from_multikey(&bytes)?;
        // Base58 has one text for some bytes, and compression one form for a point; this holds both.
        if id.text == text { Ok(id) } else { Err(KeyIdError::Invalid) }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for KeyId {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for KeyId {}

enum Secret {
    Ed25519(SigningKey),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Bls12381G2(affinidi_bbs::SecretKey),
}

/// A private key of one of the kinds. It can not be printed, serialised or cloned, and is wiped when it is dropped.
pub struct Signer(Secret);

impl Signer {
    /// The key of these bytes: a seed for Ed25519, else a number that is not 0 and smaller than the curve's order.
    pub fn from_secret(kind: KeyKind, secret: &[u8]) -> Result<Self, BadSecret> {
        let secret = match kind {
            KeyKind::Ed25519 => secret.try_into().ok().map(|seed| Secret::Ed25519(SigningKey::from_seed(seed))),
            KeyKind::P256 => p256::ecdsa::SigningKey::from_slice(secret).ok().map(Secret::P256),
            KeyKind::P384 => p384::ecdsa::SigningKey::from_slice(secret).ok().map(Secret::P384),
            KeyKind::Bls12381G2 => secret
                .try_into()
                .ok()
                .and_then(|secret: &[u8; 32]| affinidi_bbs::SecretKey::from_bytes(secret).ok().map(Secret::Bls12381G2)),
        };
        secret.map(Self).ok_or(BadSecret)
    }

    /// The DID of the public half.
    pub fn id(&self) -> KeyId {
        KeyId::of(match &self.0 {
            Secret::Ed25519(key) => Public::Ed25519(key.public()),
            Secret::P256(key) => Public::P256(*key.verifying_key()),
            Secret::P384(key) => Public::P384(*key.verifying_key()),
            Secret::Bls12381G2(key) => Public::Bls12381G2(Box::new(affinidi_bbs::sk_to_pk(key))),
        })
    }

    /// The key as one of BBS.
    pub(super) fn bbs(&self) -> Option<&affinidi_bbs::SecretKey> {
        match &self.0 {
            Secret::Bls12381G2(key) => Some(key),
            _ => None,
        }
    }

    /// Signs a message, without randomness (RFC 8032, RFC 6979). A key for lists of messages does not sign a single one.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(match &self.0 {
            Secret::Ed25519(key) => key.sign(message).to_vec(),
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_bytes().to_vec()
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_bytes().to_vec()
            }
            Secret::Bls12381G2(_) => return None,
        })
    }
}
