//! Proofs out of tiles. Every function reads only what it needs, through a reader that the caller gives.
//!
//! A proof is a list of ranges of leaves (RFC 6962, sections 2.1.1 and 2.1.2); each range is one hash, and each such
//! hash lies in a few tiles. Tiles come from anybody: what is made here must still be checked against a signed root.

use crate::hash::Hash;
use crate::merkle::{ProofError, fold_right, roots_of_proof};
use crate::tile::{TILE_WIDTH, TileId, perfect_root};
use std::collections::{BTreeMap, BTreeSet};

/// Why a proof could not be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError<E> {
    /// The numbers do not belong to a proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A tile does not have the length that its path says.
    #[error("{0} has the wrong length")]
    Tile(TileId),
    /// The reader failed.
    #[error("a tile could not be read")]
    Read(E),
}

/// Leaves from the first number up to, not including, the second.
type Range = (u64, u64);

/// PATH of RFC 6962, section 2.1.1, as ranges: the sibling of the leaf first.
fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range>, ProofError> {
    if index >= size {
        return Err(ProofError::Size);
    }
    let (mut low, mut high) = (0, size);
    let mut ranges = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            ranges.push((middle, high));
            high = middle;
        } else {
            ranges.push((low, middle));
            low = middle;
        }
    }
    ranges.reverse();
    Ok(ranges)
}

/// PROOF of RFC 6962, section 2.1.2, as ranges.
fn consistency_ranges(old_size: u64, new_size: u64) -> Result<Vec<Range>, ProofError> {
    if old_size == 0 || old_size > new_size {
        return Err(ProofError::Size);
    }
    let (mut low, mut high) = (0, new_size);
    let mut ranges = Vec::new();
    while old_size != high {
        let middle = low + split(high - low);
        if old_size <= middle {
            ranges.push((middle, high));
            high = middle;
        } else {
            ranges.push((low, middle));
            low = middle;
        }
    }
    // The subtree in which the old tree ends is named, unless it is the whole old tree.
    if low > 0 {
        ranges.push((low, high));
    }
    ranges.reverse();
    Ok(ranges)
}

/// The largest power of two below `n` (n > 1): where RFC 6962 splits a list.
pub(crate) fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The perfect subtrees of a range that starts where a subtree of its size may start: (height, number), largest first.
fn subtrees((mut low, high): Range) -> Vec<(u32, u64)> {
    let mut nodes = Vec::new();
    while low < high {
        let height = (high - low).ilog2();
        nodes.push((height, low >> height));
        low += 1 << height;
    }
    nodes
}

/// The tile that holds the base of a perfect subtree, and where in it the base starts and how wide it is.
fn tile_of((height, number): (u32, u64), size: u64) -> Result<(TileId, usize, usize), ProofError> {
    let (level, inside) = (height / 8, height % 8);
    let first = number << inside;
    let level = u8::try_from(level).map_err(|_| ProofError::Size)?;
    let tile = TileId::in_tree(level, first / TILE_WIDTH, size).ok_or(ProofError::Size)?;
    let start = usize::try_from(first % TILE_WIDTH).map_err(|_| ProofError::Size)?;
    Ok((tile, start, 1 << inside))
}

/// The tiles that hold the hashes of these ranges.
pub(crate) fn tiles_of(ranges: &[Range], size: u64) -> Result<BTreeSet<TileId>, ProofError> {
    ranges.iter().flat_map(|range| subtrees(*range)).map(|node| tile_of(node, size).map(|(tile, _, _)| tile)).collect()
}

/// The tiles from which [`inclusion_proof`] is made.
pub fn inclusion_tiles(index: u64, size: u64) -> Result<BTreeSet<TileId>, ProofError> {
    tiles_of(&inclusion_ranges(index, size)?, size)
}

