//! Signed HTTP requests: HTTP Message Signatures (RFC 9421) with one fixed list of components.

use crate::{Did, SigningKey, canonical::sha256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use consent::Timestamp;

const COMPONENTS: &str = r#"("@method" "@authority" "@path" "@query" "content-digest")"#;
const TAG: &str = "consent-wallet";
/// How far ahead the sender's clock may run, in seconds.
const MAX_AHEAD: i64 = 300;
const MAX_HEADER: usize = 1024;

/// The three header fields that carry a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeaders {
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
    /// `Content-Digest` (RFC 9530).
    pub content_digest: String,
}

/// Who sent a request. Only [`verify_request`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The sender.
    pub did: Did,
    /// The number used once. The server must remember it as long as a request may be old.
    pub nonce: String,
    /// When the request was signed.
    pub created: Timestamp,
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A header is not of the one form that is allowed.
    #[error("the signature headers have another form than the one that is allowed")]
    Form,
    /// The key is not an Ed25519 did:key.
    #[error("the key is not an Ed25519 did:key")]
    Key,
    /// The body is not the one that was signed.
    #[error("the body does not match its digest")]
    Digest,
    /// Signed too long ago.
    #[error("the request is too old")]
    TooOld,
    /// Signed in the future.
    #[error("the request was signed in the future")]
    TooNew,
    /// The signature is wrong.
    #[error("the signature does not match")]
    Signature,
}

/// Signs a request.
///
/// `authority` is the host, with the port if it is not the usual one; `path` begins with a slash; `query` is the part
/// after the question mark, or empty. `nonce` is 8 to 128 letters, digits, `-` or `_`, never used before.
#[expect(clippy::too_many_arguments, reason = "these are the parts of a request, and no more")]
pub fn sign_request(
    key: &SigningKey,
    method: &str,
    authority: &str,
    path: &str,
    query: &str,
    body: &[u8],
    created: Timestamp,
    nonce: &str,
) -> RequestHeaders {
    let content_digest = digest(body);
    let parameters = parameters(&key.did(), created, nonce);
    let base = base(method, authority, path, query, &content_digest, &parameters);
    RequestHeaders {
        signature_input: format!("sig1={parameters}"),
        signature: format!("sig1=:{}:", STANDARD.encode(key.sign(base.as_bytes()))),
        content_digest,
    }
}

/// Checks a signed request against what arrived. That the nonce is new is for the server to check.
#[expect(clippy::too_many_arguments, reason = "these are the parts of a request, and no more")]
pub fn verify_request(
    headers: &RequestHeaders,
    method: &str,
    authority: &str,
    path: &str,
    query: &str,
    body: &[u8],
    now: Timestamp,
    max_age_seconds: i64,
) -> Result<Caller, RequestError> {
    let caller = read_parameters(&headers.signature_input)?;
    let parameters = parameters(&caller.did, caller.created, &caller.nonce);
    // What is read is written again: there is one text for each set of parameters.
    if headers.signature_input != format!("sig1={parameters}") {
        return Err(RequestError::Form);
    }
    // A line break in a component could imitate another component.
    if [method, authority, path, query].iter().any(|part| part.bytes().any(|byte| !(0x21..=0x7e).contains(&byte))) {
        return Err(RequestError::Form);
    }
    if caller.created > now.plus_seconds(MAX_AHEAD) {
        return Err(RequestError::TooNew);
    }
    if caller.created < now.plus_seconds(-max_age_seconds) {
        return Err(RequestError::TooOld);
    }
    if headers.content_digest != digest(body) {
        return Err(RequestError::Digest);
    }
    let signature = headers.signature.strip_prefix("sig1=:").and_then(|rest| rest.strip_suffix(':'));
    let signature = STANDARD.decode(signature.ok_or(RequestError::Form)?).map_err(|_| RequestError::Form)?;
    let signature: [u8; 64] = signature.try_into().map_err(|_| RequestError::Form)?;
    let base = base(method, authority, path, query, &headers.content_digest, &parameters);
    caller.did.public_key().verify(base.as_bytes(), &signature).map_err(|_| RequestError::Signature)?;
    Ok(caller)
}

fn digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(sha256(body)))
}

fn parameters(did: &Did, created: Timestamp, nonce: &str) -> String {
    let (created, key) = (created.unix(), did.verification_method());
    format!(r#"{COMPONENTS};created={created};nonce="{nonce}";keyid="{key}";tag="{TAG}""#)
}

fn read_parameters(input: &str) -> Result<Caller, RequestError> {
    if input.len() > MAX_HEADER {
        return Err(RequestError::Form);
    }
    let read = || {
        let rest = input.strip_prefix("sig1=")?.strip_prefix(COMPONENTS)?.strip_prefix(";created=")?;
        let (created, rest) = rest.split_once(r#";nonce=""#)?;
        let (nonce, rest) = rest.split_once(r#"";keyid=""#)?;
        let (key, _) = rest.split_once('"')?;
        let created = Timestamp::from_unix(created.parse().ok()?);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        ((8..=128).contains(&nonce.len()) && nonce.bytes().all(plain)).then_some((created, nonce, key))
    };
    let (created, nonce, key) = read().ok_or(RequestError::Form)?;
    let did = Did::from_verification_method(key).map_err(|_| RequestError::Key)?;
    Ok(Caller { did, nonce: nonce.to_owned(), created })
}

/// The signature base of RFC 9421, section 2.5.
fn base(method: &str, authority: &str, path: &str, query: &str, content_digest: &str, parameters: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    format!(
        "\"@method\": {method}\n\"@authority\": {authority}\n\"@path\": {path}\n\"@query\": ?{query}\n\
         \"content-digest\": {content_digest}\n\"@signature-params\": {parameters}"
    )
}
