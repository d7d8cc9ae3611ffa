//! The API's description.

use axum::http::header;
use axum::response::IntoResponse;

/// Written by hand; a test holds it against the table of routes.
const DOCUMENT: &str = include_str!("../../openapi.json");

pub async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], DOCUMENT)
}
