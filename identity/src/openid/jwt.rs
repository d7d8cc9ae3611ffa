//! JWTs that others sign with a key of a DID, read as all signed tokens are (`crate::jose`). Our own messages have one
//! form only; see [`crate::verify_jws`].

use super::{MAX_BYTES, Read, Refused};
use crate::jose::Algorithm;
use crate::jose::token::{moment, read};
use crate::vc::{KeyId, MAX_AHEAD};
use consent::Timestamp;
use serde_json::{Map, Value};

/// A JWT whose signature was checked.
pub(super) struct Jwt {
    pub signer: KeyId,
    pub claims: Map<String, Value>,
}

/// Checks a signed JWT of this `typ`: the key is the one that `kid` names, and the algorithm is that key's.
pub(super) fn open(compact: &str, typ: &str) -> Read<Jwt> {
    let wrong = |detail: String| Refused::new("signature", detail);
    if compact.len() > MAX_BYTES {
        return Err(Refused::new("size", format!("longer than {MAX_BYTES} bytes")));
    }
    let token = read(compact, &[typ], &Algorithm::ALL).map_err(|(name, detail)| match name {
        "size" | "typ" => Refused::new(name, detail),
        _ => wrong(detail),
    })?;
    let method = token.method(None).map_err(wrong)?;
    let signer = KeyId::from_verification_method(&method).map_err(|error| wrong(error.to_string()))?;
    token.signed_by(&signer).map_err(wrong)?;
    Ok(Jwt { signer, claims: token.payload })
}

/// The times of a JWT, where it has them: made before now, and not over. Hands out its end.
pub(super) fn times(claims: &Map<String, Value>, now: Timestamp) -> Read<Option<Timestamp>> {
    let moment = |name: &str| moment(claims, name).map_err(|detail| Refused::new("expires", detail));
    let latest = now.plus_seconds(MAX_AHEAD);
    if moment("iat")?.is_some_and(|at| at > latest) || moment("nbf")?.is_some_and(|at| at > latest) {
        return Err(Refused::new("expires", "made in the future"));
    }
    match moment("exp")? {
        Some(end) if end < now => Err(Refused::new("expires", "it is over")),
        end => Ok(end),
    }
}
