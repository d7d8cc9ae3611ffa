//! What each start does: read the whole log again, compare it with its checkpoint, and write what is missing.

use super::OpenError;
use super::database::Database;
use super::files::Files;
use ledger::{
    BundleId, Checkpoint, Entry, EntryHash, Hash, NoteKey, SignedCheckpoint, State, TILE_WIDTH, TileEdge,
    append_to_bundle,
};

/// Rows of the index that are mended in one commit.
const INDEX_CHUNK: usize = 10_000;

/// A log that is whole.
pub(super) struct Repaired {
    pub(super) checkpoint: SignedCheckpoint,
    pub(super) state: State,
    pub(super) edge: TileEdge,
    /// The bytes of the unfinished bundle.
    pub(super) tail: Vec<u8>,
}

/// Reads the log, mends what a crash cut off, and publishes the stored checkpoint.
pub(super) fn repair(database: &Database, files: &Files, key: &NoteKey) -> Result<Repaired, OpenError> {
    files.remove_rest()?;
    let checkpoint = match database.checkpoint()? {
        Some(note) => Checkpoint::open(&note, key.verifier()).map_err(|_| OpenError::OtherLog)?,
        None => {
            let origin = key.verifier().name().to_owned();
            Checkpoint { origin, size: 0, root: Hash::empty_root() }.sign(key).map_err(|_| OpenError::KeyName)?
        }
    };
    refuse_going_back(files, key, &checkpoint)?;
    let mut log = Repaired { checkpoint, state: State::new(), edge: TileEdge::new(), tail: Vec::new() };
    let size = log.checkpoint.size;
    let mut lost_rows = Vec::new();
    for number in 0..size.div_ceil(TILE_WIDTH) {
        let id = BundleId::in_tree(number, size).ok_or_else(|| damaged("size"))?;
        let entries = read_entries(database, files, id)?;
        let mut bundle = Vec::new();
        for bytes in &entries {
            append_to_bundle(&mut bundle, bytes).map_err(|_| damaged("entry"))?;
            replay(&mut log, bytes, database, files, &mut lost_rows)?;
        }
        // Partial files were never flushed: those that a loss of power tore must not stay.
        files.remove_partials(&id.full().path())?;
        if !id.is_full() || files.read(&id.path())?.as_deref() != Some(&bundle) {
            files.write_bundle(id, &bundle)?;
        }
        if !id.is_full() {
            log.tail = bundle;
        }
    }
    if log.edge.root() != log.checkpoint.root {
        return Err(damaged("the entries do not lead to the stored root"));
    }
    for chunk in lost_rows.chunks(INDEX_CHUNK) {
        database.mend_index(chunk)?;
    }
    for (tile, bytes) in log.edge.partial_tiles() {
        files.remove_partials(&tile.full().path())?;
        files.write_tile(tile, &bytes)?;
    }
    // For a new log this stores its first checkpoint, before it is shown.
    if size == 0 {
        database.commit(&[], log.checkpoint.note(), 0)?;
    }
    files.write_checkpoint(log.checkpoint.note())?;
    Ok(log)
}

/// A public checkpoint that is ahead of the database means that the database is an old copy.
fn refuse_going_back(files: &Files, key: &NoteKey, stored: &Checkpoint) -> Result<(), OpenError> {
    let Some(bytes) = files.read("checkpoint")? else { return Ok(()) };
    let note = String::from_utf8_lossy(&bytes);
    // A file that a loss of power tore is no evidence of anything; it is written again below.
    let Ok(public) = Checkpoint::open(&note, key.verifier()) else { return Ok(()) };
    let same = public.size == stored.size;
    if public.size > stored.size || (same && public.root != stored.root) {
        return Err(OpenError::WentBack);
    }
    Ok(())
}

/// The entries of a bundle: from the database as long as it has them, else from the file, which was flushed before
/// the database dropped them.
fn read_entries(database: &Database, files: &Files, id: BundleId) -> Result<Vec<Vec<u8>>, OpenError> {
    let width = usize::from(id.width);
    let kept = database.tail_of(id.index, u64::from(id.width))?;
    if kept.len() == width {
        return Ok(kept);
    }
    for place in [id, id.full()] {
        if let Some(bytes) = files.read(&place.path())?
            && let Ok(entries) = place.entries(&bytes)
        {
            return Ok(entries.into_iter().take(width).map(<[u8]>::to_vec).collect());
        }
    }
    Err(damaged(&id.path()))
}

/// Takes one entry into the tree, the state and the index.
fn replay(
    log: &mut Repaired,
    bytes: &[u8],
    database: &Database,
    files: &Files,
    lost_rows: &mut Vec<(EntryHash, u64)>,
) -> Result<(), OpenError> {
    let index = log.edge.size();
    let entry = Entry::parse(bytes).map_err(|error| damaged(&format!("entry {index}: {error}")))?;
    log.state.apply(index, &entry).map_err(|error| damaged(&format!("entry {index}: {error}")))?;
    if database.index_of(&entry.hash())? != Some(index) {
        lost_rows.push((entry.hash(), index));
    }
    for (tile, expected) in log.edge.push(bytes) {
        files.remove_partials(&tile.path())?;
        if files.read(&tile.path())?.as_deref() != Some(&expected) {
            files.write_tile(tile, &expected)?;
        }
    }
    Ok(())
}

fn damaged(what: &str) -> OpenError {
    OpenError::Damaged(what.to_owned())
}
