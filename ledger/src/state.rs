//! The state of one log in memory, and the chain of hashes over everything that its entries changed. The same entries
//! give the same state and the same hash everywhere.

use crate::entry::Entry;
use crate::hash::{EntryHash, Hash};
use crate::record::{Key, Record, SubjectState};
use crate::rules::{Applied, Effect, Records, Rejected, apply};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The first line of what is hashed.
const DOMAIN: &str = "consent-wallet/state/v2\n";

/// The state hash of the empty log.
pub fn empty_state_hash() -> Hash {
    Hash::from_bytes(Sha256::digest(DOMAIN).into())
}

/// The state hash after an entry: over the one before, the number and the name of the entry, and each record that it
/// wrote, a line each, sorted by their keys.
pub fn next_state_hash(before: Hash, index: u64, entry: EntryHash, changes: &[(Key, Record)]) -> Hash {
    let mut digest = Sha256::new().chain_update(DOMAIN).chain_update(format!("{before}\n{index} {entry}\n"));
    for (key, record) in changes {
        digest.update(key.as_str());
        digest.update(b" ");
        digest.update(record.to_bytes());
        digest.update(b"\n");
    }
    Hash::from_bytes(digest.finalize().into())
}

/// The fold of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The lowest number that may come next.
    next: u64,
    hash: Hash,
    records: BTreeMap<Key, Record>,
}

impl Default for State {
    fn default() -> Self {
        Self { next: 0, hash: empty_state_hash(), records: BTreeMap::new() }
    }
}

impl Records for State {
    fn record(&self, key: &Key) -> Option<&Record> {
        self.records.get(key)
    }
}

impl State {
    /// The state of the empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an entry could be the next one.
    pub fn check(&self, entry: &Entry) -> Result<(), Rejected> {
        apply(self, self.next, entry).map(|_| ())
    }

    /// Applies entry number `index`. A rejected entry changes nothing.
    pub fn apply(&mut self, index: u64, entry: &Entry) -> Result<Effect, Rejected> {
        if index < self.next {
            return Err(Rejected::OutOfOrder);
        }
        let Applied { changes, effect } = apply(self, index, entry)?;
        self.hash = next_state_hash(self.hash, index, entry.hash(), &changes);
        self.records.extend(changes);
        self.next = index.saturating_add(1);
        Ok(effect)
    }

    /// Takes over a batch that was judged on this state.
    pub fn keep(&mut self, batch: Batch) {
        (self.next, self.hash) = (batch.next, batch.hash);
        self.records.extend(batch.changed);
    }

    /// What the log says of a subject.
    pub fn subject(&self, commitment: &Hash) -> Option<&SubjectState> {
        match self.records.get(&Key::subject(commitment)) {
            Some(Record::Subject(subject)) => Some(subject),
            _ => None,
        }
    }

    /// All subjects, sorted by commitment.
    pub fn subjects(&self) -> impl Iterator<Item = (Hash, &SubjectState)> {
        self.records.iter().filter_map(|(key, record)| match record {
            Record::Subject(subject) => Some((key.as_str().strip_prefix("subject/")?.parse().ok()?, subject)),
            _ => None,
        })
    }

    /// All records, sorted by their keys.
    pub fn records(&self) -> impl Iterator<Item = (&Key, &Record)> {
        self.records.iter()
    }

    /// The state hash: whoever replays the same entries under the same rules gets the same.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

/// A batch of entries on top of records that were looked up: what a host judges before it writes.
#[derive(Debug)]
pub struct Batch {
    next: u64,
    hash: Hash,
    known: BTreeMap<Key, Option<Record>>,
    changed: BTreeMap<Key, Record>,
}

impl Records for Batch {
    fn record(&self, key: &Key) -> Option<&Record> {
        self.changed.get(key).or_else(|| self.known.get(key).and_then(Option::as_ref))
    }
}

impl Batch {
    /// A batch that begins with entry number `next` on a log with this state hash. `known` holds what the host found
    /// under the keys that [`crate::keys_of`] names for its entries.
    pub fn new(next: u64, hash: Hash, known: BTreeMap<Key, Option<Record>>) -> Self {
        Self { next, hash, known, changed: BTreeMap::new() }
    }

    /// Judges an entry as the next one; its number, and what it brings about. A rejected entry changes nothing.
    pub fn push(&mut self, entry: &Entry) -> Result<(u64, Effect), Rejected> {
        debug_assert!(
            crate::keys_of(entry).iter().all(|key| self.known.contains_key(key) || self.changed.contains_key(key)),
            "a host looks up every key that an entry needs"
        );
        let index = self.next;
        let Applied { changes, effect } = apply(self, index, entry)?;
        self.hash = next_state_hash(self.hash, index, entry.hash(), &changes);
        self.changed.extend(changes);
        self.next = index.saturating_add(1);
        Ok((index, effect))
    }

    /// The state hash after the batch.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The records to write, sorted by their keys.
    pub fn into_changes(self) -> BTreeMap<Key, Record> {
        self.changed
    }
}
