//! Sends what waits, checks receipts, follows the log, and reads the mailbox. The same code runs after every
//! start, every click and every few seconds: recovery is not special.

use crate::asks;
use crate::clock::now;
use crate::event::{Connection, Event};
use crate::profile::Profile;
use crate::remote::Remote;
use crate::stop::stop_point;
use crate::story::Sending;
use crate::studies::read_signed;
use bridge::{Code, Failure, Role, SyncView};
use identity::sign_jws;
use ledger::client::{ClientError, LogClient};
use ledger::{Checkpoint, Receipt, SignedCheckpoint, VerifierKey};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

const STUDY_KEY_TYPE: &str = "study-key.v1+jws";

/// One round. What could not be done now is done in a later one.
pub async fn sync(profile: &Profile) -> Result<SyncView, Failure> {
    let _one_at_a_time = profile.syncing.lock().await;
    if profile.read(|story| story.connection.is_some())? {
        match round(profile).await {
            Ok(()) => profile.set_checked(now()),
            Err(failure) if failure.code == Code::Offline => profile.set_online(false),
            Err(failure) => return Err(failure),
        }
    }
    view(profile)
}

/// How things stand, without asking anybody.
pub fn view(profile: &Profile) -> Result<SyncView, Failure> {
    let weather = profile.weather();
    profile.read(|story| SyncView {
        waiting: u32::try_from(story.sending.iter().filter(|sending| sending.recorded.is_none()).count())
            .unwrap_or(u32::MAX),
        online: weather.online,
        checked: weather.checked,
        forked: story.forked,
    })
}

async fn round(profile: &Profile) -> Result<(), Failure> {
    let connection = profile.connection()?;
    let remote = Remote::new(&connection.address)?;
    match profile.role {
        Role::Participant => {
            send_all(profile, &connection, &remote).await?;
            read_studies(profile, &connection, &remote).await?;
            follow_log(profile, &connection).await?;
            asks::read_questions(profile, &connection, &remote).await
        }
        Role::Researcher => {
            read_studies(profile, &connection, &remote).await?;
            asks::read_answers(profile, &remote).await
        }
        Role::Staff => remote.get::<serde_json::Value>("/v1/log").await.map(drop),
    }
}

#[derive(Deserialize)]
struct StudyList {
    studies: Vec<String>,
}

/// Reads the studies; a list that is not wholly signed by the biobank changes nothing.
pub async fn read_studies(profile: &Profile, connection: &Connection, remote: &Remote) -> Result<(), Failure> {
    let list: StudyList = remote.get("/v1/studies").await?;
    for jws in &list.studies {
        read_signed(jws, &connection.biobank)?;
    }
    if profile.read(|story| story.signed_studies != list.studies)? {
        profile.record(Event::StudiesRead { requests: list.studies })?;
    }
    Ok(())
}

/// Sends the signed entries in their order. Sending twice is harmless: the log knows an entry by its hash.
async fn send_all(profile: &Profile, connection: &Connection, remote: &Remote) -> Result<(), Failure> {
    let waiting: Vec<Sending> =
        profile.read(|story| story.sending.iter().filter(|sending| !sending.sent).cloned().collect())?;
    for sending in waiting {
        let entry = sending.entry.hash();
        match send(profile, connection, remote, &sending).await {
            Ok(()) => profile.record(Event::Sent { entry })?,
            Err(failure) => {
                if sending.failure.as_ref() != Some(&failure) {
                    profile.record(Event::SendFailed { entry, failure: failure.clone() })?;
                }
                if failure.code == Code::Offline {
                    return Err(failure);
                }
            }
        }
    }
    Ok(())
}

async fn send(profile: &Profile, connection: &Connection, remote: &Remote, sending: &Sending) -> Result<(), Failure> {
    let donor = profile.secret().derive_biobank_key(&connection.biobank);
    let key = profile.study_key(connection, &sending.study);
    let binding = json!({ "donor": donor.did(), "study": sending.study });
    let binding = identity::canonical::to_canonical(&binding).map_err(|_| Code::Internal)?;
    let body = json!({
        "study": sending.study,
        "salt": hex::encode(profile.secret().derive_subject_salt(&connection.biobank, &sending.study)),
        "binding": sign_jws(&key, STUDY_KEY_TYPE, &binding),
    });
    remote.signed(&donor, Method::POST, "/v1/study-keys", Some(&body)).await?;
    stop_point("before-post");
    remote.append(sending.entry.bytes()).await?;
    stop_point("after-post");
    Ok(())
}

/// Takes the newest checkpoint if it follows from the trusted one, and proves the sent entries into it.
async fn follow_log(profile: &Profile, connection: &Connection) -> Result<(), Failure> {
    if profile.read(|story| story.forked)? {
        return Err(Code::LogForked.into());
    }
    let vkey: VerifierKey = connection.vkey.parse().map_err(|_| Code::Internal)?;
    let client = LogClient::new(&connection.address).map_err(|_| Code::Internal)?;
    let seen = client.checkpoint(&vkey).await.map_err(client_failure)?;
    accept(profile, &client, &vkey, &seen).await?;
    let sent: Vec<Sending> =
        profile.read(|story| story.sending.iter().filter(|s| s.sent && s.recorded.is_none()).cloned().collect())?;
    for sending in sent {
        let entry = sending.entry.hash();
        let receipt = client.proof(&entry).await.map_err(client_failure)?;
        let included = Receipt::verify(&receipt, sending.entry.bytes(), &vkey)
            .map_err(|_| Failure::new(Code::NotValid).with("check", "ledger-entry"))?;
        // A receipt under a checkpoint from another history is no receipt.
        accept(profile, &client, &vkey, included.checkpoint()).await?;
        profile.record(Event::Recorded { entry, index: included.index(), receipt })?;
    }
    Ok(())
}

/// Trusts a checkpoint only if it follows from the one trusted before. Raises the alarm if it does not.
async fn accept(
    profile: &Profile,
    client: &LogClient,
    vkey: &VerifierKey,
    seen: &SignedCheckpoint,
) -> Result<(), Failure> {
    let Some(trusted) = profile.read(|story| story.checkpoint.clone())? else {
        return profile.record(Event::CheckpointSeen { note: seen.note().to_owned() });
    };
    let old = Checkpoint::open(&trusted, vkey).map_err(|_| Code::Storage)?;
    if *old == **seen {
        return Ok(());
    }
    match client.check_consistency(&old, seen).await {
        Ok(()) => profile.record(Event::CheckpointSeen { note: seen.note().to_owned() }),
        Err(ClientError::Forked { .. } | ClientError::Shrunk { .. }) => {
            profile.record(Event::LogForked { trusted, seen: seen.note().to_owned() })?;
            Err(Code::LogForked.into())
        }
        Err(error) => Err(client_failure(error)),
    }
}

/// What a screen says of a log that could not be read.
pub fn client_failure(error: ClientError) -> Failure {
    match error {
        // A server that stumbles is a server to ask again, like one that does not answer.
        ClientError::Unreachable(_) | ClientError::TimedOut | ClientError::Status(500..=599) => Code::Offline.into(),
        ClientError::Forked { held, offered } | ClientError::Shrunk { held, offered } => {
            Failure::new(Code::LogForked).with("size", offered.size.to_string()).with("seen", held.size.to_string())
        }
        ClientError::Address => Code::AddressNotAllowed.into(),
        other => Failure::new(Code::ServerRefused).with("reason", other.to_string()),
    }
}
