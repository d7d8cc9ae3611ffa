//! The log of one machine, in one folder.
//!
//! | what | where | written |
//! |---|---|---|
//! | entries that are not yet in flushed bundles, checkpoint, state hash, turn | `log.redb` | one commit and one flush a batch: the moment of durability |
//! | tiles and bundles, checkpoint | `public/` | after the commit, not flushed; full ones are flushed in the background |
//! | number of each entry by its hash, records of the state | `index.redb` | in the background, from what is in memory |
//!
//! The journal keeps an entry until its bundle is flushed, so whatever a crash cut off behind the commit is written
//! again at the next start, and what it cut off before was never acknowledged. Neither the log nor the state is in
//! memory, and no start reads them: it reads the journal, a few tiles and the end of the index.

mod background;
mod disk;
mod files;
mod journal;
mod open;
mod replay;
mod tend;
mod views;

pub(super) use open::{BASE, PUBLIC};
pub(super) use replay::{apply, parse_all};
pub(super) use tend::found;
pub use tend::{PruneError, prune, rebuild};
pub(super) use views::Views;

use super::fail::Faults;
use super::store::{Head, Store, StoreError, Tip, Turn, Write};
use background::Background;
use files::Files;
use journal::Journal;
use ledger::{BundleId, EntryHash, Key, Record, SignedCheckpoint, TILE_WIDTH, TileEdge, TileId};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use views::{Generation, Seen};

/// Entries whose index and records may be in memory before the writer waits for the disk to catch up.
const MOST_RECENT: u64 = 8192;

/// The log in a folder.
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    background: Option<Background>,
}

/// What the writer, the readers and the background share.
#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    faults: Faults,
    journal: Journal,
    files: Files,
    views: Views,
    /// One writer at a time.
    writer: Mutex<()>,
    /// One at a time brings things to where they belong.
    keeper: Mutex<()>,
    recent: RwLock<Recent>,
    /// Wakes the writer when the background has taken something over, and the background when there is work.
    moved: Condvar,
    pulse: Mutex<()>,
    /// Entries below lie in flushed bundles.
    flushed: AtomicU64,
    minimum: AtomicU64,
    /// Set once, when something failed: nothing is written until the folder is opened again.
    broken: AtomicBool,
}

/// The end of the log, in memory.
#[derive(Debug)]
struct Recent {
    tip: Option<Tip>,
    published: Option<SignedCheckpoint>,
    /// What the background is writing to the index.
    frozen: Option<Arc<Generation>>,
    /// What came since.
    active: Generation,
}

/// Poisoned locks are taken as they are: nothing that holds one can leave it half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}

