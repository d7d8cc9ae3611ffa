//! What each start does: find the end of the log, write again what a crash cut off behind the last commit, and bring
//! the index up to it. The log itself is not read; `biobankd check` does that.

use super::background::Background;
use super::files::{Files, full_paths, sync_folder};
use super::journal::{Journal, JournalHead};
use super::replay;
use super::views::{Generation, Views};
use super::{Embedded, Recent, Shared, bundle_of, damaged, failed};
use crate::log::OpenError;
use crate::log::fail::Faults;
use crate::log::store::{StoreError, Tip, Turn};
use ledger::{
    BundleId, Checkpoint, SignedCheckpoint, TILE_WIDTH, TileEdge, TileId, VerifierKey, append_to_bundle, node_hash,
    root_from_tiles,
};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, RwLock};

/// The journal's file.
pub(super) const JOURNAL: &str = "log.redb";
/// The index's file.
const INDEX: &str = "index.redb";
/// The index as it was at the minimum index, from which it is made again after entries were pruned.
pub(in crate::log) const BASE: &str = "base.redb";
/// A note that the log goes on in another store.
const MOVED: &str = "moved.txt";
/// What it says to whoever finds it.
const MOVED_TEXT: &str =
    "This log was moved to another store, and goes on there. To open it here again would fork it.\n";
/// The public folder.
pub(in crate::log) const PUBLIC: &str = "public";

impl Embedded {
    /// Opens the log in a folder, or makes an empty one.
    pub fn open(dir: &Path, key: &VerifierKey) -> Result<Self, OpenError> {
        Self::open_with(dir, key, &Faults::default())
    }

    /// Opens a log whose disk fails as a test wants it.
    pub fn open_with(dir: &Path, key: &VerifierKey, faults: &Faults) -> Result<Self, OpenError> {
        std::fs::create_dir_all(dir)?;
        if dir.join(MOVED).exists() {
            return Err(StoreError::Moved.into());
        }
        // redb may panic over a file that something else has changed.
        let journal = catch_unwind(|| Journal::open(&dir.join(JOURNAL), faults))
            .map_err(|_| OpenError::Damaged("the journal can not be read".into()))?
            .map_err(Box::new)?;
        let files = Files::open(&dir.join(PUBLIC), faults)?;
        sync_folder(dir)?;
        let head = journal.head()?;
        let tip = read_tip(&head, key)?;
        let published = refuse_going_back(&files, key, tip.as_ref().map(|tip| &tip.checkpoint))?;
        let size = tip.as_ref().map_or(0, |tip| tip.turn.size);
        let flushed = write_again(&journal, &files, tip.as_ref())?;
        let (views, active, state) = open_views(dir, &journal, &files, &head, size, faults)?;
        if head.state.is_none() && size > 0 {
            journal.set_state(state)?;
        }
        let tip = tip.map(|tip| Tip { state, ..tip });
        let recent = RwLock::new(Recent { tip, published, frozen: None, active });
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            faults: faults.clone(),
            journal,
            files,
            views,
            writer: Mutex::new(()),
            keeper: Mutex::new(()),
            recent,
            moved: Condvar::new(),
            pulse: Mutex::new(()),
            flushed: AtomicU64::new(flushed),
            minimum: AtomicU64::new(head.minimum),
            broken: AtomicBool::new(false),
        });
        let background = Some(Background::start(shared.clone())?);
        Ok(Self { shared, background })
    }
}

/// Leaves the note, flushed.
pub(super) fn retire(dir: &Path) -> std::io::Result<()> {
    let mut note = std::fs::File::create(dir.join(MOVED))?;
    note.write_all(MOVED_TEXT.as_bytes())?;
    note.sync_all()?;
    sync_folder(dir)
}

pub(super) fn read_tip(head: &JournalHead, key: &VerifierKey) -> Result<Option<Tip>, OpenError> {
    let Some(note) = &head.checkpoint else { return Ok(None) };
    let checkpoint = Checkpoint::open(note, key).map_err(|_| OpenError::OtherLog)?;
    let turn = Turn { size: checkpoint.size, epoch: head.epoch };
    // Where an older version wrote no state hash, the one that the replay gives takes its place.
    Ok(Some(Tip { turn, checkpoint, state: head.state.unwrap_or_else(ledger::empty_state_hash) }))
}

