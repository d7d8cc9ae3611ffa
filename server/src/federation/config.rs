//! What an institution knows of its federation: the policy in C2SP's text, and a file with the others' addresses.
//!
//! Each institution hands out its sheet (`biobankd member`) and makes both files from the sheets of the others
//! (`biobankd join`).

use super::keys::Keys;
use crate::biobank::StartError;
use ledger::{CosignerKey, LogKey, MAX_POLICY_BYTES, TrustPolicy, VerifierKey};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use url::Url;

/// The policy: whose signatures make a checkpoint of this log final.
pub const POLICY_FILE: &str = "federation.policy";
/// Where the others are, and whose logs are witnessed here.
pub const PEERS_FILE: &str = "federation.json";
/// The most members beside this one: each signs twice, and a note has 32 signatures with the two of its log.
pub const MAX_OTHERS: usize = 15;

/// Somebody who signs this log's checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Where to ask, without the name of the request.
    pub address: Url,
    /// The keys whose signatures are passed on.
    pub keys: Vec<CosignerKey>,
}

/// A log whose checkpoints are signed here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownLog {
    /// Its keys, the one for Ed25519 first.
    pub keys: Vec<LogKey>,
    /// Whether its entries are kept here as well.
    #[serde(default)]
    pub mirror: bool,
    /// Where the log itself is read, to see whether it shows less than it did. It is not asked if this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Url>,
}

impl KnownLog {
    /// The key that signs every checkpoint of the log.
    pub fn vkey(&self) -> Option<VerifierKey> {
        self.keys.iter().find_map(|key| key.to_string().parse().ok())
    }

    /// The origin of the log.
    pub fn origin(&self) -> &str {
        self.keys.first().map_or("", LogKey::name)
    }
}

/// The file of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peers {
    /// Who witnesses this log.
    pub witnesses: Vec<Peer>,
    /// Who keeps its entries.
    #[serde(default)]
    pub mirrors: Vec<Peer>,
    /// Whose logs are witnessed here.
    pub logs: Vec<KnownLog>,
}

/// Both files, read and checked.
pub struct Config {
    /// The policy as it is published.
    pub text: String,
    /// What it means.
    pub policy: TrustPolicy,
    /// The file of addresses.
    pub peers: Peers,
}

impl Config {
    /// Reads the files in the folder of an institution. None if it is in no federation.
    pub fn read(dir: &Path, own: &VerifierKey) -> Result<Option<Self>, StartError> {
        let Some(text) = read(&dir.join(POLICY_FILE))? else { return Ok(None) };
        let wrong = |why: String| StartError::Federation(format!("{POLICY_FILE}: {why}"));
        if text.len() > MAX_POLICY_BYTES {
            return Err(wrong("too long".into()));
        }
        let policy = TrustPolicy::parse(text.as_bytes()).map_err(|error| wrong(error.to_string()))?;
        if !policy.logs().iter().any(|log| log.key == LogKey::from(own.clone())) {
            return Err(wrong("it does not name this log's own key".into()));
        }
        let wrong = |why: String| StartError::Federation(format!("{PEERS_FILE}: {why}"));
        let json = read(&dir.join(PEERS_FILE))?.ok_or_else(|| wrong("missing".into()))?;
        let peers: Peers = serde_json::from_str(&json).map_err(|error| wrong(error.to_string()))?;
        for log in &peers.logs {
            let of_one = log.keys.iter().all(|key| key.name() == log.origin());
            if log.vkey().is_none() || !of_one {
                return Err(wrong(format!("{:?} needs its Ed25519 key, and keys of one name", log.origin())));
            }
            if log.origin() == own.name() {
                return Err(wrong("a log does not witness itself".into()));
            }
            if peers.logs.iter().filter(|other| other.origin() == log.origin()).count() > 1 {
                return Err(wrong(format!("{:?} stands there twice", log.origin())));
            }
        }
        let others = peers.witnesses.iter().chain(&peers.mirrors).map(|peer| &peer.address);
        for address in others.chain(peers.logs.iter().filter_map(|log| log.address.as_ref())) {
            if !matches!(address.scheme(), "https" | "http") || address.cannot_be_a_base() {
                return Err(wrong(format!("{address} is no address that could be asked")));
            }
        }
        Ok(Some(Self { text, policy, peers }))
    }
}

fn read(path: &Path) -> Result<Option<String>, StartError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StartError::Io(path.display().to_string(), error)),
    }
}

/// What an institution tells the others of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// Its name, as people read it.
    pub name: String,
    /// The keys of its log.
    pub log: Vec<LogKey>,
    /// Where it witnesses, and by which keys.
    pub witness: Peer,
    /// Where it mirrors, and by which keys.
    pub mirror: Peer,
}

