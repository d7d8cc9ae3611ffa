//! The durable log of a biobank: one writer over a [`Store`], and everything that is read from it.
//!
//! A checkpoint is stored before it is shown, so the log never contradicts itself: what a crash cuts off after the
//! commit is derived again at the next start, and what it cuts off before was never acknowledged.

mod backup;
mod check;
mod embedded;
mod fail;
mod growth;
mod lookout;
mod migrate;
mod postgres;
mod read;
mod rekey;
mod remake;
mod sequencer;
mod store;
#[cfg(test)]
mod tests;

pub use backup::{BackupError, Known, backup, backup_after, held_size, restore};
pub use check::{Audit, CheckError, check, check_public};
pub use embedded::{Embedded, PruneError, prune, rebuild};
pub use fail::{FAIL_POINTS, Faults, REKEY_POINTS, SETTLE_POINTS, rekey_point};
pub use migrate::{MigrateError, migrate};
pub use postgres::Postgres;
pub use rekey::{
    Announced, RekeyError, announce, announce_institution, institution_key, named_key, sign_again, was_just_changed,
};
pub use remake::remake;
pub use store::{Head, Row, Store, StoreError, Tip, Turn, Write};

use ledger::{Checkpoint, Effect, Entry, EntryError, EntryHash, NoteKey, Rejected, SignedCheckpoint, VerifierKey};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::{broadcast, oneshot, watch};

/// Entries that may wait to be sequenced; beyond that the caller is told to come back.
const MAX_WAITING: usize = 4096;
/// Entries that a slow listener may be behind before it has to read from the log.
const MAX_UNHEARD: usize = 4096;
/// Entries whose signatures are checked by one task.
const CHECKED_AT_ONCE: usize = 64;

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
    /// The public checkpoint is newer than the journal: it was restored from an old copy. Going on would fork the log.
    #[error("the journal is older than the published checkpoint; `biobankd restore` tells how to go on")]
    WentBack,
    /// Entries are missing or changed, and there is no second copy to mend them from.
    #[error("the stored log is damaged: {0}")]
    Damaged(String),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(what) => Self::Damaged(what),
            error => Self::Store(error),
        }
    }
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
    /// The store failed. Nothing is appended until the log is opened again.
    #[error("the log can not be written")]
    Stopped,
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was read does not lead to the checkpoint.
    #[error("the stored log is damaged")]
    Damaged,
}

/// Where an entry lies. It is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its number.
    pub index: u64,
}

/// An entry that has just become durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequenced {
    /// Its number.
    pub index: u64,
    /// Its name.
    pub hash: EntryHash,
    /// What it brings about.
    pub effect: Effect,
}

/// An entry on its way to the sequencer.
struct Waiting {
    entry: Entry,
    reply: oneshot::Sender<Result<Appended, AppendError>>,
}

/// What the sequencer and the readers share.
struct Shared {
    store: Arc<dyn Store>,
    key: NoteKey,
    faults: Faults,
    /// The published checkpoint.
    shown: RwLock<SignedCheckpoint>,
    /// Its size, for those who wait for it.
    published: watch::Sender<u64>,
    /// The newest checkpoint, for who publishes in the sequencer's place. Nobody does while nobody listens.
    unpublished: watch::Sender<SignedCheckpoint>,
    stream: broadcast::Sender<Sequenced>,
    /// Set once, when the store fails.
    stopped: AtomicBool,
    closing: AtomicBool,
    sight: lookout::Sight,
}

