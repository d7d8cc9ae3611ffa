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

/// The end of a log as its readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// Size and epoch.
    pub turn: Turn,
    /// The newest checkpoint under the log's own signature: it covers every durable entry.
    pub checkpoint: SignedCheckpoint,
    /// The state hash after the last entry.
    pub state: Hash,
}

/// The end of a log as its writer knows it.
#[derive(Debug, Clone)]
pub struct Head {
    /// Size and epoch.
    pub turn: Turn,
    /// The newest checkpoint under the log's own signature; none in a store that no log was ever put in. Such a store
    /// gets its first checkpoint, over no entries, by a [`Store::commit`] without rows.
    pub checkpoint: Option<SignedCheckpoint>,
    /// The state hash after the last entry; that of the empty log in a new store.
    pub state: Hash,
    /// The right edge of the tree ([`TileEdge::read`] makes it from tiles; its root was compared with the checkpoint).
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
    /// Tiles that these entries filled or widened.
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
    /// The connection broke. Whether the write happened is not known, but will be when the turn is taken again: the
    /// sequencer does that, and finds by their hashes which entries are there.
    #[error("the store of the log can not be reached: {0}")]
    Interrupted(String),
    /// The store failed. Whether the write happened is not known until it is opened again.
    #[error("the store of the log failed: {0}")]
    Failed(String),
    /// What is stored contradicts itself.
    #[error("the stored log is damaged: {0}")]
    Damaged(String),
    /// The log goes on elsewhere: whoever wrote here would fork it.
    #[error("this log was moved to another store (`biobankd migrate`): open that one, in `--store`")]
    Moved,
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

    /// Closes the store for good, because the log goes on in another one: it can be read, and nobody gets a turn again.
    fn retire(&self) -> Result<(), StoreError>;

    /// The newest durable end of the log; none before the first commit.
    fn tip(&self) -> Result<Option<Tip>, StoreError>;

    /// The checkpoint that is shown to the public, with the cosignatures that were collected: its note. None before
    /// the first was published.
    fn published(&self) -> Result<Option<String>, StoreError>;

    /// Shows a checkpoint to the public. If a larger one is shown already, by another writer for instance, that stays.
    fn publish(&self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError>;

    /// The records under these keys; none for a key without a record. All are of one moment, the newest.
    fn records(&self, keys: &[Key]) -> Result<BTreeMap<Key, Option<Record>>, StoreError>;

    /// Up to `limit` records whose keys begin with `prefix`, after the key `after`, sorted by key.
    fn records_from(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError>;

    /// The numbers of those of these entries that the log holds.
    fn indices(&self, hashes: &[EntryHash]) -> Result<HashMap<EntryHash, u64>, StoreError>;

    /// How many entries have a number by their hash. An audit compares it with the size.
    fn count_indices(&self) -> Result<u64, StoreError>;

    /// A tile, as wide as `id` says, cut from a wider one if need be. None if the log is not that large, or the tile
    /// was pruned.
    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, StoreError>;

    /// A bundle, found like a tile.
    fn bundle(&self, id: BundleId) -> Result<Option<Vec<u8>>, StoreError>;

    /// The first entry that was not pruned (C2SP tlog-tiles, minimum index).
    fn minimum(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Whether it failed for good, so that nothing can be written until it is opened again.
    fn is_stopped(&self) -> bool {
        false
    }

    /// Whether other processes write to this store as well, so that what was read a moment ago may be old.
    fn is_shared(&self) -> bool {
        false
    }
}
