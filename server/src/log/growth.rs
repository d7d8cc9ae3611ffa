//! The log with a batch at its end: tiles, bundles and checkpoint, all in memory.

use super::store::Head;
use ledger::{
    BundleId, Checkpoint, CheckpointError, Entry, NoteKey, SignedCheckpoint, TILE_WIDTH, TileEdge, TileError, TileId,
    append_to_bundle,
};

/// Why a log can not grow.
#[derive(Debug, thiserror::Error)]
pub(super) enum GrowthError {
    #[error(transparent)]
    Tile(#[from] TileError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// What a batch makes of the log.
pub(super) struct Growth {
    pub(super) edge: TileEdge,
    pub(super) tail: Vec<u8>,
    pub(super) tiles: Vec<(TileId, Vec<u8>)>,
    pub(super) bundles: Vec<(BundleId, Vec<u8>)>,
}

impl Growth {
    pub(super) fn of<'a>(head: &Head, entries: impl Iterator<Item = &'a Entry>) -> Result<Self, GrowthError> {
        let (mut edge, mut tail) = (head.edge.clone(), head.tail.clone());
        let (mut tiles, mut bundles) = (Vec::new(), Vec::new());
        for entry in entries {
            tiles.extend(edge.push(entry.bytes()));
            append_to_bundle(&mut tail, entry.bytes())?;
            if edge.size() % TILE_WIDTH == 0 {
                let full = BundleId { index: (edge.size() - 1) / TILE_WIDTH, width: TILE_WIDTH as u16 };
                bundles.push((full, std::mem::take(&mut tail)));
            }
        }
        tiles.extend(edge.partial_tiles());
        if let Some(partial) = BundleId::in_tree(edge.size() / TILE_WIDTH, edge.size()) {
            bundles.push((partial, tail.clone()));
        }
        Ok(Self { edge, tail, tiles, bundles })
    }

    /// The checkpoint over it.
    pub(super) fn sign(&self, key: &NoteKey) -> Result<SignedCheckpoint, GrowthError> {
        let origin = key.verifier().name().to_owned();
        Ok(Checkpoint { origin, size: self.edge.size(), root: self.edge.root() }.sign(key)?)
    }
}
