//! Sends what waits, checks receipts, follows the log, and reads the mailbox. The same code runs after every
//! start, every click and every few seconds: recovery is not special.

use crate::clock::now;
use crate::event::{Connection, Event};
use crate::handover::hand_over;
use crate::profile::Profile;
use crate::remote::Remote;
use crate::stop::stop_point;
use crate::story::Sending;
use crate::studies::read_signed;
use crate::succession::{self, Succession};
use crate::{alarm, asks, quorum};
use bridge::{Code, Failure, Role, SyncView};
use identity::{Did, sign_jws};
use ledger::client::{ClientError, LogClient};
use ledger::{Checkpoint, Receipt, SignedCheckpoint, TrustPolicy, VerifierKey};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// Whether something that was signed is not in the record yet, so that rounds go on by the clock.
pub fn is_waiting(profile: Result<Arc<Profile>, Failure>) -> bool {
    let waits = |profile: Arc<Profile>| profile.read(|story| story.sending.iter().any(|s| s.recorded.is_none()));
    profile.and_then(waits).unwrap_or(true)
}

/// How things stand, without asking anybody.
pub fn view(profile: &Profile) -> Result<SyncView, Failure> {
    let weather = profile.weather();
    profile.read(|story| SyncView {
        waiting: u32::try_from(story.sending.iter().filter(|s| s.recorded.is_none() && !s.overtaken).count())
            .unwrap_or(u32::MAX),
        online: weather.online,
        checked: weather.checked,
        alarm: alarm::view(story),
    })
}

/// The steps of a round. One that fails does not keep the others from being made; the first failure is told.
async fn round(profile: &Profile) -> Result<(), Failure> {
    let connection = profile.connection()?;
    let remote = Remote::new(&connection.address)?;
    match profile.role {
        Role::Participant => {
            let sent = send_all(profile, &connection, &remote).await;
            if matches!(&sent, Err(failure) if failure.code == Code::Offline) {
                return sent;
            }
            let read = read_studies(profile, &connection, &remote).await;
            // Perhaps under other keys by now.
            let followed = follow_log(profile, &profile.connection()?).await;
            let connection = profile.connection()?;
            let asked = asks::read_questions(profile, &connection, &remote).await;
            // Last, because nobody waits for it.
            let handed = hand_over(profile, &connection, &remote).await;
            sent.and(followed).and(read).and(asked).and(handed)
        }
        Role::Researcher => {
            let read = read_studies(profile, &connection, &remote).await;
            read.and(asks::read_answers(profile, &connection, &remote).await)
        }
        Role::Staff => {
            // Their invitations say by which key the biobank speaks.
            let list: StudyList = remote.get("/v1/studies").await?;
            hear(profile, &connection, list.signer.as_ref()).await.map(drop)
        }
    }
}

#[derive(Deserialize)]
struct StudyList {
    /// The key that signed them, as the biobank says.
    signer: Option<Did>,
    studies: Vec<String>,
}

/// Reads the studies. One that is not signed by the biobank, or that this version does not understand, is not there.
pub async fn read_studies(profile: &Profile, connection: &Connection, remote: &Remote) -> Result<(), Failure> {
    let list: StudyList = remote.get("/v1/studies").await?;
    let connection = &hear(profile, connection, list.signer.as_ref()).await?;
    let mut requests = list.studies;
    let known = profile.read(|story| story.highest.clone())?;
    requests.retain(|jws| match read_signed(jws, connection.speaker()) {
        // The biobank signed older versions too: nobody brings one of them back.
        Ok(request) => known.get(&request.id).is_none_or(|version| request.version >= *version),
        Err(failure) => {
            tracing::warn!(%failure, "a study was passed over");
            false
        }
    });
    requests.sort();
    if profile.read(|story| story.signed_studies != requests)? {
        profile.record(Event::StudiesRead { requests })?;
    }
    Ok(())
}

/// The connection, under the key by which the biobank speaks now.
async fn hear(profile: &Profile, connection: &Connection, signer: Option<&Did>) -> Result<Connection, Failure> {
    if succession::is_known(connection, signer) {
        return Ok(connection.clone());
    }
    let connection = if profile.role == Role::Participant {
        if profile.read(|story| story.alarm.is_some())? {
            return Err(Code::LogForked.into());
        }
        let client = LogClient::new(&connection.address).map_err(|_| Code::Internal)?;
        let seen = go_over(profile, &client, connection).await?;
        accept(profile, &client, &seen).await?;
        profile.connection()?
    } else {
        succession::follow(profile, connection.clone(), signer).await?
    };
    if succession::is_known(&connection, signer) {
        Ok(connection)
    } else {
        Err(Failure::new(Code::NotValid).with("check", "signer-is-issuer"))
    }
}

