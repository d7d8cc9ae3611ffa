//! `POST /credentials/derive`: discloses a part of a credential for its holder. It signs nothing in anybody's name.

use super::Desk;
use super::answer::{Refusal, typed};
use super::routes::{at_work, body};
use super::verifying::{bytes, only, text, texts};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use identity::vc::{DeriveError, DeriveOptions, derive};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn post(State(desk): State<Arc<Desk>>, request: Request) -> Result<Response, Refusal> {
    let mut said = body(request).await?;
    let missing = || Refusal::Options("verifiableCredential is missing".to_owned());
    let credential = said.remove("verifiableCredential").ok_or_else(missing)?;
    let none = json!({});
    let options = said.get("options").filter(|options| !options.is_null()).unwrap_or(&none);
    let options = options.as_object().ok_or_else(|| Refusal::Options("options is not an object".to_owned()))?;
    if !desk.conformance {
        only(options, &["selectivePointers", "presentationHeader", "proofId"])?;
    }
    let options = DeriveOptions {
        pointers: texts(options, "selectivePointers")?.unwrap_or_default(),
        presentation_header: bytes(options, "presentationHeader")?.unwrap_or_default(),
        proof_id: text(options, "proofId")?,
    };
    let derived: Result<Value, DeriveError> = at_work(&desk, move |_| derive(&credential, &options)).await?;
    let derived = derived.map_err(|error| match error {
        DeriveError::Options(_) => Refusal::Options(error.to_string()),
        _ => Refusal::Document(error.to_string()),
    })?;
    Ok(typed(StatusCode::CREATED, "application/json", &json!({ "verifiableCredential": derived })))
}
