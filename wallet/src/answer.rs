//! The participant's answer to a study: yes with a choice, no, later; and every step after a yes.
//!
//! A signed answer is in the journal before it is sent, and is sent by the same code whether the biobank is
//! reachable now or next week.

use crate::clock::now;
use crate::event::{Direction, Event};
use crate::profile::Profile;
use crate::statement::{self, Statement};
use crate::story::Story;
use crate::studies::notice_digest;
use crate::views::signed_terms;
use bridge::{Code, DonorStep, Failure};
use consent::{Answers, Choice, ConsentState, Date, Move, Policy, Preferences, StudyId, StudyRequest, Vocabulary};
use identity::{ConsentClaims, Credential, issue_consent, policy_hash};
use ledger::{Act, ConsentEntry, ConsentEvent, EntryHash, Given, Hash, commit_notice, commit_subject};

/// The policy and the wishes that a choice makes of a study's rules, on a day.
///
/// A question that was asked and left open is signed as "not sure": silence is no yes, and no machine takes it for one.
/// `issued` is the day from which months are counted: that of the first version, also for a later one.
pub fn chosen(
    request: &StudyRequest,
    choice: &Choice,
    on: Date,
    issued: Option<Date>,
) -> Result<(Policy, Preferences), Failure> {
    if choice.data.is_empty() {
        return Err(Code::NothingChosen.into());
    }
    let offered = choice.data.iter().all(|kind| request.offers.iter().any(|offer| offer.kind == *kind));
    let asked = only(choice.answers, &request.questions)
        && only(choice.preferences.results, &request.results)
        && only(choice.preferences.contact, &request.contact);
    // An earlier last day is the person's to choose; a later one than the study asks for is not.
    let until = match (choice.until, request.policy.until) {
        (Some(wish), Some(last)) if wish > last => return Err(Code::NotPossible.into()),
        (Some(wish), _) => Some(wish),
        (None, last) => last,
    };
    if !offered || !asked || until.is_some_and(|until| until < on) {
        return Err(Code::NotPossible.into());
    }
    let mut data = choice.data.clone();
    data.sort();
    data.dedup();
    let mut answers = request.policy.answers;
    let open = request.questions.iter().filter(|question| answers.get(**question).is_none());
    let open: Vec<_> = open.copied().collect();
    open.into_iter().for_each(|question| answers.set(question, Some(consent::Answer::Undecided)));
    choice.answers.iter().for_each(|(question, answer)| answers.set(question, Some(answer)));
    let policy = Policy {
        data: Some(data),
        answers,
        until,
        issued: Some(issued.unwrap_or(on)),
        status: None,
        ..request.policy.clone()
    };
    policy.validate().map_err(|_| Code::NotPossible)?;
    Ok((policy, choice.preferences))
}

/// Whether only questions that were asked are answered.
fn only<Q: Vocabulary + PartialEq>(answers: Answers<Q>, asked: &[Q]) -> bool {
    answers.iter().all(|(question, _)| asked.contains(&question))
}

/// Says no.
pub fn refuse(profile: &Profile, study: &StudyId) -> Result<(), Failure> {
    profile.record_if(Event::Refused { study: study.clone() }, possible(study, Move::Refuse))
}

/// Decides later.
pub fn defer(profile: &Profile, study: &StudyId) -> Result<(), Failure> {
    if profile.read(|story| story.state(study, now().date()) == ConsentState::Deferred)? {
        return Ok(());
    }
    profile.record_if(Event::Deferred { study: study.clone() }, possible(study, Move::Defer))
}

/// Wants to answer anew, after a no, a withdrawal, or the last day.
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

/// What an answer would be: the first one to the request of today, or a change of the one in force. A change stays
/// with the request that was signed, so that a person can narrow it whatever the study asks for by now.
pub struct Aim {
    /// Give or change.
    pub step: Move,
    /// The request that is answered.
    pub request: StudyRequest,
    /// The credential in force, where it is changed.
    pub before: Option<Credential>,
}

impl Aim {
    /// What an answer to a study would be now.
    pub fn of(story: &Story, study: &StudyId) -> Result<Self, Failure> {
        let answer = story.answers.get(study).filter(|answer| answer.state(now().date()) == ConsentState::Active);
        match answer {
            Some(answer) => {
                let (request, before) = (answer.request.clone(), answer.credential.clone());
                Ok(Self { step: Move::Change, request, before })
            }
            None => {
                let request = story.studies.get(study).cloned().ok_or(Code::StudyUnknown)?;
                Ok(Self { step: Move::Give, request, before: None })
            }
        }
    }

    /// The policy and the wishes that a choice makes.
    pub fn chosen(&self, choice: &Choice, on: Date) -> Result<(Policy, Preferences), Failure> {
        let issued = self.before.as_ref().and_then(signed_terms).and_then(|(policy, _)| policy.issued);
        chosen(&self.request, choice, on, issued)
    }
}

