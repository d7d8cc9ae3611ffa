//! Letters between researchers and donors. They are sealed to the receiver; the biobank only carries them.

use super::{NO_CONTENT, Signed, blocking};
use crate::Problem;
use crate::biobank::Biobank;
use crate::clock::now;
use crate::desk::{AccountRole, Step};
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
        if !may_write(&biobank, &signed.caller, &to)? {
            return Err(Problem::not_allowed());
        }
        match biobank.desk.post(&signed.caller, &to, request.sealed, now()).map_err(Problem::internal)? {
            Step::Done(id) => Ok((StatusCode::ACCEPTED, Json(json!({ "id": id })))),
            _ => Err(Problem::mailbox_full()),
        }
    })
    .await
}

/// A researcher writes to the donors of the own organisation's studies, and they to that researcher. Nobody else.
fn may_write(biobank: &Biobank, from: &Did, to: &Did) -> Result<bool, Problem> {
    let researcher = |did: &Did| biobank.desk.account(did).map_err(Problem::internal);
    let donor = |did: &Did| biobank.desk.study_key(did).map_err(Problem::internal);
    let pair = match (researcher(from)?, donor(from)?) {
        (Some(account), _) => (account, donor(to)?),
        (None, Some(key)) => match researcher(to)? {
            Some(account) => (account, Some(key)),
            None => return Ok(false),
        },
        (None, None) => return Ok(false),
    };
    let (account, Some(key)) = pair else { return Ok(false) };
    let of_organisation =
        |study: &consent::StudyRequest| study.id == key.study && study.organisation.id == account.organisation;
    Ok(account.role == AccountRole::Researcher && biobank.studies.iter().any(of_organisation))
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
