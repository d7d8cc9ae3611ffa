//! Receipts (C2SP tlog-proof): one text that shows, without a connection, that a log holds an entry.

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::hash::{EntryHash, Hash};
use crate::merkle::{ProofError, verify_inclusion};
use crate::note::{MAX_NOTE_BYTES, VerifierKey};
use crate::policy::{PolicyError, Quorum, TrustPolicy};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::fmt;

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A path has at most one hash for each bit of the size.
const MAX_PATH: usize = 64;
/// The longest receipt that is read.
pub const MAX_RECEIPT_BYTES: usize = MAX_NOTE_BYTES + 16 * 1024;

/// What can be wrong with a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not a receipt.
    #[error("not a receipt")]
    Malformed,
    /// The checkpoint in it is wrong.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is not final under the policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The checkpoint is good, but does not cover the entry.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// A receipt that was read but not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Bytes for the application, which nothing protects.
    pub extra: Option<Vec<u8>>,
    /// Where the entry is said to be.
    pub index: u64,
    /// From the sibling of the leaf up to the child of the root.
    pub path: Vec<Hash>,
    /// The checkpoint as the log signed it.
    pub checkpoint: String,
}

impl Receipt {
    /// Reads a receipt.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        Self::read(text).ok_or(ReceiptError::Malformed)
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_RECEIPT_BYTES {
            return None;
        }
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return None;
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => Some(BASE64_STANDARD.decode(line.strip_prefix("extra ")?).ok()?),
            None => None,
        };
        let number = lines.next()?.strip_prefix("index ")?;
        let index: u64 = number.parse().ok()?;
        if index.to_string() != number {
            return None;
        }
        let mut path = Vec::new();
        for line in lines {
            if path.len() == MAX_PATH {
                return None;
            }
            path.push(Hash::from_base64(line).ok()?);
        }
        Some(Self { extra, index, path, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that the log with this key holds these bytes as an entry.
    pub fn verify(text: &str, entry: &[u8], key: &VerifierKey) -> Result<Included, ReceiptError> {
        let receipt = Self::parse(text)?;
        let checkpoint = Checkpoint::open(&receipt.checkpoint, key)?;
        receipt.covers(entry, checkpoint)
    }

    /// Checks that a log of this policy holds these bytes as an entry, under a checkpoint that is final by it. With a
    /// time in seconds since 1970, witnesses' statements from the future do not count.
    pub fn verify_with(
        text: &str,
        entry: &[u8],
        policy: &TrustPolicy,
        now: Option<u64>,
    ) -> Result<(Included, Quorum), ReceiptError> {
        let receipt = Self::parse(text)?;
        let quorum = policy.verify(&receipt.checkpoint, now)?;
        Ok((receipt.covers(entry, quorum.checkpoint().clone())?, quorum))
    }

    fn covers(&self, entry: &[u8], checkpoint: SignedCheckpoint) -> Result<Included, ReceiptError> {
        let entry = EntryHash::of(entry);
        verify_inclusion(self.index, checkpoint.size, entry.leaf(), &self.path, checkpoint.root)?;
        Ok(Included { entry, index: self.index, checkpoint })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64_STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.path {
            writeln!(f, "{}", hash.to_base64())?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Evidence that a log holds an entry. Only a check makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    entry: EntryHash,
    index: u64,
    checkpoint: SignedCheckpoint,
}

impl Included {
    /// The entry.
    pub fn entry(&self) -> EntryHash {
        self.entry
    }

    /// Its number in the log.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint that covers it.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}
