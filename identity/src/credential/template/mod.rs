//! The short way to what is signed: our own credentials become canonical N-Quads by a table.
//!
//! The contexts of our credentials never change, so what JSON-LD makes of a member is known beforehand. The table says
//! it, the walk writes the statements, and the order of RDFC-1.0 follows from the hashes of first degree. Whatever does
//! not fit gives `None`, and the caller asks the library, which knows all of JSON-LD. So an answer from here is one
//! that the library would give as well; `template/tests.rs` compares them byte by byte.

mod quads;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod walk;

use super::{CRYPTOSUITE, PROOF_TYPE};
use consent::Timestamp;
use quads::Lines;
use serde_json::{Map, Value};
use table::TABLE;
use text::SCHEMES;

/// What the signature of a document is about: SHA-256 of the options of the proof, and of the document without it.
pub(super) fn signed_bytes(document: &Map<String, Value>, proof: &Map<String, Value>) -> Option<[u8; 64]> {
    let (options, document) = (options(proof)?.sha256(), lines(document)?.sha256());
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&options);
    bytes[32..].copy_from_slice(&document);
    Some(bytes)
}

/// The canonical N-Quads of a credential or a presentation, without its own proof.
fn lines(document: &Map<String, Value>) -> Option<Lines> {
    let table = TABLE.as_ref()?;
    if document.contains_key("credentialSubject") {
        walk::credential(table, document)?.canonical()
    } else {
        walk::presentation(table, document)?.canonical()
    }
}

/// The canonical N-Quads of a proof's options, which are the proof without its value.
fn options(proof: &Map<String, Value>) -> Option<Lines> {
    let text = |name: &str| proof.get(name).and_then(Value::as_str);
    if text("type") != Some(PROOF_TYPE) || text("cryptosuite") != Some(CRYPTOSUITE) {
        return None;
    }
    // The library reads these two as times. There is one way to write a time that leaves nothing to be done.
    for name in ["created", "expires"].into_iter().filter(|name| proof.contains_key(*name)) {
        let moment: Timestamp = text(name)?.parse().ok()?;
        if text(name) != Some(moment.to_string().as_str()) {
            return None;
        }
    }
    walk::options(TABLE.as_ref()?, proof)?.canonical()
}

/// The canonical N-Quads of a credential or a presentation as text.
pub(super) fn canonical_text(document: &Map<String, Value>) -> Option<String> {
    lines(document).map(|lines| lines.to_text())
}

/// The canonical N-Quads of a proof's options as text.
pub(super) fn canonical_options(proof: &Map<String, Value>) -> Option<String> {
    // Without it the library takes it for no proof.
    proof.get("proofValue")?;
    options(proof).map(|lines| lines.to_text())
}