impl Shared {
    fn shown(&self) -> SignedCheckpoint {
        // Nothing that holds the lock can leave it half changed, so a panic elsewhere does not matter here.
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hands a checkpoint to the publisher, or publishes it.
    fn show(&self, checkpoint: SignedCheckpoint) -> Result<(), StoreError> {
        self.queue(&checkpoint, |checkpoint, newest| checkpoint.size >= newest.size);
        if self.unpublished.receiver_count() > 0 { Ok(()) } else { self.publish(&checkpoint) }
    }

    /// Puts a checkpoint in the place of the newest one if it is newer in this sense.
    fn queue(&self, checkpoint: &SignedCheckpoint, is_newer: fn(&SignedCheckpoint, &SignedCheckpoint) -> bool) {
        self.unpublished.send_if_modified(|newest| {
            let newer = is_newer(checkpoint, newest);
            if newer {
                newest.clone_from(checkpoint);
            }
            newer
        });
    }

    fn publish(&self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        self.store.publish(checkpoint)?;
        self.take_notice(checkpoint);
        Ok(())
    }

    /// Readers see the checkpoint from now on, unless they have seen a newer one.
    fn take_notice(&self, checkpoint: &SignedCheckpoint) {
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        if checkpoint.size >= shown.size {
            *shown = checkpoint.clone();
        }
        let size = shown.size;
        drop(shown);
        self.published.send_if_modified(|published| std::mem::replace(published, size) != size);
    }

    /// Looks what other processes have published. Who publishes for this one hears of it too, and collects under it what
    /// the others could not.
    fn look(&self) -> Result<(), StoreError> {
        let Some(note) = self.store.published()? else { return Ok(()) };
        if note != self.shown().note() {
            let checkpoint = Checkpoint::open(&note, self.key.verifier())
                .map_err(|error| StoreError::Damaged(format!("the published checkpoint: {error}")))?;
            self.take_notice(&checkpoint);
            self.queue(&checkpoint, |checkpoint, newest| checkpoint.size > newest.size);
        }
        Ok(())
    }
}

/// The log of a biobank.
pub struct LogStore {
    shared: Arc<Shared>,
    queue: Option<SyncSender<Waiting>>,
    threads: Vec<JoinHandle<()>>,
}

impl LogStore {
    /// Opens the log in a folder, or makes an empty one.
    pub fn open(dir: &Path, key: NoteKey, origin: &str) -> Result<Self, OpenError> {
        Self::open_with(dir, key, origin, Faults::default())
    }

    /// Opens a log whose disk fails as a test wants it.
    pub fn open_with(dir: &Path, key: NoteKey, origin: &str, faults: Faults) -> Result<Self, OpenError> {
        if key.verifier().name() != origin {
            return Err(OpenError::KeyName);
        }
        let store = Embedded::open_with(dir, key.verifier(), &faults)?;
        Self::start(Arc::new(store), key, faults)
    }

    /// Opens a log over any store.
    pub fn over(store: Arc<dyn Store>, key: NoteKey) -> Result<Self, OpenError> {
        Self::start(store, key, Faults::default())
    }

    fn start(store: Arc<dyn Store>, key: NoteKey, faults: Faults) -> Result<Self, OpenError> {
        let head = sequencer::take_turn(store.as_ref(), &key)?;
        let newest = head.checkpoint.clone().ok_or_else(|| OpenError::Damaged("no checkpoint".into()))?;
        let shown = match store.published()? {
            Some(note) => Checkpoint::open(&note, key.verifier()).map_err(|_| OpenError::OtherLog)?,
            None => newest.clone(),
        };
        let shared = Arc::new(Shared {
            store,
            key,
            faults,
            published: watch::Sender::new(shown.size),
            shown: RwLock::new(shown),
            unpublished: watch::Sender::new(newest.clone()),
            stream: broadcast::Sender::new(MAX_UNHEARD),
            stopped: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            sight: lookout::Sight::default(),
        });
        // A crash may have come between the commit and the publishing, or have torn what was published.
        if shared.shown().size < newest.size || shared.store.published()?.is_none() {
            shared.publish(&newest)?;
        }
        let (queue, waiting) = std::sync::mpsc::sync_channel(MAX_WAITING);
        let sequencer = sequencer::Sequencer::new(shared.clone(), head);
        let name = |name: &str| std::thread::Builder::new().name(name.into());
        let mut threads = vec![name("sequencer").spawn(move || sequencer.run(&waiting))?];
        if shared.store.is_shared() {
            let shared = shared.clone();
            threads.push(name("log-lookout").spawn(move || lookout::look_out(&shared))?);
        }
        Ok(Self { shared, queue: Some(queue), threads })
    }

