//! Making an SD-JWT (RFC 9901, section 4.2).

use super::unfold::reserved;
use super::{HASH, SdJwtError, TYP_TYPED, TYP_W3C, digest};
use crate::canonical::to_canonical;
use crate::jose::named::own_method;
use crate::jose::token::sign;
use crate::random;
use crate::vc::{IssueError, KeyId, Signer, sound, with_room};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What everybody always sees (SD-JWT VC, section 3.2.2.2; VC-JOSE-COSE, section 3.2.1).
pub(super) const SHOWN: [&str; 16] = [
    "iss",
    "iat",
    "nbf",
    "exp",
    "cnf",
    "vct",
    "vct#integrity",
    "status",
    "@context",
    "type",
    "issuer",
    "validFrom",
    "validUntil",
    "credentialStatus",
    "credentialSchema",
    "relatedResource",
];

/// What the holder can keep to themselves, and who that is.
#[derive(Debug, Clone, Default)]
pub struct Concealed<'a> {
    /// JSON pointers (RFC 6901) to claims and to items of arrays. What is within a concealed one can be concealed too.
    pub pointers: &'a [&'a str],
    /// How many digests without a meaning stand beside those of each object and array, so that nobody can count.
    pub decoys: usize,
    /// The key of the holder, without which nobody can present the credential.
    pub holder: Option<&'a KeyId>,
}

/// Signs claims as an SD-JWT: as an SD-JWT VC if they have a `vct`, as a W3C credential if they have an `@context`. The
/// issuer is named by the `did:key` or the `did:jwk` of the key.
pub fn issue_sd_jwt(claims: &Value, concealed: &Concealed, key: &Signer) -> Result<String, SdJwtError> {
    let wrong = |error: &str| SdJwtError::Claims(error.to_owned());
    let mut payload = claims.as_object().cloned().ok_or_else(|| wrong("not an object"))?;
    if !free_of_reserved(claims) {
        return Err(wrong("a name is reserved"));
    }
    if payload.contains_key("cnf") {
        return Err(wrong("cnf is made of the holder's key"));
    }
    let (typ, named) = if payload.contains_key("@context") {
        let named = with_room(|| sound(&payload, false).map(|name| name.map(str::to_owned)));
        let named =
            named.unwrap_or(Err(IssueError::Signature)).map_err(|error| SdJwtError::Claims(error.to_string()))?;
        (TYP_W3C, named)
    } else {
        payload.get("vct").and_then(Value::as_str).ok_or_else(|| wrong("there is no vct"))?;
        (TYP_TYPED, payload.get("iss").and_then(Value::as_str).map(str::to_owned))
    };
    let method = own_method(&key.id(), &named.unwrap_or_default()).ok_or(SdJwtError::OtherName)?;
    if let Some(holder) = concealed.holder {
        let jwk = holder.to_jwk().ok_or(wrong("the holder's key has no JWK"))?;
        payload.insert("cnf".to_owned(), json!({ "jwk": jwk }));
    }
    let mut payload = Value::Object(payload);
    let disclosures = conceal(&mut payload, concealed)?;
    let Value::Object(mut payload) = payload else { return Err(wrong("not an object")) };
    payload.insert("_sd_alg".to_owned(), json!(HASH));
    let header = Map::from_iter([("kid".to_owned(), json!(method))]);
    let token = sign(key, typ, header, &payload).ok_or(SdJwtError::Signature)?;
    Ok([token].into_iter().chain(disclosures).map(|part| part + "~").collect())
}

/// Whether nothing in the claims could be taken for a digest.
fn free_of_reserved(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.iter().all(|(name, value)| !reserved(name) && free_of_reserved(value)),
        Value::Array(items) => items.iter().all(free_of_reserved),
        _ => true,
    }
}

/// Puts digests in the place of what is concealed, the innermost first.
fn conceal(payload: &mut Value, concealed: &Concealed) -> Result<Vec<String>, SdJwtError> {
    let bad = |pointer: &str| SdJwtError::Pointer(pointer.to_owned());
    let mut parents: BTreeMap<(usize, &str), Vec<&str>> = BTreeMap::new();
    for pointer in concealed.pointers {
        let (parent, name) = pointer.rsplit_once('/').ok_or_else(|| bad(pointer))?;
        if parent.is_empty() && SHOWN.contains(&name) {
            return Err(bad(pointer));
        }
        parents.entry((parent.matches('/').count(), parent)).or_default().push(name);
    }
    let mut disclosures = Vec::new();
    for ((_, parent), names) in parents.iter().rev() {
        match payload.pointer_mut(parent) {
            Some(Value::Object(object)) => {
                let mut digests = Vec::new();
                for name in names {
                    let name = name.replace("~1", "/").replace("~0", "~");
                    let value = object.remove(&name).ok_or_else(|| bad(parent))?;
                    let disclosure = disclosure(&json!([salt(), name, value]))?;
                    digests.push(digest(&disclosure));
                    disclosures.push(disclosure);
                }
                digests.extend((0..concealed.decoys).map(|_| digest(&salt())));
                // In their own order, which tells nothing of that of the claims.
                digests.sort();
                object.insert("_sd".to_owned(), json!(digests));
            }
            Some(Value::Array(items)) => {
                for name in names {
                    let index = name.parse::<usize>().ok().filter(|index| index.to_string() == *name);
                    let item = index.and_then(|index| items.get_mut(index)).filter(|item| item.get("...").is_none());
                    let item = item.ok_or_else(|| bad(parent))?;
                    let disclosure = disclosure(&json!([salt(), item]))?;
                    *item = json!({ "...": digest(&disclosure) });
                    disclosures.push(disclosure);
                }
                for _ in 0..concealed.decoys {
                    let place = u64::from_le_bytes(random::bytes()) % (items.len() as u64 + 1);
                    items.insert(place as usize, json!({ "...": digest(&salt()) }));
                }
            }
            _ => return Err(bad(parent)),
        }
    }
    Ok(disclosures)
}

/// 128 bits, as RFC 9901, section 9.3 recommends.
fn salt() -> String {
    URL_SAFE_NO_PAD.encode(random::bytes::<16>())
}

fn disclosure(parts: &Value) -> Result<String, SdJwtError> {
    to_canonical(parts).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|error| SdJwtError::Claims(error.to_string()))
}
