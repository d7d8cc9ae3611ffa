//! `log.redb`: what makes a batch durable. One commit of it, one flush, holds the entries, the checkpoint that covers
//! them, the state hash and whose turn it is, so either all of it happened or nothing. Everything else that is stored
//! can be made again from here and from the flushed bundles.

use super::disk;
use super::{damaged, failed};
use crate::log::fail::Faults;
use crate::log::store::{Row, StoreError, Turn};
use ledger::{Hash, TILE_WIDTH};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableHandle as _};
use std::path::Path;

/// Entries that are not yet in a flushed full bundle: number to bytes.
const TAIL: TableDefinition<u64, &[u8]> = TableDefinition::new("tail");
/// The rows that are named below.
const HEAD: TableDefinition<&str, &str> = TableDefinition::new("head");
/// The checkpoint: its note.
const CHECKPOINT: &str = "checkpoint";
/// The state hash after the last entry.
const STATE: &str = "state";
/// The epoch of the writer.
const EPOCH: &str = "epoch";
/// Entries below this number lie in flushed full bundles.
const FLUSHED: &str = "flushed";
/// Entries below this number may have been pruned.
const MINIMUM: &str = "minimum";
/// The index as older versions kept it.
const OLD_INDEX: TableDefinition<&[u8; 32], u64> = TableDefinition::new("index");
/// What redb may keep in memory.
const CACHE: usize = 16 << 20;

/// The journal.
#[derive(Debug)]
pub(super) struct Journal {
    redb: Database,
    faults: Faults,
}

/// The rows of `HEAD`.
#[derive(Debug, Clone)]
pub(super) struct JournalHead {
    /// The note of the checkpoint; none in a new store.
    pub(super) checkpoint: Option<String>,
    /// The state hash; an older version did not write it.
    pub(super) state: Option<Hash>,
    pub(super) epoch: u64,
    pub(super) minimum: u64,
}

impl Journal {
    pub(super) fn open(path: &Path, faults: &Faults) -> Result<Self, redb::Error> {
        // Small enough to be read as a whole, so that a file which something else changed is refused and not trusted.
        let redb = disk::open(path, CACHE, true, faults)?;
        let transaction = redb.begin_write()?;
        transaction.open_table(TAIL)?;
        transaction.open_table(HEAD)?;
        let old = transaction.list_tables()?.any(|table| table.name() == OLD_INDEX.name());
        if old {
            transaction.delete_table(OLD_INDEX)?;
        }
        transaction.commit()?;
        Ok(Self { redb, faults: faults.clone() })
    }

    pub(super) fn head(&self) -> Result<JournalHead, StoreError> {
        let transaction = self.redb.begin_read().map_err(failed)?;
        let head = transaction.open_table(HEAD).map_err(failed)?;
        let text = |name: &str| Ok(head.get(name).map_err(failed)?.map(|row| row.value().to_owned()));
        let number = |name: &str| text(name)?.map(|n| n.parse().map_err(|_| damaged(name))).transpose();
        Ok(JournalHead {
            checkpoint: text(CHECKPOINT)?,
            state: text(STATE)?.map(|hash| hash.parse().map_err(|_| damaged(STATE))).transpose()?,
            epoch: number(EPOCH)?.unwrap_or(0),
            minimum: number(MINIMUM)?.unwrap_or(0),
        })
    }

    /// The number of the first entry that is kept here.
    pub(super) fn first(&self) -> Result<Option<u64>, StoreError> {
        let transaction = self.redb.begin_read().map_err(failed)?;
        let tail = transaction.open_table(TAIL).map_err(failed)?;
        Ok(tail.first().map_err(failed)?.map(|(index, _)| index.value()))
    }

    /// The entries of a bundle that are still here, up to `count`, from the first one on. Stops at a gap.
    pub(super) fn bundle(&self, bundle: u64, count: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let transaction = self.redb.begin_read().map_err(failed)?;
        let tail = transaction.open_table(TAIL).map_err(failed)?;
        let first = bundle * TILE_WIDTH;
        let mut entries = Vec::new();
        for row in tail.range(first..first + count).map_err(failed)? {
            let (index, bytes) = row.map_err(failed)?;
            if index.value() != first + entries.len() as u64 {
                break;
            }
            entries.push(bytes.value().to_vec());
        }
        Ok(entries)
    }

