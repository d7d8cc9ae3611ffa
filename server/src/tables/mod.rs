//! The tables that the desk keeps its rows in: bytes under text keys, sorted by the bytes of the key.

mod embedded;
mod postgres;
#[cfg(test)]
mod tests;

pub use embedded::Embedded;
pub use postgres::Shared;

/// Why the tables could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TablesError(Box<dyn std::error::Error + Send + Sync>);

impl TablesError {
    /// A failure of the database behind the tables.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// The name of a table. Every table is there from the start, empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table<'a>(pub &'a str);

/// A key with its value.
pub type Row = (String, Vec<u8>);

/// Keys from the first on, up to, not including, the second; up to the last one if there is no second. No key holds a
/// NUL, so a key with one at its end names the place behind that key.
pub type Span<'a> = (&'a str, Option<&'a str>);

/// Reads of one moment, and writes that happen wholly or not at all.
pub trait Rows {
    /// The value under a key.
    fn get(&mut self, table: Table<'_>, key: &str) -> Result<Option<Vec<u8>>, TablesError>;

    /// Up to `limit` rows with keys in this span, sorted by key.
    fn range(&mut self, table: Table<'_>, span: Span<'_>, limit: usize) -> Result<Vec<Row>, TablesError>;

    /// Writes a value under a key.
    fn put(&mut self, table: Table<'_>, key: &str, value: &[u8]) -> Result<(), TablesError>;

    /// Removes a key, if it is there.
    fn remove(&mut self, table: Table<'_>, key: &str) -> Result<(), TablesError>;
}

/// Where the tables live. Calls wait for the disk or the database, so they belong on threads that may wait.
pub trait Tables: Send + Sync {
    /// The value under a key.
    fn get(&self, table: Table<'_>, key: &str) -> Result<Option<Vec<u8>>, TablesError>;

    /// Up to `limit` rows with keys in this span, sorted by key.
    fn range(&self, table: Table<'_>, span: Span<'_>, limit: usize) -> Result<Vec<Row>, TablesError>;

    /// The tables that something was written to.
    fn names(&self) -> Result<Vec<String>, TablesError>;

    /// Runs a change: its reads see the rows as if no other change ran at the same time, its writes are durable when
    /// this returns, and if it gives an error none of them happened.
    ///
    /// It can run more than once: where another change came between, or where a broken connection left open whether
    /// the writes happened. So it must come to the same end when it finds its own writes.
    fn change(&self, work: &mut dyn FnMut(&mut dyn Rows) -> Result<(), TablesError>) -> Result<(), TablesError>;
}

/// How many rows are copied in one change.
const COPIED: usize = 64;

/// Refuses tables that hold something.
pub fn refuse_rows(tables: &dyn Tables) -> Result<(), TablesError> {
    for name in tables.names()? {
        if !tables.range(Table(&name), ("", None), 1)?.is_empty() {
            return Err(TablesError::new("the desk that is written to holds something already"));
        }
    }
    Ok(())
}

/// Copies every row to tables that hold none, and says how many there were. What a copy that was cut off has left
/// behind is refused as well: it goes into tables that were made anew.
pub fn copy(from: &dyn Tables, to: &dyn Tables) -> Result<u64, TablesError> {
    refuse_rows(to)?;
    let mut count = 0;
    for name in from.names()? {
        let (table, mut next) = (Table(&name), String::new());
        loop {
            let rows = from.range(table, (&next, None), COPIED)?;
            let Some((last, _)) = rows.last() else { break };
            // The smallest key above the last one.
            next = format!("{last}\0");
            to.change(&mut |draft| rows.iter().try_for_each(|(key, value)| draft.put(table, key, value)))?;
            count += rows.len() as u64;
        }
    }
    Ok(count)
}
