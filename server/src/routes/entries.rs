//! Appending: one entry as it is, or many as a JSON array of texts. Each is judged alone and answered in its place.

use super::{Address, blocking, read_up_to};
use crate::Problem;
use crate::access;
use crate::biobank::Biobank;
use crate::clock::now;
use crate::limits::Rate;
use crate::log::{AppendError, parse_entries};
use crate::sweep::is_over;
use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::Did;
use ledger::event::InstitutionEvent;
use ledger::{Act, ConsentEvent, Entry, EntryHash, Event, Hash, MAX_ENTRY, Rejected, WITHDRAW_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The most entries of one request.
pub const MAX_ENTRIES: usize = 1_024;
/// The largest request, in bytes.
pub const MAX_ENTRIES_BYTES: usize = 4 << 20;
/// How long `?wait=witnessed` waits.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long a withdrawal waits for room before it tries again; others are told to come back.
const TRY_AGAIN: Duration = Duration::from_millis(20);

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    wait: Option<Wait>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Wait {
    Witnessed,
}

pub async fn append(
    State(biobank): State<Arc<Biobank>>,
    Address(from): Address,
    wish: Result<Query<Wish>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    // The gate has read it, and bounded it.
    let body = read_up_to(body, usize::MAX).await?;
    let Query(Wish { wait }) = wish.map_err(|_| Problem::malformed())?;
    // Counted here and not at the gate, because here it shows what comes: a withdrawal is not told to come later, unless
    // its address sent many of late that were none.
    let counted = biobank.limits.address(from, Rate::Write);
    let freely = biobank.limits.takes_withdrawals_freely(from, now());
    let passes = |bytes: &[u8]| counted.is_ok() || freely && is_withdrawal(bytes);
    let many = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !many {
        if body.len() > MAX_ENTRY {
            return Err(Problem::too_large());
        }
        if !passes(&body) {
            counted?;
        }
        let mut answers = take(&biobank, from, vec![body.to_vec()], wait).await?;
        let answer = answers.pop().ok_or_else(Problem::malformed)??;
        return Ok((answer.status(), Json(answer.shown())).into_response());
    }
    let texts: Vec<String> = serde_json::from_slice(&body).map_err(|_| Problem::malformed())?;
    if texts.len() > MAX_ENTRIES {
        return Err(Problem::too_large());
    }
    // Withdrawals first in line if the others are too many: they are taken, the others are not looked at.
    let pass = |text: &String| passes(text.as_bytes());
    let passed: Vec<Vec<u8>> = texts.iter().filter(|text| pass(text)).map(|text| text.clone().into_bytes()).collect();
    let mut taken = take(&biobank, from, passed, wait).await?.into_iter();
    let results: Vec<Value> = texts
        .iter()
        .map(|text| match if pass(text) { taken.next() } else { None } {
            Some(Ok(answer)) => answer.shown(),
            Some(Err(problem)) => problem.shown(),
            None => Problem::too_many_requests().shown(),
        })
        .collect();
    Ok(Json(json!({ "results": results })).into_response())
}

/// What became of an entry.
struct Answer {
    hash: EntryHash,
    index: u64,
    /// Once a published checkpoint covers the entry.
    receipt: Option<String>,
    /// Whether that checkpoint is what the caller wanted to wait for.
    awaited: bool,
}

impl Answer {
    /// Published (and, for who waits for it, final), or durable and not that far yet.
    fn status(&self) -> StatusCode {
        if self.receipt.is_some() && self.awaited { StatusCode::OK } else { StatusCode::ACCEPTED }
    }

    fn shown(&self) -> Value {
        let mut shown = json!({ "status": self.status().as_u16(), "hash": self.hash, "index": self.index });
        if let Some(receipt) = &self.receipt {
            shown["receipt"] = receipt.as_str().into();
        }
        shown
    }
}

/// Whether bytes say of themselves that they are a withdrawal. Whether they are one, their signature shows later.
fn is_withdrawal(bytes: &[u8]) -> bool {
    let head = bytes.split(|byte| *byte == b'.').next().filter(|head| head.len() < MAX_ENTRY);
    let head = head.and_then(|head| URL_SAFE_NO_PAD.decode(head).ok());
    let head = head.and_then(|head| serde_json::from_slice::<Value>(&head).ok());
    head.is_some_and(|head| head["typ"] == WITHDRAW_TYPE)
}

/// Checks, appends and answers entries, each in its place.
async fn take(
    biobank: &Arc<Biobank>,
    from: IpAddr,
    entries: Vec<Vec<u8>>,
    wait: Option<Wait>,
) -> Result<Vec<Result<Answer, Problem>>, Problem> {
    let claims: Vec<bool> = entries.iter().map(|bytes| is_withdrawal(bytes)).collect();
    let parsed = parse_entries(entries).await;
    let door = biobank.clone();
    let admitted: Vec<Result<Entry, Problem>> = blocking(move || {
        let admit = |entry: Result<Entry, _>| {
            let entry = entry.map_err(|_| Problem::bad_entry())?;
            admit(&door, &entry).map(|()| entry)
        };
        Ok(parsed.into_iter().map(admit).collect())
    })
    .await?;
    let forged = claims.into_iter().zip(&admitted).filter(|(claims, entry)| *claims && entry.is_err()).count();
    biobank.limits.forged_withdrawals(from, forged, now());
    let good: Vec<Entry> = admitted.iter().filter_map(|entry| entry.as_ref().ok().cloned()).collect();
    let mut appended = biobank.log.append_many(good).await.into_iter();
    let mut taken = Vec::with_capacity(admitted.len());
    for entry in admitted {
        taken.push(match entry {
            Ok(entry) => match appended.next().unwrap_or(Err(AppendError::Stopped)) {
                Err(AppendError::Busy) if takes_back(&entry) => until_taken(biobank, &entry).await,
                other => other.map(|appended| appended.index),
            }
            .map_err(refusal)
            .map(|index| (entry, index)),
            Err(problem) => Err(problem),
        });
    }
    let last = taken.iter().filter_map(|taken| taken.as_ref().ok()).map(|(_, index)| *index).max();
    if let (Some(Wait::Witnessed), Some(last)) = (wait, last) {
        // Too long is no failure: the entries are durable, `202` says how far they are, and the caller asks for receipts
        // later.
        let _ = tokio::time::timeout(PATIENCE, biobank.wait_witnessed(last)).await;
    }
    let books = biobank.clone();
    blocking(move || {
        let settle = |taken: Result<(Entry, u64), Problem>| {
            let (entry, index) = taken?;
            follow(&books, &entry)?;
            let awaited = wait.is_none() || books.is_witnessed(index);
            let receipt = books.log.receipt(&entry.hash()).map_err(Problem::internal)?;
            Ok(Answer { hash: entry.hash(), index, receipt, awaited })
        };
        Ok(taken.into_iter().map(settle).collect())
    })
    .await
}

/// A withdrawal waits for room as long as its caller does, and is never sent away.
async fn until_taken(biobank: &Biobank, entry: &Entry) -> Result<u64, AppendError> {
    loop {
        match biobank.log.append(entry.clone()).await {
            Err(AppendError::Busy) => tokio::time::sleep(TRY_AGAIN).await,
            other => return other.map(|appended| appended.index),
        }
    }
}

fn refusal(error: AppendError) -> Problem {
    match error {
        AppendError::Rejected(Rejected::PreviousMismatch { latest: Some(latest) }) => {
            Problem::previous_mismatch().with_latest(latest)
        }
        AppendError::Rejected(Rejected::PreviousMismatch { latest: None }) => Problem::previous_mismatch(),
        AppendError::Rejected(Rejected::NotAllowed | Rejected::ForeignKey) => Problem::not_allowed(),
        AppendError::Rejected(_) => Problem::against_rules(),
        AppendError::Busy => Problem::busy(),
        AppendError::Stopped => Problem::stopped(),
    }
}

/// Who may hand in what: a donor's entry comes from a key that is registered for its subject; everything else from a
/// key that the institution knows, and then the rules of the log judge it.
fn admit(biobank: &Biobank, entry: &Entry) -> Result<(), Problem> {
    match entry.said() {
        Event::Consent(event) => registered(biobank, entry.signer(), &event.subject),
        Event::Institution(InstitutionEvent::KeyRotation(said)) => registered(biobank, entry.signer(), &said.subject),
        // A use is told at its own address, where each donor gets the line that belongs to it.
        Event::Institution(InstitutionEvent::AccessUse(_)) => Err(Problem::not_allowed()),
        Event::Institution(_) => {
            let member = access::member(biobank, entry.signer())?;
            member.map(drop).ok_or_else(Problem::unknown_signer)
        }
    }
}

fn registered(biobank: &Biobank, signer: &Did, subject: &Hash) -> Result<(), Problem> {
    let key = biobank.desk.study_key(signer).map_err(Problem::internal)?.ok_or_else(Problem::unknown_signer)?;
    if access::commitment(&key) == Some(*subject) { Ok(()) } else { Err(Problem::unknown_signer()) }
}

/// Whether this takes a consent back, as far as it goes.
fn takes_back(entry: &Entry) -> bool {
    matches!(entry.said(), Event::Consent(ConsentEvent { act: Act::Withdraw { .. }, .. }))
}

/// The desk follows the log: another key of a donor is known from now on, and of a consent that is over nothing is
/// kept. Each step looks at the log as it is now, so that an old entry that comes again changes nothing.
fn follow(biobank: &Biobank, entry: &Entry) -> Result<(), Problem> {
    let (subject, key) = match entry.said() {
        Event::Institution(InstitutionEvent::KeyRotation(said)) => (said.subject, Some(&said.key)),
        Event::Institution(InstitutionEvent::KeyRebinding(said)) => (said.subject, Some(&said.key)),
        Event::Institution(InstitutionEvent::Ending(said)) => (said.subject, None),
        Event::Consent(event) if takes_back(entry) => (event.subject, None),
        _ => return Ok(()),
    };
    let Some(state) = access::state(biobank, &subject)? else { return Ok(()) };
    if key == Some(&state.signer) {
        let keys = biobank.desk.study_keys().map_err(Problem::internal)?;
        let before = keys.into_iter().find(|(_, key)| access::commitment(key) == Some(subject));
        if let Some((before, _)) = before {
            biobank.desk.move_study_key(&before, &state.signer).map_err(Problem::internal)?;
        }
    }
    // What ends all use. After "no contact" the rest still counts.
    if is_over(state.standing.written) {
        biobank.desk.forget_credential(&subject).map_err(Problem::internal)?;
    }
    Ok(())
}
