//! Grants of access and their visas; requests to the committee and its answers.

use super::{Signed, blocking};
use crate::Problem;
use crate::access::decision::Answer;
use crate::access::rows::{KeptAnswer, KeptRequest, PAGE};
use crate::access::{self, Asked, grant, uses, visa};
use crate::biobank::Biobank;
use crate::clock::now;
use crate::log::AppendError;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use identity::{Did, sha256};
use ledger::event::{AccessDecision, AccessRequest, InstitutionEvent, Role};
use ledger::{Entry, EntryHash, Event, Hash, Key, MAX_ENTRY, MAX_GRANT_SECONDS, Record, Rejected};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The longest text of reasons, in bytes.
const MAX_REASONS: usize = 4 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    decision: String,
    #[serde(default)]
    answers: Vec<Answer>,
    purpose: Value,
    #[serde(default)]
    request: Option<EntryHash>,
    #[serde(default)]
    seconds: Option<i64>,
}

/// Makes a decision into a grant.
pub async fn grant(State(biobank): State<Arc<Biobank>>, signed: Signed) -> Result<(StatusCode, Json<Value>), Problem> {
    let books = biobank.clone();
    let draft = blocking(move || {
        let asked: GrantRequest = signed.json()?;
        let wish = grant::Wish {
            decision: asked.decision,
            answers: asked.answers,
            purpose: Asked::read(asked.purpose)?,
            request: asked.request,
            seconds: asked.seconds.unwrap_or(MAX_GRANT_SECONDS),
        };
        grant::draft(&books, &signed.caller, wish, now())
    })
    .await?;
    let index = append(&biobank, draft.entry.clone()).await?;
    blocking(move || {
        grant::confirm(&biobank, &draft, now())?;
        let shown = shown(&biobank, &draft.entry, index)?;
        Ok(shown)
    })
    .await
}

/// Appends an entry that this service checked or made.
async fn append(biobank: &Biobank, entry: Entry) -> Result<u64, Problem> {
    let appended = biobank.log.append(entry).await.map_err(|error| match error {
        AppendError::Rejected(Rejected::NotAllowed) => Problem::not_allowed(),
        AppendError::Rejected(_) => Problem::against_rules(),
        AppendError::Busy => Problem::busy(),
        AppendError::Stopped => Problem::stopped(),
    })?;
    Ok(appended.index)
}

/// An entry with its place and, once it is published, its receipt.
pub fn shown(biobank: &Biobank, entry: &Entry, index: u64) -> Result<(StatusCode, Json<Value>), Problem> {
    let receipt = uses::receipt(biobank, entry.bytes())?;
    let status = if receipt.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let text = String::from_utf8(entry.bytes().to_vec()).map_err(Problem::internal)?;
    Ok((status, Json(json!({ "entry": text, "hash": entry.hash(), "index": index, "receipt": receipt }))))
}

