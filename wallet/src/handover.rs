//! Hands the credential of a consent to the biobank that it names, once its entry is in the record. The record holds
//! only hashes of it: without the credential the biobank could tell a researcher that a consent stands, and not what
//! it allows.

use crate::clock::now;
use crate::event::{Connection, Event};
use crate::profile::Profile;
use crate::remote::Remote;
use crate::story::Story;
use bridge::{Code, Failure};
use consent::{ConsentState, StudyId};
use identity::Credential;
use ledger::EntryHash;
use reqwest::Method;
use serde_json::json;

/// Refusals that stay: another version counts by now, or this biobank takes no credentials.
const FINAL: [&str; 2] = ["not-in-force", "not-found"];

/// Hands over what the biobank does not have yet.
pub async fn hand_over(profile: &Profile, connection: &Connection, remote: &Remote) -> Result<(), Failure> {
    for (study, entry, credential) in profile.read(due)? {
        let key = profile.study_key(connection, &study);
        let body = json!({ "credential": credential });
        match remote.signed(&key, Method::POST, "/v1/credentials", Some(&body)).await {
            Ok(_) => profile.record(Event::HandedOver { entry, taken: true })?,
            Err(failure) if failure.code == Code::Offline => return Err(failure),
            Err(failure) if failure.args.get("reason").is_some_and(|reason| FINAL.contains(&reason.as_str())) => {
                profile.record(Event::HandedOver { entry, taken: false })?;
            }
            // Nothing is lost: the consent is recorded, and the next round tries again.
            Err(failure) => tracing::warn!(%failure, "the biobank did not take a credential"),
        }
    }
    Ok(())
}

/// The credentials of recorded consents that can count, and that the biobank was not handed.
fn due(story: &Story) -> Vec<(StudyId, EntryHash, Credential)> {
    let today = now().date();
    let of_answer = |(study, answer): (&StudyId, &crate::story::Answer)| {
        let (entry, credential) = (answer.grant?, answer.credential.clone()?);
        let state = answer.state(today);
        let counts = state.allows_use() || state == ConsentState::Suspended;
        let recorded = story.find(&entry).is_some_and(|sending| sending.recorded.is_some());
        (counts && recorded && !story.handed_over.contains(&entry)).then(|| (study.clone(), entry, credential))
    };
    story.answers.iter().filter_map(of_answer).collect()
}
