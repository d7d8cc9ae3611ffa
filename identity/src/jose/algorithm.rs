//! The algorithms of signed tokens that are known, each for one kind of key.

use crate::vc::KeyKind;
use std::fmt;

/// An algorithm of RFC 7518 or RFC 8037. There is no `none`, nothing symmetric and no RSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4).
    Es256,
    /// ECDSA on P-384 with SHA-384 (RFC 7518, section 3.4).
    Es384,
}

impl Algorithm {
    /// Every algorithm that is known.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Es384];

    /// Its name in a header.
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }

    /// The algorithm that a header names. `Ed25519` is the newer name of the same (RFC 9864).
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let name = if name == "Ed25519" { "EdDSA" } else { name };
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The one algorithm of a kind of key; none for a kind that signs no single message.
    pub(super) fn of_key(kind: KeyKind) -> Option<Self> {
        match kind {
            KeyKind::Ed25519 => Some(Self::EdDsa),
            KeyKind::P256 => Some(Self::Es256),
            KeyKind::P384 => Some(Self::Es384),
            KeyKind::Bls12381G2 => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
