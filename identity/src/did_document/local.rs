//! The documents of DIDs that are keys: `did:key` (did:key method v0.9) and `did:jwk`. They need nobody to be asked.

use super::{DidDocument, DidUrl, ResolveError};
use crate::parse_strict;
use crate::vc::{DID_V1, ED25519_2020, KeyId, KeyIdError, KeyKind, MULTIKEY_V1};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The context of `JsonWebKey2020`. Nobody here expands a DID document, so its text is not part of the program.
const JWS_2020: &str = "https://w3id.org/security/suites/jws-2020/v1";

/// The longest `did:jwk`, in characters: far more than a key of a known kind takes.
const MAX_JWK: usize = 1_024;

/// How the document of a key writes it down (did:key method, option `publicKeyFormat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFormat {
    /// `Multikey`.
    Multikey,
    /// `JsonWebKey2020`.
    JsonWebKey2020,
    /// `Ed25519VerificationKey2020`, which is for keys of that curve only.
    Ed25519VerificationKey2020,
}

impl KeyFormat {
    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "Multikey" => Some(Self::Multikey),
            "JsonWebKey2020" => Some(Self::JsonWebKey2020),
            "Ed25519VerificationKey2020" => Some(Self::Ed25519VerificationKey2020),
            _ => None,
        }
    }
}

/// The document of a `did:key`.
pub fn key_document(did: &DidUrl, format: KeyFormat) -> Result<DidDocument, ResolveError> {
    // A version may stand before the key; there is one only.
    let multibase = did.id().strip_prefix("1:").unwrap_or(did.id());
    let key: KeyId = format!("did:key:{multibase}").parse()?;
    if format == KeyFormat::Ed25519VerificationKey2020 && key.kind() != KeyKind::Ed25519 {
        return Err(ResolveError::KeyType);
    }
    let (context, kind, member, value) = match format {
        KeyFormat::Multikey => (MULTIKEY_V1, "Multikey", "publicKeyMultibase", json!(key.multibase())),
        KeyFormat::JsonWebKey2020 => {
            (JWS_2020, "JsonWebKey2020", "publicKeyJwk", key.to_jwk().ok_or(ResolveError::KeyType)?)
        }
        KeyFormat::Ed25519VerificationKey2020 => {
            (ED25519_2020, "Ed25519VerificationKey2020", "publicKeyMultibase", json!(key.multibase()))
        }
    };
    of_one_key(did, key.multibase(), context, kind, (member, value))
}

/// The document of a `did:jwk`.
pub(super) fn jwk_document(did: &DidUrl) -> Result<DidDocument, ResolveError> {
    let text = Some(did.id()).filter(|id| id.len() <= MAX_JWK).ok_or(ResolveError::InvalidDid)?;
    let bytes = URL_SAFE_NO_PAD.decode(text);
    let bytes = bytes.map_err(|_| ResolveError::InvalidDid)?;
    let jwk = parse_strict(&bytes, MAX_JWK, 3).map_err(|_| ResolveError::InvalidDid)?;
    KeyId::from_jwk(&jwk)?;
    of_one_key(did, "0", JWS_2020, "JsonWebKey2020", ("publicKeyJwk", jwk))
}

fn of_one_key(
    did: &DidUrl,
    fragment: &str,
    context: &str,
    kind: &str,
    (member, value): (&str, Value),
) -> Result<DidDocument, ResolveError> {
    let method = format!("{}#{fragment}", did.did());
    let json = json!({
        "@context": [DID_V1, context],
        "id": did.did(),
        "verificationMethod": [{ "id": method, "type": kind, "controller": did.did(), member: value }],
        "authentication": [method],
        "assertionMethod": [method],
        "capabilityDelegation": [method],
        "capabilityInvocation": [method],
    });
    DidDocument::from_json(json, did)
}

impl From<KeyIdError> for ResolveError {
    fn from(error: KeyIdError) -> Self {
        match error {
            KeyIdError::KeyType => Self::KeyType,
            KeyIdError::Length => Self::KeyLength,
            _ => Self::InvalidDid,
        }
    }
}
