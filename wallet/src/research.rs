//! The researcher's side: studies, checks, and questions for proof.

use crate::check::{Expected, Record, check as check_proof};
use crate::clock::now;
use crate::connect::discover;
use crate::event::{Connection, Event};
use crate::profile::Profile;
use crate::quorum;
use crate::remote::Remote;
use crate::succession;
use crate::sync::{client_failure, read_studies, sync};
use bridge::{AskRow, Asks, CheckView, Code, Failure, Studies, StudyCard};
use consent::{Purpose, StudyId, Timestamp};
use identity::Did;
use ledger::client::{LogClient, Mirror};
use ledger::{TrustPolicy, VerifierKey};
use std::path::Path;

/// The studies of the researcher's organisation, each with a purpose to start from.
pub async fn studies(profile: &Profile) -> Result<Studies, Failure> {
    let connection = profile.connection()?;
    match read_studies(profile, &connection, &profile.remote()?).await {
        Err(failure) if failure.code != Code::Offline => return Err(failure),
        // What was read and checked before is good enough to state a purpose.
        _ => {}
    }
    profile.read(|story| {
        let membership = story.membership.as_ref().ok_or(Code::NotConnected)?;
        let own = story.studies.values().filter(|study| study.organisation.id == membership.organisation);
        let studies = own.map(|study| StudyCard {
            study: study.id.clone(),
            title: study.title.clone(),
            purpose: study.purpose.clone(),
        });
        Ok(Studies { organisation: membership.organisation_name.clone(), studies: studies.collect() })
    })?
}

/// A copy of a biobank's log, brought up to date and verified from end to end.
pub async fn up_to_date(connection: &Connection, folder: &Path) -> Result<(Mirror, Timestamp), Failure> {
    let client = LogClient::new(&connection.address).map_err(|_| Code::AddressNotAllowed)?;
    let (vkey, former) = (succession::key(connection)?, succession::former(connection)?);
    // One folder a log, whatever its address and its key: a copy that another key signed is never forgotten.
    let name = |text: String| folder.join(hex::encode(identity::sha256(text.as_bytes())));
    let by_key = name(connection.former.first().unwrap_or(&connection.vkey).clone());
    let folder = name(format!("{}\n{}", connection.biobank, vkey.name()));
    if by_key.exists() && !folder.exists() {
        // A copy that an earlier version of this program began.
        std::fs::rename(by_key, &folder).map_err(|_| Code::Storage)?;
    }
    std::fs::create_dir_all(&folder).map_err(|_| Code::Storage)?;
    let lock = std::fs::File::create(folder.join("lock")).map_err(|_| Code::Storage)?;
    // Two processes that check proofs take turns.
    lock.lock().map_err(|_| Code::Storage)?;
    let begun = now();
    let mut mirror = Mirror::open_after(&folder, &vkey, &former).map_err(client_failure)?;
    mirror.sync(&client).await.map_err(client_failure)?;
    // Fresh as of the moment when the question went out, not when the answer was read.
    Ok((mirror, begun))
}

/// Checks a proof that came as a file, against the live record.
pub async fn check(
    profile: &Profile,
    proof: &str,
    purpose: &Purpose,
    study: Option<&StudyId>,
) -> Result<CheckView, Failure> {
    let desk = Desk::open(profile).await?;
    let expected =
        Expected { audience: Some(desk.organisation.clone()), challenge: None, study: study.cloned(), request: None };
    let view = desk.check(proof.as_bytes(), purpose, &expected).await;
    profile.record(Event::Checked {
        outcome: view.outcome,
        study: view.study.clone(),
        record: view.withdrawn.clone().or_else(|| view.given.clone()),
    })?;
    Ok(view)
}

/// What proofs are checked with: the record as it is now, and whose it is. Threads can share it.
pub struct Checker {
    biobank: Did,
    vkey: VerifierKey,
    former: Vec<VerifierKey>,
    policy: Option<TrustPolicy>,
    mirror: Result<(Mirror, Timestamp), Failure>,
}

