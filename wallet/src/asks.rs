//! Questions for proof, and their answers, through the biobank's mailbox. The biobank carries sealed letters
//! (HPKE to the receiver's DID) and can not read them.

use crate::clock::now;
use crate::connect::{account, read_account};
use crate::event::{Ask, Connection, Event};
use crate::profile::Profile;
use crate::proof;
use crate::remote::Remote;
use crate::story::Story;
use crate::sync::read_studies;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bridge::{Code, Failure};
use consent::{ConsentState, Purpose, StudyId, Timestamp};
use identity::{Did, SigningKey, seal, sign_jws, verify_jws};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const ASK_TYPE: &str = "proof-request.v1+jws";
const ASK_SEAL: &str = "consent-wallet/proof-request/v1";
const ANSWER_SEAL: &str = "consent-wallet/proof/v1";
/// How many answers a question takes at most.
const MAX_ANSWERS: usize = 10_000;
/// How many questions a participant keeps open at most.
const MAX_OPEN: usize = 100;

/// What a researcher signs.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Question {
    id: String,
    study: StudyId,
    challenge: String,
    purpose: Purpose,
    asked: Timestamp,
    /// The biobank's word for who asks.
    account: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    id: String,
    proof: Value,
}

#[derive(Deserialize)]
struct Letters {
    letters: Vec<Letter>,
}

#[derive(Deserialize)]
struct Letter {
    id: String,
    sealed: String,
}

#[derive(Deserialize)]
struct Participants {
    participants: Vec<Did>,
}

/// Asks every donor of a study whose consent is live.
pub async fn ask(profile: &Profile, study: &StudyId, purpose: &Purpose) -> Result<(), Failure> {
    let remote = profile.remote()?;
    // The biobank may speak by another key by now, and its word for the researcher is one of the things that it says.
    read_studies(profile, &profile.connection()?, &remote).await?;
    let (membership, known) = profile.read(|story| (story.membership.clone(), story.studies.contains_key(study)))?;
    let membership = membership.ok_or(Code::NotConnected)?;
    if !known {
        return Err(Code::StudyUnknown.into());
    }
    let key = profile.biobank_key(&profile.connection()?);
    let account = account(profile, &remote, membership.statement).await?;
    let path = format!("/v1/studies/{study}/participants");
    let donors: Participants = remote.ask(&key, Method::GET, &path, None).await?;
    let ask = Ask {
        id: uuid::Uuid::new_v4().to_string(),
        from: key.did(),
        study: study.clone(),
        organisation_name: membership.organisation_name,
        challenge: uuid::Uuid::new_v4().to_string(),
        purpose: purpose.clone(),
        asked: now(),
    };
    let question = Question {
        id: ask.id.clone(),
        study: ask.study.clone(),
        challenge: ask.challenge.clone(),
        purpose: ask.purpose.clone(),
        asked: ask.asked,
        account,
    };
    let payload = identity::canonical::to_canonical(&question).map_err(|_| Code::Internal)?;
    let letter = sign_jws(&key, ASK_TYPE, &payload);
    // In the journal first: an answer to a question that this profile does not know is thrown away.
    let sent = u32::try_from(donors.participants.len()).unwrap_or(u32::MAX);
    profile.record(Event::Asked { ask, sent })?;
    for donor in &donors.participants {
        let sealed = seal(donor, ASK_SEAL, letter.as_bytes()).map_err(|_| Code::Internal)?;
        if let Err(failure) = remote.post_letter(&key, donor, &STANDARD.encode(sealed)).await {
            // One full mailbox does not keep the others from being asked.
            tracing::warn!(%failure, "a question could not be delivered");
        }
    }
    Ok(())
}

/// Reads the questions that came for any study whose consent is live.
pub async fn read_questions(profile: &Profile, connection: &Connection, remote: &Remote) -> Result<(), Failure> {
    let live: Vec<StudyId> = profile.read(|story| {
        let recorded = |study: &StudyId| story.sending.iter().any(|s| s.study == *study && s.sent);
        story
            .answers
            .iter()
            .filter(|(id, a)| a.state(now().date()) == ConsentState::Active && recorded(id))
            .map(|(id, _)| id.clone())
            .collect()
    })?;
    for study in live {
        let key = profile.study_key(connection, &study);
        for letter in letters(remote, &key).await? {
            match read_question(profile, connection, &key, &study, &letter) {
                Ok(ask) => {
                    let fits = |story: &Story| {
                        let known = story.asks.iter().any(|before| before.id == ask.id);
                        if known || story.open_asks(now().date()).count() >= MAX_OPEN {
                            Err(Code::NotPossible.into())
                        } else {
                            Ok(())
                        }
                    };
                    match profile.record_if(Event::AskReceived { ask: ask.clone() }, fits) {
                        Err(failure) if failure.code != Code::NotPossible => return Err(failure),
                        _ => {}
                    }
                }
                // A letter that says nothing to us is thrown away: anybody with an account can write one.
                Err(reason) => tracing::info!(%study, reason, "a letter was thrown away"),
            }
            remote.signed(&key, Method::DELETE, &format!("/v1/mailbox/{}", letter.id), None).await?;
        }
    }
    Ok(())
}

