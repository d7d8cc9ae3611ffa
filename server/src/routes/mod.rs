//! What the service answers to.

mod desk;
mod enrolment;
mod mailbox;
mod record;
mod studies;

use crate::Problem;
use crate::biobank::Biobank;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use identity::Did;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The largest body that any route reads: a presentation or a letter.
const MAX_BODY: usize = 1 << 20;

/// Where a stranger becomes known, by a one-time code.
const PAIR: &str = "/v1/pair";

/// All routes of a biobank.
pub fn router(biobank: Arc<Biobank>) -> Router {
    Router::new()
        .route("/healthz", get(record::health))
        .route("/checkpoint", get(record::checkpoint))
        .route("/tile/{*path}", get(record::tile))
        .route("/v1/log", get(record::log))
        .route("/v1/entries", post(record::append))
        .route("/v1/entries/{hash}/proof", get(record::proof))
        .route("/v1/studies", get(studies::list))
        .route("/v1/studies/{study}/participants", get(studies::participants))
        .route("/v1/invitations", post(desk::invite))
        .route("/v1/donors", get(desk::donors))
        .route(PAIR, post(desk::pair))
        .route("/v1/enrolment/challenge", post(enrolment::challenge))
        .route("/v1/enrolment", post(enrolment::enrol))
        .route("/v1/study-keys", post(enrolment::register_study_key))
        .route("/v1/mailbox", get(mailbox::read))
        .route("/v1/mailbox/{name}", post(mailbox::post).merge(delete(mailbox::take)))
        .fallback(|| async { Problem::not_found() })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(biobank)
}

/// A request whose signature, age and nonce checked: who called, and what was said.
struct Signed {
    caller: Did,
    body: Bytes,
}

impl Signed {
    fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|_| Problem::malformed())
    }
}

impl FromRequest<Arc<Biobank>> for Signed {
    type Rejection = Problem;

    async fn from_request(request: Request, biobank: &Arc<Biobank>) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = read(body).await?;
        let (biobank, body_read) = (biobank.clone(), body.clone());
        // Looking the caller up waits for the disk.
        let caller = blocking(move || {
            let pairing = parts.uri.path() == PAIR;
            biobank.nonces.caller(&parts, &body_read, |did| {
                match biobank.desk.knows(did).map_err(Problem::internal)? {
                    false if !pairing => Err(Problem::not_allowed()),
                    known => Ok(known),
                }
            })
        })
        .await?;
        Ok(Self { caller, body })
    }
}

/// A body of JSON that anybody may send.
struct Open<T>(T);

impl<T: DeserializeOwned> FromRequest<Arc<Biobank>> for Open<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Biobank>) -> Result<Self, Problem> {
        let body = read(request.into_body()).await?;
        serde_json::from_slice(&body).map(Self).map_err(|_| Problem::malformed())
    }
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    read_up_to(body, MAX_BODY).await
}

async fn read_up_to(body: Body, limit: usize) -> Result<Bytes, Problem> {
    to_bytes(body, limit).await.map_err(|_| Problem::too_large())
}

/// Runs work that waits for the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

const NO_CONTENT: StatusCode = StatusCode::NO_CONTENT;
