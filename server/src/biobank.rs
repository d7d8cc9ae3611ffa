//! One institution: its keys, its log, its desk, its studies.

use crate::Problem;
use crate::bodies::Bodies;
use crate::caller::Nonces;
use crate::clock::now;
use crate::desk::{Account, Desk, DeskError};
use crate::federation::Federation;
use crate::guard::{Guard, GuardError};
use crate::limits::Limits;
use crate::log::{self, LogStore, OpenError, Postgres};
use crate::metrics::Metrics;
use crate::postgres::{Database, DatabaseError, StoreAddress};
use crate::public::PublicAddress;
use crate::serve::Options;
use crate::snapshot::Snapshots;
use crate::stream::Stream;
use crate::succession::{self, KeyFile};
use crate::tables::Shared;
use crate::webhook::{Pace, Reach, Webhooks};
use consent::{StudyRequest, Timestamp};
use identity::vc::{KeyKind, Signer};
use identity::{Did, SigningKey, sign_jws};
use ledger::{NoteKey, Succession, VerifierKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use thiserror::Error;
use tokio::sync::watch;

/// The `typ` of a study request that the biobank signed.
pub const STUDY_REQUEST_TYPE: &str = "study-request.v1+jws";
/// The `typ` by which the biobank says which key signs its log.
const LOG_KEY_TYPE: &str = "log-key.v1+jws";
/// The `typ` by which the biobank says who a member of staff or a researcher is.
const ACCOUNT_TYPE: &str = "account.v1+jws";
/// The file of the key of visas.
pub const VISA_KEY: &str = "visa.key";
/// How long a challenge can be answered, in seconds.
const CHALLENGE_AGE: i64 = 600;

/// Why a biobank could not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A file or the network could not be used.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// The log is not sound.
    #[error("log: {0}")]
    Log(#[from] OpenError),
    /// The desk's database is not sound.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The database that nodes share can not be used.
    #[error("database: {0}")]
    Database(#[from] DatabaseError),
    /// A configuration file is not what this version reads.
    #[error("{0}: {1}")]
    Json(String, serde_json::Error),
    /// The list of trusted issuers that a service was told to go by can not be used.
    #[error("list of trusted issuers: {0}")]
    Trust(String),
    /// No randomness.
    #[error("random numbers: {0}")]
    Random(getrandom::Error),
    /// The log belongs to an institution with another key.
    #[error("the log was founded by another institution than the one whose key lies here")]
    OtherInstitution,
    /// The log names another key as its own than the one that lies here.
    #[error("log.key is not the key that the log names as its own, which is {0}: put that one in its place")]
    OtherLogKey(String),
    /// The log had this key once.
    #[error("log.key is a key that the log had before: put the one that followed it in its place")]
    FormerLogKey,
    /// A change of a key was cut off.
    #[error("a change of the {0}'s key is not finished: run `biobankd rotate --data DIR {0}` again")]
    Unfinished(&'static str),
    /// The institution speaks by another key than it began with, and nothing here says how that came.
    #[error("successions.json does not say how {0} came to its key of today: bring it back from a backup")]
    Successions(String),
    /// The files of the federation can not be used.
    #[error("{0}")]
    Federation(String),
    /// The origin is not one that a checkpoint can carry.
    #[error("origin: {0}")]
    Origin(#[from] ledger::NoteError),
    /// The policies in the program do not fit their schema.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The network settings would leave callers unprotected, or do not fit together.
    #[error("{0}")]
    Network(String),
}

impl From<getrandom::Error> for StartError {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

/// Who the institution is, in `institution.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Institution {
    /// Its name, as donors read it.
    pub name: String,
    /// The origin line of its log (C2SP tlog-checkpoint).
    pub origin: String,
}

/// Everything that the routes work on.
pub struct Biobank {
    pub institution: Institution,
    /// Where everybody reaches the service, if that is known.
    pub address: Option<PublicAddress>,
    /// The DID that it was founded with, by which it is known, whatever its key of today.
    pub did: Did,
    /// The key by which it speaks.
    pub key: SigningKey,
    /// The key of visas, for clearinghouses that know no Ed25519.
    pub visa_key: Signer,
    pub vkey: VerifierKey,
    pub log: LogStore,
    pub desk: Desk,
    pub nonces: Nonces,
    pub studies: Vec<StudyRequest>,
    /// `studies`, each signed once at the start.
    pub signed_studies: Vec<String>,
    /// The biobank's signature under its log's origin and key.
    pub log_statement: String,
    /// How the keys of log and institution came to be these.
    pub successions: Vec<Succession>,
    /// Who may do what.
    pub guard: Guard,
    /// How often.
    pub limits: Limits,
    /// How much of their requests is held.
    pub bodies: Bodies,
    /// News for those who listen.
    pub stream: Arc<Stream>,
    /// The pseudonyms of donors in studies.
    pub snapshots: Snapshots,
    /// The file with the list of trusted issuers, if the operator made one.
    pub trusted_issuers: PathBuf,
    /// Where data holders are told.
    pub webhooks: Webhooks,
    /// What is counted for the operator.
    pub metrics: Metrics,
    /// The other institutions; none where there are none.
    pub federation: Option<Federation>,
    /// Becomes true when the service is about to end: whoever holds a connection open lets go of it then.
    pub closing: watch::Sender<bool>,
    challenges: Mutex<HashMap<String, (String, Timestamp)>>,
}

impl Biobank {
    /// Opens the folder of an institution; makes its keys and its empty log at the first time.
    pub fn open(options: &Options) -> Result<Self, StartError> {
        let (dir, first, rates) = (options.data.as_path(), &options.institution, options.network.rates);
        std::fs::create_dir_all(dir).map_err(|e| io_error(dir, e))?;
        // Keys, donors' salts and one-time codes lie below: for the service's own user alone.
        #[cfg(unix)]
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .map_err(|e| io_error(dir, e))?;
        let institution: Institution = read_or_write(&dir.join("institution.json"), first)?;
        let studies: Vec<StudyRequest> = read_or_write(&dir.join("studies.json"), &Vec::new())?;
        let key = SigningKey::from_seed(read_or_make_seed(&dir.join("institution.key"))?);
        let note_key =
            NoteKey::new(&institution.origin, SigningKey::from_seed(read_or_make_seed(&dir.join("log.key"))?))?;
        let visa_key = Signer::from_secret(KeyKind::P256, &read_or_make_seed(&dir.join(VISA_KEY))?);
        let visa_key = visa_key.map_err(|e| io_error(&dir.join(VISA_KEY), io::Error::other(e)))?;
        let signed_studies = studies
            .iter()
            .map(|study| {
                let payload = identity::canonical::to_canonical(study)
                    .map_err(|e| StartError::Io("studies.json".into(), io::Error::other(e)))?;
                Ok(sign_jws(&key, STUDY_REQUEST_TYPE, &payload))
            })
            .collect::<Result<_, StartError>>()?;
        let vkey = note_key.verifier().clone();
        let metrics = Metrics::new();
        let database = match &options.store {
            StoreAddress::Embedded => None,
            StoreAddress::Postgres(address) => Some(Database::open(address, options.allow_unreplicated)?),
        };
        let federation = Federation::open(dir, &vkey, &metrics, database.as_ref())?;
        let successions = succession::read(dir)?;
        let mut said = json!({ "origin": institution.origin, "vkey": vkey.to_string() });
        let former = succession::former_log_keys(&successions);
        if !former.is_empty() {
            said["former"] = former.iter().map(ToString::to_string).collect();
        }
        if let Some(federation) = &federation {
            said["policy"] = federation.text.as_str().into();
        }
        let log_statement = say(&key, LOG_KEY_TYPE, &said);
        let begun = KeyFile::Log.is_begun(dir);
        let cut_off = |error| if begun { StartError::Unfinished("log") } else { error };
        // Said before the log is opened, because opening shows its end to the public.
        if former.contains(&vkey) {
            return Err(cut_off(StartError::FormerLogKey));
        }
        let (log, desk) = open_store(dir, database, note_key, &institution.origin).map_err(|error| match error {
            StartError::Log(OpenError::OtherLog | OpenError::Damaged(_)) => cut_off(error),
            error => error,
        })?;
        let named = log::named_key(log.store().as_ref()).map_err(OpenError::from)?;
        if let Some(named) = named.filter(|named| *named != vkey.to_string()) {
            return Err(cut_off(StartError::OtherLogKey(named)));
        }
        let speaks = log::institution_key(log.store().as_ref()).map_err(OpenError::from)?;
        if speaks.is_some_and(|speaks| speaks != key.did()) {
            let begun = KeyFile::Institution.is_begun(dir);
            return Err(if begun { StartError::Unfinished("institution") } else { StartError::OtherInstitution });
        }
        Ok(Self {
            did: succession::founder(&successions).unwrap_or_else(|| key.did()),
            vkey,
            log_statement,
            successions,
            stream: Arc::new(Stream::new(log.signed_checkpoint().size)),
            snapshots: Snapshots::open(dir)?,
            trusted_issuers: dir.join(crate::trusted::TRUST_FILE),
            webhooks: Webhooks::new(Reach::Public, Pace::NORMAL),
            log,
            desk,
            nonces: Nonces::new(),
            institution,
            address: options.network.address.clone(),
            key,
            visa_key,
            studies,
            signed_studies,
            guard: Guard::new()?,
            limits: Limits::new(rates),
            bodies: Bodies::default(),
            metrics,
            federation,
            closing: watch::Sender::new(false),
            challenges: Mutex::default(),
        })
    }

    /// Waits until a checkpoint with its quorum covers entry `index`. False at once where no federation is known: there
    /// is nobody to wait for.
    pub async fn wait_witnessed(&self, index: u64) -> bool {
        match &self.federation {
            Some(federation) => federation.wait_final(index).await,
            None => false,
        }
    }

    /// Whether a checkpoint with its quorum covers entry `index`.
    pub fn is_witnessed(&self, index: u64) -> bool {
        self.federation.as_ref().is_some_and(|federation| federation.covers(index))
    }

    /// The biobank's word for who this is.
    pub fn vouch(&self, did: &Did, account: &Account) -> String {
        let said = json!({
            "did": did,
            "organisation": account.organisation,
            "organisationName": account.organisation_name,
        });
        say(&self.key, ACCOUNT_TYPE, &said)
    }

    /// The digest of a typed code, unless too many wrong ones came lately.
    pub fn hear_code(&self, typed: &str, from: IpAddr) -> Result<String, Problem> {
        self.limits.may_try_code(from, now())?;
        crate::code::digest(typed).ok_or_else(|| self.wrong_code(from))
    }

    /// Counts a wrong code, and answers it.
    pub fn wrong_code(&self, from: IpAddr) -> Problem {
        self.limits.wrong_code(from, now());
        Problem::code_unknown()
    }

    /// A fresh challenge for a code.
    pub fn challenge(&self, digest: &str) -> Result<String, Problem> {
        let challenge = crate::code::make_nonce().map_err(Problem::internal)?;
        let mut open = self.challenges.lock().map_err(Problem::internal)?;
        let now = now();
        open.retain(|_, (_, at)| at.plus_seconds(CHALLENGE_AGE) > now);
        open.insert(digest.to_owned(), (challenge.clone(), now));
        Ok(challenge)
    }

    /// Takes the open challenge of a code: each can be answered once.
    pub fn take_challenge(&self, digest: &str) -> Result<Option<String>, Problem> {
        let mut open = self.challenges.lock().map_err(Problem::internal)?;
        Ok(open.remove(digest).filter(|(_, at)| at.plus_seconds(CHALLENGE_AGE) > now()).map(|(challenge, _)| challenge))
    }
}

/// Opens the log and the desk: below the folder, or in a database that several nodes share.
fn open_store(
    dir: &Path,
    database: Option<Arc<Database>>,
    key: NoteKey,
    origin: &str,
) -> Result<(LogStore, Desk), StartError> {
    let Some(database) = database else {
        return Ok((LogStore::open(&dir.join("log"), key, origin)?, Desk::open(dir)?));
    };
    let store = Postgres::new(database.clone(), key.verifier().clone());
    Ok((LogStore::over(Arc::new(store), key)?, Desk::over(Box::new(Shared::new(database)))))
}

fn say(key: &SigningKey, typ: &str, what: &Value) -> String {
    // A JSON value of strings always has a canonical form.
    sign_jws(key, typ, &identity::canonical::to_canonical(what).unwrap_or_default())
}

/// Name and log key of the institution in a folder that was opened before.
pub(crate) fn identity_of(dir: &Path) -> Result<(Institution, VerifierKey), StartError> {
    let path = dir.join("institution.json");
    let bytes = std::fs::read(&path).map_err(|e| io_error(&path, e))?;
    let institution: Institution =
        serde_json::from_slice(&bytes).map_err(|e| StartError::Json(path.display().to_string(), e))?;
    let key = SigningKey::from_seed(read_or_make_seed(&dir.join("log.key"))?);
    let vkey = NoteKey::new(&institution.origin, key)?.verifier().clone();
    Ok((institution, vkey))
}

pub(crate) fn io_error(path: &Path, error: io::Error) -> StartError {
    StartError::Io(path.display().to_string(), error)
}

/// Reads a JSON file, or writes the first one.
fn read_or_write<T: Serialize + for<'de> Deserialize<'de> + Clone>(path: &Path, first: &T) -> Result<T, StartError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| StartError::Json(path.display().to_string(), e)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let bytes =
                serde_json::to_vec_pretty(first).map_err(|e| StartError::Json(path.display().to_string(), e))?;
            std::fs::write(path, bytes).map_err(|e| io_error(path, e))?;
            Ok(first.clone())
        }
        Err(error) => Err(io_error(path, error)),
    }
}

/// Reads a 32-byte key file, or makes one that only this user can read.
pub(crate) fn read_or_make_seed(path: &Path) -> Result<[u8; 32], StartError> {
    match std::fs::read(path) {
        Ok(bytes) => bytes
            .try_into()
            .map_err(|_| io_error(path, io::Error::new(io::ErrorKind::InvalidData, "a key file has 32 bytes"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut seed = [0u8; 32];
            getrandom::fill(&mut seed)?;
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let write = |mut file: std::fs::File| file.write_all(&seed).and_then(|()| file.sync_all());
            options.open(path).and_then(write).map_err(|e| io_error(path, e))?;
            Ok(seed)
        }
        Err(error) => Err(io_error(path, error)),
    }
}
