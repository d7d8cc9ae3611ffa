//! The database beside the public folder. One commit of it is the moment at which a batch is durable: it holds the
//! entries, their index and the checkpoint that covers them, so either all of it happened or nothing.

use ledger::{EntryHash, TILE_WIDTH};
use redb::{Database as Redb, ReadableDatabase as _, TableDefinition};
use std::path::Path;

/// Entries that are not yet in a flushed full bundle: number to bytes.
const TAIL: TableDefinition<u64, &[u8]> = TableDefinition::new("tail");
/// The number of each entry by its hash.
const INDEX: TableDefinition<&[u8; 32], u64> = TableDefinition::new("index");
/// The checkpoint, under the key "checkpoint".
const HEAD: TableDefinition<&str, &str> = TableDefinition::new("head");

/// A failure of the database.
pub(super) type Error = Box<redb::Error>;

fn boxed(error: impl Into<redb::Error>) -> Error {
    Box::new(error.into())
}

/// The database.
pub(super) struct Database {
    redb: Redb,
}

/// An entry with its number and its name.
pub(super) struct Row<'a> {
    pub(super) index: u64,
    pub(super) hash: EntryHash,
    pub(super) bytes: &'a [u8],
}

impl Database {
    /// Opens or makes the database. A second process that holds it is refused.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let redb = Redb::create(path).map_err(boxed)?;
        let transaction = redb.begin_write().map_err(boxed)?;
        transaction.open_table(TAIL).map_err(boxed)?;
        transaction.open_table(INDEX).map_err(boxed)?;
        transaction.open_table(HEAD).map_err(boxed)?;
        transaction.commit().map_err(boxed)?;
        Ok(Self { redb })
    }

    /// The last checkpoint that was stored.
    pub(super) fn checkpoint(&self) -> Result<Option<String>, Error> {
        let transaction = self.redb.begin_read().map_err(boxed)?;
        let head = transaction.open_table(HEAD).map_err(boxed)?;
        let row = head.get("checkpoint").map_err(boxed)?;
        Ok(row.map(|row| row.value().to_owned()))
    }

    /// The number of an entry.
    pub(super) fn index_of(&self, hash: &EntryHash) -> Result<Option<u64>, Error> {
        let transaction = self.redb.begin_read().map_err(boxed)?;
        let index = transaction.open_table(INDEX).map_err(boxed)?;
        let row = index.get(hash.as_bytes()).map_err(boxed)?;
        Ok(row.map(|row| row.value()))
    }

    /// The entries of a bundle that are still here, up to `count`, from the first one on. Stops at a gap.
    pub(super) fn tail_of(&self, bundle: u64, count: u64) -> Result<Vec<Vec<u8>>, Error> {
        let transaction = self.redb.begin_read().map_err(boxed)?;
        let tail = transaction.open_table(TAIL).map_err(boxed)?;
        let first = bundle * TILE_WIDTH;
        let mut entries = Vec::new();
        for row in tail.range(first..first + count).map_err(boxed)? {
            let (index, bytes) = row.map_err(boxed)?;
            if index.value() != first + entries.len() as u64 {
                break;
            }
            entries.push(bytes.value().to_vec());
        }
        Ok(entries)
    }

    /// Stores a batch with the checkpoint that covers it, and drops entries below `flushed`, which lie in bundles.
    pub(super) fn commit(&self, rows: &[Row<'_>], checkpoint: &str, flushed: u64) -> Result<(), Error> {
        let transaction = self.redb.begin_write().map_err(boxed)?;
        {
            let mut tail = transaction.open_table(TAIL).map_err(boxed)?;
            let mut index = transaction.open_table(INDEX).map_err(boxed)?;
            let mut head = transaction.open_table(HEAD).map_err(boxed)?;
            tail.retain_in(..flushed, |_, _| false).map_err(boxed)?;
            for row in rows {
                tail.insert(row.index, row.bytes).map_err(boxed)?;
                index.insert(row.hash.as_bytes(), row.index).map_err(boxed)?;
            }
            head.insert("checkpoint", checkpoint).map_err(boxed)?;
        }
        super::fail::fail_point("before-commit");
        transaction.commit().map_err(boxed)
    }

    /// Puts back rows of the index that are missing or wrong.
    pub(super) fn mend_index(&self, rows: &[(EntryHash, u64)]) -> Result<(), Error> {
        let transaction = self.redb.begin_write().map_err(boxed)?;
        {
            let mut index = transaction.open_table(INDEX).map_err(boxed)?;
            for (hash, number) in rows {
                index.insert(hash.as_bytes(), *number).map_err(boxed)?;
            }
        }
        transaction.commit().map_err(boxed)
    }
}