impl Checker {
    /// Without a profile, for pipelines: asks an address whose log it is. `folder` keeps the copy of the log for the
    /// next time.
    pub async fn at(address: &str, biobank: Option<&Did>, folder: &Path) -> Result<Self, Failure> {
        let connection = discover(&Remote::new(address)?, biobank).await?;
        let mirror = up_to_date(&connection, folder).await;
        Self::of(connection, mirror)
    }

    fn of(connection: Connection, mirror: Result<(Mirror, Timestamp), Failure>) -> Result<Self, Failure> {
        let (vkey, former) = (succession::key(&connection)?, succession::former(&connection)?);
        let policy = quorum::policy(&connection)?;
        Ok(Self { biobank: connection.biobank, vkey, former, policy, mirror })
    }

    /// Why the record could not be read, if it could not.
    pub fn failure(&self) -> Option<&Failure> {
        self.mirror.as_ref().err()
    }

    /// Checks one proof.
    pub async fn check(&self, proof: &[u8], purpose: &Purpose, expected: &Expected, now: Timestamp) -> CheckView {
        let mirror = match &self.mirror {
            Ok((mirror, at)) => Ok((mirror, *at)),
            Err(failure) => Err(failure.clone()),
        };
        let (biobank, policy) = (&self.biobank, self.policy.as_ref());
        let record = Record { biobank, vkey: &self.vkey, former: &self.former, policy, mirror };
        check_proof(proof, purpose, expected, Some(&record), now).await
    }
}

/// The organisation that proofs must be made for, and what they are checked with.
struct Desk {
    organisation: String,
    checker: Checker,
}

impl Desk {
    async fn open(profile: &Profile) -> Result<Self, Failure> {
        let connection = profile.connection()?;
        let membership = profile.read(|story| story.membership.clone())?.ok_or(Code::NotConnected)?;
        // One copy of the log at a time is brought up to date.
        let _one_at_a_time = profile.syncing.lock().await;
        let followed = succession::follow(profile, connection.clone(), None).await;
        let (connection, mirror) = match followed {
            Ok(connection) => {
                let mirror = up_to_date(&connection, &profile.dir.join("record")).await;
                (connection, mirror)
            }
            Err(failure) => (connection, Err(failure)),
        };
        if let Err(failure) = &mirror {
            profile.set_online(failure.code != Code::Offline);
        }
        Ok(Self { organisation: membership.organisation, checker: Checker::of(connection, mirror)? })
    }

    async fn check(&self, proof: &[u8], purpose: &Purpose, expected: &Expected) -> CheckView {
        self.checker.check(proof, purpose, expected, now()).await
    }
}

/// The questions asked and the answers that came, each checked again now.
pub async fn asks(profile: &Profile) -> Result<Asks, Failure> {
    sync(profile).await?;
    let (asks, asked, proofs, titles) = profile.read(|story| {
        let titles: Vec<_> = story.studies.values().map(|study| (study.id.clone(), study.title.clone())).collect();
        (story.asks.clone(), story.asked.clone(), story.proofs.clone(), titles)
    })?;
    let desk = Desk::open(profile).await?;
    let mut rows = Vec::new();
    for ask in asks.into_iter().rev() {
        let mut answers = Vec::new();
        for proof in proofs.get(&ask.id).into_iter().flatten() {
            let proof = serde_json::to_vec(proof).map_err(|_| Code::Internal)?;
            let expected = Expected {
                audience: Some(desk.organisation.clone()),
                challenge: Some(ask.challenge.clone()),
                study: Some(ask.study.clone()),
                request: None,
            };
            answers.push(desk.check(&proof, &ask.purpose, &expected).await);
        }
        let title = titles
            .iter()
            .find(|(id, _)| *id == ask.study)
            .map_or_else(|| ask.study.to_string(), |(_, title)| title.clone());
        let sent = asked.get(&ask.id).copied().unwrap_or_default();
        rows.push(AskRow { id: ask.id, study: ask.study, title, asked: ask.asked, sent, answers });
    }
    Ok(Asks { asks: rows })
}
