//! Subtrees and the proof that one belongs to a tree (draft-ietf-plants-merkle-tree-certs, section 4): what a mirror
//! checks for each package of entries, before it holds the rest of the log.
//!
//! An inclusion proof is the case of a single leaf, a consistency proof that of a subtree that starts at the first.

use crate::hash::{Hash, node_hash};
use crate::merkle::ProofError;
use crate::prove::{ProveError, Tiles, split, tiles_of};
use crate::tile::TileId;
use std::collections::BTreeSet;

/// Whether the leaves from `start` up to, not including, `end` are a subtree: it starts where a perfect subtree that
/// is large enough would start.
fn is_subtree(start: u64, end: u64) -> bool {
    let Some(width) = end.checked_sub(start).filter(|width| *width > 0) else { return false };
    start == 0 || width.checked_next_power_of_two().is_some_and(|whole| start.is_multiple_of(whole))
}

/// Checks that the leaves from `start` up to, not including, `end`, which have this hash together, are a part of the
/// tree with this size and root.
pub fn verify_subtree(
    (start, end): (u64, u64),
    hash: Hash,
    size: u64,
    root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if !is_subtree(start, end) || end > size {
        return Err(ProofError::Size);
    }
    // Names and steps are those of the draft.
    let (mut fnode, mut snode, mut tnode) = (start, end - 1, size - 1);
    let up = |fnode: &mut u64, snode: &mut u64, tnode: &mut u64| {
        *fnode >>= 1;
        *snode >>= 1;
        *tnode >>= 1;
    };
    if snode == tnode {
        while fnode != snode {
            up(&mut fnode, &mut snode, &mut tnode);
        }
    } else {
        while fnode != snode && snode & 1 == 1 {
            up(&mut fnode, &mut snode, &mut tnode);
        }
    }
    let (seed, rest) = if fnode == snode {
        (hash, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::Length)?;
        (*first, rest)
    };
    let (mut fr, mut sr) = (seed, seed);
    for c in rest {
        if tnode == 0 {
            return Err(ProofError::Length);
        }
        if snode & 1 == 1 || snode == tnode {
            if fnode < snode {
                fr = node_hash(*c, fr);
            }
            sr = node_hash(*c, sr);
            // `snode` is not zero here: it is odd, or equal to `tnode`, which is not.
            while snode & 1 == 0 {
                up(&mut fnode, &mut snode, &mut tnode);
            }
        } else {
            sr = node_hash(sr, *c);
        }
        up(&mut fnode, &mut snode, &mut tnode);
    }
    match (tnode, fr == hash, sr == root) {
        (0, true, true) => Ok(()),
        (0, _, false) => Err(ProofError::Root),
        (0, false, true) => Err(ProofError::OldRoot),
        _ => Err(ProofError::Length),
    }
}

/// The ranges of leaves whose hashes are the proof, as the draft's recursion names them.
fn ranges(start: u64, end: u64, size: u64) -> Result<Vec<(u64, u64)>, ProofError> {
    if !is_subtree(start, end) || end > size {
        return Err(ProofError::Size);
    }
    let (mut low, mut high, mut from, mut whole) = (0, size, start, true);
    let mut ranges = Vec::new();
    while (from, end) != (low, high) {
        let middle = low + split(high - low);
        if end <= middle {
            ranges.push((middle, high));
            high = middle;
            continue;
        }
        ranges.push((low, middle));
        if from < middle {
            // The subtree ends beyond the middle: what is left of it starts there and must be named.
            (from, whole) = (middle, false);
        }
        low = middle;
    }
    if !whole {
        ranges.push((low, high));
    }
    ranges.reverse();
    Ok(ranges)
}

/// The tiles from which [`subtree_proof`] is made.
pub fn subtree_tiles(start: u64, end: u64, size: u64) -> Result<BTreeSet<TileId>, ProofError> {
    tiles_of(&ranges(start, end, size)?, size)
}

/// The hashes that show that the leaves from `start` up to, not including, `end` are a part of the tree with `size`
/// leaves.
pub fn subtree_proof<E>(
    start: u64,
    end: u64,
    size: u64,
    read: impl FnMut(TileId) -> Result<Vec<u8>, E>,
) -> Result<Vec<Hash>, ProveError<E>> {
    let mut tiles = Tiles::new(size, read);
    ranges(start, end, size)?.into_iter().map(|range| tiles.hash(range)).collect()
}
