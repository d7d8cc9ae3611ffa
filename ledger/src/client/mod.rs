//! Reading a log over HTTP or from a folder (feature `client`). Everything that comes in is bounded in size and time, and nothing is
//! believed but what a checkpoint of the expected key covers.

mod audit;
mod fetch;
mod mirror;
mod parallel;
mod source;

pub use audit::{AuditReport, Finding, Remainder, audit, audit_from, audit_until};
pub use fetch::{Limits, LogClient, LogInfo, Stated};
pub use mirror::{Mirror, SyncReport};
pub use source::LogSource;

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::merkle::ProofError;
use crate::note::NoteError;
use crate::prove::ProveError;

/// Why a log could not be read, or must not be believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Neither https nor http to this machine.
    #[error("the address of a log begins with https://, or with http:// and names this machine")]
    Address,
    /// No connection, or it broke.
    #[error("the log can not be reached")]
    Unreachable(#[source] reqwest::Error),
    /// Nothing came for too long.
    #[error("the log does not answer in time")]
    TimedOut,
    /// More came than such an answer may hold.
    #[error("the log answers with more than is read")]
    TooLarge,
    /// The log has no such thing.
    #[error("the log does not have it")]
    NotFound,
    /// The log was pruned: it shows its entries from this one on. Who has not read the others can check the rest of it,
    /// and not say what the log comes to.
    #[error(
        "the log was pruned and shows its entries from number {0} on: what those before said can not be read any more"
    )]
    Pruned(u64),
    /// Another status than those that the interface has.
    #[error("the log answers with status {0}")]
    Status(u16),
    /// The answer is not what it should be.
    #[error("the log answers with something else than {0}")]
    Malformed(&'static str),
    /// The checkpoint is not one of this log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The log shows a checkpoint with fewer entries than one that it signed before.
    #[error("the log is shorter than it was")]
    Shrunk {
        /// The checkpoint that is held.
        held: Box<SignedCheckpoint>,
        /// The checkpoint that was offered.
        offered: Box<SignedCheckpoint>,
    },
    /// The log signed two checkpoints that can not both be true. Both notes together are the evidence.
    #[error("the log contradicts what it signed before")]
    Forked {
        /// The checkpoint that is held.
        held: Box<SignedCheckpoint>,
        /// The checkpoint that was offered.
        offered: Box<SignedCheckpoint>,
    },
    /// The tiles do not lead to the signed root.
    #[error("the tiles of the log do not belong to its checkpoint")]
    BadTiles,
    /// The entries do not lead to the signed root.
    #[error("the entries of the log do not belong to its checkpoint")]
    BadEntries,
    /// The log is longer than this reader takes.
    #[error("the log has more entries than are read")]
    TooLong,
    /// The log has fewer entries than were asked for.
    #[error("the log has fewer entries than that")]
    TooShort,
    /// What the log says of its key is not signed by who it says that it is.
    #[error("the statement of the log's key is not signed by the institution that it names")]
    Statement,
    /// The log is signed by another key than the one that was trusted, or than the one that its own entries name.
    #[error("the log is signed by another key, and nothing shows that it took the place of the one before")]
    OtherKey,
    /// A folder of a log can not be read or written.
    #[error("the folder of the log can not be used")]
    Folder(#[from] std::io::Error),
    /// The folder of the mirror does not hold what its checkpoint says.
    #[error("the folder of the mirror is damaged")]
    Damaged,
}

impl ClientError {
    /// Whether the checkpoint that came is not signed by the key that was asked for: the log may have another by now.
    pub fn is_other_key(&self) -> bool {
        matches!(self, Self::Checkpoint(CheckpointError::Note(NoteError::Unsigned)))
    }
}

impl<E> From<ProveError<E>> for ClientError {
    fn from(_: ProveError<E>) -> Self {
        Self::BadTiles
    }
}

impl From<ProofError> for ClientError {
    fn from(_: ProofError) -> Self {
        Self::BadTiles
    }
}
