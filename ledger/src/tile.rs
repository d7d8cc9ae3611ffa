//! Tiles and entry bundles as C2SP tlog-tiles lays them out: 256 hashes or entries a file, addressed by path.

mod edge;

use crate::hash::{Hash, leaf_hash};
use crate::merkle::fold_right;
use std::fmt;
use std::str::FromStr;

/// Hashes in a full tile and entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;
/// The largest entry: the length prefix of a bundle has 16 bits.
pub const MAX_ENTRY_BYTES: usize = 65_535;
/// The largest bundle.
pub const MAX_BUNDLE_BYTES: usize = TILE_WIDTH as usize * (2 + MAX_ENTRY_BYTES);
/// The largest tile.
pub const MAX_TILE_BYTES: usize = TILE_WIDTH as usize * 32;

/// What can be wrong with a tile, a bundle or their paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError {
    /// Not a path of the layout, or not the one way to write it.
    #[error("not the path of a tile or bundle")]
    Path,
    /// Not as many hashes or entries as the path says.
    #[error("a tile or bundle has another width than its path says")]
    Width,
    /// An entry is longer than 65,535 bytes.
    #[error("an entry is longer than 65535 bytes")]
    EntryTooLong,
}

/// The address of a tile of hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// 0 holds leaf hashes; each level above holds the roots of the full tiles below.
    pub level: u8,
    /// The number of the tile within its level.
    pub index: u64,
    /// How many hashes: 256 in a full tile, 1 to 255 in a partial one.
    pub width: u16,
}

/// The address of a bundle of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleId {
    /// The number of the bundle; it holds the entries of tile `index` on level 0.
    pub index: u64,
    /// How many entries: 256 in a full bundle, 1 to 255 in a partial one.
    pub width: u16,
}

impl TileId {
    /// The tile with this place in a tree of `size` leaves, as wide as that tree fills it. None if it is empty there.
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = if level < 8 { size >> (8 * u32::from(level)) } else { 0 };
        let width = hashes.checked_sub(index.checked_mul(TILE_WIDTH)?)?.min(TILE_WIDTH);
        let width = u16::try_from(width).ok().filter(|w| *w > 0)?;
        Some(Self { level, index, width })
    }

    /// Whether the tile will never change.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == TILE_WIDTH
    }

    /// The full tile in the same place.
    #[must_use]
    pub fn full(mut self) -> Self {
        self.width = TILE_WIDTH as u16;
        self
    }

    /// The number of the first entry that a full tile in this place does not span. None above 2^64.
    pub fn end_index(&self) -> Option<u64> {
        let entries = 1_u64.checked_shl(8 * (u32::from(self.level) + 1))?;
        self.index.checked_add(1)?.checked_mul(entries)
    }

    /// Whether a log that publishes from this entry on may have taken the tile away.
    pub fn is_pruned(&self, minimum: u64) -> bool {
        self.is_full() && self.end_index().is_some_and(|end| end <= minimum)
    }

    /// The path below the address of the log, without a leading slash.
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, number_path(self.index, self.width))
    }

    /// Reads a path, and takes only the one that [`TileId::path`] writes.
    pub fn parse(path: &str) -> Result<Self, TileError> {
        let (level, rest) = path.strip_prefix("tile/").and_then(|p| p.split_once('/')).ok_or(TileError::Path)?;
        let level = level.parse().ok().filter(|l| *l <= 63).ok_or(TileError::Path)?;
        let (index, width) = parse_number_path(rest)?;
        let id = Self { level, index, width };
        if id.path() == path { Ok(id) } else { Err(TileError::Path) }
    }

    /// The hashes in the bytes of this tile.
    pub fn hashes(&self, bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
        if bytes.len() != 32 * usize::from(self.width) {
            return Err(TileError::Width);
        }
        let (hashes, _) = bytes.as_chunks::<32>();
        Ok(hashes.iter().copied().map(Hash::from_bytes).collect())
    }
}

impl BundleId {
    /// The bundle with this number in a log of `size` entries. None if it is empty there.
    pub fn in_tree(index: u64, size: u64) -> Option<Self> {
        TileId::in_tree(0, index, size).map(|tile| Self { index, width: tile.width })
    }

    /// Whether the bundle will never change.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == TILE_WIDTH
    }

    /// The full bundle in the same place.
    #[must_use]
    pub fn full(mut self) -> Self {
        self.width = TILE_WIDTH as u16;
        self
    }

    /// The number of the first entry that a full bundle in this place does not hold. None above 2^64.
    pub fn end_index(&self) -> Option<u64> {
        self.index.checked_add(1)?.checked_mul(TILE_WIDTH)
    }

    /// Whether a log that publishes from this entry on may have taken the bundle away.
    pub fn is_pruned(&self, minimum: u64) -> bool {
        self.is_full() && self.end_index().is_some_and(|end| end <= minimum)
    }

    /// The path below the address of the log, without a leading slash.
    pub fn path(&self) -> String {
        format!("tile/entries/{}", number_path(self.index, self.width))
    }

    /// Reads a path, and takes only the one that [`BundleId::path`] writes.
    pub fn parse(path: &str) -> Result<Self, TileError> {
        let (index, width) = parse_number_path(path.strip_prefix("tile/entries/").ok_or(TileError::Path)?)?;
        let id = Self { index, width };
        if id.path() == path { Ok(id) } else { Err(TileError::Path) }
    }

    /// The entries in the bytes of this bundle.
    pub fn entries<'a>(&self, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, TileError> {
        let mut entries = Vec::with_capacity(usize::from(self.width));
        let mut rest = bytes;
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (entry, after) = after.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(TileError::Width)?;
            entries.push(entry);
            rest = after;
            if entries.len() > usize::from(self.width) {
                return Err(TileError::Width);
            }
        }
        if rest.is_empty() && entries.len() == usize::from(self.width) { Ok(entries) } else { Err(TileError::Width) }
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