/// The question in a letter, or which check it did not pass.
fn read_question(
    profile: &Profile,
    connection: &Connection,
    key: &SigningKey,
    study: &StudyId,
    letter: &Letter,
) -> Result<Ask, &'static str> {
    let sealed = STANDARD.decode(&letter.sealed).map_err(|_| "encoding")?;
    let plain = identity::open(key, ASK_SEAL, &sealed).map_err(|_| "seal")?;
    let signed = std::str::from_utf8(&plain).ok().and_then(|jws| verify_jws(jws).ok()).ok_or("signature")?;
    if signed.typ != ASK_TYPE {
        return Err("type");
    }
    let question: Question = serde_json::from_slice(&signed.payload).map_err(|_| "form")?;
    let account = read_account(&question.account, connection.speaker()).ok_or("account")?;
    let organisation =
        profile.read(|story| story.answers.get(study).map(|answer| answer.request.organisation.id.clone()));
    if account.did != signed.signer || organisation.ok().flatten() != Some(account.organisation) {
        return Err("organisation");
    }
    if question.study != *study || question.id.len() > 64 || question.challenge.len() > 128 {
        return Err("claims");
    }
    Ok(Ask {
        id: question.id,
        from: signed.signer,
        study: question.study,
        organisation_name: account.organisation_name,
        challenge: question.challenge,
        purpose: question.purpose,
        asked: question.asked,
    })
}

/// Answers a question with proof, or closes it without one.
pub async fn answer(profile: &Profile, id: &str, share: bool) -> Result<(), Failure> {
    let ask = profile
        .read(|story| story.open_asks(now().date()).find(|ask| ask.id == id).cloned())?
        .ok_or(Code::NotPossible)?;
    if share {
        let connection = profile.connection()?;
        let proof = proof::make(profile, &ask.study, Some(&ask.challenge)).await?;
        let proof = serde_json::to_value(proof).map_err(|_| Code::Internal)?;
        let letter = serde_json::to_vec(&Answer { id: ask.id.clone(), proof }).map_err(|_| Code::Internal)?;
        let sealed = seal(&ask.from, ANSWER_SEAL, &letter).map_err(|_| Code::Internal)?;
        let key = profile.study_key(&connection, &ask.study);
        profile.remote()?.post_letter(&key, &ask.from, &STANDARD.encode(sealed)).await?;
    }
    profile.record(Event::AskAnswered { id: ask.id, shared: share })
}

/// Reads the answers that came for a researcher. Whether they are proof is checked when they are shown.
pub async fn read_answers(profile: &Profile, connection: &Connection, remote: &Remote) -> Result<(), Failure> {
    let key = profile.biobank_key(connection);
    for letter in letters(remote, &key).await? {
        let plain =
            STANDARD.decode(&letter.sealed).ok().and_then(|sealed| identity::open(&key, ANSWER_SEAL, &sealed).ok());
        if let Some(answer) = plain.and_then(|plain| serde_json::from_slice::<Answer>(&plain).ok()) {
            let known = profile.read(|story| {
                let asked = story.asks.iter().any(|ask| ask.id == answer.id);
                // One answer a donor: a second copy, as after a crash, counts for nothing.
                let holder = |proof: &Value| proof["presentation"]["holder"].as_str().map(str::to_owned);
                let proofs = story.proofs.get(&answer.id).map(Vec::as_slice).unwrap_or_default();
                let before = proofs.iter().any(|proof| holder(proof) == holder(&answer.proof));
                asked && !before && proofs.len() < MAX_ANSWERS
            })?;
            if known {
                profile.record(Event::AnswerReceived { id: answer.id, proof: answer.proof })?;
            }
        }
        remote.signed(&key, Method::DELETE, &format!("/v1/mailbox/{}", letter.id), None).await?;
    }
    Ok(())
}

async fn letters(remote: &Remote, key: &SigningKey) -> Result<Vec<Letter>, Failure> {
    let letters: Letters = remote.ask(key, Method::GET, "/v1/mailbox", None::<&Value>).await?;
    Ok(letters.letters)
}
