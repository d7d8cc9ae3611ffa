//! Paths, tiles, bundles and proofs: each has one spelling, and each proof that is made is taken.

use crate::{byte, number};
use ledger::{
    BundleId, Frontier, Hash, TILE_WIDTH, TileEdge, TileId, append_to_bundle, consistency_proof, inclusion_proof,
    leaf_hash, subtree_proof, tile_bytes, verify_consistency, verify_inclusion, verify_subtree,
};
use std::collections::BTreeMap;

/// The paths of tiles and bundles.
pub fn tile_path(data: &[u8]) {
    let Ok(path) = std::str::from_utf8(data) else { return };
    let (tile, bundle) = (TileId::parse(path), BundleId::parse(path));
    assert!(tile.is_err() || bundle.is_err());
    if let Ok(tile) = tile {
        assert_eq!(tile.path(), path);
        assert!((1..=TILE_WIDTH).contains(&tile.width.into()));
        assert!(tile.end_index().is_none_or(|end| end > tile.index));
        assert!(!tile.is_pruned(0));
        let _ = TileId::in_tree(tile.level, tile.index, u64::MAX);
        assert_eq!(TileId::parse(&tile.full().path()), Ok(tile.full()));
    }
    if let Ok(bundle) = bundle {
        assert_eq!(bundle.path(), path);
        assert!((1..=TILE_WIDTH).contains(&bundle.width.into()));
        assert!(!bundle.is_pruned(0));
        let _ = BundleId::in_tree(bundle.index, u64::MAX);
        assert_eq!(BundleId::parse(&bundle.full().path()), Ok(bundle.full()));
    }
}

/// Tiles and entry bundles of every width. The first byte says the width less one.
pub fn entry_bundle(data: &[u8]) {
    let mut rest = data;
    let width = u16::from(byte(&mut rest)) + 1;
    let bundle = BundleId { index: 0, width };
    if let Ok(entries) = bundle.entries(rest) {
        assert_eq!(entries.len(), usize::from(width));
        let mut again = Vec::new();
        entries.iter().for_each(|entry| append_to_bundle(&mut again, entry).unwrap());
        assert_eq!(again, rest);
    }
    let tile = TileId { level: 0, index: 0, width };
    if let Ok(hashes) = tile.hashes(rest) {
        assert_eq!(hashes.len(), usize::from(width));
        assert_eq!(tile_bytes(&hashes), rest);
    }
}

/// Proofs from tiles in trees of the sizes that the input asks for, and proofs that the input makes up.
pub fn proof(data: &[u8]) {
    let mut rest = data;
    let size = 1 + number_below(&mut rest, 700);
    let (old, index) = (1 + number_below(&mut rest, size), number_below(&mut rest, size));
    let (mut edge, mut tiles, mut at_old) = (TileEdge::new(), BTreeMap::new(), Hash::empty_root());
    let leaf = |number: u64| leaf_hash(&number.to_be_bytes());
    for number in 0..size {
        tiles.extend(edge.push_leaf(leaf(number)));
        if number + 1 == old {
            at_old = edge.root();
        }
    }
    tiles.extend(edge.partial_tiles());
    let root = edge.root();
    let read = |id: TileId| tiles.get(&id).cloned().ok_or(());
    let inclusion = inclusion_proof(index, size, read).unwrap();
    assert_eq!(verify_inclusion(index, size, leaf(index), &inclusion, root), Ok(()));
    let consistency = consistency_proof(old, size, read).unwrap();
    assert_eq!(verify_consistency(old, at_old, size, root, &consistency), Ok(()));
    let base = index - index % TILE_WIDTH;
    let mut part = Frontier::new();
    (base..=index).for_each(|number| part.push(leaf(number)));
    let subtree = subtree_proof(base, index + 1, size, read).unwrap();
    assert_eq!(verify_subtree((base, index + 1), part.root(), size, root, &subtree), Ok(()));

    // What the input makes up instead: the same proof, or a refusal.
    let made_up: Vec<Hash> = rest.as_chunks::<32>().0.iter().take(70).copied().map(Hash::from_bytes).collect();
    if made_up != inclusion {
        assert!(verify_inclusion(index, size, leaf(index), &made_up, root).is_err());
    }
    if made_up != consistency && old < size {
        assert!(verify_consistency(old, at_old, size, root, &made_up).is_err());
    }
    let (a, b, c) = (number(&mut rest), number(&mut rest), number(&mut rest));
    let _ = verify_inclusion(a, b, root, &made_up, at_old);
    let _ = verify_consistency(a, at_old, b, root, &made_up);
    let _ = verify_subtree((a, b), at_old, c, root, &made_up);
}

fn number_below(data: &mut &[u8], limit: u64) -> u64 {
    (u64::from(byte(data)) << 8 | u64::from(byte(data))) % limit
}
