//! A receipt of a consent: for the person to keep, or for another system.

use crate::clock::now;
use crate::event::Event;
use crate::exchange::{ConsentRecord, Moment, dpv, fhir, odrl, pdf};
use crate::profile::Profile;
use crate::proof::write_new;
use crate::story::{Answer, Story};
use bridge::{Code, Failure, ReceiptFormat};
use consent::{ConsentState, Date, Message, StudyId, words};
use identity::verify_consent;
use std::path::{Path, PathBuf};

/// Writes a receipt into a folder under a name that is free.
pub async fn save(
    profile: &Profile,
    study: &StudyId,
    format: ReceiptFormat,
    folder: &Path,
) -> Result<PathBuf, Failure> {
    let record = record(profile, study).await?;
    let json = |value: serde_json::Value| serde_json::to_vec_pretty(&value).map_err(|_| Failure::from(Code::Internal));
    let (bytes, ending) = match format {
        ReceiptFormat::Pdf => (pdf::export(&record).map_err(|_| Code::Internal)?, "receipt.pdf"),
        ReceiptFormat::Fhir => (json(fhir::export(&record))?, "fhir.json"),
        ReceiptFormat::Odrl => (json(odrl::export(&record))?, "odrl.json"),
        ReceiptFormat::Dpv => (json(dpv::export(&record))?, "dpv.json"),
    };
    let path = write_new(folder, study.as_str(), ending, &bytes).map_err(|_| Code::Storage)?;
    profile.record(Event::ReceiptSaved { study: study.clone() })?;
    Ok(path)
}

/// The consent as the person keeps it: the version that was signed last, and everything that happened to it.
pub async fn record(profile: &Profile, study: &StudyId) -> Result<ConsentRecord, Failure> {
    let connection = profile.connection()?;
    let checked = profile.weather().checked;
    let (answer, moments) = profile
        .read(|story| {
            let answer = story.answers.get(study)?;
            Some((answer.clone(), moments(story, answer)))
        })?
        .ok_or(Code::StudyUnknown)?;
    let credential = answer.credential.as_ref().ok_or(Code::NotPossible)?;
    let version = answer.signed.iter().rev().find(|signed| signed.credential.is_some()).ok_or(Code::NotPossible)?;
    // Read as a stranger would, at the moment at which it was signed: a consent that is over can still be printed.
    let verified = verify_consent(&credential.to_bytes(), version.step.at).await.verified.ok_or(Code::Internal)?;
    let entry =
        moments.iter().rev().find(|(id, _)| *id == version.step.id).and_then(|(_, moment)| moment.entry.clone());
    // A question that was asked anew says nothing of the consent that was signed.
    let state = match answer.state(now().date()) {
        ConsentState::Requested | ConsentState::Deferred | ConsentState::Refused => {
            answer.life.versions().last().map_or(ConsentState::Refused, |version| version.state)
        }
        state => state,
    };
    // The record was looked at for this state only if the last step is in it.
    let recorded = moments.last().is_some_and(|(_, moment)| moment.entry.is_some());
    Ok(ConsentRecord {
        state,
        // What ended by its date ended with that day, whoever was there.
        state_since: answer
            .life
            .standing()
            .until
            .filter(|_| state == ConsentState::Expired)
            .map_or(answer.at, Date::end),
        state_checked: checked.filter(|_| recorded),
        study_title: version.request.title.clone(),
        organisation_name: version.request.organisation_name.clone(),
        biobank_name: connection.name,
        statement: version.statement.as_ref().map(|statement| statement.text.clone()).unwrap_or_default(),
        entry,
        events: moments.into_iter().map(|(_, moment)| moment).collect(),
        ..ConsentRecord::as_signed(&verified, version.step.at)
    })
}

/// Every signed step, oldest first.
fn moments(story: &Story, answer: &Answer) -> Vec<(ledger::EntryHash, Moment)> {
    let mut life = consent::Life::default();
    let moment = |signed: &crate::story::Signed| {
        // The journal holds only steps that the life cycle knows.
        let _ = life.follow(&signed.step);
        let date = signed.step.day.map(|day| day.to_string()).unwrap_or_default();
        let message = Message::new(signed.direction.messages().1).with("date", date);
        let recorded = story.find(&signed.step.id).and_then(|sending| sending.recorded.clone());
        let moment = Moment {
            at: signed.step.at,
            state: life.standing().written,
            words: words::sentence(&answer.request.language, &message),
            entry: recorded.map(|recorded| (recorded.index, recorded.hash)),
        };
        (signed.step.id, moment)
    };
    answer.signed.iter().map(moment).collect()
}
