//! Resources that a credential names with their hashes.

use super::contexts::bundled;
use super::model::is_url;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::collections::BTreeSet;

/// The form of `relatedResource`. When issuing, a hash of a context that is known also has to be right; anything else
/// would have to be fetched, which is for whoever uses the resource.
pub(super) fn check(document: &Map<String, Value>, issuing: bool) -> Result<(), String> {
    let items = match document.get("relatedResource") {
        None => return Ok(()),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    };
    let mut seen = BTreeSet::new();
    for item in items {
        let item = item.as_object().ok_or("a related resource is not an object")?;
        let id =
            item.get("id").and_then(Value::as_str).filter(|id| is_url(id)).ok_or("a related resource has no id")?;
        if !seen.insert(id) {
            return Err("a related resource is named twice".to_owned());
        }
        let hashes: Vec<&Value> = ["digestSRI", "digestMultibase"].iter().filter_map(|name| item.get(*name)).collect();
        if hashes.is_empty() {
            return Err("a related resource has no hash".to_owned());
        }
        let texts = hashes.iter().map(|hash| match hash {
            Value::String(text) => Some(vec![text.as_str()]),
            Value::Array(items) if !items.is_empty() => items.iter().map(Value::as_str).collect(),
            _ => None,
        });
        let texts: Vec<Vec<&str>> = texts.collect::<Option<_>>().ok_or("a hash is not a text")?;
        if let Some(context) = bundled(id).filter(|_| issuing)
            && !texts.iter().flatten().all(|text| is_hash_of(text, context.text.as_bytes()))
        {
            return Err("a hash of a related resource is not the right one".to_owned());
        }
    }
    Ok(())
}

/// Whether this is a hash of these bytes: as in Subresource Integrity, or in multibase: a multihash, or bare, as the data
/// model shows it.
fn is_hash_of(text: &str, bytes: &[u8]) -> bool {
    let digests = [
        ("sha256-", 0x12, Sha256::digest(bytes).to_vec()),
        ("sha384-", 0x20, Sha384::digest(bytes).to_vec()),
        ("sha512-", 0x13, Sha512::digest(bytes).to_vec()),
    ];
    digests.iter().any(|(prefix, code, digest)| {
        if let Some(base64) = text.strip_prefix(prefix) {
            return BASE64_STANDARD.decode(base64).is_ok_and(|hash| hash == *digest);
        }
        let multihash = [&[*code, digest.len() as u8][..], digest].concat();
        [&multihash, digest].iter().any(|bytes| match text.split_at_checked(1) {
            Some(("u", rest)) => BASE64_URL_SAFE_NO_PAD.encode(bytes) == rest,
            Some(("z", rest)) => bs58::encode(bytes).into_string() == rest,
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hashes_of_known_resources_are_compared_when_issuing() {
        let url = "https://www.w3.org/ns/credentials/v2";
        let right = "sha256-WZVc7WaX1h4D8rJVb+vlMIqxaEKEb1tYbX8fet7JJzQ=";
        let of = |item: Value| json!({ "relatedResource": [item] }).as_object().cloned().unwrap();
        assert_eq!(check(&of(json!({ "id": url, "digestSRI": right })), true), Ok(()));
        let bare = |text: &str| check(&of(json!({ "id": url, "digestMultibase": text })), true);
        assert_eq!(bare("uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ"), Ok(()));
        assert!(bare("uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k").is_err());
        let wrong = of(json!({ "id": url, "digestSRI": "sha256-AAAA" }));
        assert!(check(&wrong, true).is_err());
        assert_eq!(check(&wrong, false), Ok(()));
        for bad in
            [json!("x"), json!({ "digestSRI": right }), json!({ "id": url }), json!({ "id": url, "digestSRI": 1 })]
        {
            assert!(check(&of(bad.clone()), false).is_err(), "{bad}");
        }
        let twice = json!({ "id": url, "digestSRI": right });
        let twice = json!({ "relatedResource": [twice, twice] });
        assert!(check(twice.as_object().unwrap(), false).is_err());
    }
}
