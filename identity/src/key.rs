//! Ed25519 keys (RFC 8032).

use crate::{Did, random};
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use std::fmt;
use zeroize::Zeroizing;

/// A public key: a canonical point of the curve that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Bytes that are not a usable public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a usable Ed25519 public key")]
pub struct BadKey;

/// A signature that does not belong to this message and this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match")]
pub struct BadSignature;

impl PublicKey {
    /// Reads a key. Refuses points off the curve, of small order, or in a form that is not canonical.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BadKey> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| BadKey)?;
        // The decoder reduces y modulo p, so one point would have two texts without this comparison.
        if !is_reduced(bytes) || key.is_weak() {
            return Err(BadKey);
        }
        Ok(Self(key))
    }

    /// The 32 bytes of RFC 8032.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The DID of this key.
    pub fn did(&self) -> Did {
        Did::of(*self)
    }

    /// Checks a signature by the strict rules, under which no second signature of the same message can be made
    /// without the key.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), BadSignature> {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| BadSignature)
    }

    /// The point of the curve.
    pub(crate) fn to_edwards(self) -> curve25519_dalek::EdwardsPoint {
        self.0.to_edwards()
    }

    /// The X25519 half of this key, as in the did:key specification: the same point in Montgomery form.
    pub fn to_x25519(&self) -> [u8; 32] {
        self.0.to_montgomery().to_bytes()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}

/// Whether y, without the sign of x in the highest bit, is smaller than p = 2^255 - 19.
pub(crate) fn is_reduced(bytes: &[u8; 32]) -> bool {
    let high = bytes[31] & 0x7f == 0x7f && bytes[1..31].iter().all(|byte| *byte == 0xff);
    !high || bytes[0] < 0xed
}

/// A private key. It can not be printed, serialised or cloned, and is wiped when it is dropped.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new random key.
    pub fn make() -> Self {
        Self::from_seed(*Zeroizing::new(random::bytes()))
    }

    /// The key of a seed (the private key of RFC 8032).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&Zeroizing::new(seed)))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        // The public half of a clamped private key is canonical and never of small order.
        PublicKey(self.0.verifying_key())
    }

    /// The DID of the public half.
    pub fn did(&self) -> Did {
        self.public().did()
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// The seed, for the one place that hands it to the credential library.
    pub(crate) fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The X25519 half of this key: the first half of SHA-512 of the seed.
    pub(crate) fn to_x25519(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_scalar_bytes())
    }
}