/// Sends the signed entries, those of one study in their order. Sending twice is harmless: the log knows an entry by
/// its hash. An entry that is refused holds up its own study only.
async fn send_all(profile: &Profile, connection: &Connection, remote: &Remote) -> Result<(), Failure> {
    let waiting: Vec<Sending> =
        profile.read(|story| story.sending.iter().filter(|sending| sending.waits()).cloned().collect())?;
    let mut held = BTreeMap::new();
    for sending in waiting.iter().filter(|sending| !sending.sent) {
        // The log takes a withdrawal also if it never saw the entries before it.
        if held.contains_key(&sending.study) && !sending.takes_back() {
            continue;
        }
        let entry = sending.entry.hash();
        match send(profile, connection, remote, sending).await {
            Ok(()) => profile.record(Event::Sent { entry })?,
            Err(failure) => {
                if sending.failure.as_ref() != Some(&failure) {
                    profile.record(Event::SendFailed { entry, failure: failure.clone() })?;
                }
                held.insert(sending.study.clone(), failure);
            }
        }
    }
    held.into_values().next().map_or(Ok(()), Err)
}

/// The entry first: it carries its own signature and needs nothing else. Only where the biobank does not know the key
/// yet, the key is registered and the entry sent again, so that a withdrawal never waits for a registration.
async fn send(profile: &Profile, connection: &Connection, remote: &Remote, sending: &Sending) -> Result<(), Failure> {
    stop_point("before-post");
    match remote.append(sending.entry.bytes()).await {
        Err(failure) if failure.args.get("reason").is_some_and(|reason| reason == "unknown-signer") => {
            register(profile, connection, remote, sending).await?;
            remote.append(sending.entry.bytes()).await?;
        }
        result => result?,
    }
    stop_point("after-post");
    Ok(())
}

/// Tells the biobank which donor a study key belongs to: the pairwise key and the study key sign for each other.
async fn register(
    profile: &Profile,
    connection: &Connection,
    remote: &Remote,
    sending: &Sending,
) -> Result<(), Failure> {
    let donor = profile.biobank_key(connection);
    let key = profile.study_key(connection, &sending.study);
    let binding = json!({ "donor": donor.did(), "study": sending.study });
    let binding = identity::canonical::to_canonical(&binding).map_err(|_| Code::Internal)?;
    let body = json!({
        "study": sending.study,
        "salt": hex::encode(profile.secret().derive_subject_salt(&connection.biobank, &sending.study)),
        "binding": sign_jws(&key, STUDY_KEY_TYPE, &binding),
    });
    remote.signed(&donor, Method::POST, "/v1/study-keys", Some(&body)).await.map(drop)
}

/// Takes the newest checkpoint if it follows from the trusted one, and proves the sent entries into it.
async fn follow_log(profile: &Profile, connection: &Connection) -> Result<(), Failure> {
    let client = LogClient::new(&connection.address).map_err(|_| Code::Internal)?;
    if let Some(alarm) = profile.read(|story| story.alarm.clone())? {
        alarm::look_again(profile, &client, connection, &alarm).await?;
    }
    let seen = match client.checkpoint(&succession::key(connection)?).await {
        Err(error) if error.is_other_key() => go_over(profile, &client, connection).await?,
        seen => seen.map_err(client_failure)?,
    };
    accept(profile, &client, &seen).await?;
    // Perhaps under another key by now.
    let connection = &profile.connection()?;
    let vkey = succession::key(connection)?;
    let proven = |s: &&Sending| s.sent && (s.recorded.is_none() || s.waits_for_others());
    let sent: Vec<Sending> = profile.read(|story| story.sending.iter().filter(proven).cloned().collect())?;
    let policy = quorum::policy(connection)?;
    let mut result = Ok(());
    for sending in sent {
        let proven = prove(profile, &client, &vkey, policy.as_ref(), &sending).await;
        result = result.and(proven);
    }
    result
}

/// The log, or the biobank, has another key. What was signed at each change has to belong to what was trusted, and the
/// present log to that: the first is accepted here, the second by the caller like any checkpoint.
async fn go_over(profile: &Profile, client: &LogClient, connection: &Connection) -> Result<SignedCheckpoint, Failure> {
    let succession = Succession::ask(client, connection).await?;
    let went_over = |change| profile.record(succession::went_over(change));
    match succession.check(client).await {
        Ok(()) => {
            for change in &succession.changes {
                // After a change of the biobank's key the log goes on: more than that may have been seen already.
                accept_receipt(profile, client, change.included().checkpoint()).await?;
                went_over(change)?;
            }
            Ok(succession.seen)
        }
        Err(ClientError::Forked { held, offered } | ClientError::Shrunk { held, offered }) => {
            // The alarm has to know the keys of both.
            succession.changes.iter().try_for_each(went_over)?;
            raise_alarm(profile, client, &held, &offered).await
        }
        Err(error) => Err(client_failure(error)),
    }
}

