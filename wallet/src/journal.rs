//! The journal: an append-only list of events in SQLite, encrypted by SQLCipher.
//!
//! What a person sees is a fold over these events. An event is here, on the disk, before anything is sent because of it.

use crate::event::Event;
use crate::stop::stop_point;
use consent::Timestamp;
use rusqlite::Connection;
use std::path::Path;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why the journal could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// SQLite failed, or the key does not open the file.
    #[error("journal: {0}")]
    Database(#[from] rusqlite::Error),
    /// A row is not what this version writes.
    #[error("journal row: {0}")]
    Row(#[from] serde_json::Error),
}

/// One event with its place and moment.
#[derive(Debug, Clone)]
pub struct Row {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

/// An open journal.
pub struct Journal {
    database: Connection,
}

impl Journal {
    /// Opens or makes the journal in a folder, under a 32-byte key.
    pub fn open(dir: &Path, key: &Zeroizing<[u8; 32]>) -> Result<Self, JournalError> {
        let database = Connection::open(dir.join("journal.db"))?;
        let hex = Zeroizing::new(hex::encode(key.as_slice()));
        let pragma = Zeroizing::new(format!("PRAGMA key = \"x'{}'\";", hex.as_str()));
        database.execute_batch(&pragma)?;
        database.execute_batch(
            "PRAGMA cipher_memory_security = ON;
             PRAGMA journal_mode = DELETE;
             PRAGMA synchronous = FULL;
             PRAGMA secure_delete = ON;
             CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;",
        )?;
        Ok(Self { database })
    }

    /// All events, oldest first.
    pub fn read(&self) -> Result<Vec<Row>, JournalError> {
        let mut query = self.database.prepare("SELECT at, body FROM event ORDER BY seq")?;
        let mut rows = query.query([])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let body: String = row.get(1)?;
            events.push(Row { at: Timestamp::from_unix(row.get(0)?), event: serde_json::from_str(&body)? });
        }
        Ok(events)
    }

    /// Appends an event; it is on the disk when this returns.
    pub fn append(&mut self, row: &Row) -> Result<(), JournalError> {
        let body = serde_json::to_string(&row.event)?;
        let write = self.database.transaction()?;
        // Only the newest of these counts: the journal must not grow with every donor's entry.
        let replaced = match row.event {
            Event::CheckpointSeen { .. } => Some("{\"event\":\"checkpointSeen\"%"),
            Event::StillShorter { .. } => Some("{\"event\":\"stillShorter\"%"),
            _ => None,
        };
        if let Some(beginning) = replaced {
            write.execute("DELETE FROM event WHERE body LIKE ?1", (beginning,))?;
        }
        write.execute("INSERT INTO event (at, body) VALUES (?1, ?2)", (row.at.unix(), body))?;
        stop_point(row.event.stop_name().0);
        write.commit()?;
        stop_point(row.event.stop_name().1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Zeroizing<[u8; 32]> {
        Zeroizing::new([byte; 32])
    }

    #[test]
    fn events_come_back_in_order_and_the_file_holds_no_plain_text() {
        let dir = tempfile::tempdir().unwrap();
        let events = [Event::ProfileCreated, Event::Invited { donor: "K7Q-2M9".into() }];
        let mut journal = Journal::open(dir.path(), &key(7)).unwrap();
        for event in &events {
            journal.append(&Row { at: Timestamp::from_unix(5), event: event.clone() }).unwrap();
        }
        drop(journal);
        let read = Journal::open(dir.path(), &key(7)).unwrap().read().unwrap();
        assert_eq!(read.iter().map(|row| row.event.clone()).collect::<Vec<_>>(), events);
        let bytes = std::fs::read(dir.path().join("journal.db")).unwrap();
        assert!(!bytes.windows(7).any(|w| w == b"K7Q-2M9"));
        assert!(!bytes.starts_with(b"SQLite format 3"));
    }

    #[test]
    fn another_key_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        Journal::open(dir.path(), &key(7)).unwrap();
        assert!(Journal::open(dir.path(), &key(8)).is_err());
    }
}
