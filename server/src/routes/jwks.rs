//! The institution's key as a JWK set (RFC 7517, RFC 8037): by it others check a visa, who know nothing of DIDs.

use crate::biobank::Biobank;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::sync::Arc;

/// Where it is, as the header of a visa says.
pub const PATH: &str = "/v1/jwks.json";

pub async fn keys(State(biobank): State<Arc<Biobank>>) -> Response {
    // The key of today alone: a visa counts for an hour at most, and who had its key stolen wants it gone.
    let did = biobank.key.did();
    let key = json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": URL_SAFE_NO_PAD.encode(did.public_key().as_bytes()),
        "kid": did.verification_method(),
        "use": "sig",
        "alg": "EdDSA",
    });
    // Ten minutes: a key that is replaced must not be believed for much longer than its visas count.
    let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, "public, max-age=600")];
    (headers, json!({ "keys": [key] }).to_string()).into_response()
}
