//! Reading what is left of a log whose beginning was pruned (C2SP tlog-tiles). Its tree and its signatures can be
//! checked from there on. What the entries before said is not known any more, so no rule can be checked, and there is
//! no state.

use super::{BUNDLES_AT_ONCE, ClientError, Finding, LogSource, Reading, fetch, map_while};
use crate::checkpoint::SignedCheckpoint;
use crate::entry::{Entry, EntryError};
use crate::hash::Hash;
use crate::note::VerifierKey;
use crate::prove::ProveError;
use crate::tile::{TILE_WIDTH, TileEdge, TileId};
use std::collections::BTreeMap;

/// What an audit of the rest saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remainder {
    /// The checkpoint that was audited.
    pub checkpoint: SignedCheckpoint,
    /// The first entry that was read.
    pub from: u64,
    /// The root over all entries, those before among them.
    pub root: Hash,
    /// How many entries of each kind were read, by their `typ`. Whether they count is not known.
    pub kinds: BTreeMap<&'static str, u64>,
    /// What is wrong, at most 100 of it.
    pub findings: Vec<Finding>,
    /// How much is wrong.
    pub finding_count: u64,
}

impl Remainder {
    /// Whether nothing is wrong with what was read.
    pub fn is_clean(&self) -> bool {
        self.finding_count == 0
    }
}

/// Reads a log from an entry on, or from the beginning of its bundle: each entry, each tile that they fill, and the
/// root. What stands for the entries before comes from the log's tiles, and counts because it leads to the signed root.
pub async fn audit_from(
    source: &LogSource,
    key: &VerifierKey,
    from: u64,
    mut progress: impl FnMut(u64, u64),
) -> Result<Remainder, ClientError> {
    let checkpoint = source.checkpoint(key).await?;
    let (size, from) = (checkpoint.size, from - from % TILE_WIDTH);
    if from > size {
        return Err(ClientError::TooShort);
    }
    let mut reading = Reading::new(checkpoint, size, key);
    (reading.edge, reading.read) = (edge(source, from, size).await?, from);
    let bundles = size.div_ceil(TILE_WIDTH);
    for first in (from / TILE_WIDTH..bundles).step_by(BUNDLES_AT_ONCE) {
        let numbers = first..bundles.min(first + BUNDLES_AT_ONCE as u64);
        let bytes = fetch(source, numbers, size).await?;
        let (read, ()) = map_while(&bytes, |bytes| Entry::parse(bytes), || ());
        let full = reading.grow(&bytes);
        reading.compare(source, &full).await?;
        reading.count(read);
        progress(reading.read, size);
    }
    let report = reading.finish(source).await?;
    let (checkpoint, root, kinds) = (report.checkpoint, report.root, report.kinds);
    Ok(Remainder { checkpoint, from, root, kinds, findings: report.findings, finding_count: report.finding_count })
}

impl Reading {
    /// Counts entries that no rule can be held against.
    fn count(&mut self, entries: Vec<Result<Entry, EntryError>>) {
        for entry in entries {
            let index = self.read;
            self.read += 1;
            match entry {
                Err(error) => self.report.note(Finding::Unreadable(index, error)),
                Ok(entry) => *self.report.kinds.entry(entry.said().typ()).or_insert(0) += 1,
            }
        }
    }
}

/// The right edge of the tree over the entries before `from`, out of the tiles that a pruned log still has to show.
async fn edge(source: &LogSource, from: u64, size: u64) -> Result<TileEdge, ClientError> {
    let mut tiles: BTreeMap<TileId, Vec<u8>> = BTreeMap::new();
    loop {
        let id = match TileEdge::read(from, |id| tiles.get(&id).cloned().ok_or(id)) {
            Ok(edge) => return Ok(edge),
            Err(ProveError::Read(id)) => id,
            Err(_) => return Err(ClientError::BadTiles),
        };
        // As wide as it is by now: narrower ones may be gone, and its beginning is the same.
        let wide = TileId::in_tree(id.level, id.index, size).ok_or(ClientError::BadTiles)?;
        let mut bytes = source.tile(wide).await?;
        bytes.truncate(32 * usize::from(id.width));
        tiles.insert(id, bytes);
    }
}
