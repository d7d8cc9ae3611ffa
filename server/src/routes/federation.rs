//! What other institutions ask of this one (C2SP tlog-witness, tlog-mirror), and what convicts a log.

use super::{blocking, read_up_to};
use crate::Problem;
use crate::biobank::Biobank;
use crate::clock::now;
use crate::federation::{Federation, HostError};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use ledger::{LINES_CONTENT_TYPE, MirrorReply, Refusal};
use serde_json::{Value, json};
use std::sync::Arc;

type Ask = fn(&Federation, &[u8], u64) -> Result<String, HostError>;

pub async fn witness(State(biobank): State<Arc<Biobank>>, body: Body) -> Result<Response, Problem> {
    ask(biobank, body, Federation::witness, Refusal::UnknownLog.into()).await
}

pub async fn mirror_checkpoint(State(biobank): State<Arc<Biobank>>, body: Body) -> Result<Response, Problem> {
    ask(biobank, body, Federation::mirror_checkpoint, Refusal::UnknownLog.into()).await
}

pub async fn mirror_entries(State(biobank): State<Arc<Biobank>>, body: Body) -> Result<Response, Problem> {
    ask(biobank, body, Federation::mirror_entries, MirrorReply::UnknownLog.into()).await
}

/// Answers as the specifications say. An institution that is in no federation knows no logs.
async fn ask(biobank: Arc<Biobank>, body: Body, work: Ask, alone: HostError) -> Result<Response, Problem> {
    // The gate has read it, and bounded it.
    let body = read_up_to(body, usize::MAX).await?;
    let time = u64::try_from(now().unix()).unwrap_or(0);
    blocking(move || {
        let answer = match &biobank.federation {
            Some(federation) => work(federation, &body, time),
            None => Err(alone),
        };
        let (status, kind, text) = match answer {
            Ok(lines) => (200, LINES_CONTENT_TYPE, lines),
            Err(HostError::Witness(refusal)) => (refusal.status(), refusal.content_type(), refusal.body()),
            Err(HostError::Mirror(reply)) => (reply.status(), reply.content_type(), reply.body()),
            Err(error) => return Err(Problem::internal(error)),
        };
        let status = StatusCode::from_u16(status).map_err(Problem::internal)?;
        Ok((status, [(header::CONTENT_TYPE, kind)], text).into_response())
    })
    .await
}

pub async fn witnessed(State(biobank): State<Arc<Biobank>>, Path(origin): Path<String>) -> Result<Response, Problem> {
    note(biobank, move |federation| federation.witnessed(&origin)).await
}

pub async fn mirrored(State(biobank): State<Arc<Biobank>>, Path(origin): Path<String>) -> Result<Response, Problem> {
    note(biobank, move |federation| federation.mirror_shows(&origin)).await
}

async fn note(
    biobank: Arc<Biobank>,
    read: impl FnOnce(&Federation) -> Result<Option<String>, HostError> + Send + 'static,
) -> Result<Response, Problem> {
    let text = blocking(move || {
        let federation = biobank.federation.as_ref().ok_or_else(Problem::not_found)?;
        read(federation).map_err(Problem::internal)?.ok_or_else(Problem::not_found)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, LINES_CONTENT_TYPE), (header::CACHE_CONTROL, "no-cache")], text).into_response())
}

pub async fn mirrored_tile(
    State(biobank): State<Arc<Biobank>>,
    Path((origin, path)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let bytes = blocking(move || {
        let federation = biobank.federation.as_ref().ok_or_else(Problem::not_found)?;
        let found = federation.mirror_tile(&origin, &format!("tile/{path}")).map_err(Problem::internal)?;
        found.ok_or_else(Problem::not_found)
    })
    .await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

/// What is kept against the logs that are witnessed here.
pub async fn evidence(State(biobank): State<Arc<Biobank>>) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let Some(federation) = &biobank.federation else { return Ok(Json(json!({ "evidence": [] }))) };
        let kept = federation.evidence.list().map_err(Problem::internal)?;
        Ok(Json(json!({ "evidence": kept })))
    })
    .await
}

/// One piece of it, as anybody can judge it.
pub async fn evidence_file(State(biobank): State<Arc<Biobank>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let file = blocking(move || {
        let federation = biobank.federation.as_ref().ok_or_else(Problem::not_found)?;
        federation.evidence.read(&id).map_err(Problem::internal)?.ok_or_else(Problem::not_found)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], file).into_response())
}
