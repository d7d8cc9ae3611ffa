//! For whoever runs the service: alive, ready, figures.

use crate::Problem;
use crate::biobank::Biobank;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// The process answers.
pub async fn health() -> &'static str {
    "ok"
}

/// Whether the service can take entries. A log whose disk failed can not; a new start reads it again. One whose
/// database is out of reach can not either; it goes on by itself when the database is back.
pub async fn ready(State(biobank): State<Arc<Biobank>>) -> Result<&'static str, Problem> {
    if !biobank.log.is_ready() || *biobank.closing.borrow() { Err(Problem::stopped()) } else { Ok("ok") }
}

/// Figures in the OpenMetrics text format.
pub async fn metrics(State(biobank): State<Arc<Biobank>>) -> Result<Response, Problem> {
    biobank.metrics.log_size(biobank.log.signed_checkpoint().size);
    let text = biobank.metrics.text().map_err(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}
