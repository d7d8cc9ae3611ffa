//! What a proof signs: the hash of its own options, followed by the hash of the document.

use super::contexts::{DATA_INTEGRITY_V1, DATA_INTEGRITY_V2, ED25519_2020, V2};
use super::jsonld::statements;
use super::rdf::Statements;
use super::rdfc::canonicalize;
use super::suite::{Form, Hash, Suite};
use crate::to_canonical;
use serde_json::{Map, Value, json};

/// The canonical N-Quads of a set of statements.
pub(super) fn canonical(statements: &Statements, hash: Hash) -> Result<String, String> {
    canonicalize(&statements.quads, statements.blanks, hash).map_err(|error| error.to_string())
}

/// A document without its proofs.
pub(super) fn without_proof(document: &Map<String, Value>) -> Map<String, Value> {
    let mut bare = document.clone();
    bare.remove("proof");
    bare
}

/// Whether a list of contexts says what the members of such a proof mean.
fn explains(contexts: &Value, suite: Suite) -> bool {
    let names: &[&str] = if suite == Suite::Ed25519Signature2020 {
        &[ED25519_2020]
    } else {
        &[V2, DATA_INTEGRITY_V1, DATA_INTEGRITY_V2]
    };
    match contexts {
        Value::Array(items) => items.iter().any(|item| item.as_str().is_some_and(|item| names.contains(&item))),
        Value::String(item) => names.contains(&item.as_str()),
        _ => false,
    }
}

/// The contexts of a document with the one of the suite, if it is missing.
pub(super) fn with_suite_context(contexts: &Value, suite: Suite) -> Value {
    if explains(contexts, suite) {
        return contexts.clone();
    }
    let mut all = match contexts {
        Value::Array(items) => items.clone(),
        other => vec![other.clone()],
    };
    all.push(json!(if suite == Suite::Ed25519Signature2020 { ED25519_2020 } else { DATA_INTEGRITY_V2 }));
    Value::Array(all)
}

/// The canonical statements of the options of a proof, which is without its value.
pub(super) fn canonical_options(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    suite: Suite,
    hash: Hash,
) -> Result<String, String> {
    let mut options = proof.clone();
    let contexts = document.get("@context").unwrap_or(&Value::Null);
    if options.get("@context").is_some_and(|own| own != contexts) {
        return Err("the proof has contexts of its own".to_owned());
    }
    options.insert("@context".to_owned(), with_suite_context(contexts, suite));
    canonical(&statements(&Value::Object(options))?, hash)
}

/// The bytes that are signed. `document` has no proof, or those that this one follows; `proof` is without its value.
pub(super) fn signed_bytes(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    suite: Suite,
    hash: Hash,
) -> Result<Vec<u8>, String> {
    let (options, document) = match suite.form() {
        Form::Statements => {
            let options = canonical_options(document, proof, suite, hash)?;
            let document = canonical(&statements(&Value::Object(document.clone()))?, hash)?;
            (options.into_bytes(), document.into_bytes())
        }
        Form::Parts => return Err("the suite does not sign a document as a whole".to_owned()),
        Form::Json => {
            let mut document = document.clone();
            if let Some(contexts) = proof.get("@context") {
                // Contexts that were added afterwards are not part of what was signed.
                let own = document.get("@context").cloned().unwrap_or_default();
                if !begins_with(&own, contexts) {
                    return Err("the document does not begin with the contexts of the proof".to_owned());
                }
                document.insert("@context".to_owned(), contexts.clone());
            }
            let json = |object: &Map<String, Value>| to_canonical(object).map_err(|error| error.to_string());
            (json(proof)?, json(&document)?)
        }
    };
    Ok([hash.digest(&options), hash.digest(&document)].concat())
}

fn begins_with(all: &Value, start: &Value) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    list(all).starts_with(&list(start))
}
