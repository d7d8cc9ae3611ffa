//! The tables in a file of this machine.

use super::{Row, Rows, Span, Table, Tables, TablesError};
use redb::{
    ConcurrencyMode, Database, ReadableDatabase as _, ReadableTable, TableDefinition, TableError, TableHandle as _,
    WriteTransaction,
};
use std::path::Path;

/// Pages that are kept in memory, in bytes. Redb's own measure is a gigabyte, which a desk of many donors fills; the
/// operating system keeps the file's pages anyway.
const CACHE: usize = 64 << 20;

/// Tables in redb.
pub struct Embedded {
    redb: Database,
}

impl Embedded {
    /// Opens or makes the file. A second process that writes is refused; one that only reads is not, so that a backup
    /// can be made while the service runs.
    pub fn open(path: &Path) -> Result<Self, TablesError> {
        let mode = ConcurrencyMode::SingleWriter;
        let redb = Database::builder().set_cache_size(CACHE).set_concurrency_mode(mode).create(path);
        Ok(Self { redb: redb.map_err(failed)? })
    }

    /// Reads a table; one that nothing was written to yet is empty.
    fn read<T>(
        &self,
        table: Table<'_>,
        empty: T,
        read: impl FnOnce(&redb::ReadOnlyTable<&'static str, &'static [u8]>) -> Result<T, TablesError>,
    ) -> Result<T, TablesError> {
        match self.redb.begin_read().map_err(failed)?.open_table(definition(table)) {
            Ok(table) => read(&table),
            Err(TableError::TableDoesNotExist(_)) => Ok(empty),
            Err(error) => Err(failed(error)),
        }
    }
}

impl Tables for Embedded {
    fn get(&self, table: Table<'_>, key: &str) -> Result<Option<Vec<u8>>, TablesError> {
        self.read(table, None, |table| value(table, key))
    }

    fn range(&self, table: Table<'_>, span: Span<'_>, limit: usize) -> Result<Vec<Row>, TablesError> {
        self.read(table, Vec::new(), |table| rows(table, span, limit))
    }

    fn names(&self) -> Result<Vec<String>, TablesError> {
        let read = self.redb.begin_read().map_err(failed)?;
        Ok(read.list_tables().map_err(failed)?.map(|table| table.name().to_owned()).collect())
    }

    fn change(&self, work: &mut dyn FnMut(&mut dyn Rows) -> Result<(), TablesError>) -> Result<(), TablesError> {
        let mut draft = Draft { write: self.redb.begin_write().map_err(failed)?, changed: false };
        work(&mut draft)?;
        // What only looked costs no flush.
        if draft.changed { draft.write.commit().map_err(failed) } else { draft.write.abort().map_err(failed) }
    }
}

struct Draft {
    write: WriteTransaction,
    changed: bool,
}

impl Rows for Draft {
    fn get(&mut self, table: Table<'_>, key: &str) -> Result<Option<Vec<u8>>, TablesError> {
        value(&self.write.open_table(definition(table)).map_err(failed)?, key)
    }

    fn range(&mut self, table: Table<'_>, span: Span<'_>, limit: usize) -> Result<Vec<Row>, TablesError> {
        rows(&self.write.open_table(definition(table)).map_err(failed)?, span, limit)
    }

    fn put(&mut self, table: Table<'_>, key: &str, value: &[u8]) -> Result<(), TablesError> {
        self.changed = true;
        self.write.open_table(definition(table)).map_err(failed)?.insert(key, value).map_err(failed)?;
        Ok(())
    }

    fn remove(&mut self, table: Table<'_>, key: &str) -> Result<(), TablesError> {
        self.changed = true;
        self.write.open_table(definition(table)).map_err(failed)?.remove(key).map_err(failed)?;
        Ok(())
    }
}

fn definition(table: Table<'_>) -> TableDefinition<'_, &'static str, &'static [u8]> {
    TableDefinition::new(table.0)
}

fn value(table: &impl ReadableTable<&'static str, &'static [u8]>, key: &str) -> Result<Option<Vec<u8>>, TablesError> {
    Ok(table.get(key).map_err(failed)?.map(|row| row.value().to_vec()))
}

fn rows(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    (from, to): Span<'_>,
    limit: usize,
) -> Result<Vec<Row>, TablesError> {
    let range = match to {
        Some(to) => table.range(from..to),
        None => table.range(from..),
    };
    range
        .map_err(failed)?
        .take(limit)
        .map(|row| row.map(|(key, value)| (key.value().to_owned(), value.value().to_vec())).map_err(failed))
        .collect()
}

fn failed(error: impl Into<redb::Error>) -> TablesError {
    TablesError::new(error.into())
}
