//! `GET /status/{number}`, for everybody, and `POST /credentials/status`, for the operator.

use super::answer::{Refusal, typed};
use super::issuing::is_here;
use super::lists::NotChanged;
use super::routes::{at_work, body};
use super::{Desk, conformance};
use crate::Problem;
use crate::clock::now;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

pub(super) async fn list(State(desk): State<Arc<Desk>>, Path(number): Path<String>) -> Result<Response, Refusal> {
    let number = number.parse().map_err(|_| Problem::not_found())?;
    let list = at_work(&desk, move |desk| desk.lists.signed(number, &desk.keys, now())).await?;
    let list = list.map_err(Problem::internal)?.ok_or_else(Problem::not_found)?;
    Ok(typed(StatusCode::OK, "application/json", &list))
}

/// Revokes or suspends what was issued, or takes a suspension back: `credentialStatus` is that of the credential.
/// Programs on this machine only, even where others may have things signed.
pub(super) async fn change(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Refusal> {
    if !is_here(caller, request.headers()) {
        return Err(Problem::not_allowed().into());
    }
    let mut said = body(request).await?;
    if desk.conformance {
        said = conformance::as_specified(&said);
    }
    let missing = |name: &str| Refusal::Options(format!("{name} is missing"));
    let entry = said.remove("credentialStatus").ok_or_else(|| missing("credentialStatus"))?;
    let set = said.get("status").and_then(Value::as_bool).ok_or_else(|| missing("status"))?;
    let answer = json!({ "credentialStatus": entry, "status": set });
    match at_work(&desk, move |desk| desk.lists.change(&entry, set)).await? {
        Ok(()) => Ok(typed(StatusCode::OK, "application/json", &answer)),
        Err(NotChanged::NotOurs) => Err(Problem::not_found().into()),
        Err(NotChanged::Final) => Err(Refusal::Options("what was revoked stays so".to_owned())),
        Err(NotChanged::Io(error)) => Err(Problem::internal(error).into()),
    }
}