/// Fetches the receipt of an entry and checks it. It is told once when it is in the log, and again when the other
/// institutions have signed for it.
async fn prove(
    profile: &Profile,
    client: &LogClient,
    vkey: &VerifierKey,
    policy: Option<&TrustPolicy>,
    sending: &Sending,
) -> Result<(), Failure> {
    let entry = sending.entry.hash();
    let receipt = match client.proof(&entry).await {
        // It has a number and is not shown yet: others are asked to sign first. A later round finds it.
        Err(ClientError::NotFound) => return Ok(()),
        receipt => receipt.map_err(client_failure)?,
    };
    let included = Receipt::verify(&receipt, sending.entry.bytes(), vkey)
        .map_err(|_| Failure::new(Code::NotValid).with("check", "ledger-entry"))?;
    // A receipt under a checkpoint from another history is no receipt.
    accept_receipt(profile, client, included.checkpoint()).await?;
    let quorum = policy.map(|policy| quorum::view(policy, included.checkpoint().note(), now()));
    if sending.recorded.as_ref().is_some_and(|recorded| recorded.quorum == quorum) {
        return Ok(());
    }
    profile.record(Event::Recorded { entry, index: included.index(), receipt, quorum })
}

/// A receipt may be a moment older than the newest checkpoint, where several machines or caches answer for one biobank.
/// Then it counts if its tree is the beginning of the one that is trusted; the log has not gone back by that.
async fn accept_receipt(profile: &Profile, client: &LogClient, under: &SignedCheckpoint) -> Result<(), Failure> {
    if let Some(trusted) = profile.read(|story| story.checkpoint.clone())? {
        let keys = succession::keys(&profile.connection()?)?;
        let trusted = Checkpoint::open_with(&trusted, &keys).map_err(|_| Code::Storage)?;
        if under.size < trusted.size {
            match client.check_consistency(under, &trusted).await {
                Ok(()) => return Ok(()),
                // Another history: the alarm is raised below.
                Err(ClientError::Forked { .. }) => {}
                Err(error) => return Err(client_failure(error)),
            }
        }
    }
    accept(profile, client, under).await
}

/// Trusts a checkpoint only if it follows from the one trusted before. Raises the alarm if it does not.
pub(crate) async fn accept(profile: &Profile, client: &LogClient, seen: &SignedCheckpoint) -> Result<(), Failure> {
    let Some(trusted) = profile.read(|story| story.checkpoint.clone())? else {
        return profile.record(Event::CheckpointSeen { note: seen.note().to_owned() });
    };
    // Trusted once it stays, whichever key the log had then.
    let keys = succession::keys(&profile.connection()?)?;
    let old = Checkpoint::open_with(&trusted, &keys).map_err(|_| Code::Storage)?;
    if *old == **seen {
        return Ok(());
    }
    match client.check_consistency(&old, seen).await {
        Ok(()) => profile.record(Event::CheckpointSeen { note: seen.note().to_owned() }),
        Err(ClientError::Forked { .. } | ClientError::Shrunk { .. }) => raise_alarm(profile, client, &old, seen).await,
        Err(error) => Err(client_failure(error)),
    }
}

/// Keeps two checkpoints that contradict each other.
pub(crate) async fn raise_alarm<T>(
    profile: &Profile,
    client: &LogClient,
    trusted: &SignedCheckpoint,
    seen: &SignedCheckpoint,
) -> Result<T, Failure> {
    let (small, large) = (trusted.size.min(seen.size), trusted.size.max(seen.size));
    // Whoever forks a log may not help to prove it; both notes are kept in any case.
    let proof = client.consistency_proof(small, large).await.unwrap_or_default();
    let (trusted, seen) = (trusted.note().to_owned(), seen.note().to_owned());
    profile.record(Event::LogForked { trusted, seen, proof })?;
    Err(Code::LogForked.into())
}

/// What a screen says of a log that could not be read.
pub fn client_failure(error: ClientError) -> Failure {
    match error {
        // A server that stumbles is a server to ask again, like one that does not answer.
        ClientError::Unreachable(_) | ClientError::TimedOut | ClientError::Status(408 | 429 | 500..=599) => {
            Code::Offline.into()
        }
        ClientError::Forked { held, offered } | ClientError::Shrunk { held, offered } => {
            Failure::new(Code::LogForked).with("size", offered.size.to_string()).with("seen", held.size.to_string())
        }
        ClientError::Address => Code::AddressNotAllowed.into(),
        other => Failure::new(Code::ServerRefused).with("reason", other.to_string()),
    }
}