/// A public checkpoint that is ahead of the journal means that the journal is an old copy. Gives the public one.
fn refuse_going_back(
    files: &Files,
    key: &VerifierKey,
    stored: Option<&SignedCheckpoint>,
) -> Result<Option<SignedCheckpoint>, OpenError> {
    // A journal that says nothing beside files that say something was lost: to begin anew would fork the log.
    if stored.is_none() && !files.is_empty()? {
        return Err(OpenError::WentBack);
    }
    let Some(bytes) = files.read("checkpoint")? else { return Ok(None) };
    let note = String::from_utf8_lossy(&bytes);
    // A file that a loss of power tore is no evidence of anything; the journal's is shown in its place.
    let Ok(public) = Checkpoint::open(&note, key) else { return Ok(None) };
    let size = stored.map_or(0, |stored| stored.size);
    let forked = public.size == size && stored.is_some_and(|stored| stored.root != public.root);
    if public.size > size || forked { Err(OpenError::WentBack) } else { Ok(Some(public)) }
}

/// Writes the tiles and bundles that were not flushed. Gives the number up to which they are.
fn write_again(journal: &Journal, files: &Files, tip: Option<&Tip>) -> Result<u64, OpenError> {
    let Some(tip) = tip else { return Ok(0) };
    let size = tip.turn.size;
    let flushed = kept_from(journal, size)?;
    let write = |bundle: (BundleId, &[u8]), tiles: &[(TileId, Vec<u8>)]| {
        let (id, bytes) = bundle;
        // Partial files were never flushed: those that a loss of power tore must not stay.
        files.remove_partials(&id.full().path())?;
        if files.read(&id.path())?.as_deref() != Some(bytes) {
            files.write_bundle(id, bytes)?;
        }
        for (id, bytes) in tiles {
            files.remove_partials(&id.full().path())?;
            if files.read(&id.path())?.as_deref() != Some(bytes) {
                files.write_tile(*id, bytes)?;
            }
        }
        Ok(())
    };
    let leads = |found: &Result<(TileEdge, Vec<u8>), StoreError>| {
        found.as_ref().is_ok_and(|(edge, _)| edge.root() == tip.checkpoint.root)
    };
    let mut found = edge(journal, files, size, write);
    if !leads(&found) {
        tracing::warn!("the tiles of the log do not lead to its checkpoint: they are made again from the entries");
        mend_tiles(files, flushed)?;
        found = edge(journal, files, size, write);
    }
    let (edge, _) = found?;
    if edge.root() != tip.checkpoint.root {
        return Err(OpenError::Damaged("the entries do not lead to the stored root".into()));
    }
    for (id, bytes) in edge.partial_tiles() {
        files.remove_partials(&id.full().path())?;
        files.write_tile(id, &bytes)?;
    }
    Ok(flushed)
}

/// The number from which the journal has all entries.
fn kept_from(journal: &Journal, size: u64) -> Result<u64, StoreError> {
    Ok(journal.first()?.unwrap_or(size).min(size) / TILE_WIDTH * TILE_WIDTH)
}

/// The right edge of the log and the bytes of its unfinished bundle: from a few full tiles up to where the journal
/// begins, and from its entries from there on. `write` is given each bundle that the journal has, with the full tiles
/// that it completes.
pub(super) fn edge(
    journal: &Journal,
    files: &Files,
    size: u64,
    mut write: impl FnMut((BundleId, &[u8]), &[(TileId, Vec<u8>)]) -> std::io::Result<()>,
) -> Result<(TileEdge, Vec<u8>), StoreError> {
    let from = kept_from(journal, size)?;
    let mut edge = TileEdge::read(from, |id| partial_from_full(files, id)).map_err(|error| match error {
        ledger::ProveError::Read(error) => error,
        error => damaged(&error.to_string()),
    })?;
    let mut tail = Vec::new();
    for number in bundle_of(from)..size.div_ceil(TILE_WIDTH) {
        let id = BundleId::in_tree(number, size).ok_or_else(|| damaged("size"))?;
        let entries = journal.bundle(number, u64::from(id.width))?;
        if entries.len() != usize::from(id.width) {
            return Err(damaged("the journal lacks entries"));
        }
        let (mut bundle, mut tiles) = (Vec::new(), Vec::new());
        for entry in &entries {
            append_to_bundle(&mut bundle, entry).map_err(failed)?;
            tiles.extend(edge.push(entry));
        }
        write((id, &bundle), &tiles).map_err(failed)?;
        if !id.is_full() {
            tail = bundle;
        }
    }
    Ok((edge, tail))
}

