//! What several tests share.
#![allow(dead_code, missing_docs, reason = "not every test uses all of it")]

use consent::Withdrawal;
use identity::SigningKey;
use ledger::{
    Act, BundleId, Checkpoint, ConsentEntry, ConsentEvent, EntryHash, Given, Hash, NoteKey, SignedCheckpoint,
    TILE_WIDTH, TileEdge, append_to_bundle,
};
use std::collections::BTreeMap;

#[cfg(feature = "client")]
pub mod server;
pub mod world;

pub const ORIGIN: &str = "biobank.example/log";

pub fn note_key() -> NoteKey {
    NoteKey::new(ORIGIN, SigningKey::from_seed([5; 32])).unwrap()
}

pub fn hash(byte: u8) -> Hash {
    Hash::from_bytes([byte; 32])
}

/// A version; `until` is empty for one without a last day.
pub fn given(until: &str) -> Given {
    Given { credential: hash(4), policy: hash(3), until: until.parse().ok() }
}

pub fn suspend(until: &str) -> Act {
    Act::Suspend { until: until.parse().ok() }
}

pub fn sign(seed: u8, subject: Hash, previous: Option<EntryHash>, time: &str, act: Act) -> ConsentEntry {
    let event = ConsentEvent { subject, previous, notice: hash(6), time: time.parse().unwrap(), act };
    ConsentEntry::sign(&SigningKey::from_seed([seed; 32]), &event)
}

pub fn grant(seed: u8, number: u32) -> ConsentEntry {
    let mut subject = [seed; 32];
    subject[..4].copy_from_slice(&number.to_be_bytes());
    sign(seed, Hash::from_bytes(subject), None, "2026-11-22T12:00:00Z", Act::Grant(given("")))
}

pub fn withdraw(seed: u8, of: &ConsentEntry) -> ConsentEntry {
    let act = Act::Withdraw { level: Withdrawal::NoUse };
    sign(seed, of.event().subject, Some(of.hash()), "2026-11-23T12:00:00Z", act)
}

/// One life with an entry of every kind, and what may be there is there.
pub fn every_kind() -> [ConsentEntry; 5] {
    let first = sign(1, hash(2), None, "2026-11-22T12:00:00Z", Act::Grant(given("2027-12-31")));
    let next = |of: &ConsentEntry, act| sign(1, hash(2), Some(of.hash()), "2026-11-22T12:00:00Z", act);
    let change = next(&first, Act::Change(given("2028-02-29")));
    let suspend = next(&change, suspend("2026-12-24"));
    let resume = next(&suspend, Act::Resume);
    let withdraw = next(&resume, Act::Withdraw { level: Withdrawal::DestroySample });
    [first, change, suspend, resume, withdraw]
}

/// A log in memory: what a server would serve, by path.
#[derive(Default, Clone)]
pub struct MemoryLog {
    pub entries: Vec<Vec<u8>>,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl MemoryLog {
    pub fn of(entries: Vec<Vec<u8>>) -> Self {
        let mut log = Self { entries, files: BTreeMap::new() };
        let mut edge = TileEdge::new();
        for entry in &log.entries {
            for (id, bytes) in edge.push(entry) {
                log.files.insert(id.path(), bytes);
            }
        }
        for (id, bytes) in edge.partial_tiles() {
            log.files.insert(id.path(), bytes);
        }
        let size = log.entries.len() as u64;
        for (number, entries) in (0_u64..).zip(log.entries.chunks(TILE_WIDTH as usize)) {
            let mut bundle = Vec::new();
            entries.iter().for_each(|entry| append_to_bundle(&mut bundle, entry).unwrap());
            log.files.insert(BundleId::in_tree(number, size).unwrap().path(), bundle);
        }
        let note = log.sign(edge.root()).note().to_owned();
        log.files.insert("checkpoint".into(), note.into_bytes());
        log
    }

    pub fn sign(&self, root: Hash) -> SignedCheckpoint {
        Checkpoint { origin: ORIGIN.into(), size: self.entries.len() as u64, root }.sign(&note_key()).unwrap()
    }

    pub fn checkpoint(&self) -> SignedCheckpoint {
        let note = String::from_utf8(self.files["checkpoint"].clone()).unwrap();
        Checkpoint::open(&note, note_key().verifier()).unwrap()
    }
}
