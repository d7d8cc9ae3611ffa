//! Where a log lives: the contract that the embedded store and PostgreSQL both keep.

use ledger::{BundleId, EntryHash, Hash, Key, Record, SignedCheckpoint, TileEdge, TileId};
use std::collections::{BTreeMap, HashMap};

/// Who may write: the size of the log and the epoch of its writer. A writer that does not name both as they are has
/// lost the log to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Entries in the log.
    pub size: u64,
    /// Goes up each time another process becomes the writer.
    pub epoch: u64,
}

/// The end of a log as its writer knows it.
#[derive(Debug, Clone)]
pub struct Head {
    /// Size and epoch.
    pub turn: Turn,
    /// The newest checkpoint under the log's own signature: it covers every durable entry.
    pub checkpoint: SignedCheckpoint,
    /// The state hash after the last entry.
    pub state: Hash,
    /// The right edge of the tree.
    pub edge: TileEdge,
    /// The bytes of the unfinished bundle.
    pub tail: Vec<u8>,
}

/// An entry with its number and its name.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The number.
    pub index: u64,
    /// The name.
    pub hash: EntryHash,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A batch: it becomes durable wholly or not at all.
#[derive(Debug)]
pub struct Write<'a> {
    /// Entries in their order.
    pub rows: &'a [Row<'a>],
    /// Records that they changed.
    pub records: &'a BTreeMap<Key, Record>,
    /// The state hash after them.
    pub state: Hash,
    /// The checkpoint that covers them.
    pub checkpoint: &'a SignedCheckpoint,
    /// Tiles that these entries filled or widened, and bundles.
    pub tiles: &'a [(TileId, Vec<u8>)],
    /// Bundles that these entries filled or widened.
    pub bundles: &'a [(BundleId, Vec<u8>)],
}

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another writer has the log: nothing was written. Take the turn again before going on.
    #[error("another process writes this log")]
    NotYourTurn,
    /// The store failed. Whether the write happened is not known until the head is read again.
    #[error("the store of the log failed: {0}")]
    Failed(String),
    /// What is stored contradicts itself.
    #[error("the stored log is damaged: {0}")]
    Damaged(String),
}

/// A log's store. Calls wait for the disk or the database, so they belong on threads that may wait.
///
/// What is written in one [`Store::commit`] is durable when it returns, and is seen by readers in one step. Tiles and
/// bundles may reach their readers a moment later, but never after the checkpoint that covers them is published.
pub trait Store: Send + Sync + 'static {
    /// Becomes the writer: the epoch goes up, and whoever wrote before has lost the turn.
    fn take_turn(&self) -> Result<Head, StoreError>;

    /// Writes a batch if the turn is still this one. Gives the turn of the next batch.
    fn commit(&self, turn: Turn, write: &Write<'_>) -> Result<Turn, StoreError>;

    /// The newest checkpoint with the log's own signature, as any reader sees it now.
    fn checkpoint(&self) -> Result<SignedCheckpoint, StoreError>;

    /// The checkpoint that is shown to the public, with the cosignatures that were collected: its note.
    fn published(&self) -> Result<String, StoreError>;

    /// Shows a checkpoint to the public. Refuses to go back to a smaller one.
    fn publish(&self, note: &str) -> Result<(), StoreError>;

    /// The records under these keys; none for a key without a record.
    fn records(&self, keys: &[Key]) -> Result<BTreeMap<Key, Option<Record>>, StoreError>;

    /// Up to `limit` records whose keys begin with `prefix`, after the key `after`, sorted by key.
    fn records_from(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError>;

    /// The numbers of those of these entries that the log holds.
    fn indices(&self, hashes: &[EntryHash]) -> Result<HashMap<EntryHash, u64>, StoreError>;

    /// A tile, as wide as `id` says.
    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, StoreError>;

    /// A bundle, as wide as `id` says.
    fn bundle(&self, id: BundleId) -> Result<Option<Vec<u8>>, StoreError>;
}