impl Shared {
    fn recent(&self) -> RwLockReadGuard<'_, Recent> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Recent) -> T) -> T {
        change(&mut self.recent.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The memory and the disk of one moment: what the background takes over in between is in both, and is the same.
    fn snapshot<T>(&self, read: impl FnOnce(&Recent) -> T) -> Result<(T, Seen), StoreError> {
        let recent = self.recent();
        Ok((read(&recent), self.views.read()?))
    }

    fn size(&self) -> u64 {
        self.recent().tip.as_ref().map_or(0, |tip| tip.turn.size)
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    fn break_down(&self, error: &StoreError) {
        tracing::error!(%error, "the log can not be written");
        self.broken.store(true, Ordering::Release);
        let _pulse = lock(&self.pulse);
        self.moved.notify_all();
    }
}

impl Recent {
    /// A record that is in memory: the newest first.
    fn record(&self, key: &Key) -> Option<&Record> {
        let older = || self.frozen.as_ref().and_then(|frozen| frozen.records.get(key));
        self.active.records.get(key).or_else(older)
    }

    fn index(&self, hash: &EntryHash) -> Option<u64> {
        let older = || self.frozen.as_ref().and_then(|frozen| frozen.index.get(hash));
        self.active.index.get(hash).or_else(older).copied()
    }

    fn generations(&self) -> impl Iterator<Item = &Generation> {
        self.frozen.as_deref().into_iter().chain([&self.active])
    }
}

impl Embedded {
    /// The folder of the log.
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// The copy of the index from which a pruned log is judged, if this one is pruned.
    pub fn base(&self) -> Option<PathBuf> {
        (self.shared.minimum.load(Ordering::Acquire) > 0).then(|| self.shared.dir.join(BASE))
    }

    /// Writes everything that is in memory or not flushed to where it belongs, and waits for it.
    pub fn settle(&self) -> Result<(), StoreError> {
        background::settle(&self.shared)
    }

    /// Waits until not too much is in memory.
    fn wait_for_room(&self) -> Result<(), StoreError> {
        let mut pulse = lock(&self.shared.pulse);
        while self.shared.recent().active.len() >= MOST_RECENT {
            if self.shared.is_broken() {
                return Err(failed("the index can not be written"));
            }
            self.shared.moved.notify_all();
            pulse = self.shared.moved.wait(pulse).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    fn write_public(&self, write: &Write<'_>) -> std::io::Result<()> {
        for (id, bytes) in write.bundles {
            self.shared.files.write_bundle(*id, bytes)?;
        }
        for (id, bytes) in write.tiles {
            self.shared.files.write_tile(*id, bytes)?;
        }
        Ok(())
    }
}

impl Store for Embedded {
    fn take_turn(&self) -> Result<Head, StoreError> {
        let _writer = lock(&self.shared.writer);
        if self.shared.is_broken() {
            return Err(failed("it failed before; a new start repairs it"));
        }
        let epoch = self.shared.journal.take_turn()?;
        let tip = self.shared.change(|recent| {
            if let Some(tip) = &mut recent.tip {
                tip.turn.epoch = epoch;
            }
            recent.tip.clone()
        });
        let Some(Tip { turn, checkpoint, state }) = tip else {
            let (turn, state) = (Turn { size: 0, epoch }, ledger::empty_state_hash());
            return Ok(Head { turn, checkpoint: None, state, edge: TileEdge::new(), tail: Vec::new() });
        };
        let (edge, tail) = open::edge(&self.shared.journal, &self.shared.files, turn.size, |_, _| Ok(()))?;
        if edge.root() != checkpoint.root {
            return Err(damaged("the tiles do not lead to the checkpoint"));
        }
        Ok(Head { turn, checkpoint: Some(checkpoint), state, edge, tail })
    }

    fn commit(&self, turn: Turn, write: &Write<'_>) -> Result<Turn, StoreError> {
        let shared = &self.shared;
        let _writer = lock(&shared.writer);
        if shared.is_broken() {
            return Err(failed("it failed before; a new start repairs it"));
        }
        self.wait_for_room()?;
        if shared.size() != turn.size {
            return Err(StoreError::NotYourTurn);
        }
        let flushed = shared.flushed.load(Ordering::Acquire);
        let done = shared
            .journal
            .commit(turn, write.rows, write.state, write.checkpoint.note(), flushed)
            .and_then(|()| self.write_public(write).map_err(failed));
        match done {
            Err(StoreError::NotYourTurn) => return Err(StoreError::NotYourTurn),
            // What is on disk is unknown now, so nothing is written until the next start has read it again.
            Err(error) => {
                shared.break_down(&error);
                return Err(error);
            }
            Ok(()) => {}
        }
        let next = Turn { size: turn.size + write.rows.len() as u64, ..turn };
        shared.change(|recent| {
            recent.tip = Some(Tip { turn: next, checkpoint: write.checkpoint.clone(), state: write.state });
            let active = &mut recent.active;
            active.index.extend(write.rows.iter().map(|row| (row.hash, row.index)));
            active.records.extend(write.records.iter().map(|(key, record)| (key.clone(), record.clone())));
            (active.end, active.state) = (next.size, write.state);
        });
        let _pulse = lock(&shared.pulse);
        shared.moved.notify_all();
        Ok(next)
    }

    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        Ok(self.shared.recent().tip.clone())
    }

    fn published(&self) -> Result<Option<String>, StoreError> {
        Ok(self.shared.recent().published.as_ref().map(|shown| shown.note().to_owned()))
    }

    fn publish(&self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        // Held over the file as well, so that two publishers can not leave the older note behind.
        let _writer = lock(&self.shared.writer);
        let shown = self.shared.recent().published.as_ref().map_or(0, |shown| shown.size);
        if checkpoint.size < shown {
            return Ok(());
        }
        if checkpoint.size > self.shared.size() {
            return Err(failed("a checkpoint beyond the log"));
        }
        if let Err(error) = self.shared.files.write_checkpoint(checkpoint.note()).map_err(failed) {
            self.shared.break_down(&error);
            return Err(error);
        }
        self.shared.change(|recent| recent.published = Some(checkpoint.clone()));
        Ok(())
    }

    fn records(&self, keys: &[Key]) -> Result<BTreeMap<Key, Option<Record>>, StoreError> {
        let (mut found, seen) = self.shared.snapshot(|recent| {
            let found = keys.iter().map(|key| (key.clone(), recent.record(key).cloned()));
            found.collect::<BTreeMap<_, _>>()
        })?;
        let missing: Vec<Key> = found.iter().filter(|(_, it)| it.is_none()).map(|(key, _)| key.clone()).collect();
        let stored = seen.records(&missing.iter().collect::<Vec<_>>())?;
        found.extend(missing.into_iter().zip(stored));
        Ok(found)
    }

    fn records_from(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
        let start = Key::from_stored(prefix);
        let (recent, seen) = self.shared.snapshot(|recent| {
            let mut found = BTreeMap::new();
            for generation in recent.generations() {
                let inside = generation.records.range(start.clone()..);
                let inside = inside.take_while(|(key, _)| key.as_str().starts_with(prefix));
                let inside = inside.filter(|(key, _)| after.is_none_or(|after| after < *key)).take(limit);
                found.extend(inside.map(|(key, record)| (key.clone(), record.clone())));
            }
            found
        })?;
        let mut found: BTreeMap<Key, Record> = seen.records_from(prefix, after, limit)?.into_iter().collect();
        found.extend(recent);
        Ok(found.into_iter().take(limit).collect())
    }

    fn indices(&self, hashes: &[EntryHash]) -> Result<HashMap<EntryHash, u64>, StoreError> {
        let (mut found, seen) = self.shared.snapshot(|recent| {
            let found = hashes.iter().filter_map(|hash| Some((*hash, recent.index(hash)?)));
            found.collect::<HashMap<_, _>>()
        })?;
        let stored = seen.indices(hashes.iter().filter(|hash| !found.contains_key(hash)))?;
        found.extend(stored);
        Ok(found)
    }

    fn count_indices(&self) -> Result<u64, StoreError> {
        let (numbers, seen) = self.shared.snapshot(|recent| {
            let numbers = recent.generations().flat_map(|generation| generation.index.values().copied());
            numbers.collect::<Vec<_>>()
        })?;
        let made = seen.made()?.0;
        Ok(seen.count_indices()? + numbers.into_iter().filter(|number| *number >= made).count() as u64)
    }

    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, StoreError> {
        let size = self.shared.size();
        let there = TileId::in_tree(id.level, id.index, size).is_some_and(|there| there.width >= id.width);
        if there && !id.is_pruned(self.minimum()?) {
            self.shared.files.read_tile(id, size).map_err(failed)
        } else {
            Ok(None)
        }
    }

    fn bundle(&self, id: BundleId) -> Result<Option<Vec<u8>>, StoreError> {
        let size = self.shared.size();
        let there = BundleId::in_tree(id.index, size).is_some_and(|there| there.width >= id.width);
        if there && !id.is_pruned(self.minimum()?) {
            self.shared.files.read_bundle(id, size).map_err(failed)
        } else {
            Ok(None)
        }
    }

    fn retire(&self) -> Result<(), StoreError> {
        open::retire(&self.shared.dir).map_err(failed)
    }

    fn is_stopped(&self) -> bool {
        self.shared.is_broken()
    }

    fn minimum(&self) -> Result<u64, StoreError> {
        Ok(self.shared.minimum.load(Ordering::Acquire))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(background) = self.background.take() {
            background.end();
        }
        // So that the next start has nothing to do. If it fails the start does it.
        if !self.shared.is_broken()
            && let Err(error) = self.settle()
        {
            tracing::warn!(%error, "the log was not settled as it was closed");
        }
    }
}

/// The number of the bundle that entry `index` lies in.
fn bundle_of(index: u64) -> u64 {
    index / TILE_WIDTH
}
