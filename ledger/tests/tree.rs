//! The tree arithmetic against the crate `tlog_tiles`, a port of Go's sumdb.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::MemoryLog;
use ledger::{
    Frontier, Hash, ProofError, TileEdge, TileId, consistency_proof, consistency_tiles, inclusion_proof,
    inclusion_tiles, leaf_hash, root_from_tiles, roots_from_tiles, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use tlog_tiles::{Hash as TheirHash, HashReader, TileHashReader, TileReader};

const LARGEST: u64 = 600;

/// Entries 0 to 599, the leaf hashes and the roots of all sizes, by our frontier.
type Tree = (Vec<Vec<u8>>, Vec<Hash>, Vec<Hash>);

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let entries: Vec<Vec<u8>> = (0..LARGEST).map(|i| format!("entry {i}").into_bytes()).collect();
    let leaves: Vec<Hash> = entries.iter().map(|e| leaf_hash(e)).collect();
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for leaf in &leaves {
        frontier.push(*leaf);
        roots.push(frontier.root());
    }
    (entries, leaves, roots)
});

/// Their storage of hashes, for all entries.
struct Theirs(Vec<TheirHash>);

impl HashReader for Theirs {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<TheirHash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[*i as usize]).collect())
    }
}

static THEIRS: LazyLock<Theirs> = LazyLock::new(|| {
    let mut storage = Theirs(Vec::new());
    for (n, entry) in (0_u64..).zip(&TREE.0) {
        let new = tlog_tiles::stored_hashes(n, entry, &storage).unwrap();
        storage.0.extend(new);
    }
    storage
});

fn ours(hashes: &[TheirHash]) -> Vec<Hash> {
    hashes.iter().map(|h| Hash::from_bytes(h.0)).collect()
}

fn log_of(size: u64) -> MemoryLog {
    MemoryLog::of(TREE.0[..size as usize].to_vec())
}

