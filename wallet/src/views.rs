//! The story as screens see it.

mod answer;

pub use answer::{consent, receipt, request, step, summary};

use crate::choices;
use crate::clock::now;
use crate::event::Event;
use crate::profile::Profile;
use crate::story::{Answer, Story};
use crate::sync;
use bridge::{
    Activity, ActivityRow, AskCard, Code, ConsentCard, Failure, Home, KeyView, Pseudonym, RecordView, Recorded,
    RequestCard, Sharing,
};
use consent::{ConsentState, Message, Policy, Preferences, StudyId, StudyRequest, rules};
use identity::keychain_name;
use ledger::EntryHash;

/// How many events the first page shows.
const LATELY: usize = 4;

/// The participant's first page.
pub fn home(profile: &Profile) -> Result<Home, Failure> {
    let biobank = profile.connection()?.name;
    let sync = sync::view(profile)?;
    profile.read(|story| Home {
        biobank,
        requests: story.waiting(now().date()).into_iter().map(|request| request_card(story, request)).collect(),
        consents: consents(story),
        lately: activity_rows(story).take(LATELY).collect(),
        asks: u32::try_from(story.open_asks(now().date()).count()).unwrap_or(u32::MAX),
        sync,
    })
}

/// What is shared, and who asks for proof.
pub fn sharing(profile: &Profile) -> Result<Sharing, Failure> {
    profile.read(|story| Sharing {
        consents: consents(story),
        asks: story
            .open_asks(now().date())
            .map(|ask| AskCard {
                id: ask.id.clone(),
                study: ask.study.clone(),
                title: title(story, &ask.study),
                organisation: ask.organisation_name.clone(),
                asked: ask.asked,
                purpose: ask.purpose.clone(),
            })
            .collect(),
    })
}

/// Everything that happened, latest first.
pub fn activity(profile: &Profile) -> Result<Activity, Failure> {
    profile.read(|story| Activity { rows: activity_rows(story).collect() })
}

/// The key, as far as it may be shown.
pub fn key(profile: &Profile) -> Result<KeyView, Failure> {
    let mut pseudonyms = Vec::new();
    let (connection, answered) = profile.read(|story| {
        let answered: Vec<_> = story
            .answers
            .iter()
            .filter(|(_, answer)| !answer.signed.is_empty())
            .map(|(study, _)| (study.clone(), title(story, study)))
            .collect();
        (story.connection.clone(), answered)
    })?;
    if let Some(connection) = connection {
        let did = profile.biobank_key(&connection).did().to_string();
        pseudonyms.push(Pseudonym { name: connection.name.clone(), did });
        for (study, title) in answered {
            pseudonyms.push(Pseudonym { name: title, did: profile.study_key(&connection, &study).did().to_string() });
        }
    }
    let fingerprint = profile.secret().fingerprint().to_string();
    Ok(KeyView { fingerprint, keychain: keychain_name().to_owned(), pseudonyms })
}

fn request_card(story: &Story, request: &StudyRequest) -> RequestCard {
    RequestCard {
        study: request.id.clone(),
        title: request.title.clone(),
        organisation: request.organisation_name.clone(),
        why: request.why.clone(),
        deferred: story.state(&request.id, now().date()) == ConsentState::Deferred,
        fits: choices::fit(story, request).outcome,
    }
}

/// Answers that were given, live ones first, then the latest first.
fn consents(story: &Story) -> Vec<ConsentCard> {
    let day = now().date();
    let answered = story.answers.iter().filter(|(_, answer)| !answer.state(day).is_open());
    let mut cards: Vec<_> = answered.map(|(study, answer)| card(story, study, answer)).collect();
    let live = |state: ConsentState| state.allows_use() || state == ConsentState::Suspended;
    cards.sort_by_key(|card| (!live(card.state), std::cmp::Reverse(card.answered)));
    cards
}

/// One answer as a card.
fn card(story: &Story, study: &StudyId, answer: &Answer) -> ConsentCard {
    let sending = answer.life.latest().and_then(|latest| story.find(latest));
    let policy = answer.credential.as_ref().and_then(signed_terms).map(|(policy, _)| policy);
    let state = answer.state(now().date());
    ConsentCard {
        study: study.clone(),
        title: answer.request.title.clone(),
        organisation: answer.request.organisation_name.clone(),
        state,
        data: policy.as_ref().map(|policy| policy.shared().to_vec()).unwrap_or_default(),
        rules: policy.as_ref().map(rules).unwrap_or_default(),
        until: policy.and_then(|policy| policy.until),
        paused_until: answer.life.standing().paused_until.filter(|_| state == ConsentState::Suspended),
        record: sending.map_or(RecordView::Local, super::story::Sending::record),
        answered: answer.at,
    }
}

