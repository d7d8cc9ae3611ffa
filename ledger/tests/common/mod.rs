//! What several tests share.
#![allow(dead_code, missing_docs, reason = "not every test uses all of it")]

use identity::SigningKey;
use ledger::{
    BundleId, Checkpoint, ConsentEvent, Entry, Grant, Hash, NoteKey, SignedCheckpoint, TILE_WIDTH, TileEdge, Withdraw,
    append_to_bundle,
};
use std::collections::BTreeMap;

pub const ORIGIN: &str = "biobank.example/log";

pub fn note_key() -> NoteKey {
    NoteKey::new(ORIGIN, SigningKey::from_seed([5; 32])).unwrap()
}

pub fn grant(seed: u8, number: u32) -> Entry {
    let mut subject = [seed; 32];
    subject[..4].copy_from_slice(&number.to_be_bytes());
    Entry::sign(
        &SigningKey::from_seed([seed; 32]),
        &ConsentEvent::Grant(Grant {
            credential: Hash::from_bytes([4; 32]),
            policy: Hash::from_bytes([3; 32]),
            previous: None,
            subject: Hash::from_bytes(subject),
            time: "2026-11-22T12:00:00Z".parse().unwrap(),
        }),
    )
}

pub fn withdraw(seed: u8, of: &Entry) -> Entry {
    Entry::sign(
        &SigningKey::from_seed([seed; 32]),
        &ConsentEvent::Withdraw(Withdraw {
            previous: of.hash(),
            subject: *of.event().subject(),
            time: "2026-11-23T12:00:00Z".parse().unwrap(),
        }),
    )
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
