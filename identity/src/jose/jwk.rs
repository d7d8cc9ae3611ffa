//! Public keys as JSON Web Keys (RFC 7517), and the `did:jwk` that each of them is.

use crate::canonical::{parse_strict, to_canonical};
use crate::vc::{KeyId, KeyIdError, KeyKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

const SCHEME: &str = "did:jwk:";
/// The longest key that is read, in bytes, and its levels.
const MAX_JWK: usize = 1024;
const MAX_LEVELS: usize = 3;
/// Members of private and of symmetric keys (RFC 7518, section 6). Who shows one has lost it.
const SECRET: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The names of a kind of key: `kty`, `crv`, and the bytes of a coordinate.
fn names(kind: KeyKind) -> (&'static str, &'static str, usize) {
    match kind {
        KeyKind::Ed25519 => ("OKP", "Ed25519", 32),
        KeyKind::P256 => ("EC", "P-256", 32),
        KeyKind::P384 => ("EC", "P-384", 48),
    }
}

/// A key as a JWK, with the members that its thumbprint has (RFC 7638) and no others.
pub fn to_jwk(key: &KeyId) -> Value {
    let (kty, crv, _) = names(key.kind());
    let bytes = key.coordinates();
    match key.kind() {
        KeyKind::Ed25519 => json!({ "kty": kty, "crv": crv, "x": URL_SAFE_NO_PAD.encode(bytes) }),
        KeyKind::P256 | KeyKind::P384 => {
            let (x, y) = bytes.split_at(bytes.len() / 2);
            json!({ "kty": kty, "crv": crv, "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
        }
    }
}

/// The key of a JWK: of a kind that is known, for signatures, and without anything secret.
pub fn from_jwk(jwk: &Value) -> Result<KeyId, KeyIdError> {
    let jwk = jwk.as_object().ok_or(KeyIdError::Invalid)?;
    if SECRET.iter().any(|name| jwk.contains_key(*name)) || !signs(jwk) {
        return Err(KeyIdError::Invalid);
    }
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let kind = KeyKind::ALL.into_iter().find(|kind| {
        let (kty, crv, _) = names(*kind);
        text("kty") == Some(kty) && text("crv") == Some(crv)
    });
    let kind = kind.ok_or(KeyIdError::KeyType)?;
    let coordinate = |name: &str| {
        let bytes = text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(KeyIdError::Invalid)?;
        if bytes.len() == names(kind).2 { Ok(bytes) } else { Err(KeyIdError::Length) }
    };
    let bytes = match kind {
        KeyKind::Ed25519 => coordinate("x")?,
        KeyKind::P256 | KeyKind::P384 => [vec![4], coordinate("x")?, coordinate("y")?].concat(),
    };
    KeyId::from_bytes(kind, &bytes).ok_or(KeyIdError::Key)
}

/// Whether the key says that it is for signatures, or says nothing.
fn signs(jwk: &Map<String, Value>) -> bool {
    let used = jwk.get("use").is_none_or(|used| used == "sig");
    let operations =
        jwk.get("key_ops").is_none_or(|all| all.as_array().is_some_and(|all| all.contains(&json!("verify"))));
    used && operations
}

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
        let jwk = to_canonical(&to_jwk(&key)).unwrap_or_default();
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
        Ok(Self { did: did.to_owned(), key: from_jwk(&jwk)? })
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
