//! A log moves from one store to another: it is replayed, and root and state hash are compared.

use super::embedded::parse_all;
use super::growth::Growth;
use super::store::{Row, Store, StoreError, Tip, Write};
use ledger::{Batch, BundleId, Checkpoint, NoteKey, SignedCheckpoint, TILE_WIDTH, keys_of};

/// Bundles that are replayed at once: 1,024 entries.
const BUNDLES: u64 = 4;

/// Why a log can not be moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to move.
    #[error("there is no log to move")]
    NoLog,
    /// Entries that were pruned can not be replayed.
    #[error("the log is pruned before entry {0}, so it can not be replayed")]
    Pruned(u64),
    /// There is another log at the other end, or a longer one.
    #[error("the store that is written to holds another log, or more of this one")]
    OtherLog,
    /// The replay did not lead to where the log stands.
    #[error("the replay leads to another {0}: the log that was written must not be used")]
    Differs(&'static str),
}

/// Copies a log. What is at the other end already, perhaps from a copy that was cut off, is compared and kept. Both
/// logs end with the same checkpoint, so nothing may write to `from` meanwhile. `told` hears how far it came.
pub fn migrate(
    from: &dyn Store,
    to: &dyn Store,
    key: &NoteKey,
    mut told: impl FnMut(u64, u64),
) -> Result<Tip, MigrateError> {
    let end = from.tip()?.ok_or(MigrateError::NoLog)?;
    let minimum = from.minimum()?;
    if minimum > 0 {
        return Err(MigrateError::Pruned(minimum));
    }
    let size = end.turn.size;
    let mut head = to.take_turn()?;
    compare_begin(from, &head.checkpoint, size)?;
    if head.checkpoint.is_none() {
        // The first checkpoint of a log covers nothing. It is made again here, byte for byte.
        let origin = end.checkpoint.origin.clone();
        let first = Checkpoint { origin, size: 0, root: ledger::Hash::empty_root() };
        let first = first.sign(key).map_err(|_| MigrateError::Differs("key"))?;
        let write = Write {
            rows: &[],
            records: &Default::default(),
            state: head.state,
            checkpoint: &first,
            tiles: &[],
            bundles: &[],
        };
        head.turn = to.commit(head.turn, &write)?;
    }
    while head.turn.size < size {
        let done = head.turn.size;
        let entries = read(from, done, size)?;
        let entries = parse_all(&entries)
            .map_err(|(place, error)| StoreError::Damaged(format!("entry {}: {error}", done + place as u64)))?;
        let mut keys: Vec<_> = entries.iter().flat_map(keys_of).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut batch = Batch::new(done, head.state, to.records(&keys)?);
        for entry in &entries {
            batch.push(entry).map_err(|error| StoreError::Damaged(format!("an entry from {done} on: {error}")))?;
        }
        let growth = Growth::of(&head, entries.iter()).map_err(|error| StoreError::Damaged(error.to_string()))?;
        let state = batch.hash();
        // The last one is the log's own, so that both end in the same bytes; those before are never shown.
        let checkpoint = if growth.edge.size() == size {
            if growth.edge.root() != end.checkpoint.root {
                return Err(MigrateError::Differs("root"));
            }
            if state != end.state {
                return Err(MigrateError::Differs("state hash"));
            }
            end.checkpoint.clone()
        } else {
            growth.sign(key).map_err(|_| MigrateError::Differs("key"))?
        };
        let rows: Vec<Row<'_>> = entries
            .iter()
            .zip(done..)
            .map(|(entry, index)| Row { index, hash: entry.hash(), bytes: entry.bytes() })
            .collect();
        let records = batch.into_changes();
        let (tiles, bundles) = (&growth.tiles, &growth.bundles);
        let write = Write { rows: &rows, records: &records, state, checkpoint: &checkpoint, tiles, bundles };
        head.turn = to.commit(head.turn, &write)?;
        (head.checkpoint, head.state, head.edge, head.tail) = (Some(checkpoint), state, growth.edge, growth.tail);
        told(head.turn.size, size);
    }
    if let Some(note) = from.published()? {
        let shown = Checkpoint::open(&note, key.verifier()).map_err(|_| MigrateError::Differs("key"))?;
        to.publish(&shown)?;
    }
    let tip = to.tip()?.ok_or(MigrateError::NoLog)?;
    if tip.checkpoint.root != end.checkpoint.root {
        return Err(MigrateError::Differs("root"));
    }
    if tip.state != end.state {
        return Err(MigrateError::Differs("state hash"));
    }
    Ok(tip)
}

/// What is at the other end must be the beginning of the same log.
fn compare_begin(from: &dyn Store, there: &Option<SignedCheckpoint>, size: u64) -> Result<(), MigrateError> {
    let Some(there) = there.as_ref().filter(|there| there.size > 0) else { return Ok(()) };
    if there.size > size {
        return Err(MigrateError::OtherLog);
    }
    let read = |id| from.tile(id)?.ok_or_else(|| StoreError::Damaged("a tile is missing".into()));
    match ledger::roots_from_tiles(there.size, size, read) {
        Ok((old, _)) if old == there.root => Ok(()),
        Ok(_) => Err(MigrateError::OtherLog),
        Err(ledger::ProveError::Read(error)) => Err(error.into()),
        Err(error) => Err(StoreError::Damaged(error.to_string()).into()),
    }
}

fn read(from: &dyn Store, done: u64, size: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut entries = Vec::new();
    let first = done / TILE_WIDTH;
    for number in first..(first + BUNDLES).min(size.div_ceil(TILE_WIDTH)) {
        let Some(id) = BundleId::in_tree(number, size) else { break };
        let bytes = from.bundle(id)?.ok_or_else(|| StoreError::Damaged(id.path()))?;
        let bundle = id.entries(&bytes).map_err(|_| StoreError::Damaged(id.path()))?;
        let numbered = (number * TILE_WIDTH..).zip(bundle).filter(|(index, _)| *index >= done);
        entries.extend(numbered.map(|(_, entry)| entry.to_vec()));
    }
    Ok(entries)
}
