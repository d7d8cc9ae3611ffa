//! The right edge of a log that is stored already: a few tiles say where it goes on.

use super::{TILE_WIDTH, TileEdge, TileId};
use crate::prove::ProveError;

impl TileEdge {
    /// The edge of a log with `size` entries, out of the last, unfinished tile of each level. The tiles may come from
    /// anybody: whoever goes on from here compares [`TileEdge::root`] with a signed root first.
    pub fn read<E>(size: u64, mut read: impl FnMut(TileId) -> Result<Vec<u8>, E>) -> Result<Self, ProveError<E>> {
        let mut levels = Vec::new();
        for level in 0..8_u8 {
            let hashes = size >> (8 * u32::from(level));
            if hashes == 0 {
                break;
            }
            let last = TileId::in_tree(level, hashes / TILE_WIDTH, size);
            levels.push(match last {
                Some(id) => {
                    let bytes = read(id).map_err(ProveError::Read)?;
                    id.hashes(&bytes).map_err(|_| ProveError::Tile(id))?
                }
                None => Vec::new(),
            });
        }
        Ok(Self { size, levels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hash;
    use std::collections::BTreeMap;

    #[test]
    fn an_edge_that_is_read_goes_on_as_the_one_that_grew() {
        let (mut grown, mut tiles) = (TileEdge::new(), BTreeMap::new());
        for number in 0..66_000_u64 {
            let mut leaf = [0; 32];
            leaf[..8].copy_from_slice(&number.to_be_bytes());
            tiles.extend(grown.push_leaf(Hash::from_bytes(leaf)));
            if [1, 2, 255, 256, 257, 65_535, 65_536, 65_537, 66_000].contains(&grown.size()) {
                let mut there = tiles.clone();
                there.extend(grown.partial_tiles());
                let read = TileEdge::read(grown.size(), |id| there.get(&id).cloned().ok_or(id));
                assert_eq!(read.unwrap(), grown);
            }
        }
        assert_eq!(TileEdge::read(0, Err::<Vec<u8>, _>).unwrap(), TileEdge::new());
        assert_eq!(
            TileEdge::read(3, |_| Ok::<_, ()>(vec![0; 64])),
            Err(ProveError::Tile(TileId::parse("tile/0/000.p/3").unwrap()))
        );
        assert_eq!(TileEdge::read(3, |_| Err(7)), Err(ProveError::Read(7)));
    }
}
