//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 section 6.2, RFC 8037).

use super::keys::{KeyId, KeyIdError, KeyKind, Public};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

impl KeyId {
    /// Reads a public key. One that comes with its private half, or that says it is not for signatures, is refused.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyIdError> {
        let jwk = jwk.as_object().ok_or(KeyIdError::Invalid)?;
        let text = |name: &str| jwk.get(name).map(|value| value.as_str().unwrap_or_default());
        let operations =
            jwk.get("key_ops").is_none_or(|all| all.as_array().is_some_and(|all| all.contains(&json!("verify"))));
        if jwk.contains_key("d") || !operations || text("use").is_some_and(|purpose| purpose != "sig") {
            return Err(KeyIdError::Invalid);
        }
        let coordinate = |name: &str, len: usize| {
            let bytes = URL_SAFE_NO_PAD.decode(text(name).unwrap_or_default()).map_err(|_| KeyIdError::Invalid)?;
            if bytes.len() == len { Ok(bytes) } else { Err(KeyIdError::Length) }
        };
        // Not compressed (SEC 1, section 2.3.3).
        let point = |len: usize| Ok::<_, KeyIdError>([vec![4], coordinate("x", len)?, coordinate("y", len)?].concat());
        let (kind, bytes) = match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => (KeyKind::Ed25519, coordinate("x", 32)?),
            (Some("EC"), Some("P-256")) => (KeyKind::P256, point(32)?),
            (Some("EC"), Some("P-384")) => (KeyKind::P384, point(48)?),
            _ => return Err(KeyIdError::KeyType),
        };
        Self::from_bytes(kind, &bytes).ok_or(KeyIdError::Key)
    }

    /// The public key, with the members that its thumbprint is over (RFC 7638) and no others. How a key of BLS12-381 is
    /// written is not settled, so it has none.
    pub fn to_jwk(&self) -> Option<Value> {
        let (curve, x, y) = match self.public() {
            Public::Ed25519(key) => {
                return Some(json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(key.as_bytes()) }));
            }
            Public::P256(key) => {
                let point = key.to_encoded_point(false);
                ("P-256", point.x().map(|x| x.to_vec()), point.y().map(|y| y.to_vec()))
            }
            Public::P384(key) => {
                let point = key.to_encoded_point(false);
                ("P-384", point.x().map(|x| x.to_vec()), point.y().map(|y| y.to_vec()))
            }
            Public::Bls12381G2(_) => return None,
        };
        // A point that is not compressed has both coordinates.
        let (x, y) = (URL_SAFE_NO_PAD.encode(x?), URL_SAFE_NO_PAD.encode(y?));
        Some(json!({ "kty": "EC", "crv": curve, "x": x, "y": y }))
    }
}