    /// The epoch goes up.
    pub(super) fn take_turn(&self) -> Result<u64, StoreError> {
        let epoch = self.head()?.epoch + 1;
        self.set(EPOCH, &epoch.to_string())?;
        Ok(epoch)
    }

    /// Stores a batch with the checkpoint that covers it, and drops entries below `flushed`, which lie in bundles.
    /// `size` is that of the log before the batch.
    pub(super) fn commit(
        &self,
        turn: Turn,
        rows: &[Row<'_>],
        state: Hash,
        checkpoint: &str,
        flushed: u64,
    ) -> Result<(), StoreError> {
        let transaction = self.redb.begin_write().map_err(failed)?;
        {
            let mut tail = transaction.open_table(TAIL).map_err(failed)?;
            let mut head = transaction.open_table(HEAD).map_err(failed)?;
            let epoch = head.get(EPOCH).map_err(failed)?.map(|row| row.value().to_owned()).unwrap_or_default();
            if epoch != turn.epoch.to_string() {
                return Err(StoreError::NotYourTurn);
            }
            let known = head.get(FLUSHED).map_err(failed)?.and_then(|row| row.value().parse().ok()).unwrap_or(0);
            if known < flushed {
                tail.retain_in(..flushed, |_, _| false).map_err(failed)?;
                head.insert(FLUSHED, flushed.to_string().as_str()).map_err(failed)?;
            }
            for row in rows {
                tail.insert(row.index, row.bytes).map_err(failed)?;
            }
            head.insert(STATE, state.to_string().as_str()).map_err(failed)?;
            head.insert(CHECKPOINT, checkpoint).map_err(failed)?;
        }
        self.faults.point("before-commit").map_err(failed)?;
        transaction.commit().map_err(failed)?;
        self.faults.point("after-commit").map_err(failed)
    }

    /// Begins a journal for a log whose full bundles are all there.
    pub(super) fn found(
        &self,
        checkpoint: &str,
        flushed: u64,
        tail: &[Vec<u8>],
        minimum: u64,
    ) -> Result<(), StoreError> {
        let transaction = self.redb.begin_write().map_err(failed)?;
        {
            let mut rows = transaction.open_table(TAIL).map_err(failed)?;
            for (entry, index) in tail.iter().zip(flushed..) {
                rows.insert(index, entry.as_slice()).map_err(failed)?;
            }
            let mut head = transaction.open_table(HEAD).map_err(failed)?;
            head.insert(CHECKPOINT, checkpoint).map_err(failed)?;
            head.insert(FLUSHED, flushed.to_string().as_str()).map_err(failed)?;
            head.insert(MINIMUM, minimum.to_string().as_str()).map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// Drops entries that lie in flushed bundles.
    pub(super) fn drop_below(&self, flushed: u64) -> Result<(), StoreError> {
        let transaction = self.redb.begin_write().map_err(failed)?;
        {
            let mut tail = transaction.open_table(TAIL).map_err(failed)?;
            tail.retain_in(..flushed, |_, _| false).map_err(failed)?;
            let mut head = transaction.open_table(HEAD).map_err(failed)?;
            head.insert(FLUSHED, flushed.to_string().as_str()).map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// Entries below may go from now on.
    pub(super) fn set_minimum(&self, minimum: u64) -> Result<(), StoreError> {
        self.set(MINIMUM, &minimum.to_string())
    }

    /// Keeps a state hash that an older version did not write.
    pub(super) fn set_state(&self, state: Hash) -> Result<(), StoreError> {
        self.set(STATE, &state.to_string())
    }

    fn set(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let transaction = self.redb.begin_write().map_err(failed)?;
        transaction.open_table(HEAD).map_err(failed)?.insert(name, value).map_err(failed)?;
        transaction.commit().map_err(failed)
    }
}
