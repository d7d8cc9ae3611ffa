//! Studies, and the pseudonyms of those who take part.

use super::blocking;
use crate::Problem;
use crate::biobank::Biobank;
use crate::clock::now;
use crate::desk::StudyKey;
use axum::Json;
use axum::extract::{Path, State};
use consent::{ConsentState, StudyId};
use ledger::commit_subject;
use serde_json::{Value, json};
use std::sync::Arc;

/// The studies, and by which key the institution signed them: who knows another one asks the log how that came.
pub async fn list(State(biobank): State<Arc<Biobank>>) -> Json<Value> {
    Json(json!({ "signer": biobank.key.did(), "studies": biobank.signed_studies }))
}

/// The study keys of all whose consent is live, for a researcher of the organisation that runs the study.
pub async fn participants(
    State(biobank): State<Arc<Biobank>>,
    Path(study): Path<String>,
) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let id: StudyId = study.parse().map_err(|_| Problem::not_found())?;
        let keys = biobank.desk.study_keys().map_err(Problem::internal)?;
        let live: Vec<String> = keys
            .into_iter()
            .filter(|(_, key)| key.study == id && state_of(&biobank, key) == Some(ConsentState::Active))
            .map(|(did, _)| did)
            .collect();
        Ok(Json(json!({ "participants": live })))
    })
    .await
}

/// What the log says of the subject behind a study key.
pub fn state_of(biobank: &Biobank, key: &StudyKey) -> Option<ConsentState> {
    let salt: [u8; 32] = hex::decode(&key.salt).ok()?.try_into().ok()?;
    let subject = commit_subject(&salt, &key.donor, &key.study);
    biobank.log.subject(&subject).ok()?.map(|subject| subject.state_at(now().date()))
}
