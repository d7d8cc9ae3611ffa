//! The durable log of a biobank.
//!
//! | what | where | written |
//! |---|---|---|
//! | entries of unfinished bundles, index, checkpoint | `log.redb` | one commit a batch: the moment of durability |
//! | full tiles and bundles | `public/tile/` | once, flushed, never changed |
//! | partial tiles and bundles, checkpoint | `public/` | after the commit; not flushed, written again at each start |
//!
//! A checkpoint is stored before it is shown, so the log never contradicts itself: what a crash cuts off after the
//! commit is derived again at the next start, and what it cuts off before was never acknowledged.

mod database;
mod fail;
mod files;
mod repair;
mod sequencer;
#[cfg(test)]
mod tests;

pub use fail::{FAIL_POINTS, fail_point};

use database::Database;
use files::Files;
use ledger::{
    BundleId, Entry, EntryHash, NoteKey, ProveError, Receipt, Rejected, SignedCheckpoint, State, TileId, VerifierKey,
    inclusion_proof, verify_inclusion,
};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Entries that may wait to be sequenced; beyond that the caller is told to come back.
const MAX_WAITING: usize = 4096;

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file could not be used.
    #[error("a file of the log can not be used: {0}")]
    Io(#[from] std::io::Error),
    /// The database could not be used, for instance because another process holds it.
    #[error("the database of the log can not be used: {0}")]
    Database(#[from] Box<redb::Error>),
    /// The key has another name than the log.
    #[error("the note key has another name than the log")]
    KeyName,
    /// What is stored was signed by another key or for another name.
    #[error("the stored log belongs to another key or name")]
    OtherLog,
    /// The public checkpoint is newer than the database: it was restored from an old copy. Going on would fork the log.
    #[error("the database is older than the published checkpoint")]
    WentBack,
    /// Entries are missing or changed, and there is no second copy to mend them from.
    #[error("the stored log is damaged: {0}")]
    Damaged(String),
}

/// Why an entry was not appended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The rules refuse it.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// Too many entries wait.
    #[error("too many entries wait to be appended")]
    Busy,
    /// The disk failed. Nothing is appended until the log is opened again.
    #[error("the log can not be written")]
    Stopped,
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A file could not be read.
    #[error("a file of the log can not be read: {0}")]
    Io(#[from] std::io::Error),
    /// The database could not be read.
    #[error("the database of the log can not be read: {0}")]
    Database(#[from] Box<redb::Error>),
    /// What was read does not lead to the checkpoint.
    #[error("the stored log is damaged")]
    Damaged,
}

/// Where an entry lies. It is durable and covered by a published checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its number.
    pub index: u64,
}

/// An entry on its way to the sequencer.
struct Waiting {
    entry: Entry,
    reply: oneshot::Sender<Result<Appended, AppendError>>,
}

/// What readers see; it changes in one step.
struct Shown {
    checkpoint: SignedCheckpoint,
    state: State,
}

/// What the sequencer and the readers share.
struct Shared {
    database: Database,
    files: Files,
    key: NoteKey,
    shown: RwLock<Shown>,
    /// Set once, when the disk fails.
    stopped: AtomicBool,
}

impl Shared {
    fn read_shown<T>(&self, read: impl FnOnce(&Shown) -> T) -> T {
        // Nothing that holds the lock can leave it half changed, so a panic elsewhere does not matter here.
        read(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The log of a biobank on disk.
pub struct LogStore {
    shared: Arc<Shared>,
    queue: Option<SyncSender<Waiting>>,
    sequencer: Option<JoinHandle<()>>,
}

impl LogStore {
    /// Opens the log in a folder, or makes an empty one. Everything is read again and mended where a crash cut it off.
    pub fn open(dir: &Path, key: NoteKey, origin: &str) -> Result<Self, OpenError> {
        if key.verifier().name() != origin {
            return Err(OpenError::KeyName);
        }
        std::fs::create_dir_all(dir)?;
        let database = Database::open(&dir.join("log.redb"))?;
        let files = Files::open(&dir.join("public"))?;
        files::sync_folder(dir)?;
        let repaired = repair::repair(&database, &files, &key)?;
        let shown = RwLock::new(Shown { checkpoint: repaired.checkpoint, state: repaired.state });
        let shared = Arc::new(Shared { database, files, key, shown, stopped: AtomicBool::new(false) });
        let (queue, waiting) = std::sync::mpsc::sync_channel(MAX_WAITING);
        let sequencer = sequencer::Sequencer::new(Arc::clone(&shared), repaired.edge, repaired.tail);
        let sequencer = std::thread::Builder::new().name("sequencer".into()).spawn(move || sequencer.run(&waiting))?;
        Ok(Self { shared, queue: Some(queue), sequencer: Some(sequencer) })
    }

    /// Appends an entry, and answers when it is durable and covered by a published checkpoint. The same entry twice
    /// has the same answer.
    pub async fn append(&self, entry: impl Into<Entry>) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(AppendError::Stopped)?;
        queue.try_send(Waiting { entry: entry.into(), reply }).map_err(|error| match error {
            TrySendError::Full(_) => AppendError::Busy,
            TrySendError::Disconnected(_) => AppendError::Stopped,
        })?;
        answer.await.unwrap_or(Err(AppendError::Stopped))
    }

    /// Whether the disk failed: then nothing is appended until the log is opened again.
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire)
    }

    /// The published checkpoint, as its note.
    pub fn checkpoint(&self) -> String {
        self.shared.read_shown(|shown| shown.checkpoint.note().to_owned())
    }

    /// The published checkpoint.
    pub fn signed_checkpoint(&self) -> SignedCheckpoint {
        self.shared.read_shown(|shown| shown.checkpoint.clone())
    }

    /// The key that checks the checkpoints.
    pub fn verifier(&self) -> &VerifierKey {
        self.shared.key.verifier()
    }

    /// Reads the state that belongs to the published checkpoint.
    pub fn read_state<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        self.shared.read_shown(|shown| read(&shown.state))
    }

    /// The tile or bundle at a path like `tile/0/000.p/7`; none if there is no such path below the checkpoint.
    pub fn read_tile(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let size = self.shared.read_shown(|shown| shown.checkpoint.size);
        // Only paths that are read as an address get near the disk, and nothing beyond the checkpoint is shown.
        if let Ok(id) = BundleId::parse(path) {
            let there = BundleId::in_tree(id.index, size).is_some_and(|there| there.width >= id.width);
            return if there { Ok(self.shared.files.read_bundle(id, size)?) } else { Ok(None) };
        }
        let Ok(id) = TileId::parse(path) else { return Ok(None) };
        let there = TileId::in_tree(id.level, id.index, size).is_some_and(|there| there.width >= id.width);
        if there { Ok(self.shared.files.read_tile(id, size)?) } else { Ok(None) }
    }

    /// The receipt of an entry (C2SP tlog-proof) under the published checkpoint; none if the log does not hold it.
    pub fn receipt(&self, hash: &EntryHash) -> Result<Option<String>, ReadError> {
        let checkpoint = self.signed_checkpoint();
        let Some(index) = self.shared.database.index_of(hash)?.filter(|index| *index < checkpoint.size) else {
            return Ok(None);
        };
        let read = |id: TileId| self.shared.files.read_tile(id, checkpoint.size)?.ok_or(ReadError::Damaged);
        let path = inclusion_proof(index, checkpoint.size, read).map_err(|error| match error {
            ProveError::Read(error) => error,
            _ => ReadError::Damaged,
        })?;
        // What can not be shown must not be handed out either.
        verify_inclusion(index, checkpoint.size, hash.leaf(), &path, checkpoint.root)
            .map_err(|_| ReadError::Damaged)?;
        Ok(Some(Receipt { extra: None, index, path, checkpoint: checkpoint.note().to_owned() }.to_string()))
    }
}

impl Drop for LogStore {
    fn drop(&mut self) {
        // Closing the queue ends the sequencer after its batch; waiting for it frees the database for the next open.
        self.queue.take();
        if let Some(sequencer) = self.sequencer.take() {
            let _ = sequencer.join();
        }
    }
}
