//! What the tests of witnesses, mirrors and policies share: a log whose every size can be asked for, its keys, and
//! cosigners. The tree is hashed here by the definition of RFC 6962, not by the code under test.
#![allow(dead_code, missing_docs, reason = "not every test uses all of it")]

use identity::SigningKey;
use ledger::{
    AddCheckpoint, Checkpoint, Cosigner, Hash, LogKey, NoteKey, SignedCheckpoint, TILE_WIDTH, TileId,
    consistency_proof, leaf_hash, node_hash, tile_bytes,
};

pub const ORIGIN: &str = "biobank.example/log";
pub const NOW: u64 = 1_795_348_800;

pub fn log_key() -> NoteKey {
    NoteKey::new(ORIGIN, SigningKey::from_seed([5; 32])).unwrap()
}

pub fn log_keys() -> Vec<LogKey> {
    vec![log_key().verifier().clone().into()]
}

pub fn ed25519(number: u8) -> Cosigner {
    Cosigner::ed25519(&format!("witness.example/{number}"), SigningKey::from_seed([100 + number; 32])).unwrap()
}

pub fn ml_dsa(number: u8) -> Cosigner {
    Cosigner::ml_dsa_44(&format!("witness.example/pq{number}"), &[100 + number; 32]).unwrap()
}

/// The signature lines of a note.
pub fn lines(note: &str) -> &str {
    note.rsplit_once("\n\n").unwrap().1
}

/// MTH of RFC 6962, section 2.1.
pub fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty_root(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(mth(&leaves[..k]), mth(&leaves[k..]))
        }
    }
}

#[derive(Clone)]
pub struct Log {
    pub entries: Vec<Vec<u8>>,
}

impl Log {
    pub fn of(size: u64) -> Self {
        Self { entries: (0..size).map(|i| format!("entry {i}").into_bytes()).collect() }
    }

    /// Another history that agrees with this one up to `size`.
    pub fn forked_at(&self, size: usize) -> Self {
        let mut entries = self.entries.clone();
        entries[size..].iter_mut().for_each(|entry| entry.extend_from_slice(b" forged"));
        Self { entries }
    }

    pub fn leaves(&self, size: u64) -> Vec<Hash> {
        self.entries[..size as usize].iter().map(|entry| leaf_hash(entry)).collect()
    }

    pub fn root(&self, size: u64) -> Hash {
        mth(&self.leaves(size))
    }

    pub fn tile(&self, id: TileId) -> Vec<u8> {
        let span = TILE_WIDTH.pow(u32::from(id.level)) as usize;
        let first = (id.index * TILE_WIDTH) as usize * span;
        let leaves = |at: usize| self.entries[at..at + span].iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>();
        let hash = |at: usize| mth(&leaves(first + at * span));
        tile_bytes(&(0..usize::from(id.width)).map(hash).collect::<Vec<_>>())
    }

    pub fn reader(&self) -> impl FnMut(TileId) -> Result<Vec<u8>, ()> {
        |id| Ok(self.tile(id))
    }

    pub fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        Checkpoint { origin: ORIGIN.into(), size, root: self.root(size) }.sign(&log_key()).unwrap()
    }

    pub fn proof(&self, old: u64, new: u64) -> Vec<Hash> {
        if old == 0 { Vec::new() } else { consistency_proof(old, new, self.reader()).unwrap() }
    }

    /// What the log sends to a witness that is at size `old`.
    pub fn request(&self, old: u64, new: u64) -> AddCheckpoint {
        AddCheckpoint { old_size: old, proof: self.proof(old, new), checkpoint: self.checkpoint(new).note().to_owned() }
    }
}