/// A partial tile, made from the full tiles below it: those were flushed.
fn partial_from_full(files: &Files, id: TileId) -> Result<Vec<u8>, StoreError> {
    let level = id.level.checked_sub(1).ok_or_else(|| damaged("size"))?;
    let mut hashes = Vec::with_capacity(32 * usize::from(id.width));
    for place in 0..u64::from(id.width) {
        let below = TileId { level, index: id.index * TILE_WIDTH + place, width: TILE_WIDTH as u16 };
        let bytes = files.read(&below.path()).map_err(failed)?.ok_or_else(|| damaged(&below.path()))?;
        // In halves, because a whole tile is one hash of the level above.
        let (left, right) = bytes.split_at(bytes.len() / 2);
        let root = |half: &[u8]| root_from_tiles(TILE_WIDTH / 2, |_| Ok::<_, StoreError>(half.to_vec()));
        let (left, right) = root(left).and_then(|left| Ok((left, root(right)?))).map_err(|_| damaged(&below.path()))?;
        hashes.extend(node_hash(left, right).as_bytes());
    }
    Ok(hashes)
}

/// Makes every full tile below `size` again from the entries, where it is not what they give.
pub(super) fn mend_tiles(files: &Files, size: u64) -> Result<(), StoreError> {
    let mut edge = TileEdge::new();
    for index in 0..bundle_of(size) {
        let id = BundleId { index, width: TILE_WIDTH as u16 };
        let bytes = files.read(&id.path()).map_err(failed)?.ok_or_else(|| damaged(&id.path()))?;
        for entry in id.entries(&bytes).map_err(|_| damaged(&id.path()))? {
            for (tile, expected) in edge.push(entry) {
                if files.read(&tile.path()).map_err(failed)?.as_deref() != Some(&expected) {
                    files.write_tile(tile, &expected).map_err(failed)?;
                }
            }
        }
    }
    // They may never have been in the journal's care again, so they are flushed here.
    files.flush(&full_paths(0, size)).map_err(failed)
}

/// Opens the index and brings it up to the end of the log; what is left over stays in memory. An index that can not
/// be used is made again.
fn open_views(
    dir: &Path,
    journal: &Journal,
    files: &Files,
    head: &JournalHead,
    size: u64,
    faults: &Faults,
) -> Result<(Views, Generation, ledger::Hash), OpenError> {
    let path = dir.join(INDEX);
    let open = || -> Result<_, OpenError> {
        let views = Views::open(&path, faults).map_err(Box::new)?;
        let active = replay::catch_up(&views, journal, files, size, head.state)?;
        Ok((views, active))
    };
    let (views, active) = match catch_unwind(AssertUnwindSafe(open)) {
        Ok(Ok(found)) => found,
        Ok(Err(OpenError::Database(error))) if matches!(*error, redb::Error::DatabaseAlreadyOpen) => {
            return Err(OpenError::Database(error));
        }
        unusable => {
            let why = unusable.err().map_or("it contradicts the log", |_| "it is damaged");
            tracing::warn!(why, "the index can not be used: it is made again from the entries");
            begin_views(dir, head.minimum)?;
            open()?
        }
    };
    let state = active.state;
    Ok((views, active, state))
}

/// Puts the index back to where it can be made again from: to nothing, or to the copy that pruning left.
pub(super) fn begin_views(dir: &Path, minimum: u64) -> std::io::Result<()> {
    let path = dir.join(INDEX);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    if minimum > 0 {
        std::fs::copy(dir.join(BASE), &path)?;
    }
    Ok(())
}
