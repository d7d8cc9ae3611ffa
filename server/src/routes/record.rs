//! The log: static reads in the C2SP layout, appending, and receipts.

use super::read_up_to;
use crate::Problem;
use crate::biobank::Biobank;
use crate::log::AppendError;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ledger::{ConsentEntry, EntryHash, MAX_ENTRY, Rejected, commit_subject};
use serde_json::{Value, json};
use std::sync::Arc;

const PLAIN: &str = "text/plain; charset=utf-8";

pub async fn checkpoint(State(biobank): State<Arc<Biobank>>) -> Response {
    ([(header::CONTENT_TYPE, PLAIN), (header::CACHE_CONTROL, "no-cache")], biobank.log.checkpoint().to_string())
        .into_response()
}

pub async fn tile(State(biobank): State<Arc<Biobank>>, Path(path): Path<String>) -> Result<Response, Problem> {
    let bytes = super::blocking(move || {
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

pub async fn log(State(biobank): State<Arc<Biobank>>) -> Json<Value> {
    Json(json!({
        "origin": biobank.institution.origin,
        "vkey": biobank.vkey.to_string(),
        "did": biobank.did,
        "name": biobank.institution.name,
        "statement": biobank.log_statement,
    }))
}

pub async fn append(State(biobank): State<Arc<Biobank>>, body: Body) -> Result<Json<Value>, Problem> {
    let bytes = read_up_to(body, MAX_ENTRY).await?;
    let entry = ConsentEntry::parse(&bytes).map_err(|_| Problem::bad_entry())?;
    let (desk, signer) = (biobank.clone(), entry.signer().clone());
    let key = super::blocking(move || desk.desk.study_key(&signer).map_err(Problem::internal)).await?;
    let key = key.ok_or_else(Problem::unknown_signer)?;
    let salt: [u8; 32] =
        hex::decode(&key.salt).ok().and_then(|s| s.try_into().ok()).ok_or_else(Problem::unknown_signer)?;
    if entry.event().subject != commit_subject(&salt, &key.donor, &key.study) {
        return Err(Problem::unknown_signer());
    }
    let hash = entry.hash();
    let appended = biobank.log.append(entry).await.map_err(|error| match error {
        AppendError::Rejected(Rejected::PreviousMismatch { latest }) => match latest {
            Some(latest) => Problem::previous_mismatch().with_latest(latest),
            None => Problem::previous_mismatch(),
        },
        AppendError::Rejected(_) => Problem::against_rules(),
        AppendError::Busy => Problem::busy(),
        other => Problem::internal(other),
    })?;
    Ok(Json(json!({ "hash": hash, "index": appended.index })))
}

pub async fn proof(State(biobank): State<Arc<Biobank>>, Path(hash): Path<String>) -> Result<Response, Problem> {
    let hash: EntryHash = hash.parse().map_err(|_| Problem::not_found())?;
    let text = super::blocking(move || {
        let found = biobank.log.receipt(&hash).map_err(Problem::internal)?;
        found.ok_or_else(Problem::not_found)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, PLAIN), (header::CACHE_CONTROL, "no-cache")], text).into_response())
}
