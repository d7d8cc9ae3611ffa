//! Requests, answers and what became of them, as screens see them.

use super::{card, signed_terms, title};
use crate::answer::{Aim, as_shown, made, prepare};
use crate::choices::{fit, objections};
use crate::clock::now;
use crate::profile::Profile;
use crate::statement;
use crate::story::{Answer, Signed, Story};
use crate::studies::notice_digest;
use bridge::{
    Code, ConsentView, DonorStep, EffectView, Failure, HistoryRow, Possible, ReceiptView, RecordView, RequestView,
    StatementView, StepView, SummaryView,
};
use consent::ontology::Ontology;
use consent::{
    Choice, ConsentState, DataKind, Decision, Effect, Matcher, Message, Move, Policy, Preferences, StudyId,
    StudyRequest, Use, Vocabulary, Withdrawal, explain, fold, rules, simulate,
};
use ledger::{EntryHash, commit_notice};
use std::collections::BTreeMap;

/// One study's request: to be answered, or to change the answer that is in force.
pub fn request(profile: &Profile, study: &StudyId) -> Result<RequestView, Failure> {
    let connection = profile.connection()?;
    let signer = profile.study_key(&connection, study).did().to_string();
    profile.read(|story| {
        let waiting = story.waiting(now().date());
        let position = waiting.iter().position(|request| request.id == *study);
        let aim = Aim::of(story, study)?;
        let changes = aim.step == Move::Change;
        if position.is_none() && !changes {
            return Err(Code::NotPossible.into());
        }
        let request = &aim.request;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let current = story.answers.get(study).filter(|_| changes).and_then(choice);
        Ok(RequestView {
            study: study.clone(),
            title: request.title.clone(),
            organisation: request.organisation_name.clone(),
            checked_by: connection.name,
            checked_on: request.checked,
            why: request.why.clone(),
            offers: request.offers.clone(),
            questions: request.questions.clone(),
            results: request.results.clone(),
            contact: request.contact.clone(),
            fits: fit(story, request),
            current,
            rules: rules(&request.policy),
            until: request.policy.until,
            text: request.text.clone(),
            position: number(position.map_or(0, |place| place + 1)),
            of: number(waiting.len()),
            notice: notice_digest(request),
            signer,
        })
    })?
}

/// What was chosen in the version that was signed last.
fn choice(answer: &Answer) -> Option<Choice> {
    let (policy, preferences) = signed_terms(answer.credential.as_ref()?)?;
    let asked = |(question, _): &(consent::Question, consent::Answer)| answer.request.questions.contains(question);
    Some(Choice {
        data: policy.shared().to_vec(),
        answers: policy.answers.iter().filter(asked).collect(),
        preferences,
        until: policy.until,
    })
}

/// What would be signed, what it changes, and what it would do to the study.
pub fn summary(profile: &Profile, study: &StudyId, notice: &str, choice: &Choice) -> Result<SummaryView, Failure> {
    profile.read(|story| {
        let aim = Aim::of(story, study)?;
        let request = &aim.request;
        as_shown(request, notice)?;
        let (policy, preferences) = aim.chosen(choice, now().date())?;
        let statement = statement::of_answer(request, &policy, &preferences);
        let before = aim.before.as_ref().and_then(signed_terms);
        let kept =
            request.offers.iter().map(|offer| offer.kind).filter(|kind| !policy.shared().contains(kind)).collect();
        Ok(SummaryView {
            study: study.clone(),
            title: request.title.clone(),
            organisation: request.organisation_name.clone(),
            shared: policy.shared().to_vec(),
            kept,
            rules: rules(&policy),
            until: policy.until,
            statement: statement.view(),
            differences: before.as_ref().map(|(p, w)| explain((p, w), (&policy, &preferences))).unwrap_or_default(),
            effects: vec![effect(request, before.as_ref().map(|(policy, _)| policy), &policy)],
        })
    })?
}

/// What a pause, its end or a withdrawal means.
pub fn step(profile: &Profile, study: &StudyId, step: DonorStep) -> Result<StepView, Failure> {
    profile.read(|story| {
        let statement = prepare(story, study, step)?;
        let answer = story.answers.get(study).ok_or(Code::NotPossible)?;
        let terms = answer.credential.as_ref().and_then(signed_terms);
        let effects = terms.map(|(policy, _)| {
            let standing = answer.life.standing();
            let after = standing.after(made(step), now().date(), None).map_or(standing.written, |after| after.written);
            let with = |state| Policy { status: Some(state), ..policy.clone() };
            let mut effect = effect(&answer.request, Some(&with(answer.state(now().date()))), &with(after));
            if step == DonorStep::Resume && effect.effect == Effect::Opens {
                effect.effect = Effect::GoesOn;
            }
            vec![effect]
        });
        Ok(StepView {
            study: study.clone(),
            title: answer.request.title.clone(),
            organisation: answer.request.organisation_name.clone(),
            step,
            statement: statement.view(),
            effects: effects.unwrap_or_default(),
        })
    })?
}

