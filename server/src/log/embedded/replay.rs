//! Entries that are stored already, read and judged once more.

use super::files::Files;
use super::journal::Journal;
use super::views::{Generation, Views};
use super::{bundle_of, damaged, failed};
use crate::log::store::StoreError;
use ledger::{Batch, BundleId, Entry, EntryError, Hash, Key, Record, TILE_WIDTH, keys_of};
use std::collections::BTreeMap;

/// As many entries as a crash can leave behind the index stay in memory, so that the start does not wait for its flushes.
const NEAR: u64 = 2 * super::MOST_RECENT + 4096;
/// More than that are replayed in chunks of so many.
const CHUNK: u64 = 32_768;

/// Reads entries and checks their signatures, on all cores. The error names the first bad one by its place.
pub(in crate::log) fn parse_all(entries: &[Vec<u8>]) -> Result<Vec<Entry>, (usize, EntryError)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = entries.len().div_ceil(threads).max(64);
    let read = |(place, bytes): (usize, &Vec<u8>)| Entry::parse(bytes).map_err(|error| (place, error));
    if entries.len() <= part {
        return entries.iter().enumerate().map(read).collect();
    }
    std::thread::scope(|scope| {
        let parts: Vec<_> = entries
            .chunks(part)
            .zip((0..).step_by(part))
            .map(|(chunk, first)| {
                scope.spawn(move || {
                    let numbered = chunk.iter().enumerate().map(|(place, bytes)| (first + place, bytes));
                    numbered.map(read).collect::<Result<Vec<_>, _>>()
                })
            })
            .collect();
        let mut all = Vec::with_capacity(entries.len());
        for part in parts {
            // A thread that panics says as little as a bad entry, and must not take this one with it.
            all.extend(part.join().unwrap_or(Err((0, EntryError::Content)))?);
        }
        Ok(all)
    })
}

/// What these entries change, from number `first` on.
fn judge(
    first: u64,
    state: Hash,
    entries: &[Entry],
    known: BTreeMap<Key, Option<Record>>,
) -> Result<Batch, StoreError> {
    let mut batch = Batch::new(first, state, known);
    for entry in entries {
        batch.push(entry).map_err(|error| damaged(&format!("an entry from {first} on: {error}")))?;
    }
    Ok(batch)
}

/// Every key that the rules read for these entries.
fn keys_of_all(entries: &[Entry]) -> Vec<Key> {
    let mut keys: Vec<Key> = entries.iter().flat_map(keys_of).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Brings the index up to `size` entries, but for the last few, which are given back. `state` is the state hash that
/// must come out, if it is known.
pub(super) fn catch_up(
    views: &Views,
    journal: &Journal,
    files: &Files,
    size: u64,
    state: Option<Hash>,
) -> Result<Generation, StoreError> {
    let (mut made, mut reached) = views.made()?;
    if made > size {
        return Err(damaged("the index is ahead of the log"));
    }
    loop {
        let left = size - made;
        let count = if left > NEAR { left.min(CHUNK) } else { left };
        let entries = read(journal, files, made, made + count, size)?;
        let entries = parse_all(&entries)
            .map_err(|(place, error)| damaged(&format!("entry {}: {error}", made + place as u64)))?;
        let generation = apply(views, made, reached, &entries)?;
        if left <= NEAR {
            return match state {
                Some(state) if size > 0 && state != generation.state => Err(damaged("the state hash is another")),
                _ => Ok(generation),
            };
        }
        views.keep(&generation)?;
        (made, reached) = (generation.end, generation.state);
    }
}

/// What entries change beyond what the views hold.
pub(in crate::log) fn apply(
    views: &Views,
    first: u64,
    state: Hash,
    entries: &[Entry],
) -> Result<Generation, StoreError> {
    let keys = keys_of_all(entries);
    let known = views.read()?.records(&keys.iter().collect::<Vec<_>>())?;
    let batch = judge(first, state, entries, keys.into_iter().zip(known).collect())?;
    let index = entries.iter().map(ledger::Entry::hash).zip(first..).collect();
    Ok(Generation {
        first,
        end: first + entries.len() as u64,
        state: batch.hash(),
        index,
        records: batch.into_changes(),
    })
}

/// The entries from one number up to another of a log with `size` entries.
fn read(journal: &Journal, files: &Files, from: u64, to: u64, size: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut entries = Vec::new();
    for number in bundle_of(from)..to.div_ceil(TILE_WIDTH) {
        let id = BundleId::in_tree(number, size).ok_or_else(|| damaged("size"))?;
        let mut bundle = journal.bundle(number, u64::from(id.width))?;
        if bundle.len() != usize::from(id.width) {
            let bytes = files.read_bundle(id, size).map_err(failed)?.ok_or_else(|| damaged(&id.path()))?;
            let read = id.entries(&bytes).map_err(|_| damaged(&id.path()))?;
            bundle = read.into_iter().map(<[u8]>::to_vec).collect();
        }
        let first = number * TILE_WIDTH;
        let wanted = (first..).zip(bundle).filter(|(index, _)| (from..to).contains(index));
        entries.extend(wanted.map(|(_, bytes)| bytes));
    }
    Ok(entries)
}