/// The policy and the wishes inside a credential of our own making.
pub(crate) fn signed_terms(credential: &identity::Credential) -> Option<(Policy, Preferences)> {
    let subject = &credential.value()["credentialSubject"];
    let policy = serde_json::from_value(subject["dataUse"].clone()).ok()?;
    let preferences = match subject.get("preferences") {
        Some(preferences) => serde_json::from_value(preferences.clone()).ok()?,
        None => Preferences::default(),
    };
    Some((policy, preferences))
}

fn title(story: &Story, study: &StudyId) -> String {
    let answered = story.answers.get(study).map(|answer| &answer.request);
    answered.or_else(|| story.studies.get(study)).map_or_else(|| study.to_string(), |request| request.title.clone())
}

fn activity_rows(story: &Story) -> impl Iterator<Item = ActivityRow> + '_ {
    story.rows.iter().rev().filter_map(|row| {
        let (message, failure, record) = describe(story, &row.event)?;
        Some(ActivityRow { at: row.at, message, ok: failure.is_none(), failure, record })
    })
}

/// An event as a sentence; events that only keep the books have none.
fn describe(story: &Story, event: &Event) -> Option<(Message, Option<Failure>, Option<Recorded>)> {
    let say = Message::new;
    let about = |id: &str, study: &StudyId| Message::new(id).with("study", title(story, study));
    let of_entry = |id: &str, entry: &EntryHash| Some(about(id, &story.find(entry)?.study));
    let of_ask = |id: &str, ask: &str| Some(about(id, &story.asks.iter().find(|a| a.id == ask)?.study));
    let fine = |message: Message| Some((message, None, None));
    match event {
        Event::ProfileCreated => fine(say("activity-profile-created")),
        Event::Joined { connection, .. } => fine(say("activity-joined").with("biobank", &connection.name)),
        Event::JoinFailed { failure } => Some((say("activity-join-failed"), Some(failure.clone()), None)),
        Event::Connected { connection, .. } => fine(say("activity-connected").with("institution", &connection.name)),
        Event::Refused { study } => fine(about("activity-refused", study)),
        Event::Deferred { study } => fine(about("activity-deferred", study)),
        Event::AskedAgain { study } => fine(about("activity-asked-again", study)),
        Event::Signed { study, direction, .. } => fine(about(direction.messages().0, study)),
        Event::ChoicesSaved { .. } => fine(say("activity-choices-saved")),
        Event::ReceiptSaved { study } => fine(about("activity-receipt-saved", study)),
        Event::Sent { entry } => fine(of_entry("activity-sent", entry)?),
        Event::SendFailed { entry, failure } => {
            Some((of_entry("activity-send-failed", entry)?, Some(failure.clone()), None))
        }
        Event::Recorded { entry, index, quorum, .. } => {
            let confirmed = quorum.as_ref().is_some_and(|quorum| quorum.reached);
            let id = if confirmed { "activity-confirmed" } else { "activity-recorded" };
            let checked = story.find(entry)?.recorded.as_ref()?.checked;
            let record = Recorded { index: *index, hash: entry.to_string(), checked, quorum: quorum.clone() };
            Some((of_entry(id, entry)?, None, Some(record)))
        }
        Event::LogForked { .. } => Some((say("activity-log-forked"), Some(Code::LogForked.into()), None)),
        Event::LogKeyChanged { .. } => fine(say("activity-log-key-changed")),
        Event::BiobankKeyChanged { .. } => fine(say("activity-biobank-key-changed")),
        Event::LogReturned => fine(say("activity-log-returned")),
        Event::ProofSaved { study } => fine(about("activity-proof-saved", study)),
        Event::AskReceived { ask } => fine(about("activity-ask-received", &ask.study)),
        Event::AskAnswered { id, shared: true } => fine(of_ask("activity-proof-shared", id)?),
        Event::AskAnswered { id, shared: false } => fine(of_ask("activity-ask-declined", id)?),
        Event::Presented { study, to } => fine(about("activity-presented", study).with("who", to)),
        Event::NotPresented { to } => fine(say("activity-not-presented").with("who", to)),
        Event::Invited { donor } => fine(say("activity-invited").with("donor", donor)),
        Event::Checked { outcome, record, .. } => {
            let outcome = outcome.map_or_else(|| "none".to_owned(), |outcome| format!("{outcome:?}").to_lowercase());
            Some((say("activity-checked").with("outcome", outcome), None, record.clone()))
        }
        Event::Asked { ask, .. } => fine(about("activity-asked", &ask.study)),
        Event::Failed { failure, .. } => Some((say("activity-failed"), Some(failure.clone()), None)),
        Event::StudiesRead { .. }
        | Event::CheckpointSeen { .. }
        | Event::StillShorter { .. }
        | Event::HandedOver { .. }
        | Event::AccountRenewed { .. }
        | Event::AnswerReceived { .. } => None,
    }
}
