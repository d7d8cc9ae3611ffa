//! Evidence that a log contradicts itself: two checkpoints that it signed, in one file that anybody can judge without
//! a connection.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::Hash;
use crate::merkle::{ProofError, verify_consistency};
use crate::note::{MAX_NOTE_BYTES, VerifierKey};
use serde::{Deserialize, Serialize};

/// The mark of the format.
const FORMAT: &str = "log-evidence.v1";
/// The longest file that is read: two notes and a proof.
pub const MAX_EVIDENCE_BYTES: usize = 3 * MAX_NOTE_BYTES;

/// Two checkpoints of one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    format: String,
    /// The key of the log.
    pub vkey: VerifierKey,
    /// What was believed first.
    pub first: String,
    /// What was shown later.
    pub second: String,
    /// The hashes that lead from the size of the smaller tree to the root of the larger one (RFC 6962, section 2.1.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proof: Vec<Hash>,
}

/// What two checkpoints of one log show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Two roots for one size: no honest log signs that.
    Fork,
    /// The larger tree has another past than the smaller one, and the proof shows it.
    Rewritten,
    /// A smaller tree was shown after a larger one. That alone proves nothing to others: somebody can have shown an old
    /// checkpoint.
    Shorter,
    /// The two can both be true, as far as this file shows.
    Nothing,
}

impl Verdict {
    /// Whether the log stands convicted by its own signatures.
    pub fn proves_a_fork(self) -> bool {
        matches!(self, Self::Fork | Self::Rewritten)
    }
}

/// Why a file is no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Not such a file.
    #[error("not a file of evidence")]
    Malformed,
    /// One of the checkpoints was not signed by the key.
    #[error("a checkpoint is not one of this log: {0}")]
    Checkpoint(#[from] CheckpointError),
}

impl Evidence {
    /// Two checkpoints, as they were signed, and the proof between them if there is one.
    pub fn new(vkey: VerifierKey, first: &str, second: &str, proof: Vec<Hash>) -> Self {
        Self { format: FORMAT.to_owned(), vkey, first: first.to_owned(), second: second.to_owned(), proof }
    }

    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        if bytes.len() > MAX_EVIDENCE_BYTES {
            return Err(EvidenceError::Malformed);
        }
        let read: Self = serde_json::from_slice(bytes).map_err(|_| EvidenceError::Malformed)?;
        if read.format == FORMAT && read.proof.len() <= 64 { Ok(read) } else { Err(EvidenceError::Malformed) }
    }

    /// The file.
    pub fn to_json(&self) -> String {
        // Texts and hashes always have a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// What the two checkpoints show, to anybody who knows the key.
    pub fn judge(&self) -> Result<Verdict, EvidenceError> {
        let first = Checkpoint::open(&self.first, &self.vkey)?;
        let second = Checkpoint::open(&self.second, &self.vkey)?;
        if first.size == second.size {
            return Ok(if first.root == second.root { Verdict::Nothing } else { Verdict::Fork });
        }
        let (old, new) = if first.size < second.size { (&first, &second) } else { (&second, &first) };
        match verify_consistency(old.size, old.root, new.size, new.root, &self.proof) {
            Err(ProofError::OldRoot) => Ok(Verdict::Rewritten),
            _ if second.size < first.size => Ok(Verdict::Shorter),
            _ => Ok(Verdict::Nothing),
        }
    }
}
