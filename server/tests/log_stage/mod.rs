//! A log and entries for it, for tests from outside.
#![allow(dead_code, reason = "each test takes what it needs")]

use identity::SigningKey;
use ledger::{Act, ConsentEntry, ConsentEvent, EntryHash, Given, Hash, NoteKey};
use server::log::{Embedded, LogStore, check};
use std::path::Path;
use std::sync::LazyLock;

pub const ORIGIN: &str = "biobank.example/log";

/// Made once: signing in debug builds takes a while.
pub static ENTRIES: LazyLock<Vec<ConsentEntry>> = LazyLock::new(|| grants(0, 620));

pub fn note_key() -> NoteKey {
    NoteKey::new(ORIGIN, SigningKey::from_seed([5; 32])).unwrap()
}

pub fn open(dir: &Path) -> LogStore {
    LogStore::open(dir, note_key(), ORIGIN).unwrap()
}

pub fn sign(subject: Hash, previous: Option<EntryHash>, time: &str, act: Act) -> ConsentEntry {
    let (notice, time) = (Hash::from_bytes([6; 32]), time.parse().unwrap());
    ConsentEntry::sign(&SigningKey::from_seed([1; 32]), &ConsentEvent { subject, previous, notice, time, act })
}

pub fn grant(number: u32) -> ConsentEntry {
    let (mut subject, hash) = ([0; 32], Hash::from_bytes([3; 32]));
    subject[..4].copy_from_slice(&number.to_be_bytes());
    let given = Given { credential: hash, policy: hash, until: None };
    sign(Hash::from_bytes(subject), None, "2026-11-22T12:00:00Z", Act::Grant(given))
}

pub fn grants(first: u32, count: u32) -> Vec<ConsentEntry> {
    (first..first + count).map(grant).collect()
}

/// Appends entries, all of which are taken.
pub async fn append(log: &LogStore, entries: &[ConsentEntry]) -> Vec<u64> {
    let answers = log.append_many(entries.iter().cloned().map(Into::into).collect()).await;
    answers.into_iter().map(|answer| answer.unwrap().index).collect()
}

/// What an audit of a closed log finds.
pub fn audit(dir: &Path) -> Vec<String> {
    let (store, scratch) = (Embedded::open(dir, note_key().verifier()).unwrap(), tempfile::tempdir().unwrap());
    check(&store, note_key().verifier(), scratch.path(), store.base().as_deref()).unwrap().findings
}