    /// Appends an entry, and answers when it is durable. Without a publisher it is covered by the published checkpoint
    /// then. The same entry twice has the same answer.
    pub async fn append(&self, entry: impl Into<Entry>) -> Result<Appended, AppendError> {
        self.submit(entry.into())?.await.unwrap_or(Err(AppendError::Stopped))
    }

    /// Appends entries in this order; each is judged alone.
    pub async fn append_many(&self, entries: Vec<Entry>) -> Vec<Result<Appended, AppendError>> {
        let waiting: Vec<_> = entries.into_iter().map(|entry| self.submit(entry)).collect();
        let mut answers = Vec::with_capacity(waiting.len());
        for answer in waiting {
            answers.push(match answer {
                Ok(answer) => answer.await.unwrap_or(Err(AppendError::Stopped)),
                Err(error) => Err(error),
            });
        }
        answers
    }

    fn submit(&self, entry: Entry) -> Result<oneshot::Receiver<Result<Appended, AppendError>>, AppendError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(AppendError::Stopped)?;
        queue.try_send(Waiting { entry, reply }).map_err(|error| match error {
            TrySendError::Full(_) => AppendError::Busy,
            TrySendError::Disconnected(_) => AppendError::Stopped,
        })?;
        Ok(answer)
    }

    /// Whether the store failed: then nothing is appended until the log is opened again.
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire) || self.shared.store.is_stopped()
    }

    /// Whether entries can be appended now: the store has not failed, and if others share it, it answers.
    pub fn is_ready(&self) -> bool {
        !self.is_stopped() && !self.shared.sight.is_lost()
    }

    /// Waits until a published checkpoint covers entry `index`. False if the log was closed before.
    pub async fn wait_published(&self, index: u64) -> bool {
        self.shared.published.subscribe().wait_for(|size| *size > index).await.is_ok()
    }

    /// The size of the published log, as it changes.
    pub fn watch_published(&self) -> watch::Receiver<u64> {
        self.shared.published.subscribe()
    }

    /// Entries from now on, as this process makes them durable. Who falls behind is told so, and reads what was missed
    /// from the log itself ([`LogStore::entries_from`]); so does who wants what other processes appended.
    pub fn subscribe(&self) -> broadcast::Receiver<Sequenced> {
        self.shared.stream.subscribe()
    }

    /// From now on the caller publishes: it hears of the newest checkpoint, collects what it wants under it, and calls
    /// [`LogStore::publish`]. When it drops the receiver the log publishes by itself again.
    pub fn take_over_publishing(&self) -> watch::Receiver<SignedCheckpoint> {
        self.shared.unpublished.subscribe()
    }

    /// Shows a checkpoint of this log to the public. Waits for the disk.
    pub fn publish(&self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        self.shared.publish(checkpoint)
    }

    /// The key that checks the checkpoints.
    pub fn verifier(&self) -> &VerifierKey {
        self.shared.key.verifier()
    }

    /// Where the log is stored.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }
}

impl Drop for LogStore {
    fn drop(&mut self) {
        // Closing the queue ends the sequencer after its batch; waiting for it frees the database for the next open.
        self.queue.take();
        self.shared.closing.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Reads entries and checks their signatures on threads that may be busy, many at a time.
///
/// Each signature is checked alone and strictly. Ed25519 can check many at once for half the price, but that check
/// takes some signatures, with parts of small order, that the strict one refuses: two readers of one log could differ.
pub async fn parse_entries(entries: Vec<Vec<u8>>) -> Vec<Result<Entry, EntryError>> {
    let mut tasks = Vec::new();
    let mut entries = entries.into_iter();
    loop {
        let part: Vec<Vec<u8>> = entries.by_ref().take(CHECKED_AT_ONCE).collect();
        if part.is_empty() {
            break;
        }
        let count = part.len();
        let check = move || part.iter().map(|bytes| Entry::parse(bytes)).collect::<Vec<_>>();
        tasks.push((count, tokio::task::spawn_blocking(check)));
    }
    let mut all = Vec::new();
    for (count, task) in tasks {
        // A task that was cut off has checked nothing.
        all.extend(task.await.unwrap_or_else(|_| vec![Err(EntryError::Signature); count]));
    }
    all
}