/// The visa of a grant, for its holder.
pub async fn take_visa(
    State(biobank): State<Arc<Biobank>>,
    Path(hash): Path<String>,
    signed: Signed,
) -> Result<Json<Value>, Problem> {
    blocking(move || {
        let hash: EntryHash = hash.parse().map_err(|_| Problem::not_found())?;
        // Only what is on the log is a grant.
        let known = match access::records(&biobank, &[Key::grant(&hash)])?.into_values().next() {
            Some(Record::Access(known)) if known.holder == signed.caller => known,
            _ => return Err(Problem::not_found()),
        };
        let kept = biobank.desk.grant(&hash).map_err(Problem::internal)?.ok_or_else(Problem::not_found)?;
        if known.expires <= now() {
            return Err(Problem::grant_over());
        }
        // A visa is believed where this log is not read: so it is not made once a consent under it has ended.
        let names: Vec<String> = kept.subjects.iter().map(ToString::to_string).collect();
        let today = now().date();
        let live = access::subjects(&biobank, &names)?
            .iter()
            .all(|subject| subject.state.as_ref().is_some_and(|state| state.state_at(today).allows_use()));
        if !live {
            return Err(Problem::not_permitted());
        }
        let said = uses::said(&kept.entry)?;
        let keys = visa::Keys { institution: &biobank.key, visas: &biobank.visa_key };
        let visa = visa::of(keys, &biobank.institution.origin, biobank.address.as_ref(), &kept.study, &hash, &said);
        let visa = visa.ok_or_else(|| Problem::internal("the origin of the log makes no https address"))?;
        Ok(Json(json!({ "visa": visa })))
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskRequest {
    entry: String,
    purpose: Value,
}

/// A researcher asks the committee. The entry holds the hash of the purpose; the desk keeps its words.
pub async fn ask(State(biobank): State<Arc<Biobank>>, signed: Signed) -> Result<(StatusCode, Json<Value>), Problem> {
    let books = biobank.clone();
    let entry = blocking(move || {
        let asked: AskRequest = signed.json()?;
        let (entry, said) = request_of(&asked.entry)?;
        if *entry.signer() != signed.caller {
            return Err(Problem::not_allowed());
        }
        let purpose = Asked::read(asked.purpose)?;
        if said.purpose != purpose.hash {
            return Err(Problem::malformed());
        }
        let member = access::member(&books, &signed.caller)?.ok_or_else(Problem::not_allowed)?;
        if member.role != Role::Researcher || member.organisation != said.organisation.as_str() {
            return Err(Problem::not_allowed());
        }
        books
            .desk
            .keep_request(&entry.hash(), &asked.entry, (&purpose.hash, &purpose.value))
            .map_err(Problem::internal)?;
        Ok(entry)
    })
    .await?;
    let index = append(&biobank, entry.clone()).await?;
    blocking(move || shown(&biobank, &entry, index)).await
}

fn request_of(text: &str) -> Result<(Entry, AccessRequest), Problem> {
    let entry = parse(text)?;
    match entry.said() {
        Event::Institution(InstitutionEvent::AccessRequest(said)) => {
            let said = said.clone();
            Ok((entry, said))
        }
        _ => Err(Problem::bad_entry()),
    }
}

fn parse(text: &str) -> Result<Entry, Problem> {
    if text.len() > MAX_ENTRY {
        return Err(Problem::too_large());
    }
    Entry::parse(text.as_bytes()).map_err(|_| Problem::bad_entry())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecideRequest {
    entry: String,
    reasons: String,
}

/// The committee answers a request, with reasons that the researcher can read.
pub async fn decide(
    State(biobank): State<Arc<Biobank>>,
    Path(hash): Path<String>,
    signed: Signed,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let request: EntryHash = hash.parse().map_err(|_| Problem::not_found())?;
    let books = biobank.clone();
    let (entry, answer) = blocking(move || {
        let asked: DecideRequest = signed.json()?;
        if asked.reasons.len() > MAX_REASONS {
            return Err(Problem::too_large());
        }
        let entry = parse(&asked.entry)?;
        let said = decision_of(&entry)?;
        if *entry.signer() != signed.caller || said.request != request {
            return Err(Problem::not_allowed());
        }
        if said.reasons != Hash::from(sha256(asked.reasons.as_bytes())) {
            return Err(Problem::malformed());
        }
        // Nothing can be decided of which nobody can read what it is.
        books.desk.request(&request).map_err(Problem::internal)?.ok_or_else(Problem::not_found)?;
        Ok((entry, KeptAnswer { entry: asked.entry, reasons: asked.reasons }))
    })
    .await?;
    let index = append(&biobank, entry.clone()).await?;
    blocking(move || {
        biobank.desk.keep_answer(&request, &answer).map_err(Problem::internal)?;
        shown(&biobank, &entry, index)
    })
    .await
}

fn decision_of(entry: &Entry) -> Result<AccessDecision, Problem> {
    match entry.said() {
        Event::Institution(InstitutionEvent::AccessDecision(said)) => Ok(said.clone()),
        _ => Err(Problem::bad_entry()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    after: Option<EntryHash>,
}

/// Requests: all of them for the committee and auditors, those of the own organisation for researchers.
pub async fn requests(
    State(biobank): State<Arc<Biobank>>,
    page: Result<Query<Page>, QueryRejection>,
    signed: Signed,
) -> Result<Json<Value>, Problem> {
    let Query(Page { after }) = page.map_err(|_| Problem::malformed())?;
    blocking(move || {
        let organisation = readable(&biobank, &signed.caller)?;
        let of_own = |kept: &KeptRequest| match (&organisation, request_of(&kept.entry)) {
            (Some(own), Ok((_, said))) => said.organisation.as_str() == own,
            (None, _) => true,
            (Some(_), Err(_)) => false,
        };
        let found = biobank.desk.requests(after.as_ref(), of_own).map_err(Problem::internal)?;
        let next = if found.len() == PAGE { found.last().map(|(hash, _)| hash.clone()) } else { None };
        let mut shown = Vec::with_capacity(found.len());
        for (hash, kept) in found {
            shown.extend(shown_request(&biobank, &hash, &kept)?);
        }
        Ok(Json(json!({ "requests": shown, "next": next })))
    })
    .await
}

/// Whose requests a caller may read: those of one organisation, or all.
fn readable(biobank: &Biobank, caller: &Did) -> Result<Option<String>, Problem> {
    let member = access::member(biobank, caller)?.ok_or_else(Problem::not_allowed)?;
    match member.role {
        Role::Committee | Role::Auditor => Ok(None),
        Role::Researcher => Ok(Some(member.organisation)),
        _ => Err(Problem::not_allowed()),
    }
}

/// A request as it stands on the log; nothing if it never got there.
fn shown_request(biobank: &Biobank, hash: &str, kept: &KeptRequest) -> Result<Option<Value>, Problem> {
    let (entry, said) = request_of(&kept.entry)?;
    let known = match access::records(biobank, &[Key::request(&entry.hash())])?.into_values().next() {
        Some(Record::Request(known)) => known,
        _ => return Ok(None),
    };
    Ok(Some(json!({
        "hash": hash,
        "entry": kept.entry,
        "requester": known.requester,
        "organisation": known.organisation,
        "study": known.study,
        "version": said.version,
        "time": said.time,
        "purpose": biobank.desk.purpose(&said.purpose).map_err(Problem::internal)?,
        "outcome": known.outcome,
        "until": known.until,
        "answers": kept.answers,
    })))
}
