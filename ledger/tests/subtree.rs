//! Proofs that a subtree belongs to a tree: all of them in small trees, against the recursion of the draft, and with
//! everything changed that can be.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod institution;

use institution::{Log, mth};
use ledger::{
    Hash, ProofError, TileId, consistency_proof, inclusion_proof, subtree_proof, subtree_tiles, verify_subtree,
};

/// SUBTREE_SUBPROOF, as the draft defines it.
fn subproof(start: usize, end: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    let n = leaves.len();
    if (start, end) == (0, n) {
        return if whole { vec![] } else { vec![mth(leaves)] };
    }
    let k = n.next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if end <= k {
        (subproof(start, end, left, whole), right)
    } else if k <= start {
        (subproof(start - k, end - k, right, whole), left)
    } else {
        assert_eq!(start, 0);
        (subproof(0, end - k, right, false), left)
    };
    proof.push(mth(sibling));
    proof
}

fn is_subtree(start: usize, end: usize) -> bool {
    start < end && start.is_multiple_of((end - start).next_power_of_two())
}

#[test]
fn all_subtrees_of_small_trees_are_proved_and_no_others() {
    let log = Log::of(34);
    let leaves = log.leaves(34);
    for size in 1..=34_usize {
        let root = mth(&leaves[..size]);
        for (start, end) in (0..=size).flat_map(|start| (0..=size + 1).map(move |end| (start, end))) {
            let range = (start as u64, end as u64);
            let made = subtree_proof(range.0, range.1, size as u64, |id: TileId| {
                // The reader gives what the tree of this size has.
                Ok::<_, ()>(Log { entries: log.entries[..size].to_vec() }.tile(id))
            });
            if !is_subtree(start, end) || end > size {
                assert!(made.is_err(), "[{start}, {end}) of {size}");
                assert_eq!(verify_subtree(range, root, size as u64, root, &[]), Err(ProofError::Size));
                continue;
            }
            let (proof, hash) = (made.unwrap(), mth(&leaves[start..end]));
            assert_eq!(proof, subproof(start, end, &leaves[..size], true), "[{start}, {end}) of {size}");
            assert_eq!(verify_subtree(range, hash, size as u64, root, &proof), Ok(()));
            assert!(!subtree_tiles(range.0, range.1, size as u64).unwrap().is_empty() || proof.is_empty());
            if start == 0 && end < size {
                assert_eq!(proof, consistency_proof(range.1, size as u64, log_at(&log, size).reader()).unwrap());
            }
            if start + 1 == end {
                assert_eq!(proof, inclusion_proof(range.0, size as u64, log_at(&log, size).reader()).unwrap());
            }
            let other = mth(&leaves[..1]);
            let wrong = if hash == other { Hash::empty_root() } else { other };
            assert!(verify_subtree(range, wrong, size as u64, root, &proof).is_err());
            assert!(verify_subtree(range, hash, size as u64, Hash::empty_root(), &proof).is_err());
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at] = Hash::empty_root();
                assert!(verify_subtree(range, hash, size as u64, root, &changed).is_err());
                changed.remove(at);
                assert!(verify_subtree(range, hash, size as u64, root, &changed).is_err());
            }
            let longer = [proof, vec![root]].concat();
            assert!(verify_subtree(range, hash, size as u64, root, &longer).is_err());
        }
    }
}

fn log_at(log: &Log, size: usize) -> Log {
    Log { entries: log.entries[..size].to_vec() }
}

#[test]
fn numbers_at_the_edge_do_not_overflow() {
    let root = Hash::empty_root();
    for range in [(0, u64::MAX), (u64::MAX, u64::MAX), (u64::MAX - 1, u64::MAX), (1 << 63, u64::MAX)] {
        assert!(verify_subtree(range, root, u64::MAX, root, &[root; 3]).is_err());
    }
    assert_eq!(verify_subtree((0, u64::MAX), root, u64::MAX, root, &[]), Ok(()));
    assert_eq!(verify_subtree((0, 1), root, 0, root, &[]), Err(ProofError::Size));
}
