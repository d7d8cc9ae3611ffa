//! Server-sent events: the entries of the record as they are published, and to whom a letter came.

use super::{Address, Signed, blocking};
use crate::Problem;
use crate::biobank::Biobank;
use crate::stream::{Listener, open};
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use tokio_stream::wrappers::ReceiverStream;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Deserialize)]
pub struct Asked {
    from: Option<u64>,
}

/// The entry to begin with: the one after the last that the caller saw, or the one that was asked for.
fn first(asked: Result<Query<Asked>, QueryRejection>, headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::malformed())?;
    match headers.get(LAST_EVENT_ID) {
        Some(last) => {
            let last: u64 = last.to_str().ok().and_then(|last| last.parse().ok()).ok_or_else(Problem::malformed)?;
            Ok(Some(last.saturating_add(1)))
        }
        None => Ok(asked.from),
    }
}

/// The record, for anybody.
pub async fn public(
    State(biobank): State<Arc<Biobank>>,
    Address(address): Address,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let first = first(asked, &headers)?;
    Ok(answer(open(&biobank, Listener::at(address), first, false)?))
}

/// The record, and the bell of the caller's own mailbox.
pub async fn own(
    State(biobank): State<Arc<Biobank>>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
    signed: Signed,
) -> Result<Response, Problem> {
    let first = first(asked, &headers)?;
    let (books, caller) = (biobank.clone(), signed.caller.clone());
    // Letters that came while nobody listened are told of first.
    let waiting = blocking(move || books.desk.has_letters(&caller).map_err(Problem::internal)).await?;
    Ok(answer(open(&biobank, Listener::Caller(signed.caller), first, waiting)?))
}

fn answer(events: tokio::sync::mpsc::Receiver<String>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy that collects answers before it hands them on would make news old.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(ReceiverStream::new(events).map(Ok::<_, Infallible>))).into_response()
}
