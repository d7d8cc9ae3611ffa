//! What has to be fetched before a document can be verified. Whoever wrote the document chose the addresses, so there are
//! few, and nothing of it is believed.

use super::proof::proofs;
use super::verify::MAX_CREDENTIALS;
use super::{MAX_BYTES, MAX_DEPTH, model};
use crate::canonical::parse_document;
use crate::did_document::{DidUrl, address_of};
use crate::jose::Enveloped;
use crate::status::status_entries;
use serde_json::{Map, Value};

/// How many DIDs, and how many status lists, of one document are looked up, at most.
const MAX_NAMED: usize = 8;

/// The DIDs whose documents a verification of these bytes needs and that have to be fetched: each once.
pub fn named_dids(bytes: &[u8]) -> Vec<DidUrl> {
    let mut found = Vec::<DidUrl>::new();
    visit(bytes, &mut |kid, document| {
        let of_proofs = proofs(document).unwrap_or_default().into_iter();
        let methods = of_proofs.filter_map(|proof| proof.get("verificationMethod")?.as_str());
        for method in kid.into_iter().chain(methods) {
            let Ok(did) = DidUrl::parse(method).and_then(|url| DidUrl::parse_did(url.did())) else { continue };
            if found.len() < MAX_NAMED && !found.contains(&did) && matches!(address_of(&did), Ok(Some(_))) {
                found.push(did);
            }
        }
    });
    found
}

/// The URLs of the status lists that a verification of these bytes needs: each once.
pub fn named_lists(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::<String>::new();
    visit(bytes, &mut |_, document| {
        for entry in status_entries(document).unwrap_or_default() {
            if found.len() < MAX_NAMED && !found.iter().any(|list| list == entry.list()) {
                found.push(entry.list().to_owned());
            }
        }
    });
    found
}

/// Shows a document and each credential in it, taken out of its envelope, with the `kid` of its token if it is one.
fn visit(bytes: &[u8], see: &mut impl FnMut(Option<&str>, &Map<String, Value>)) {
    if let Ok(Value::Object(document)) = parse_document(bytes, MAX_BYTES, MAX_DEPTH) {
        one(&document, true, see);
    }
}

fn one(document: &Map<String, Value>, outermost: bool, see: &mut impl FnMut(Option<&str>, &Map<String, Value>)) {
    let enveloped = Enveloped::of(document).and_then(|enveloped| enveloped.unread());
    let (kid, document) = match &enveloped {
        Some((kid, inside)) => (Some(kid.as_str()), inside),
        None => (None, document),
    };
    see(kid, document);
    let held = model::objects(document, "verifiableCredential").ok().flatten().filter(|_| outermost);
    for credential in held.unwrap_or_default().into_iter().take(MAX_CREDENTIALS) {
        one(credential, false, see);
    }
}
