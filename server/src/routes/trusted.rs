//! Whom the institution trusts to issue what, in its own signed words.

use super::blocking;
use crate::Problem;
use crate::biobank::Biobank;
use crate::trusted::read;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub async fn list(State(biobank): State<Arc<Biobank>>) -> Result<Response, Problem> {
    let list = blocking(move || read(&biobank.trusted_issuers).map_err(Problem::internal)).await?;
    let list = list.ok_or_else(Problem::not_found)?;
    Ok(([(header::CONTENT_TYPE, "application/jose"), (header::CACHE_CONTROL, "no-cache")], list).into_response())
}
