//! JWTs that others sign with a key of a DID (RFC 7515, RFC 7519): any order of the header, and any algorithm that goes
//! with the key. Our own messages have one form only; see [`crate::verify_jws`].

use super::reading::{object, text};
use super::{MAX_BYTES, Read, Refused};
use crate::vc::{KeyId, KeyKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::Timestamp;
use serde_json::{Map, Value};

/// How far another clock may run ahead, in seconds.
const MAX_AHEAD: i64 = 300;

/// A JWT whose signature was checked.
pub(super) struct Jwt {
    pub signer: KeyId,
    pub claims: Map<String, Value>,
}

/// Checks a signed JWT of this `typ`: the key is the one that `kid` names, and the algorithm is that key's.
pub(super) fn open(compact: &str, typ: &str) -> Read<Jwt> {
    let form = || Refused::new("signature", "not a compact JWS");
    if compact.len() > MAX_BYTES {
        return Err(Refused::new("size", format!("longer than {MAX_BYTES} bytes")));
    }
    let (signed, signature) = compact.rsplit_once('.').ok_or_else(form)?;
    let (head, payload) = signed.split_once('.').ok_or_else(form)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| form());
    let (head, payload, signature) = (object(&decode(head)?)?, decode(payload)?, decode(signature)?);

    if text(&head, "typ", "typ")? != typ {
        return Err(Refused::new("typ", format!("not of the type {typ}")));
    }
    // Members that change what is signed, or bring a key of the sender's choice along.
    if ["crit", "b64", "jwk", "jku", "x5u", "x5c"].iter().any(|name| head.contains_key(*name)) {
        return Err(Refused::new("signature", "the header has a member that is not allowed"));
    }
    let signer = KeyId::from_verification_method(text(&head, "kid", "signature")?)
        .map_err(|error| Refused::new("signature", error.to_string()))?;
    let algorithm = match signer.kind() {
        KeyKind::Ed25519 => "EdDSA",
        KeyKind::P256 => "ES256",
        KeyKind::P384 => "ES384",
    };
    if text(&head, "alg", "signature")? != algorithm {
        return Err(Refused::new("signature", "the algorithm is not that of the key"));
    }
    if !signer.verify(signed.as_bytes(), &signature) {
        return Err(Refused::new("signature", "the signature does not match"));
    }
    Ok(Jwt { signer, claims: object(&payload)? })
}

/// The times of a JWT, where it has them: made before now, and not over. Hands out its end. Units are seconds since 1970.
pub(super) fn times(claims: &Map<String, Value>, now: Timestamp) -> Read<Option<Timestamp>> {
    let moment = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let seconds = value.as_i64().ok_or_else(|| Refused::new("expires", format!("{name} is not a time")))?;
            Ok(Some(seconds))
        }
    };
    let ahead = now.unix() + MAX_AHEAD;
    if moment("iat")?.is_some_and(|at| at > ahead) || moment("nbf")?.is_some_and(|at| at > ahead) {
        return Err(Refused::new("expires", "made in the future"));
    }
    match moment("exp")? {
        Some(end) if end < now.unix() => Err(Refused::new("expires", "it is over")),
        end => Ok(end.map(Timestamp::from_unix)),
    }
}