/// What a change would do to the use that the study stated. The person picks among the kinds of data that it asks
/// for, so it uses those that are picked, before and after: keeping one of them back does not stop the study.
fn effect(request: &StudyRequest, before: Option<&Policy>, after: &Policy) -> EffectView {
    let ontologies = [Ontology::mondo()];
    let both = |kind: &DataKind| after.shared().contains(kind) && before.is_none_or(|old| old.shared().contains(kind));
    let mut purpose = request.purpose.clone();
    purpose.data.retain(both);
    if purpose.data.is_empty() {
        purpose.data = after.shared().to_vec();
    }
    let one = Use { study: &request.id, before, after, purpose: &purpose };
    let simulated = simulate(&Matcher::new(&ontologies), &[one], now().date());
    let (effect, reasons) = simulated.first().map_or((Effect::NeedsLook, Vec::new()), |one| {
        let told: &Decision<'_> = &one.after;
        (one.effect, objections(told))
    });
    EffectView { study: request.id.clone(), title: request.title.clone(), effect, reasons }
}

/// What became of a signed answer.
pub fn receipt(profile: &Profile, study: &StudyId, entry: &EntryHash) -> Result<ReceiptView, Failure> {
    profile.read(|story| {
        let sending = story.find(entry).ok_or(Code::NotPossible)?;
        Ok(ReceiptView {
            study: study.clone(),
            title: title(story, study),
            state: story.state(study, now().date()),
            record: sending.record(),
        })
    })?
}

/// One consent, with everything that happened to it.
pub fn consent(profile: &Profile, study: &StudyId) -> Result<ConsentView, Failure> {
    let salt = profile.secret().derive_subject_salt(&profile.connection()?.biobank, study);
    profile.read(|story| {
        let answer = story.answers.get(study).ok_or(Code::StudyUnknown)?;
        let state = answer.state(now().date());
        let levels = Withdrawal::ALL.iter().copied();
        let reachable = |level: &Withdrawal| consent::advance(state, Move::Withdraw(*level)).is_ok();
        Ok(ConsentView {
            card: card(story, study, answer),
            choice: choice(answer).unwrap_or_default(),
            possible: possible(story, study, answer, state),
            levels: levels.filter(reachable).collect(),
            history: history(story, answer, &salt),
        })
    })?
}

fn possible(story: &Story, study: &StudyId, answer: &Answer, state: ConsentState) -> Vec<Possible> {
    let listed = story.studies.get(study);
    let can = |step| consent::advance(state, step).is_ok();
    let recorded = answer.grant.as_ref().and_then(|grant| story.find(grant)).is_some_and(|s| s.receipt.is_some());
    let until = answer.life.standing().until;
    let longer = |request: &StudyRequest| match (until, request.policy.until) {
        (Some(now), Some(last)) => now < last,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let mut possible = Vec::new();
    let mut add = |may: bool, what| {
        if may {
            possible.push(what);
        }
    };
    add(can(Move::Change), Possible::Change);
    add(can(Move::Change) && longer(&answer.request), Possible::Extend);
    add(can(Move::Suspend), Possible::Pause);
    add(can(Move::Resume), Possible::Resume);
    add(Withdrawal::ALL.iter().any(|level| can(Move::Withdraw(*level))), Possible::Leave);
    add(can(Move::Ask) && listed.is_some(), Possible::AskAgain);
    add(state.allows_use() && recorded, Possible::Prove);
    possible
}

/// Each signed step, latest first. What each version is now comes from the fold over the signed steps alone.
fn history(story: &Story, answer: &Answer, salt: &[u8; 32]) -> Vec<HistoryRow> {
    let (life, _) = fold(answer.signed.iter().map(|signed| signed.step.clone()));
    let day = now().date();
    let head = life.versions().last().map(|version| version.id);
    let states: BTreeMap<EntryHash, ConsentState> = life
        .versions()
        .iter()
        .map(|version| (version.id, if Some(version.id) == head { life.state_at(day) } else { version.state }))
        .collect();
    let mut rows = Vec::new();
    let mut before: Option<(Policy, Preferences)> = None;
    let mut versions = 0_u32;
    for signed in &answer.signed {
        let terms = signed.credential.as_ref().and_then(signed_terms);
        let version = terms.is_some().then(|| {
            versions += 1;
            versions
        });
        let differences = match (&before, &terms) {
            (Some((policy, wishes)), Some((new, wished))) => explain((policy, wishes), (new, wished)),
            _ => Vec::new(),
        };
        let message = Message::new(signed.direction.messages().1);
        let message = match signed.step.day {
            Some(day) => message.with("date", day.to_string()),
            None => message.with("date", ""),
        };
        rows.push(HistoryRow {
            entry: signed.step.id.to_string(),
            message,
            version,
            state: states.get(&signed.step.id).copied(),
            at: signed.step.at,
            differences,
            statement: signed.statement.as_ref().map_or_else(no_statement, statement::Statement::view),
            same: same(story, signed, salt),
            record: story.find(&signed.step.id).map_or(RecordView::Local, crate::story::Sending::record),
        });
        before = terms.or(before);
    }
    rows.reverse();
    rows
}

/// Whether the text that is kept is the one that was signed: its digest is named by the credential, where a version
/// was signed, and by the entry's commitment in any case.
fn same(story: &Story, signed: &Signed, salt: &[u8; 32]) -> Option<bool> {
    let kept = signed.statement.as_ref()?;
    let entry = &story.find(&signed.step.id)?.entry;
    let committed = commit_notice(salt, &kept.notice) == entry.event().notice;
    let named = signed
        .credential
        .as_ref()
        .is_none_or(|credential| credential.value()["credentialSubject"]["notice"] == serde_json::json!(kept.notice));
    Some(kept.holds() && committed && named)
}

fn no_statement() -> StatementView {
    StatementView { paragraphs: Vec::new(), digest: String::new() }
}
