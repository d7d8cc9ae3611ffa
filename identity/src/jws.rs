//! Signed messages: compact JWS (RFC 7515) with EdDSA (RFC 8037), one form only.

use crate::canonical::{parse_strict, to_canonical};
use crate::{Did, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The longest message that is read, in characters.
pub const MAX_JWS: usize = 64 * 1024;
const MAX_HEADER: usize = 1024;

/// A message whose signature was checked. Only [`verify_jws`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedJws {
    /// Who signed.
    pub signer: Did,
    /// What kind of message this is. The caller must compare it.
    pub typ: String,
    /// The message.
    pub payload: Vec<u8>,
}

/// Why a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// More than 64 KiB.
    #[error("the message is too long")]
    TooLong,
    /// Not three parts in unpadded base64url.
    #[error("not a compact JWS")]
    Form,
    /// The header is not exactly `alg`, `kid` and `typ` in canonical JSON.
    #[error("the header has another form than the one that is allowed")]
    Header,
    /// Another algorithm than EdDSA.
    #[error("the algorithm is not EdDSA")]
    Algorithm,
    /// `kid` is not the DID URL of an Ed25519 did:key.
    #[error("the key is not an Ed25519 did:key")]
    Key,
    /// The signature is wrong.
    #[error("the signature does not match")]
    Signature,
}

/// A compact JWS taken apart (RFC 7515, section 7.1); nothing of it is believed yet.
pub(crate) struct Parts<'a> {
    /// The text that the signature is over.
    pub(crate) signed: &'a str,
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// Takes a compact JWS apart.
pub(crate) fn take_apart(compact: &str) -> Result<Parts<'_>, JwsError> {
    let (signed, signature) = compact.rsplit_once('.').ok_or(JwsError::Form)?;
    let (header, payload) = signed.split_once('.').ok_or(JwsError::Form)?;
    // This alphabet refuses padding, dots and stray bits, so that each message has one text.
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Form);
    Ok(Parts { signed, header: decode(header)?, payload: decode(payload)?, signature: decode(signature)? })
}

/// What the signature of a compact JWS is over.
pub(crate) fn signing_input(header: &[u8], payload: &[u8]) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

/// Signs a message. `typ` says what kind of message it is, so that none can be taken for another.
pub fn sign_jws(key: &SigningKey, typ: &str, payload: &[u8]) -> String {
    let signed = signing_input(&header(&key.did(), typ), payload);
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Checks a signed message.
pub fn verify_jws(compact: &str) -> Result<VerifiedJws, JwsError> {
    if compact.len() > MAX_JWS {
        return Err(JwsError::TooLong);
    }
    let Parts { signed, header: head, payload, signature } = take_apart(compact)?;

    let parsed = parse_strict(&head, MAX_HEADER, 1).map_err(|_| JwsError::Header)?;
    let text = |name: &str| parsed.get(name).and_then(Value::as_str).ok_or(JwsError::Header);
    if text("alg")? != "EdDSA" {
        return Err(JwsError::Algorithm);
    }
    let signer = Did::from_verification_method(text("kid")?).map_err(|_| JwsError::Key)?;
    let typ = text("typ")?.to_owned();
    if header(&signer, &typ) != head {
        return Err(JwsError::Header);
    }
    let signature: [u8; 64] = signature.try_into().map_err(|_| JwsError::Signature)?;
    signer.public_key().verify(signed.as_bytes(), &signature).map_err(|_| JwsError::Signature)?;
    Ok(VerifiedJws { signer, typ, payload })
}

fn header(signer: &Did, typ: &str) -> Vec<u8> {
    // Three texts always have a canonical form.
    to_canonical(&json!({ "alg": "EdDSA", "kid": signer.verification_method(), "typ": typ })).unwrap_or_default()
}