/// The tiles from which [`consistency_proof`] and [`roots_from_tiles`] are made.
pub fn consistency_tiles(old_size: u64, new_size: u64) -> Result<BTreeSet<TileId>, ProofError> {
    let mut ranges = consistency_ranges(old_size, new_size)?;
    ranges.push((0, old_size));
    tiles_of(&ranges, new_size)
}

/// The hashes from leaf number `index` up to the root of the tree with `size` leaves.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    read: impl FnMut(TileId) -> Result<Vec<u8>, E>,
) -> Result<Vec<Hash>, ProveError<E>> {
    let mut tiles = Tiles::new(size, read);
    inclusion_ranges(index, size)?.into_iter().map(|range| tiles.hash(range)).collect()
}

/// The hashes that show that the tree with `new_size` leaves begins with the tree with `old_size` leaves.
pub fn consistency_proof<E>(
    old_size: u64,
    new_size: u64,
    read: impl FnMut(TileId) -> Result<Vec<u8>, E>,
) -> Result<Vec<Hash>, ProveError<E>> {
    let mut tiles = Tiles::new(new_size, read);
    consistency_ranges(old_size, new_size)?.into_iter().map(|range| tiles.hash(range)).collect()
}

/// The root that the tiles of a tree with `size` leaves have.
pub fn root_from_tiles<E>(size: u64, read: impl FnMut(TileId) -> Result<Vec<u8>, E>) -> Result<Hash, ProveError<E>> {
    if size == 0 { Ok(Hash::empty_root()) } else { Tiles::new(size, read).hash((0, size)) }
}

/// The roots at two sizes that one set of tiles has: if the new one is signed, the old one is what the log stands for
/// at the old size, and another signed root at that size is evidence of a fork.
pub fn roots_from_tiles<E>(
    old_size: u64,
    new_size: u64,
    read: impl FnMut(TileId) -> Result<Vec<u8>, E>,
) -> Result<(Hash, Hash), ProveError<E>> {
    let mut tiles = Tiles::new(new_size, read);
    let ranges = consistency_ranges(old_size, new_size)?;
    let old_root = tiles.hash((0, old_size))?;
    if old_size == new_size {
        return Ok((old_root, old_root));
    }
    let proof: Vec<Hash> = ranges.into_iter().map(|range| tiles.hash(range)).collect::<Result<_, _>>()?;
    let (seed, rest) = if old_size.is_power_of_two() {
        (old_root, proof.as_slice())
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::Length)?;
        (*first, rest)
    };
    // The old root that shares its hashes with the new one is the one that counts.
    Ok(roots_of_proof(old_size, new_size, seed, rest)?)
}

/// A reader of tiles that asks for each tile once.
pub(crate) struct Tiles<R> {
    size: u64,
    read: R,
    seen: BTreeMap<TileId, Vec<Hash>>,
}

impl<E, R: FnMut(TileId) -> Result<Vec<u8>, E>> Tiles<R> {
    pub(crate) fn new(size: u64, read: R) -> Self {
        Self { size, read, seen: BTreeMap::new() }
    }

    /// The hash of a range of leaves.
    pub(crate) fn hash(&mut self, range: Range) -> Result<Hash, ProveError<E>> {
        let nodes: Vec<Hash> = subtrees(range).into_iter().map(|node| self.node(node)).collect::<Result<_, _>>()?;
        Ok(fold_right(&nodes).ok_or(ProofError::Size)?)
    }

    /// The root of a perfect subtree.
    fn node(&mut self, node: (u32, u64)) -> Result<Hash, ProveError<E>> {
        let (tile, start, count) = tile_of(node, self.size)?;
        if !self.seen.contains_key(&tile) {
            let bytes = (self.read)(tile).map_err(ProveError::Read)?;
            self.seen.insert(tile, tile.hashes(&bytes).map_err(|_| ProveError::Tile(tile))?);
        }
        let base = self.seen.get(&tile).and_then(|hashes| hashes.get(start..start + count));
        Ok(perfect_root(base.ok_or(ProveError::Tile(tile))?))
    }
}
