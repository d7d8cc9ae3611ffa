//! Resolving DIDs: `did:key`, which needs no network. Two forms, because the tests of the two specifications ask for
//! errors in different ones.

use super::answer::typed;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use identity::vc::{KeyId, KeyIdError};
use serde_json::{Value, json};

const RESOLUTION: &str = "https://w3id.org/did-resolution/v1";
const OF_RESULT: &str = "application/did-resolution";
const OF_DOCUMENT: &str = "application/did";
const LEGACY: &str = "application/ld+json;profile=\"https://w3id.org/did-resolution\"";

/// What the caller can read: media types without their parameters.
fn accepted(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds = values.flat_map(|value| value.split(','));
    kinds.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()).collect()
}

/// As in the DID resolution specification: errors are problem details.
pub(super) async fn resolve(Path(did): Path<String>, headers: HeaderMap) -> Response {
    let kinds = accepted(&headers);
    let reads = |kind: &str| kinds.iter().any(|one| one == kind);
    let any =
        kinds.is_empty() || ["*/*", "application/*", "application/json", "application/ld+json"].into_iter().any(reads);
    if !any && !reads(OF_RESULT) && !reads(OF_DOCUMENT) {
        return failed(StatusCode::NOT_ACCEPTABLE, "REPRESENTATION_NOT_SUPPORTED", "No form that the caller reads.");
    }
    match did.parse::<KeyId>() {
        Ok(key) if reads(OF_DOCUMENT) && !reads(OF_RESULT) => typed(StatusCode::OK, OF_DOCUMENT, &key.document()),
        Ok(key) => typed(StatusCode::OK, OF_RESULT, &result(key.document(), json!({ "contentType": OF_RESULT }))),
        Err(KeyIdError::Method) => {
            failed(StatusCode::NOT_IMPLEMENTED, "METHOD_NOT_SUPPORTED", "A DID of a method that is not known.")
        }
        Err(_) => failed(StatusCode::BAD_REQUEST, "INVALID_DID", "Not a DID of a key that is known."),
    }
}

fn failed(status: StatusCode, code: &str, title: &str) -> Response {
    let error = json!({ "type": format!("https://www.w3.org/ns/did#{code}"), "title": title });
    typed(status, OF_RESULT, &result(Value::Null, json!({ "contentType": OF_RESULT, "error": error })))
}

/// As the earlier interface had it: errors are words.
pub(super) async fn resolve_legacy(Path(did): Path<String>) -> Response {
    let (status, error) = match did.parse::<KeyId>() {
        Ok(key) => {
            let found = result(key.document(), json!({ "contentType": "application/did+ld+json" }));
            return typed(StatusCode::OK, LEGACY, &found);
        }
        Err(KeyIdError::Method) => (StatusCode::NOT_IMPLEMENTED, "methodNotSupported"),
        Err(KeyIdError::KeyType) => (StatusCode::BAD_REQUEST, "unsupportedPublicKeyType"),
        Err(KeyIdError::Length) => (StatusCode::BAD_REQUEST, "invalidPublicKeyLength"),
        Err(_) => (StatusCode::BAD_REQUEST, "invalidDid"),
    };
    typed(status, LEGACY, &result(Value::Null, json!({ "error": error })))
}

fn result(document: Value, metadata: Value) -> Value {
    json!({
        "@context": RESOLUTION,
        "didDocument": document,
        "didDocumentMetadata": {},
        "didResolutionMetadata": metadata,
    })
}
