//! The key of visas as a JWK set (RFC 7517): by it others check a visa, who know nothing of DIDs.

use crate::biobank::Biobank;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// Where it is, as the header of a visa says.
pub const PATH: &str = "/v1/jwks.json";

pub async fn keys(State(biobank): State<Arc<Biobank>>) -> Response {
    let id = biobank.visa_key.id();
    // A key for P-256 has this form.
    let mut key = id.to_jwk().unwrap_or_default();
    key["kid"] = json!(id.verification_method());
    key["use"] = json!("sig");
    key["alg"] = json!("ES256");
    // Ten minutes: a key that is replaced must not be believed for much longer than its visas count.
    let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, "public, max-age=600")];
    (headers, json!({ "keys": [key] }).to_string()).into_response()
}