/// Signs a consent credential, the first or a new version, and the entry that records it. `notice` is the digest of
/// the request as it was shown, `digest` that of the text in the review: what changed since then is not signed.
pub async fn grant(
    profile: &Profile,
    study: &StudyId,
    notice: &str,
    choice: &Choice,
    digest: &str,
) -> Result<EntryHash, Failure> {
    let connection = profile.connection()?;
    let (aim, previous) = profile.read(|story| (Aim::of(story, study), latest(story, study)))?;
    let aim = aim?;
    let made = aim.step;
    profile.read(possible(study, made))??;
    as_shown(&aim.request, notice)?;
    let now = now();
    let (policy, preferences) = aim.chosen(choice, now.date())?;
    let (request, replaced) = (aim.request, aim.before);
    let statement = statement::of_answer(&request, &policy, &preferences);
    if statement.notice.sha256 != digest {
        return Err(Code::RequestChanged.into());
    }
    // A second press on the button signs no second version.
    let same = |old: &Credential| old.value()["credentialSubject"]["notice"]["sha256"].as_str() == Some(digest);
    if replaced.as_ref().is_some_and(same) {
        return Err(Code::NotPossible.into());
    }
    let key = profile.study_key(&connection, study);
    let claims = ConsentClaims {
        subject: key.did(),
        biobank: connection.biobank.clone(),
        study: study.clone(),
        version: request.version,
        recipient: request.organisation.id.clone(),
        notice: statement.notice.clone(),
        policy: policy.clone(),
        preferences,
        terms: request.terms.clone(),
        supersedes: replaced.map(|old| hex::encode(old.hash())),
    };
    let credential = issue_consent(&key, &claims, now).await.map_err(|_| Code::Internal)?;
    let given = Given {
        policy: Hash::from(policy_hash(credential.id(), &policy)),
        credential: Hash::from(credential.hash()),
        until: policy.until,
    };
    let act = if made == Move::Change { Act::Change(given) } else { Act::Grant(given) };
    let event = event(profile, study, previous, &statement, act)?;
    let entry = ConsentEntry::sign(&key, &ConsentEvent { time: now, ..event });
    sign(profile, study, &entry, statement, Some(credential), |story| {
        as_shown(&Aim::of(story, study)?.request, notice)
    })?;
    Ok(entry.hash())
}

/// Signs a pause, its end, or a withdrawal. `digest` is that of the text that was shown.
pub fn step(profile: &Profile, study: &StudyId, step: DonorStep, digest: &str) -> Result<EntryHash, Failure> {
    let connection = profile.connection()?;
    let (statement, previous) =
        profile.read(|story| Ok::<_, Failure>((prepare(story, study, step)?, latest(story, study))))??;
    if statement.notice.sha256 != digest {
        return Err(Code::RequestChanged.into());
    }
    let act = match step {
        DonorStep::Pause { until } => Act::Suspend { until },
        DonorStep::Resume => Act::Resume,
        DonorStep::Withdraw { level } => Act::Withdraw { level },
    };
    let event = event(profile, study, previous, &statement, act)?;
    let entry = ConsentEntry::sign(&profile.study_key(&connection, study), &event);
    sign(profile, study, &entry, statement, None, |_| Ok(()))?;
    Ok(entry.hash())
}

/// The text of a step, if it is possible now.
pub fn prepare(story: &Story, study: &StudyId, step: DonorStep) -> Result<Statement, Failure> {
    possible(study, made(step))(story)?;
    if matches!(step, DonorStep::Pause { until: Some(day) } if day < now().date()) {
        return Err(Code::NotPossible.into());
    }
    let answer = story.answers.get(study).ok_or(Code::NotPossible)?;
    Ok(statement::of_step(&answer.request, step))
}

/// The move that a step is.
pub fn made(step: DonorStep) -> Move {
    match step {
        DonorStep::Pause { .. } => Move::Suspend,
        DonorStep::Resume => Move::Resume,
        DonorStep::Withdraw { level } => Move::Withdraw(level),
    }
}

fn event(
    profile: &Profile,
    study: &StudyId,
    previous: Option<EntryHash>,
    statement: &Statement,
    act: Act,
) -> Result<ConsentEvent, Failure> {
    let salt = profile.secret().derive_subject_salt(&profile.connection()?.biobank, study);
    let notice = commit_notice(&salt, &statement.notice);
    Ok(ConsentEvent { subject: subject(profile, study)?, previous, notice, time: now(), act })
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
    entry: &ConsentEntry,
    statement: Statement,
    credential: Option<Credential>,
    allow: impl FnOnce(&Story) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let text = String::from_utf8(entry.bytes().to_vec()).map_err(|_| Code::Internal)?;
    let (previous, step) = (entry.event().previous, entry.event().step());
    let direction = Direction::of(&entry.event().act);
    // Two windows' worth of clicks: only one entry can follow the latest one.
    let signed = Event::Signed { study: study.clone(), direction, entry: text, credential, statement: Some(statement) };
    profile.record_if(signed, |story| {
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
    story.answers.get(study).and_then(|answer| answer.life.latest().copied())
}

fn possible(study: &StudyId, step: Move) -> impl Fn(&Story) -> Result<(), Failure> {
    move |story| {
        // The life cycle lets a grant stand for "asked anew"; a person is asked first.
        let open = step != Move::Give || story.state(study, now().date()).is_open();
        let standing = story.answers.get(study).map(|answer| answer.life.standing()).unwrap_or_default();
        match standing.after(step, now().date(), None) {
            Ok(_) if open => Ok(()),
            _ => Err(Code::NotPossible.into()),
        }
    }
}
