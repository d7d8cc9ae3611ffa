//! The two DIDs that a key has by itself, its `did:key` and its `did:jwk`, and the one key that each of them has.

use crate::canonical::to_canonical;
use crate::vc::KeyId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The `did:jwk` of a key, made of the canonical form of its JWK; none for a kind that has no settled one. Others may
/// write the same key in another form, which is another DID.
pub fn did_jwk(key: &KeyId) -> Option<String> {
    Some(format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(to_canonical(&key.to_jwk()?).ok()?)))
}

/// The DID URL of the only key that a DID has; other methods have documents that list several.
pub(crate) fn only_key(did: &str) -> Option<String> {
    match did.split_once(':')?.1.split_once(':')? {
        ("key", key) => Some(format!("{did}#{key}")),
        ("jwk", _) => Some(format!("{did}#0")),
        _ => None,
    }
}

/// The DID URL under which a key signs for this DID, if that is one of its own.
pub(crate) fn own_method(key: &KeyId, did: &str) -> Option<String> {
    [Some(key.to_string()), did_jwk(key)].into_iter().flatten().find(|own| own == did).and_then(|own| only_key(&own))
}
