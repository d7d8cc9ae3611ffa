//! From an invitation to a credential, and from a donor to a key for a study.

use super::{Address, NO_CONTENT, Open, Signed, blocking};
use crate::Problem;
use crate::biobank::Biobank;
use crate::clock::now;
use crate::desk::{Accepted, Step, StudyKey};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use consent::{StudyId, Timestamp};
use identity::{
    Credential, Did, EnrolmentClaims, ExpectedPresentation, issue_enrolment, verify_jws, verify_presentation,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;

/// How long an enrolment credential is valid, in seconds: ten years.
const ENROLMENT_AGE: i64 = 3_652 * 86_400;
/// How old the answer to a challenge may be, in seconds.
const ANSWER_AGE: i64 = 600;
/// The `typ` by which a study key says whose it is.
const STUDY_KEY_TYPE: &str = "study-key.v1+jws";

#[derive(Deserialize)]
pub struct ChallengeRequest {
    code: String,
}

pub async fn challenge(
    State(biobank): State<Arc<Biobank>>,
    Address(from): Address,
    Open(request): Open<ChallengeRequest>,
) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let digest = biobank.hear_code(&request.code, from)?;
        let Some(invitation) = biobank.desk.invitation(&digest).map_err(Problem::internal)? else {
            return Err(biobank.wrong_code(from));
        };
        if invitation.accepted.is_none() && now() > invitation.expires {
            return Err(Problem::code_expired());
        }
        // A used invitation is challenged too: its own donor may have lost the answer.
        Ok(Json(json!({
            "did": biobank.did,
            "name": biobank.institution.name,
            "challenge": biobank.challenge(&digest)?,
            "expires": invitation.expires,
        })))
    })
    .await
}

#[derive(Deserialize)]
pub struct EnrolRequest {
    code: String,
    presentation: Value,
}

pub async fn enrol(
    State(biobank): State<Arc<Biobank>>,
    Address(from): Address,
    Open(request): Open<EnrolRequest>,
) -> Result<Json<Value>, Problem> {
    let digest = biobank.hear_code(&request.code, from)?;
    let Some(challenge) = biobank.take_challenge(&digest)? else { return Err(Problem::presentation_refused()) };
    let bytes = serde_json::to_vec(&request.presentation).map_err(Problem::internal)?;
    let now = now();
    let expected = ExpectedPresentation {
        challenge: Some(challenge),
        domain: biobank.did.to_string(),
        transaction: None,
        now,
        max_age_seconds: ANSWER_AGE,
    };
    let Some(held) = verify_presentation(&bytes, &expected).await.verified else {
        return Err(Problem::presentation_refused());
    };
    let credential = admit(&biobank, digest, held.holder.clone(), from, now).await?;
    Ok(Json(json!({ "credential": credential })))
}

/// Enrols the holder of a key by an invitation, or gives the credential again to whom it was given.
pub(super) async fn admit(
    biobank: &Arc<Biobank>,
    digest: String,
    holder: Did,
    from: IpAddr,
    now: Timestamp,
) -> Result<Credential, Problem> {
    let Some(invitation) = biobank.desk.invitation(&digest).map_err(Problem::internal)? else {
        return Err(biobank.wrong_code(from));
    };
    let claims = EnrolmentClaims {
        donor: holder,
        biobank: biobank.did.clone(),
        biobank_name: biobank.institution.name.clone(),
        donor_number: invitation.donor,
    };
    let credential = issue_enrolment(&biobank.key, &claims, now, now.plus_seconds(ENROLMENT_AGE))
        .await
        .map_err(Problem::internal)?;
    let biobank = biobank.clone();
    blocking(move || {
        let accepted = Accepted { did: claims.donor, at: now, credential };
        match biobank.desk.accept(&digest, accepted).map_err(Problem::internal)? {
            Step::Done(credential) => Ok(credential),
            Step::Used => Err(Problem::code_used()),
            Step::Expired => Err(Problem::code_expired()),
            Step::Unknown | Step::Full => Err(biobank.wrong_code(from)),
        }
    })
    .await
}

#[derive(Deserialize)]
struct StudyKeyRequest {
    study: StudyId,
    salt: String,
    binding: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Binding {
    donor: Did,
    study: StudyId,
}

/// The pairwise key signs the request, the study key signs the binding: each agrees to the other.
pub async fn register_study_key(State(biobank): State<Arc<Biobank>>, signed: Signed) -> Result<StatusCode, Problem> {
    blocking(move || {
        let request: StudyKeyRequest = signed.json()?;
        let salt = hex::decode(&request.salt).ok().filter(|salt| salt.len() == 32).ok_or_else(Problem::malformed)?;
        let binding = verify_jws(&request.binding).map_err(|_| Problem::bad_signature())?;
        let said: Binding = serde_json::from_slice(&binding.payload).map_err(|_| Problem::malformed())?;
        if binding.typ != STUDY_KEY_TYPE || said.donor != signed.caller || said.study != request.study {
            return Err(Problem::bad_signature());
        }
        let key = StudyKey { donor: said.donor, study: said.study, salt: hex::encode(salt) };
        // A study that is off the list takes nobody new; who is in it already may say so again.
        let listed = biobank.studies.iter().any(|study| study.id == key.study);
        if !listed && biobank.desk.study_key(&binding.signer).map_err(Problem::internal)?.as_ref() != Some(&key) {
            return Err(Problem::not_found());
        }
        match biobank.desk.register_study_key(&binding.signer, &key).map_err(Problem::internal)? {
            Step::Done(()) => Ok(NO_CONTENT),
            _ => Err(Problem::not_allowed()),
        }
    })
    .await
}
