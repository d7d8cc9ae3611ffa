//! Grants of access: an hour at most, for one key, one purpose and one decision. Each is decided anew when it is made,
//! so a consent that ended a moment ago gives no grant, whatever a decision of before says.

use super::decision::{self, Answer};
use super::rows::KeptGrant;
use super::{Asked, Subject};
use crate::Problem;
use crate::biobank::Biobank;
use consent::{Outcome, StudyId, Timestamp};
use identity::Did;
use ledger::event::{AccessGrant, InstitutionEvent, Role};
use ledger::{Entry, EntryHash, Hash, Key, MAX_GRANT_SECONDS, Record};

/// How old a decision may be when it becomes a grant, in seconds.
const MAX_DECISION_AGE: i64 = 600;

/// What a researcher asks for.
pub struct Wish {
    /// The signed decision.
    pub decision: String,
    /// The answers of a decision about many.
    pub answers: Vec<Answer>,
    /// The purpose.
    pub purpose: Asked,
    /// The request that a committee allowed, if the decision left something to a person.
    pub request: Option<EntryHash>,
    /// For how long, in seconds.
    pub seconds: i64,
}

/// A grant that is ready for the log.
pub struct Draft {
    /// The entry.
    pub entry: Entry,
    /// What it rests on.
    pub kept: KeptGrant,
    wish: Wish,
}

/// Judges a wish by what the log says now, and signs the grant.
pub fn draft(biobank: &Biobank, caller: &Did, wish: Wish, now: Timestamp) -> Result<Draft, Problem> {
    if !(1..=MAX_GRANT_SECONDS).contains(&wish.seconds) {
        return Err(Problem::malformed());
    }
    let holder = super::member(biobank, caller)?.filter(|member| member.role == Role::Researcher);
    let holder = holder.ok_or_else(Problem::not_allowed)?;
    let read = decision::read(biobank, &wish.decision, wish.answers.clone())?;
    // Bound to the key that asked: a decision that somebody else was given opens nothing.
    if read.frame.requester != *caller {
        return Err(Problem::not_allowed());
    }
    if read.frame.purpose != wish.purpose.hash {
        return Err(Problem::malformed());
    }
    if read.frame.time.plus_seconds(MAX_DECISION_AGE) < now {
        return Err(Problem::decision_old());
    }
    let study = read.answers.first().map(|answer| answer.study.clone()).ok_or_else(Problem::malformed)?;
    let by_person = wish.request.map(|request| settled(biobank, &request, &study, &wish.purpose.hash, now));
    let by_person = by_person.transpose()?.is_some();
    let covered = |answer: &Answer| answer.outcome == Outcome::Permit || by_person && answer.is_for_a_person();
    let subjects: Vec<Hash> =
        read.answers.iter().filter(|answer| covered(answer)).map(|answer| answer.subject).collect();
    if subjects.is_empty() {
        return Err(Problem::not_permitted());
    }
    let found = still(biobank, &subjects, &wish.purpose, by_person, now)?;
    super::may_ask(biobank, caller, &study, &found)?;
    let said = AccessGrant {
        decision: read.hash,
        expires: now.plus_seconds(wish.seconds),
        holder: caller.clone(),
        purpose: wish.purpose.hash,
        request: wish.request,
        time: now,
    };
    let entry = Entry::sign(&biobank.key, &InstitutionEvent::AccessGrant(said)).map_err(Problem::internal)?;
    let text = String::from_utf8(entry.bytes().to_vec()).map_err(Problem::internal)?;
    tracing::debug!(subjects = subjects.len(), organisation = holder.organisation, "a grant is made");
    let mut subjects = subjects;
    subjects.sort_unstable();
    let kept = KeptGrant { entry: text, decision: wish.decision.clone(), study, subjects };
    Ok(Draft { entry, kept, wish })
}

/// Looks once more after the grant is on the log: a consent that ended while it was written is not handed out.
pub fn confirm(biobank: &Biobank, draft: &Draft, now: Timestamp) -> Result<(), Problem> {
    let by_person = draft.wish.request.is_some();
    still(biobank, &draft.kept.subjects, &draft.wish.purpose, by_person, now)?;
    let purpose = (&draft.wish.purpose.hash, &draft.wish.purpose.value);
    biobank.desk.keep_grant(&draft.entry.hash(), &draft.kept, purpose).map_err(Problem::internal)
}

/// Decides anew about all of these. One that is no longer covered refuses all: the researcher asks again, and sees who.
fn still(
    biobank: &Biobank,
    subjects: &[Hash],
    asked: &Asked,
    by_person: bool,
    now: Timestamp,
) -> Result<Vec<Subject>, Problem> {
    let names: Vec<String> = subjects.iter().map(ToString::to_string).collect();
    let found = super::subjects(biobank, &names)?;
    let answers = decision::answers(biobank, &found, &asked.purpose, now)?;
    let covered = |answer: &Answer| answer.outcome == Outcome::Permit || by_person && answer.is_for_a_person();
    if answers.iter().all(covered) { Ok(found) } else { Err(Problem::not_permitted()) }
}

/// The committee said yes to this request, for this study and this purpose, and the yes has not run out.
fn settled(
    biobank: &Biobank,
    request: &EntryHash,
    study: &StudyId,
    purpose: &Hash,
    now: Timestamp,
) -> Result<(), Problem> {
    let known = match super::records(biobank, &[Key::request(request)])?.into_values().next() {
        Some(Record::Request(known)) => known,
        _ => return Err(Problem::not_found()),
    };
    let holds = known.outcome == Some(Outcome::Permit)
        && known.study == *study
        && known.purpose == *purpose
        && known.until.is_none_or(|until| now.date() <= until);
    if holds { Ok(()) } else { Err(Problem::not_permitted()) }
}
