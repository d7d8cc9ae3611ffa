//! The tables that the desk keeps its rows in: bytes under text keys, sorted by the bytes of the key.

mod embedded;
mod postgres;

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
pub struct Table(pub &'static str);

/// A key with its value.
pub type Row = (String, Vec<u8>);

/// Keys from the first on, up to, not including, the second; up to the last one if there is no second.
pub type Span<'a> = (&'a str, Option<&'a str>);

/// Reads of one moment, and writes that happen wholly or not at all.
pub trait Rows {
    /// The value under a key.
    fn get(&mut self, table: Table, key: &str) -> Result<Option<Vec<u8>>, TablesError>;

    /// Up to `limit` rows with keys in this span, sorted by key.
    fn range(&mut self, table: Table, span: Span<'_>, limit: usize) -> Result<Vec<Row>, TablesError>;

    /// Writes a value under a key.
    fn put(&mut self, table: Table, key: &str, value: &[u8]) -> Result<(), TablesError>;

    /// Removes a key, if it is there.
    fn remove(&mut self, table: Table, key: &str) -> Result<(), TablesError>;
}

/// Where the tables live. Calls wait for the disk or the database, so they belong on threads that may wait.
pub trait Tables: Send + Sync {
    /// The value under a key.
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, TablesError>;

    /// Up to `limit` rows with keys in this span, sorted by key.
    fn range(&self, table: Table, span: Span<'_>, limit: usize) -> Result<Vec<Row>, TablesError>;

    /// Runs a change: its reads see the rows as if no other change ran at the same time, its writes are durable when
    /// this returns, and if it gives an error none of them happened.
    ///
    /// It can run more than once: where another change came between, or where a broken connection left open whether
    /// the writes happened. So it must come to the same end when it finds its own writes.
    fn change(&self, work: &mut dyn FnMut(&mut dyn Rows) -> Result<(), TablesError>) -> Result<(), TablesError>;
}
