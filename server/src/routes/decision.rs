//! Whether what donors allowed covers a purpose.

use super::{Signed, blocking};
use crate::Problem;
use crate::access::decision::{self, Answer, DECISION_TYPE, DECISIONS_TYPE, Many, One};
use crate::access::rows::{KeptCredential, KeptPolicy};
use crate::access::{self, Asked, Subject};
use crate::biobank::Biobank;
use crate::clock::now;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consent::{ConsentState, StudyId};
use identity::{Credential, policy_hash, verify_consent};
use ledger::event::Role;
use ledger::{EntryHash, Hash};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    subject: String,
    purpose: String,
}

/// The decision about one subject, with the receipts of the entries that it rests on: it can be checked offline.
pub async fn one(
    State(biobank): State<Arc<Biobank>>,
    question: Result<Query<Question>, QueryRejection>,
    signed: Signed,
) -> Result<Json<Value>, Problem> {
    let Query(question) = question.map_err(|_| Problem::malformed())?;
    blocking(move || {
        let purpose = URL_SAFE_NO_PAD.decode(&question.purpose).map_err(|_| Problem::malformed())?;
        let asked = Asked::read_canonical(&purpose)?;
        let (subjects, _) = asked_about(&biobank, &signed, &[question.subject])?;
        let now = now();
        let answers = decision::answers(&biobank, &subjects, &asked.purpose, now)?;
        let answer = answers.into_iter().next().ok_or_else(Problem::not_found)?;
        let entries = [answer.consent, answer.latest];
        let one = One { frame: decision::frame(&biobank, &signed.caller, &asked, now), answer };
        let signed = decision::sign(&biobank, DECISION_TYPE, &one)?;
        Ok(Json(json!({ "decision": signed, "receipts": receipts(&biobank, entries)? })))
    })
    .await
}

/// Entries with their receipts under the published checkpoint. One that is durable and not published yet has none.
fn receipts(biobank: &Biobank, entries: [Option<EntryHash>; 2]) -> Result<Vec<Value>, Problem> {
    let mut entries: Vec<EntryHash> = entries.into_iter().flatten().collect();
    entries.dedup();
    let shown = |hash: EntryHash| {
        let index = biobank.log.index_of(&hash).map_err(Problem::internal)?;
        let entry = match index {
            Some(index) => biobank.log.entry(index).map_err(Problem::internal)?,
            None => None,
        };
        let text = entry.and_then(|bytes| String::from_utf8(bytes).ok());
        let receipt = biobank.log.receipt(&hash).map_err(Problem::internal)?;
        Ok(json!({ "hash": hash, "entry": text, "receipt": receipt }))
    };
    entries.into_iter().map(shown).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Questions {
    subjects: Vec<String>,
    purpose: Value,
}

/// Decisions about many subjects of one study, under one signature.
pub async fn many(State(biobank): State<Arc<Biobank>>, signed: Signed) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let questions: Questions = signed.json()?;
        if !(1..=decision::MAX_SUBJECTS).contains(&questions.subjects.len()) {
            return Err(Problem::malformed());
        }
        let asked = Asked::read(questions.purpose)?;
        let (subjects, study) = asked_about(&biobank, &signed, &questions.subjects)?;
        let now = now();
        let answers: Vec<Answer> = decision::answers(&biobank, &subjects, &asked.purpose, now)?;
        let many = Many {
            frame: decision::frame(&biobank, &signed.caller, &asked, now),
            root: decision::root_of(&answers),
            size: answers.len() as u64,
            study,
        };
        let decision = decision::sign(&biobank, DECISIONS_TYPE, &many)?;
        Ok(Json(json!({ "decision": decision, "answers": answers })))
    })
    .await
}

/// The subjects of a question, once it is sure that the caller may hear of them. To whom they are none of their
/// business, those who take part and those who never did look alike.
fn asked_about(biobank: &Biobank, signed: &Signed, names: &[String]) -> Result<(Vec<Subject>, StudyId), Problem> {
    let subjects = match access::subjects(biobank, names) {
        Ok(subjects) => subjects,
        // Only members of the institution are told that there is nobody.
        Err(problem) => {
            return Err(if access::member(biobank, &signed.caller)?.is_some() {
                problem
            } else {
                Problem::not_allowed()
            });
        }
    };
    let study = subjects.first().map(|subject| subject.study.clone()).ok_or_else(Problem::malformed)?;
    access::may_ask(biobank, &signed.caller, &study, &subjects)?;
    // One question is about one study: so is a grant, and a request to the committee.
    if subjects.iter().any(|subject| subject.study != study) {
        return Err(Problem::not_allowed());
    }
    Ok((subjects, study))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Handed {
    credential: Value,
}

/// A donor hands over the credential of the version in force, so that the institution can decide by it.
pub async fn hand_over(State(biobank): State<Arc<Biobank>>, signed: Signed) -> Result<StatusCode, Problem> {
    let handed: Handed = signed.json()?;
    let credential = Credential::try_from(handed.credential).map_err(|_| Problem::malformed())?;
    let (books, caller) = (biobank.clone(), signed.caller.clone());
    let (subject, grant, key) = blocking(move || {
        let key = books.desk.study_key(&caller).map_err(Problem::internal)?.ok_or_else(Problem::not_allowed)?;
        let subject = access::commitment(&key).ok_or_else(Problem::not_allowed)?;
        let state = access::state(&books, &subject)?.ok_or_else(Problem::not_in_force)?;
        if state.signer != caller {
            return Err(Problem::not_allowed());
        }
        // A pause ends, and then the policy counts again.
        let standing = state.state_at(now().date());
        if !standing.allows_use() && standing != ConsentState::Suspended {
            return Err(Problem::not_in_force());
        }
        Ok((subject, state.grant, key))
    })
    .await?;
    // The hash in the log says which credential it must be, to the last byte; a later one has another.
    if grant.credential != Hash::from(credential.hash()) {
        return Err(Problem::not_in_force());
    }
    let verified = verify_consent(&credential.to_bytes(), now()).await;
    let claims = verified.verified.ok_or_else(Problem::presentation_refused)?.into_inner().claims;
    let fits = claims.biobank == biobank.did
        && claims.study == key.study
        && grant.policy == Hash::from(policy_hash(credential.id(), &claims.policy));
    if !fits {
        return Err(Problem::presentation_refused());
    }
    blocking(move || {
        let policy = KeptPolicy { entry: grant.entry, policy: claims.policy, recipient: claims.recipient };
        let kept = KeptCredential { entry: grant.entry, credential };
        biobank.desk.keep_credential(&subject, &kept, &policy).map_err(Problem::internal)?;
        Ok(super::NO_CONTENT)
    })
    .await
}

/// The credential on which decisions about a subject rest: for an auditor, and for the subject.
pub async fn credential(
    State(biobank): State<Arc<Biobank>>,
    Path(subject): Path<String>,
    signed: Signed,
) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let subject: Hash = subject.parse().map_err(|_| Problem::not_found())?;
        let auditor = access::member(&biobank, &signed.caller)?.is_some_and(|member| member.role == Role::Auditor);
        let own = access::state(&biobank, &subject)?.is_some_and(|state| state.signer == signed.caller);
        if !auditor && !own {
            return Err(Problem::not_allowed());
        }
        let kept = biobank.desk.credential(&subject).map_err(Problem::internal)?.ok_or_else(Problem::not_found)?;
        Ok(Json(json!({ "entry": kept.entry, "credential": kept.credential })))
    })
    .await
}
