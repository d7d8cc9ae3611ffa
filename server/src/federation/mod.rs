//! The federation: institutions that watch each other's logs (C2SP tlog-witness, tlog-mirror, tlog-policy).
//!
//! Each signs what it has seen of the others and keeps what convicts them, each asks the others to sign its own
//! checkpoints, and none of them waits for another with what its participants say.

mod compare;
mod config;
mod copy;
mod courier;
mod evidence;
mod figures;
mod keys;
mod mirror;
mod publish;
mod rows;
mod witness;

pub use config::{Config, KnownLog, MAX_OTHERS, PEERS_FILE, POLICY_FILE, Peer, Peers, Sheet, join};
pub use evidence::Kept;
pub use publish::run;

use crate::biobank::StartError;
use crate::metrics::Metrics;
use crate::tables::{Embedded, Tables, TablesError};
use copy::Copy;
use evidence::EvidenceFolder;
use figures::Figures;
use ledger::{Cosigner, Mirror, MirrorReply, Refusal, TrustPolicy, VerifierKey, Witness, origin_hash};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tokio::sync::watch;

/// Why a request of another institution did not end well.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The witness does not sign.
    #[error(transparent)]
    Witness(#[from] Refusal),
    /// The mirror does not sign, or not yet.
    #[error(transparent)]
    Mirror(#[from] MirrorReply),
    /// What is remembered could not be read or written.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// The copy of a log could not be read or written.
    #[error("the copy of a log: {0}")]
    Copy(#[from] std::io::Error),
}

/// What an institution is to its federation.
pub struct Federation {
    /// The policy as it is published.
    pub text: String,
    policy: TrustPolicy,
    peers: Peers,
    cosigner: Cosigner,
    witness: Witness,
    mirror: Mirror,
    tables: Box<dyn Tables>,
    /// The copies of mirrored logs, by origin, opened when they are first needed.
    copies: Mutex<HashMap<String, Copy>>,
    mirror_dir: PathBuf,
    /// What convicts logs.
    pub evidence: EvidenceFolder,
    figures: Figures,
    /// The size of the last checkpoint that was published with its quorum.
    final_size: watch::Sender<u64>,
}

impl Federation {
    /// Opens what the folder of an institution holds of its federation. None if it is in none.
    pub fn open(dir: &Path, own: &VerifierKey, metrics: &Metrics) -> Result<Option<Self>, StartError> {
        let Some(config) = Config::read(dir, own)? else { return Ok(None) };
        let keys = keys::Keys::read_or_make(dir, own.name())?;
        let tables = Embedded::open(&dir.join("federation.redb"))
            .map_err(|error| StartError::Federation(format!("federation.redb: {error}")))?;
        Ok(Some(Self {
            text: config.text,
            policy: config.policy,
            figures: Figures::new(metrics),
            peers: config.peers,
            cosigner: keys.log,
            witness: Witness::new(keys.witness),
            mirror: Mirror::new(keys.mirror, keys.ticket),
            tables: Box::new(tables),
            copies: Mutex::default(),
            mirror_dir: dir.join("mirror"),
            evidence: EvidenceFolder::new(dir.join("evidence")),
            final_size: watch::Sender::new(0),
        }))
    }

    /// A log that is witnessed here.
    fn log(&self, origin: &str) -> Option<&KnownLog> {
        self.peers.logs.iter().find(|log| log.origin() == origin)
    }

    fn log_by_hash(&self, hash: &str) -> Option<&KnownLog> {
        self.peers.logs.iter().find(|log| origin_hash(log.origin()) == hash)
    }
}