impl FromStr for TileId {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        Self::parse(path)
    }
}

impl FromStr for BundleId {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        Self::parse(path)
    }
}

/// `x001/x234/067` and, for partial ones, `.p/<width>`.
fn number_path(index: u64, width: u16) -> String {
    let mut text = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    if u64::from(width) < TILE_WIDTH {
        text.push_str(&format!(".p/{width}"));
    }
    text
}

/// Reads a number path loosely; the callers write it again and compare, which refuses every second spelling.
fn parse_number_path(text: &str) -> Result<(u64, u16), TileError> {
    if text.len() > 64 {
        return Err(TileError::Path);
    }
    let (number, width) = match text.split_once(".p/") {
        Some((number, width)) => {
            let width: u16 = width.parse().map_err(|_| TileError::Path)?;
            if !(1..TILE_WIDTH).contains(&u64::from(width)) {
                return Err(TileError::Path);
            }
            (number, width)
        }
        None => (text, TILE_WIDTH as u16),
    };
    let mut index: u64 = 0;
    for element in number.split('/') {
        let digits: u64 = element.strip_prefix('x').unwrap_or(element).parse().map_err(|_| TileError::Path)?;
        index = index.checked_mul(1000).and_then(|i| i.checked_add(digits)).ok_or(TileError::Path)?;
    }
    Ok((index, width))
}

/// Appends one entry to the bytes of a bundle: its length in 16 bits, big end first, then the entry.
pub fn append_to_bundle(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong)?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The right edge of a log in tiles: what must be on disk for the present size, besides the full tiles below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TileEdge {
    size: u64,
    /// For each level the hashes of its last, not yet full tile.
    levels: Vec<Vec<Hash>>,
}

impl TileEdge {
    /// The edge of the empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the leaf of an entry and returns the tiles that became full by it, lowest first.
    pub fn push(&mut self, entry: &[u8]) -> Vec<(TileId, Vec<u8>)> {
        self.push_leaf(leaf_hash(entry))
    }

    /// Appends a leaf hash and returns the tiles that became full by it, lowest first.
    pub fn push_leaf(&mut self, leaf: Hash) -> Vec<(TileId, Vec<u8>)> {
        let mut full = Vec::new();
        let mut hash = leaf;
        self.size += 1;
        // Eight levels hold 2^64 leaves.
        for level in 0..8_u8 {
            let at = usize::from(level);
            if self.levels.len() <= at {
                self.levels.push(Vec::new());
            }
            self.levels[at].push(hash);
            if (self.levels[at].len() as u64) < TILE_WIDTH {
                break;
            }
            let hashes = std::mem::take(&mut self.levels[at]);
            let index = self.tiles_full(level).saturating_sub(1);
            full.push((TileId { level, index, width: TILE_WIDTH as u16 }, tile_bytes(&hashes)));
            hash = perfect_root(&hashes);
        }
        full
    }

    /// How many tiles of a level are full.
    fn tiles_full(&self, level: u8) -> u64 {
        self.size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0)
    }

    /// The partial tiles of the present size, lowest first.
    pub fn partial_tiles(&self) -> Vec<(TileId, Vec<u8>)> {
        let mut tiles = Vec::new();
        for (level, hashes) in self.levels.iter().enumerate() {
            // No level is above 8, and no tile is wider than 256: both conversions hold by construction.
            let (Ok(level), Ok(width)) = (u8::try_from(level), u16::try_from(hashes.len())) else { continue };
            if width > 0 {
                tiles.push((TileId { level, index: self.tiles_full(level), width }, tile_bytes(hashes)));
            }
        }
        tiles
    }

    /// The root of the tree so far.
    pub fn root(&self) -> Hash {
        let mut nodes = Vec::new();
        for hashes in self.levels.iter().rev() {
            nodes.extend(perfect_subtrees(hashes));
        }
        fold_right(&nodes).unwrap_or_else(Hash::empty_root)
    }
}

/// The bytes of a tile.
pub fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The root of a power of two of neighbouring hashes.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    fold_right(&perfect_subtrees(hashes)).unwrap_or_else(Hash::empty_root)
}

/// The roots of the perfect subtrees over these neighbouring hashes, largest first.
fn perfect_subtrees(hashes: &[Hash]) -> Vec<Hash> {
    let mut edge = crate::merkle::Frontier::new();
    hashes.iter().for_each(|hash| edge.push(*hash));
    edge.into_nodes()
}