impl Sheet {
    /// The sheet of the institution in this folder, which others reach at this address. Makes keys that are missing.
    pub fn of(dir: &Path, address: &Url) -> Result<Self, StartError> {
        let (institution, vkey) = crate::biobank::identity_of(dir)?;
        let keys = Keys::read_or_make(dir, &institution.origin)?;
        let below = |name: &str| {
            let base = format!("{}/{name}", address.as_str().trim_end_matches('/'));
            base.parse().map_err(|_| StartError::Federation(format!("{base} is no address")))
        };
        let public = |cosigners: &[ledger::Cosigner]| cosigners.iter().map(|one| one.key().clone()).collect();
        let log = std::iter::once(LogKey::from(vkey)).chain(LogKey::ml_dsa_44(keys.log.key().clone())).collect();
        Ok(Self {
            name: institution.name,
            log,
            witness: Peer { address: below("witness")?, keys: public(&keys.witness) },
            mirror: Peer { address: below("mirror")?, keys: public(&keys.mirror) },
        })
    }

    /// The log, as it is watched.
    fn known(&self, mirror: bool) -> KnownLog {
        // A witness stands beside the log that it belongs to.
        KnownLog { keys: self.log.clone(), mirror, address: self.witness.address.join(".").ok() }
    }

    /// The name within a policy: one word, without the colon that sets a key's algorithm apart from it.
    fn word(&self) -> String {
        let word = |c: char| if c.is_whitespace() || c.is_control() || matches!(c, '#' | ':') { '-' } else { c };
        let name: String = self.name.trim().chars().map(word).collect();
        if name.is_empty() || name == "none" { format!("member-{name}") } else { name }
    }
}

/// Writes both files into the folder of an institution, out of the sheets of all members (its own may be among them).
/// A checkpoint is final once `quorum` of the others have signed it.
pub fn join(dir: &Path, sheets: &[Sheet], quorum: usize, mirror: bool) -> Result<(), StartError> {
    let wrong = |why: &str| StartError::Federation(why.to_owned());
    let (institution, vkey) = crate::biobank::identity_of(dir)?;
    let keys = Keys::read_or_make(dir, &institution.origin)?;
    let own = LogKey::from(vkey.clone());
    let others: Vec<&Sheet> = sheets.iter().filter(|sheet| !sheet.log.contains(&own)).collect();
    if others.is_empty() || others.len() > MAX_OTHERS {
        return Err(wrong("a federation has one other member at least, and fifteen at most"));
    }
    // With fewer, two halves that do not overlap could each sign another history.
    if quorum > others.len() || 2 * quorum <= others.len() {
        return Err(wrong("the quorum must be more than half of the others, and not more than there are"));
    }
    let mut text = format!("# Who must have signed a checkpoint of {} before it is final.\n", institution.origin);
    let mut line = |arguments: std::fmt::Arguments<'_>| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{arguments}");
    };
    line(format_args!("log {own}"));
    line(format_args!("log {}", keys.log.key()));
    let mut names: Vec<String> = Vec::new();
    for sheet in &others {
        let mut name = sheet.word();
        while names.contains(&name) {
            name.push('\'');
        }
        let mut parts = Vec::new();
        for key in &sheet.witness.keys {
            let part = match key.algorithm() {
                ledger::Algorithm::Ed25519 => format!("{name}:ed25519"),
                ledger::Algorithm::MlDsa44 => format!("{name}:ml-dsa-44"),
            };
            line(format_args!("witness {part} {key} {}", sheet.witness.address));
            parts.push(part);
        }
        // Whoever breaks one of the two algorithms has gained nothing.
        line(format_args!("group {name} all {}", parts.join(" ")));
        names.push(name);
    }
    line(format_args!("group of-others {quorum} {}", names.join(" ")));
    line(format_args!("quorum of-others"));
    let peers = Peers {
        witnesses: others.iter().map(|sheet| sheet.witness.clone()).collect(),
        mirrors: others.iter().filter(|_| mirror).map(|sheet| sheet.mirror.clone()).collect(),
        logs: others.iter().map(|sheet| sheet.known(mirror)).collect(),
    };
    let json = serde_json::to_string_pretty(&peers).map_err(|e| StartError::Json(PEERS_FILE.into(), e))?;
    TrustPolicy::parse(text.as_bytes()).map_err(|error| StartError::Federation(error.to_string()))?;
    for (name, content) in [(PEERS_FILE, json), (POLICY_FILE, text)] {
        let path = dir.join(name);
        std::fs::write(&path, content).map_err(|e| crate::biobank::io_error(&path, e))?;
    }
    // What was written is read once as the service will.
    Config::read(dir, &vkey).map(drop)
}
