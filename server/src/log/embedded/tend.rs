//! What an operator does with the folder of a log that no service has open.

use super::files::Files;
use super::journal::Journal;
use super::open::{BASE, JOURNAL, PUBLIC, begin_views, mend_tiles, read_tip};
use super::views::Views;
use super::{Embedded, damaged, failed, replay};
use crate::log::OpenError;
use crate::log::fail::Faults;
use crate::log::store::{Store as _, StoreError};
use ledger::{BundleId, SignedCheckpoint, TILE_WIDTH, TileId, VerifierKey};
use std::path::Path;

/// Makes the index, the records and every tile again from the entries alone, and opens the log.
pub fn rebuild(dir: &Path, key: &VerifierKey) -> Result<Embedded, OpenError> {
    {
        let faults = Faults::default();
        let journal = Journal::open(&dir.join(JOURNAL), &faults).map_err(Box::new)?;
        let head = journal.head()?;
        let size = read_tip(&head, key)?.map_or(0, |tip| tip.turn.size);
        // The tiles of pruned entries can not be made again; those that are needed are kept.
        if head.minimum == 0 {
            let files = Files::open(&dir.join(PUBLIC), &faults)?;
            mend_tiles(&files, journal.first()?.unwrap_or(size).min(size) / TILE_WIDTH * TILE_WIDTH)?;
        }
        begin_views(dir, head.minimum)?;
    }
    let log = Embedded::open(dir, key)?;
    log.settle()?;
    Ok(log)
}

/// Makes a journal for a public folder that is complete up to this checkpoint. The entries are read and judged when
/// the log is opened.
pub(in crate::log) fn found(dir: &Path, checkpoint: &SignedCheckpoint, minimum: u64) -> Result<(), OpenError> {
    let faults = Faults::default();
    let path = dir.join(JOURNAL);
    if path.exists() {
        return Err(OpenError::Damaged("there is a journal already".into()));
    }
    let files = Files::open(&dir.join(PUBLIC), &faults)?;
    let size = checkpoint.size;
    let full = size / TILE_WIDTH * TILE_WIDTH;
    if minimum == 0 {
        mend_tiles(&files, full)?;
    }
    let mut tail = Vec::new();
    if let Some(id) = BundleId::in_tree(size / TILE_WIDTH, size) {
        let bytes = files.read_bundle(id, size)?.ok_or_else(|| damaged(&id.path()))?;
        tail = id.entries(&bytes).map_err(|_| damaged(&id.path()))?.into_iter().map(<[u8]>::to_vec).collect();
    }
    let journal = Journal::open(&path, &faults).map_err(Box::new)?;
    journal.found(checkpoint.note(), full, &tail, minimum)?;
    begin_views(dir, minimum)?;
    Ok(())
}

/// Why a log is not pruned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PruneError {
    /// The log can not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be used.
    #[error("a file can not be used: {0}")]
    Io(#[from] std::io::Error),
    /// The index could not be copied.
    #[error("the index can not be made: {0}")]
    Database(#[from] Box<redb::Error>),
    /// The minimum index only goes up, and not beyond the whole bundles of the log.
    #[error("the log can be pruned before a whole bundle only, from {from} up to {to}")]
    Range {
        /// The minimum index as it is.
        from: u64,
        /// The highest that it can be.
        to: u64,
    },
}

/// Prunes a log (C2SP tlog-tiles): entries before `minimum` are no longer published. What they say of the state stays
/// behind in a copy of the index, from which all that follows is judged. With `delete` their files go as well, and
/// nobody can bring them back from here.
pub fn prune(dir: &Path, key: &VerifierKey, minimum: u64, delete: bool) -> Result<(), PruneError> {
    let (from, size) = {
        let log = Embedded::open(dir, key)?;
        log.settle()?;
        (log.minimum()?, log.shared.size())
    };
    let to = size / TILE_WIDTH * TILE_WIDTH;
    if !minimum.is_multiple_of(TILE_WIDTH) || minimum < from || minimum > to {
        return Err(PruneError::Range { from, to });
    }
    let faults = Faults::default();
    let journal = Journal::open(&dir.join(JOURNAL), &faults).map_err(Box::new).map_err(OpenError::from)?;
    let files = Files::open(&dir.join(PUBLIC), &faults)?;
    if minimum > from {
        // Made aside and moved into its place, so that a crash leaves the old copy or the new one.
        let next = dir.join("next-base.redb");
        copy_base(dir, &next, from)?;
        let views = Views::open(&next, &faults).map_err(Box::new)?;
        let last = replay::catch_up(&views, &journal, &files, minimum, None)?;
        views.keep(&last)?;
        drop(views);
        std::fs::File::open(&next)?.sync_all()?;
        std::fs::rename(&next, dir.join(BASE))?;
        super::files::sync_folder(dir)?;
        journal.set_minimum(minimum)?;
    }
    if delete {
        for path in pruned_files(minimum, size) {
            files.remove(&path).map_err(failed)?;
        }
    }
    Ok(())
}

fn copy_base(dir: &Path, next: &Path, from: u64) -> std::io::Result<()> {
    match std::fs::remove_file(next) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    if from > 0 {
        std::fs::copy(dir.join(BASE), next)?;
    }
    Ok(())
}

/// The files that nothing needs below a minimum index: bundles, and tiles below a full tile. A tile below a partial
/// one stays, because the right edge of the tree is read from it.
fn pruned_files(minimum: u64, size: u64) -> Vec<String> {
    let width = TILE_WIDTH as u16;
    let mut paths: Vec<String> = (0..minimum / TILE_WIDTH).map(|index| BundleId { index, width }.path()).collect();
    for level in 0..7_u8 {
        let above = size.checked_shr(8 * (u32::from(level) + 2)).unwrap_or(0);
        let tiles = (0..above * TILE_WIDTH).map(|index| TileId { level, index, width });
        paths.extend(tiles.take_while(|tile| tile.is_pruned(minimum)).map(|tile| tile.path()));
    }
    paths
}
