//! The participant's answer to a study: yes with a choice, no, later, and taking it back.
//!
//! A signed answer is in the journal before it is sent, and is sent by the same code whether the biobank is
//! reachable now or next week.

use crate::clock::now;
use crate::event::{Direction, Event};
use crate::profile::Profile;
use crate::story::Story;
use crate::studies::notice_digest;
use bridge::{Code, Failure};
use consent::{DataKind, Move, Policy, StudyId, StudyRequest, advance};
use identity::{ConsentClaims, issue_consent, policy_hash};
use ledger::{ConsentEvent, Entry, EntryHash, Grant, Hash, Withdraw, commit_subject};

/// The policy that a choice of data makes of a study's rules.
pub fn chosen_policy(request: &StudyRequest, data: &[DataKind]) -> Result<Policy, Failure> {
    let offered = |kind: &DataKind| request.offers.iter().any(|offer| offer.kind == *kind);
    if data.is_empty() {
        return Err(Code::NothingChosen.into());
    }
    if !data.iter().all(offered) {
        return Err(Code::NotPossible.into());
    }
    let mut data = data.to_vec();
    data.sort();
    data.dedup();
    let policy = Policy { data, status: None, ..request.policy.clone() };
    policy.validate().map_err(|_| Code::NotPossible)?;
    Ok(policy)
}

/// Says no.
pub fn refuse(profile: &Profile, study: &StudyId) -> Result<(), Failure> {
    profile.record_if(Event::Refused { study: study.clone() }, possible(study, Move::Refuse))
}

/// Decides later.
pub fn defer(profile: &Profile, study: &StudyId) -> Result<(), Failure> {
    if profile.read(|story| story.state(study) == consent::ConsentState::Deferred)? {
        return Ok(());
    }
    profile.record_if(Event::Deferred { study: study.clone() }, possible(study, Move::Defer))
}

/// Wants to answer anew, after a no or a withdrawal.
pub fn ask_again(profile: &Profile, study: &StudyId) -> Result<(), Failure> {
    profile.record_if(Event::AskedAgain { study: study.clone() }, |story| {
        // Only a request that the biobank still lists can be answered.
        if story.studies.contains_key(study) {
            possible(study, Move::Ask)(story)
        } else {
            Err(Code::StudyUnknown.into())
        }
    })
}

/// Signs a consent credential and the entry that records it. `notice` is the digest of the request as it was shown:
/// a request that changed since then is not signed.
pub async fn grant(profile: &Profile, study: &StudyId, notice: &str, data: &[DataKind]) -> Result<EntryHash, Failure> {
    let connection = profile.connection()?;
    let (request, previous) = profile.read(|story| (story.studies.get(study).cloned(), latest(story, study)))?;
    let request = request.ok_or(Code::StudyUnknown)?;
    profile.read(possible(study, Move::Give))??;
    as_shown(&request, notice)?;
    let policy = chosen_policy(&request, data)?;
    let key = profile.study_key(&connection, study);
    let now = now();
    let claims = ConsentClaims {
        subject: key.did(),
        biobank: connection.biobank.clone(),
        study: study.clone(),
        version: request.version,
        recipient: request.organisation.id.clone(),
        notice: notice.to_owned(),
        language: request.language.clone(),
        policy: policy.clone(),
    };
    let credential = issue_consent(&key, &claims, now).await.map_err(|_| Code::Internal)?;
    let event = ConsentEvent::Grant(Grant {
        subject: subject(profile, study)?,
        policy: Hash::from(policy_hash(credential.id(), &policy)),
        credential: Hash::from(credential.hash()),
        previous,
        time: now,
    });
    let entry = Entry::sign(&key, &event);
    sign(profile, study, Direction::Grant, &entry, Some(credential), |story| match story.studies.get(study) {
        Some(request) => as_shown(request, notice),
        None => Err(Code::StudyUnknown.into()),
    })?;
    Ok(entry.hash())
}

/// Signs the withdrawal of a consent.
pub fn withdraw(profile: &Profile, study: &StudyId) -> Result<EntryHash, Failure> {
    let connection = profile.connection()?;
    let previous = profile.read(|story| latest(story, study))?.ok_or(Code::NotPossible)?;
    let event = ConsentEvent::Withdraw(Withdraw { subject: subject(profile, study)?, previous, time: now() });
    let entry = Entry::sign(&profile.study_key(&connection, study), &event);
    sign(profile, study, Direction::Withdraw, &entry, None, |_| Ok(()))?;
    Ok(entry.hash())
}

/// What stands for the participant in one study on the log: a salted commitment.
pub fn subject(profile: &Profile, study: &StudyId) -> Result<Hash, Failure> {
    let biobank = profile.connection()?.biobank;
    let donor = profile.secret().derive_biobank_key(&biobank).did();
    Ok(commit_subject(&profile.secret().derive_subject_salt(&biobank, study), &donor, study))
}

fn sign(
    profile: &Profile,
    study: &StudyId,
    direction: Direction,
    entry: &Entry,
    credential: Option<identity::Credential>,
    allow: impl FnOnce(&Story) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let text = String::from_utf8(entry.bytes().to_vec()).map_err(|_| Code::Internal)?;
    let previous = entry.event().previous();
    let step = if direction == Direction::Grant { Move::Give } else { Move::Withdraw };
    // Two windows' worth of clicks: only one entry can follow the latest one.
    profile.record_if(Event::Signed { study: study.clone(), direction, entry: text, credential }, |story| {
        possible(study, step)(story)?;
        allow(story)?;
        if latest(story, study) == previous { Ok(()) } else { Err(Code::NotPossible.into()) }
    })
}

/// Refuses a request that is not the one that the person saw.
pub(crate) fn as_shown(request: &StudyRequest, notice: &str) -> Result<(), Failure> {
    if notice_digest(request) == notice { Ok(()) } else { Err(Code::RequestChanged.into()) }
}

fn latest(story: &Story, study: &StudyId) -> Option<EntryHash> {
    story.answers.get(study).and_then(|answer| answer.latest)
}

fn possible(study: &StudyId, step: Move) -> impl Fn(&Story) -> Result<(), Failure> {
    move |story| advance(story.state(study), step).map(drop).map_err(|_| Code::NotPossible.into())
}
