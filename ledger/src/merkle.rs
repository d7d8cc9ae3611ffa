//! The Merkle tree of RFC 6962, section 2.1: its root as leaves arrive, and the two proofs.
//!
//! RFC 6962 defines the proofs; how to check them step by step is written in RFC 9162, sections 2.1.3.2 and
//! 2.1.4.2 (same tree, same hashes). Variable names below follow those sections.

use crate::hash::{Hash, node_hash};

/// A proof that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The numbers can not belong to a proof: an index outside the tree, a tree that shrinks, an empty old tree.
    #[error("the sizes do not fit a proof")]
    Size,
    /// Too few or too many hashes.
    #[error("the proof has the wrong length")]
    Length,
    /// The hashes do not lead to the (new) root.
    #[error("the proof leads to another root")]
    Root,
    /// The hashes lead to the new root, but not to the old one: the old tree is not a part of the new one.
    #[error("the new tree does not contain the old one")]
    OldRoot,
}

/// The right edge of a growing tree: one hash for each perfect subtree, largest first.
///
/// The sizes of these subtrees are the powers of two in the binary form of `size`, so at most 64 hashes are held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf (its hash).
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each one-bit at the low end of `size` is a perfect subtree that is as large as `node` at that moment.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = node_hash(left, node);
            }
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// The Merkle Tree Hash of all leaves so far.
    pub fn root(&self) -> Hash {
        fold_right(&self.nodes).unwrap_or_else(Hash::empty_root)
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, largest first.
    pub(crate) fn into_nodes(self) -> Vec<Hash> {
        self.nodes
    }
}

/// Joins neighbouring perfect subtrees, largest first, into the hash of their range.
pub(crate) fn fold_right(nodes: &[Hash]) -> Option<Hash> {
    let (last, rest) = nodes.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(*left, right)))
}

/// Checks that `leaf` is leaf number `index` of the tree with this size and root (RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(index: u64, size: u64, leaf: Hash, proof: &[Hash], root: Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Size);
    }
    let (mut fnode, mut snode) = (index, size - 1);
    let mut r = leaf;
    for p in proof {
        if snode == 0 {
            return Err(ProofError::Length);
        }
        if fnode & 1 == 1 || fnode == snode {
            r = node_hash(*p, r);
            // A right edge that is not a right child stands alone on this level: go up until it has a sibling.
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            r = node_hash(r, *p);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    match (snode, r == root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Checks that the first `old_size` leaves of the new tree are the old tree (RFC 9162, section 2.1.4.2).
///
/// An empty old tree is refused: everything extends it, so such a "proof" would say nothing.
pub fn verify_consistency(
    old_size: u64,
    old_root: Hash,
    new_size: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size == 0 || old_size > new_size {
        return Err(ProofError::Size);
    }
    if old_size == new_size {
        return match (proof.is_empty(), old_root == new_root) {
            (true, true) => Ok(()),
            (true, false) => Err(ProofError::OldRoot),
            (false, _) => Err(ProofError::Length),
        };
    }
    // A perfect old tree is itself a node of the new one, and the proof leaves it out.
    let (seed, rest) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::Length)?;
        (*first, rest)
    };
    let (old, new) = roots_of_proof(old_size, new_size, seed, rest)?;
    if new != new_root {
        return Err(ProofError::Root);
    }
    if old != old_root {
        return Err(ProofError::OldRoot);
    }
    Ok(())
}

/// The two roots to which the hashes of a consistency proof lead. `seed` is the subtree in which the old tree ends.
pub(crate) fn roots_of_proof(
    old_size: u64,
    new_size: u64,
    seed: Hash,
    proof: &[Hash],
) -> Result<(Hash, Hash), ProofError> {
    if old_size == 0 || old_size >= new_size {
        return Err(ProofError::Size);
    }
    let (mut fnode, mut snode) = (old_size - 1, new_size - 1);
    while fnode & 1 == 1 {
        fnode >>= 1;
        snode >>= 1;
    }
    let (mut fr, mut sr) = (seed, seed);
    for c in proof {
        if snode == 0 {
            return Err(ProofError::Length);
        }
        if fnode & 1 == 1 || fnode == snode {
            fr = node_hash(*c, fr);
            sr = node_hash(*c, sr);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            sr = node_hash(sr, *c);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    if snode == 0 { Ok((fr, sr)) } else { Err(ProofError::Length) }
}
