//! The tables in PostgreSQL, for nodes that share a desk.

use super::{Row, Rows, Span, Table, Tables, TablesError};
use crate::postgres::{Database, DatabaseError, Lease};
use std::sync::Arc;
use std::time::Duration;

const GET: &str = "SELECT value FROM desk_rows WHERE shelf = $1 AND key = $2";
const RANGE: &str = "SELECT key, value FROM desk_rows \
    WHERE shelf = $1 AND key >= $2 AND ($5 OR key > $2) AND ($3::text IS NULL OR key < $3) ORDER BY key LIMIT $4";
const PUT: &str = "INSERT INTO desk_rows (shelf, key, value) VALUES ($1, $2, $3) \
    ON CONFLICT (shelf, key) DO UPDATE SET value = excluded.value";
const REMOVE: &str = "DELETE FROM desk_rows WHERE shelf = $1 AND key = $2";
/// How often a change is tried before its caller is told that it failed.
const TRIES: u32 = 12;
/// How long a change waits before it is tried again, at first; it doubles up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// Tables in PostgreSQL.
pub struct Shared {
    database: Arc<Database>,
}

impl Shared {
    /// Tables in this database.
    pub fn new(database: Arc<Database>) -> Self {
        Self { database }
    }

    fn try_change(&self, work: &mut dyn FnMut(&mut dyn Rows) -> Result<(), TablesError>) -> Tried {
        let begun = self.database.wait(async {
            let lease = self.database.lease().await?;
            let done = lease.session.client().batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE").await;
            done.map_err(DatabaseError::from).map(|()| lease)
        });
        let lease = match begun {
            Ok(lease) => lease,
            Err(error) => return error.into(),
        };
        let mut draft = Draft { database: &self.database, lease, failed: None };
        let worked = work(&mut draft);
        let Draft { lease, failed, .. } = draft;
        // Without an answer to this the connection is closed, and with it goes the transaction.
        let end = if worked.is_ok() && failed.is_none() { "COMMIT" } else { "ROLLBACK" };
        let ended = self.database.wait(async {
            let done = lease.session.client().batch_execute(end).await;
            lease.settle(done)
        });
        match (failed, worked, ended) {
            (Some(error), _, _) => error.into(),
            (None, Err(error), _) => Tried::Failed(error),
            (None, Ok(()), Err(error)) => error.into(),
            (None, Ok(()), Ok(())) => Tried::Done,
        }
    }
}

/// What became of a change.
enum Tried {
    Done,
    /// Another change came between, or the connection broke.
    Again(TablesError),
    Failed(TablesError),
}

impl From<DatabaseError> for Tried {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Lost(_) => Self::Again(TablesError::new(error)),
            error => Self::Failed(TablesError::new(error)),
        }
    }
}

impl Tables for Shared {
    fn get(&self, table: Table<'_>, key: &str) -> Result<Option<Vec<u8>>, TablesError> {
        let read = self.database.read(async |session| {
            let statement = session.prepare(GET).await?;
            session.client().query_opt(&statement, &[&table.0, &key]).await?.map(|row| row.try_get(0)).transpose()
        });
        read.map_err(TablesError::new)
    }

    fn range(&self, table: Table<'_>, (from, to): Span<'_>, limit: usize) -> Result<Vec<Row>, TablesError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (from, itself) = begin(from);
        let read = self.database.read(async |session| {
            let statement = session.prepare(RANGE).await?;
            let rows = session.client().query(&statement, &[&table.0, &from, &to, &limit, &itself]).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        });
        read.map_err(TablesError::new)
    }

    fn names(&self) -> Result<Vec<String>, TablesError> {
        let read = self.database.read(async |session| {
            let rows = session.client().query("SELECT DISTINCT shelf FROM desk_rows ORDER BY shelf", &[]).await?;
            rows.iter().map(|row| row.try_get(0)).collect()
        });
        read.map_err(TablesError::new)
    }

    fn change(&self, work: &mut dyn FnMut(&mut dyn Rows) -> Result<(), TablesError>) -> Result<(), TablesError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            match self.try_change(work) {
                Tried::Done => return Ok(()),
                Tried::Again(error) if attempt >= TRIES => return Err(error),
                Tried::Failed(error) => return Err(error),
                Tried::Again(_) => {
                    // Two that were in each other's way must not meet again.
                    let more = uuid::Uuid::new_v4().as_bytes()[0];
                    std::thread::sleep(pause + pause * u32::from(more) / 256);
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
            }
        }
        Ok(())
    }
}

struct Draft<'a> {
    database: &'a Database,
    lease: Lease,
    /// What failed first: everything after it fails too, for another reason.
    failed: Option<DatabaseError>,
}

impl Draft<'_> {
    fn ask<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Lease) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, TablesError> {
        let done = self.database.wait(work(&mut self.lease));
        done.map_err(|error| {
            let error = DatabaseError::from(error);
            let told = TablesError::new(error.to_string());
            self.failed.get_or_insert(error);
            told
        })
    }
}

impl Rows for Draft<'_> {
    fn get(&mut self, table: Table<'_>, key: &str) -> Result<Option<Vec<u8>>, TablesError> {
        self.ask(async |lease| {
            let statement = lease.session.prepare(GET).await?;
            let row = lease.session.client().query_opt(&statement, &[&table.0, &key]).await?;
            row.map(|row| row.try_get(0)).transpose()
        })
    }

    fn range(&mut self, table: Table<'_>, (from, to): Span<'_>, limit: usize) -> Result<Vec<Row>, TablesError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (from, itself) = begin(from);
        self.ask(async |lease| {
            let statement = lease.session.prepare(RANGE).await?;
            let rows = lease.session.client().query(&statement, &[&table.0, &from, &to, &limit, &itself]).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
    }

    fn put(&mut self, table: Table<'_>, key: &str, value: &[u8]) -> Result<(), TablesError> {
        self.ask(async |lease| {
            let statement = lease.session.prepare(PUT).await?;
            lease.session.client().execute(&statement, &[&table.0, &key, &value]).await.map(|_| ())
        })
    }

    fn remove(&mut self, table: Table<'_>, key: &str) -> Result<(), TablesError> {
        self.ask(async |lease| {
            let statement = lease.session.prepare(REMOVE).await?;
            lease.session.client().execute(&statement, &[&table.0, &key]).await.map(|_| ())
        })
    }
}

/// The first key of a span, and whether it counts itself. PostgreSQL has no text with a NUL in it, so the keys above
/// one that ends with it are those above what stands before.
fn begin(from: &str) -> (&str, bool) {
    from.split_once('\0').map_or((from, true), |(before, _)| (before, false))
}
