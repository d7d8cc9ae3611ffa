//! `index.redb`: the number of each entry by its hash, and the records of the state. Nothing in it is evidence: it is
//! made from the entries, lags a little behind them, and can be thrown away and made again.
//!
//! Its commits are made for a quick start: redb finds at once what is free in it, also after a crash, and reads no
//! more than it needs. That costs each commit a second flush, so they are few and large.

use super::disk;
use super::{damaged, failed};
use crate::log::fail::Faults;
use crate::log::store::StoreError;
use ledger::{EntryHash, Hash, Key, Record, empty_state_hash};
use redb::{Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _};
use redb::{Table, TableDefinition};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The number of each entry by its hash.
const INDEX: TableDefinition<&[u8; 32], u64> = TableDefinition::new("index");
/// The records: key to canonical JSON.
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");
/// Up to where this was made: the number of entries, and the state hash after them.
const MADE: TableDefinition<(), (u64, &[u8; 32])> = TableDefinition::new("made");
/// What redb may keep in memory.
const CACHE: usize = 48 << 20;

/// What some entries change: the part of the index and of the records that is in memory only.
#[derive(Debug, Clone)]
pub(in crate::log) struct Generation {
    /// The first of these entries.
    pub(in crate::log) first: u64,
    /// The number after the last of them.
    pub(in crate::log) end: u64,
    /// The state hash after the last of them.
    pub(in crate::log) state: Hash,
    pub(in crate::log) index: HashMap<EntryHash, u64>,
    pub(in crate::log) records: BTreeMap<Key, Record>,
}

impl Generation {
    /// Nothing, after so many entries.
    pub(in crate::log) fn after(end: u64, state: Hash) -> Self {
        Self { first: end, end, state, index: HashMap::new(), records: BTreeMap::new() }
    }

    pub(in crate::log) fn is_empty(&self) -> bool {
        self.first == self.end
    }

    pub(in crate::log) fn len(&self) -> u64 {
        self.end - self.first
    }
}

/// The index and the records on disk.
#[derive(Debug)]
pub(in crate::log) struct Views {
    redb: Database,
    faults: Faults,
}

impl Views {
    pub(in crate::log) fn open(path: &Path, faults: &Faults) -> Result<Self, redb::Error> {
        let redb = disk::open(path, CACHE, false, faults)?;
        let views = Self { redb, faults: faults.clone() };
        let transaction = views.redb.begin_write()?;
        transaction.open_table(INDEX)?;
        transaction.open_table(RECORDS)?;
        transaction.open_table(MADE)?;
        transaction.commit()?;
        Ok(views)
    }

    /// Up to where the views were made, and the state hash there.
    pub(in crate::log) fn made(&self) -> Result<(u64, Hash), StoreError> {
        self.read()?.made()
    }

    /// What is stored at this moment.
    pub(in crate::log) fn read(&self) -> Result<Seen, StoreError> {
        Ok(Seen(self.redb.begin_read().map_err(failed)?))
    }

    /// Takes a generation over. It must begin where the views end.
    pub(in crate::log) fn keep(&self, generation: &Generation) -> Result<(), StoreError> {
        let mut transaction = self.redb.begin_write().map_err(failed)?;
        transaction.set_quick_repair(true);
        {
            let mut made = transaction.open_table(MADE).map_err(failed)?;
            let end = made.get(()).map_err(failed)?.map_or(0, |row| row.value().0);
            if end != generation.first {
                return Err(damaged("the index does not end where the next entries begin"));
            }
            made.insert((), (generation.end, generation.state.as_bytes())).map_err(failed)?;
            let mut index = transaction.open_table(INDEX).map_err(failed)?;
            // In the order of the keys, so that each page is touched once.
            let mut rows: Vec<_> = generation.index.iter().collect();
            rows.sort_unstable();
            for (hash, number) in rows {
                index.insert(hash.as_bytes(), number).map_err(failed)?;
            }
            let mut records = transaction.open_table(RECORDS).map_err(failed)?;
            for (key, record) in &generation.records {
                put(&mut records, key, record)?;
            }
        }
        self.faults.point("before-index").map_err(failed)?;
        transaction.commit().map_err(failed)?;
        self.faults.point("after-index").map_err(failed)
    }
}

fn put(records: &mut Table<'_, &str, &[u8]>, key: &Key, record: &Record) -> Result<(), StoreError> {
    records.insert(key.as_str(), record.to_bytes().as_slice()).map_err(failed).map(|_| ())
}

/// The views of one moment.
pub(in crate::log) struct Seen(ReadTransaction);

impl Seen {
    pub(in crate::log) fn made(&self) -> Result<(u64, Hash), StoreError> {
        let made = self.0.open_table(MADE).map_err(failed)?;
        let row = made.get(()).map_err(failed)?;
        Ok(row.map_or((0, empty_state_hash()), |row| (row.value().0, Hash::from_bytes(*row.value().1))))
    }

    pub(in crate::log) fn indices<'a>(
        &self,
        hashes: impl Iterator<Item = &'a EntryHash>,
    ) -> Result<Vec<(EntryHash, u64)>, StoreError> {
        let index = self.0.open_table(INDEX).map_err(failed)?;
        let mut found = Vec::new();
        for hash in hashes {
            if let Some(number) = index.get(hash.as_bytes()).map_err(failed)? {
                found.push((*hash, number.value()));
            }
        }
        Ok(found)
    }

    pub(in crate::log) fn count_indices(&self) -> Result<u64, StoreError> {
        self.0.open_table(INDEX).map_err(failed)?.len().map_err(failed)
    }

    pub(in crate::log) fn records(&self, keys: &[&Key]) -> Result<Vec<Option<Record>>, StoreError> {
        let records = self.0.open_table(RECORDS).map_err(failed)?;
        let read = |key: &&Key| match records.get(key.as_str()).map_err(failed)? {
            Some(row) => Record::from_bytes(row.value()).map(Some).ok_or_else(|| damaged(key.as_str())),
            None => Ok(None),
        };
        keys.iter().map(read).collect()
    }

    /// Up to `limit` records whose keys begin with `prefix`, after the key `after`.
    pub(in crate::log) fn records_from(
        &self,
        prefix: &str,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        let records = self.0.open_table(RECORDS).map_err(failed)?;
        let start = after.map_or(prefix, |key| key.as_str().max(prefix));
        let mut found = Vec::new();
        for row in records.range(start..).map_err(failed)? {
            let (key, bytes) = row.map_err(failed)?;
            let key = key.value();
            if !key.starts_with(prefix) || found.len() == limit {
                break;
            }
            if after.is_none_or(|after| after.as_str() < key) {
                let record = Record::from_bytes(bytes.value()).ok_or_else(|| damaged(key))?;
                found.push((Key::from_stored(key), record));
            }
        }
        Ok(found)
    }
}
