//! The log: static reads in the C2SP layout, receipts, and proofs that it only grew.

use super::blocking;
use crate::Problem;
use crate::biobank::Biobank;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ledger::EntryHash;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const PLAIN: &str = "text/plain; charset=utf-8";

pub async fn checkpoint(State(biobank): State<Arc<Biobank>>) -> Result<Response, Problem> {
    let newest = blocking(move || biobank.log.newest_checkpoint().map_err(Problem::internal)).await?;
    let headers = [(header::CONTENT_TYPE, PLAIN), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, newest.note().to_owned()).into_response())
}

pub async fn tile(State(biobank): State<Arc<Biobank>>, Path(path): Path<String>) -> Result<Response, Problem> {
    let bytes = blocking(move || {
        let found = biobank.log.read_tile(&format!("tile/{path}")).map_err(Problem::internal)?;
        found.ok_or_else(Problem::not_found)
    })
    .await?;
    // A tile never changes once it is there: partial ones have their width in their name.
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

pub async fn log(State(biobank): State<Arc<Biobank>>) -> Result<Json<Value>, Problem> {
    let mut told = json!({
        "origin": biobank.institution.origin,
        "vkey": biobank.vkey.to_string(),
        "did": biobank.did,
        "name": biobank.institution.name,
        "statement": biobank.log_statement,
        // Signed by nobody: who needs the entries before sees by their absence that it holds.
        "minimum": biobank.log.store().minimum().map_err(Problem::internal)?,
    });
    if !biobank.successions.is_empty() {
        told["successions"] = json!(biobank.successions);
    }
    Ok(Json(told))
}

pub async fn proof(State(biobank): State<Arc<Biobank>>, Path(hash): Path<String>) -> Result<Response, Problem> {
    let hash: EntryHash = hash.parse().map_err(|_| Problem::not_found())?;
    let text = blocking(move || {
        let found = biobank.log.receipt(&hash).map_err(Problem::internal)?;
        found.ok_or_else(Problem::not_found)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, PLAIN), (header::CACHE_CONTROL, "no-cache")], text).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    from: u64,
    to: Option<u64>,
}

/// The hashes that show that the log of the second size begins with the log of the first (RFC 6962, section 2.1.2). Up
/// to the newest size, the checkpoint of that size comes along.
pub async fn consistency(
    State(biobank): State<Arc<Biobank>>,
    sizes: Result<Query<Sizes>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(Sizes { from, to }) = sizes.map_err(|_| Problem::malformed())?;
    blocking(move || {
        let checkpoint = biobank.log.newest_checkpoint().map_err(Problem::internal)?;
        let to = to.unwrap_or(checkpoint.size);
        if from == 0 || from > to {
            return Err(Problem::malformed());
        }
        // Of what was not published nothing is shown.
        if to > checkpoint.size {
            return Err(Problem::not_found());
        }
        let path = biobank.log.consistency_path(from, to).map_err(Problem::internal)?;
        let proof: Vec<String> = path.iter().map(ledger::Hash::to_base64).collect();
        let note = (to == checkpoint.size).then(|| checkpoint.note().to_owned());
        Ok(Json(json!({ "from": from, "to": to, "proof": proof, "checkpoint": note })))
    })
    .await
}
