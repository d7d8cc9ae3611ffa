//! Letters between researchers and donors. They are sealed to the receiver; the biobank only carries them.

use super::{NO_CONTENT, Signed, blocking};
use crate::Problem;
use crate::biobank::Biobank;
use crate::clock::now;
use crate::desk::Step;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use identity::Did;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The largest sealed letter, in bytes of base64.
const MAX_LETTER: usize = 256 << 10;

pub async fn read(State(biobank): State<Arc<Biobank>>, signed: Signed) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let letters = biobank.desk.letters(&signed.caller).map_err(Problem::internal)?;
        Ok(Json(json!({ "letters": letters })))
    })
    .await
}

#[derive(Deserialize)]
struct PostRequest {
    sealed: String,
}

pub async fn post(
    State(biobank): State<Arc<Biobank>>,
    Path(to): Path<String>,
    signed: Signed,
) -> Result<(StatusCode, Json<Value>), Problem> {
    blocking(move || {
        let to: Did = to.parse().map_err(|_| Problem::malformed())?;
        let request: PostRequest = signed.json()?;
        if request.sealed.len() > MAX_LETTER {
            return Err(Problem::too_large());
        }
        STANDARD.decode(&request.sealed).map_err(|_| Problem::malformed())?;
        match biobank.desk.post(&signed.caller, &to, request.sealed, now()).map_err(Problem::internal)? {
            Step::Done(id) => {
                let key = biobank.desk.study_key(&to).map_err(Problem::internal)?;
                biobank.stream.ring(&to, key.as_ref().map(|key| &key.donor));
                Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
            }
            _ => Err(Problem::mailbox_full()),
        }
    })
    .await
}

pub async fn take(
    State(biobank): State<Arc<Biobank>>,
    Path(id): Path<String>,
    signed: Signed,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        biobank.desk.take(&signed.caller, &id).map_err(Problem::internal)?;
        Ok(NO_CONTENT)
    })
    .await
}
