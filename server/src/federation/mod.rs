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
use crate::postgres::Database;
use crate::tables::{Embedded, Shared, Tables, TablesError};
use copy::Copy;
use evidence::EvidenceFolder;
use figures::Figures;
use ledger::{Cosigner, Mirror, MirrorReply, Refusal, TrustPolicy, VerifierKey, Witness, origin_hash};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
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
    ///
    /// What was signed is remembered where the log is: nodes that share a database hold the same keys, and none of them
    /// may sign what another one's signature contradicts.
    pub fn open(
        dir: &Path,
        own: &VerifierKey,
        metrics: &Metrics,
        database: Option<&Arc<Database>>,
    ) -> Result<Option<Self>, StartError> {
        let Some(config) = Config::read(dir, own)? else { return Ok(None) };
        let keys = keys::Keys::read_or_make(dir, own.name())?;
        let tables = memory(dir, database)
            .map_err(|error| StartError::Federation(format!("what was signed for others: {error}")))?;
        Ok(Some(Self {
            text: config.text,
            policy: config.policy,
            figures: Figures::new(metrics),
            peers: config.peers,
            cosigner: keys.log,
            witness: Witness::new(keys.witness),
            mirror: Mirror::new(keys.mirror, keys.ticket),
            tables,
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

/// The memory of the witness and the mirror. A log that moved into a database takes along what lies in the file.
fn memory(dir: &Path, database: Option<&Arc<Database>>) -> Result<Box<dyn Tables>, TablesError> {
    let path = dir.join("federation.redb");
    let Some(database) = database else { return Ok(Box::new(Embedded::open(&path)?)) };
    let shared = Shared::new(database.clone());
    if path.exists() {
        rows::take_along(&Embedded::open(&path)?, &shared)?;
    }
    Ok(Box::new(shared))
}