#[test]
fn the_empty_root_is_the_hash_of_nothing() {
    assert_eq!(TREE.2[0].to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

#[test]
fn roots_agree_at_every_size() {
    let mut edge = TileEdge::new();
    for size in 0..=LARGEST {
        let theirs = tlog_tiles::tree_hash(size, &*THEIRS).unwrap();
        assert_eq!(TREE.2[size as usize].as_bytes(), &theirs.0, "size {size}");
        assert_eq!(edge.root(), TREE.2[size as usize], "edge at size {size}");
        if size < LARGEST {
            edge.push(&TREE.0[size as usize]);
        }
    }
}

#[test]
fn consistency_proofs_agree_for_all_pairs() {
    for new in 1..=LARGEST {
        // All pairs up to 70, then a sample: 180,000 pairs take too long for what they add.
        for old in (1..=new).filter(|old| new <= 70 || (old * 7 + new) % 41 == 0 || new - old < 2) {
            let theirs = ours(&tlog_tiles::prove_tree(new, old, &*THEIRS).unwrap());
            let (old_root, new_root) = (TREE.2[old as usize], TREE.2[new as usize]);
            assert_eq!(verify_consistency(old, old_root, new, new_root, &theirs), Ok(()), "{old} to {new}");
        }
    }
}

#[test]
fn everything_can_be_proven_from_tiles() {
    for size in [1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 599, 600] {
        let log = log_of(size);
        let asked = std::cell::RefCell::new(BTreeSet::new());
        let read = |id: TileId| {
            asked.borrow_mut().insert(id);
            log.files.get(&id.path()).cloned().ok_or(())
        };
        assert_eq!(root_from_tiles(size, read), Ok(TREE.2[size as usize]));
        for index in (0..size).filter(|i| size < 10 || i % 13 == 0 || size - i < 4) {
            asked.borrow_mut().clear();
            let proof = inclusion_proof(index, size, read).unwrap();
            assert_eq!(proof, ours(&tlog_tiles::prove_record(size, index, &*THEIRS).unwrap()));
            assert!(asked.borrow().is_subset(&inclusion_tiles(index, size).unwrap()));
        }
        for old in (1..=size).filter(|o| size < 10 || o % 17 == 0 || o.is_power_of_two() || size - o < 4) {
            asked.borrow_mut().clear();
            let proof = consistency_proof(old, size, read).unwrap();
            assert_eq!(proof, ours(&tlog_tiles::prove_tree(size, old, &*THEIRS).unwrap()), "{old} to {size}");
            let roots = (TREE.2[old as usize], TREE.2[size as usize]);
            assert_eq!(roots_from_tiles(old, size, read), Ok(roots));
            assert!(asked.borrow().is_subset(&consistency_tiles(old, size).unwrap()));
        }
    }
}

#[test]
fn they_read_our_tiles() {
    struct Reader(MemoryLog);
    impl TileReader for Reader {
        fn height(&self) -> u8 {
            8
        }
        fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
            let path = |t: &tlog_tiles::Tile| {
                TileId { level: t.level(), index: t.level_index(), width: t.width() as u16 }.path()
            };
            Ok(tiles.iter().map(|t| self.0.files[&path(t)].clone()).collect())
        }
        fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
    }
    for size in [1, 255, 256, 257, 600] {
        let reader = Reader(log_of(size));
        let hashes = TileHashReader::new(size, TheirHash(*TREE.2[size as usize].as_bytes()), &reader);
        for index in (0..size).filter(|i| i % 37 == 0 || size - i < 3) {
            let got = hashes.read_hashes(&[tlog_tiles::stored_hash_index(0, index)]).unwrap();
            assert_eq!(ours(&got), [TREE.1[index as usize]], "{index} of {size}");
        }
    }
}

#[test]
fn an_empty_or_shrinking_past_proves_nothing() {
    let root = TREE.2[3];
    assert_eq!(verify_consistency(0, TREE.2[0], 3, root, &[]), Err(ProofError::Size));
    assert_eq!(verify_consistency(4, TREE.2[4], 3, root, &[]), Err(ProofError::Size));
    assert_eq!(verify_consistency(3, TREE.2[2], 3, root, &[]), Err(ProofError::OldRoot));
    assert_eq!(verify_inclusion(3, 3, TREE.1[2], &[], root), Err(ProofError::Size));
    assert_eq!(verify_inclusion(0, 0, TREE.1[2], &[], TREE.2[0]), Err(ProofError::Size));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn inclusion_holds_and_no_change_of_it_does(size in 1..LARGEST, index in 0..LARGEST, at in 0_usize..12, bit in 0_usize..256) {
        let index = index % size;
        let mut proof = ours(&tlog_tiles::prove_record(size, index, &*THEIRS).unwrap());
        let (leaf, root) = (TREE.1[index as usize], TREE.2[size as usize]);
        prop_assert_eq!(verify_inclusion(index, size, leaf, &proof, root), Ok(()));
        prop_assert!(verify_inclusion(index, size, root, &proof, root).is_err() || size == 1);
        prop_assert!(verify_inclusion(index + 1, size, leaf, &proof, root).is_err());
        let mut longer = proof.clone();
        longer.push(leaf);
        prop_assert!(verify_inclusion(index, size, leaf, &longer, root).is_err());
        if !proof.is_empty() {
            prop_assert!(verify_inclusion(index, size, leaf, &proof[1..], root).is_err());
            let at = at % proof.len();
            let mut bytes = *proof[at].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            proof[at] = Hash::from_bytes(bytes);
            prop_assert!(verify_inclusion(index, size, leaf, &proof, root).is_err());
        }
    }

    #[test]
    fn consistency_holds_and_no_change_of_it_does(new in 2..LARGEST, old in 1..LARGEST, at in 0_usize..12, bit in 0_usize..256) {
        let old = 1 + old % (new - 1);
        let mut proof = ours(&tlog_tiles::prove_tree(new, old, &*THEIRS).unwrap());
        let (before, after) = (TREE.2[old as usize], TREE.2[new as usize]);
        prop_assert_eq!(verify_consistency(old, before, new, after, &proof), Ok(()));
        prop_assert!(verify_consistency(old, after, new, after, &proof).is_err());
        prop_assert!(verify_consistency(old, before, new, before, &proof).is_err());
        prop_assert!(verify_consistency(old, before, new, after, &proof[1..]).is_err());
        let at = at % proof.len();
        let mut bytes = *proof[at].as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        proof[at] = Hash::from_bytes(bytes);
        prop_assert!(verify_consistency(old, before, new, after, &proof).is_err());
    }

    #[test]
    fn anything_as_a_proof_ends_without_a_panic(
        a in any::<u64>(), b in any::<u64>(), proof in prop::collection::vec(any::<[u8; 32]>(), 0..70)
    ) {
        let proof: Vec<Hash> = proof.into_iter().map(Hash::from_bytes).collect();
        let root = TREE.2[1];
        let _ = verify_inclusion(a, b, root, &proof, root);
        prop_assert!(verify_consistency(a, root, b, TREE.2[2], &proof).is_err());
        let _ = inclusion_tiles(a, b);
        let _ = consistency_tiles(a, b);
    }
}
