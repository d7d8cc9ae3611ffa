//! The one writer of the log. It takes what waits, judges it, and makes it durable with one commit a batch.

use super::database::Row;
use super::fail::fail_point;
use super::files::bundle_of;
use super::{AppendError, Appended, Shared, Shown, Waiting};
use ledger::{
    Batch, BundleId, Checkpoint, EntryHash, Records as _, SignedCheckpoint, TILE_WIDTH, TileEdge, TileId,
    append_to_bundle, keys_of,
};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// The most entries in a batch.
const MAX_BATCH: usize = 1024;
/// How long the first entry of a batch waits for others.
const WINDOW: Duration = Duration::from_millis(20);

/// The disk or the database failed.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Database(#[from] Box<redb::Error>),
    #[error(transparent)]
    Tile(#[from] ledger::TileError),
    #[error(transparent)]
    Checkpoint(#[from] ledger::CheckpointError),
}

/// The writer.
pub(super) struct Sequencer {
    shared: Arc<Shared>,
    edge: TileEdge,
    /// The bytes of the unfinished bundle.
    tail: Vec<u8>,
}

/// A batch after it was judged.
struct Judged {
    /// Entries that get a number, in order, each with all who wait for it.
    accepted: Vec<Waiting>,
    /// Who sent an entry that is in the batch already, and its number.
    doubled: Vec<(Waiting, u64)>,
    batch: Batch,
}

/// What a batch makes of the log.
struct Next {
    checkpoint: SignedCheckpoint,
    edge: TileEdge,
    tail: Vec<u8>,
    tiles: Vec<(TileId, Vec<u8>)>,
    bundles: Vec<(BundleId, Vec<u8>)>,
}

impl Sequencer {
    pub(super) fn new(shared: Arc<Shared>, edge: TileEdge, tail: Vec<u8>) -> Self {
        Self { shared, edge, tail }
    }

    /// Works until the log is closed or the disk fails. After a failure what is on disk is unknown, so nothing is
    /// written until the next start has read it again.
    pub(super) fn run(mut self, waiting: &Receiver<Waiting>) {
        while let Some(batch) = collect(waiting) {
            if let Err(error) = self.write(batch) {
                tracing::error!(%error, "the log can not be written");
                // Read by whoever asks for the service's health; nothing else hangs on the order.
                self.shared.stopped.store(true, std::sync::atomic::Ordering::Release);
                return;
            }
        }
    }

    /// Judges, stores, publishes and answers. Those who wait hear `Stopped` when their end of the line is dropped.
    fn write(&mut self, batch: Vec<Waiting>) -> Result<(), WriteError> {
        let judged = self.judge(batch)?;
        fail_point("batch-judged");
        let first = self.edge.size();
        if !judged.accepted.is_empty() {
            let next = self.grow(&judged.accepted)?;
            let rows: Vec<Row<'_>> = judged
                .accepted
                .iter()
                .zip(first..)
                .map(|(waiting, index)| Row { index, hash: waiting.entry.hash(), bytes: waiting.entry.bytes() })
                .collect();
            // Bundles that were full before this batch are flushed: the database need not keep their entries.
            let flushed = bundle_of(first) * TILE_WIDTH;
            self.shared.database.commit(&rows, next.checkpoint.note(), flushed)?;
            fail_point("after-commit");
            self.publish(next, judged.batch)?;
        }
        fail_point("before-reply");
        let accepted = judged.accepted.into_iter().zip(first..);
        for (waiting, index) in accepted.chain(judged.doubled) {
            // Who no longer listens will ask again and get the same answer.
            let _ = waiting.reply.send(Ok(Appended { index }));
        }
        Ok(())
    }

    /// Answers at once what is known or against the rules; gives numbers to the rest.
    fn judge(&self, batch: Vec<Waiting>) -> Result<Judged, WriteError> {
        let shown = self.shared.shown.read().unwrap_or_else(PoisonError::into_inner);
        let keys = batch.iter().flat_map(|waiting| keys_of(&waiting.entry));
        let known = keys.map(|key| (key.clone(), shown.state.record(&key).cloned())).collect();
        let mut staged = Batch::new(self.edge.size(), shown.state.hash(), known);
        let (mut accepted, mut doubled) = (Vec::new(), Vec::new());
        let mut numbers: HashMap<EntryHash, u64> = HashMap::new();
        for waiting in batch {
            let hash = waiting.entry.hash();
            if let Some(index) = self.shared.database.index_of(&hash)? {
                let _ = waiting.reply.send(Ok(Appended { index }));
            } else if let Some(index) = numbers.get(&hash) {
                doubled.push((waiting, *index));
            } else {
                match staged.push(&waiting.entry) {
                    Ok((index, _)) => {
                        numbers.insert(hash, index);
                        accepted.push(waiting);
                    }
                    Err(rejected) => {
                        let _ = waiting.reply.send(Err(AppendError::Rejected(rejected)));
                    }
                }
            }
        }
        Ok(Judged { accepted, doubled, batch: staged })
    }

    /// The log with the batch at its end, all in memory.
    fn grow(&self, accepted: &[Waiting]) -> Result<Next, WriteError> {
        let (mut edge, mut tail) = (self.edge.clone(), self.tail.clone());
        let (mut tiles, mut bundles) = (Vec::new(), Vec::new());
        for waiting in accepted {
            tiles.extend(edge.push(waiting.entry.bytes()));
            append_to_bundle(&mut tail, waiting.entry.bytes())?;
            if edge.size() % TILE_WIDTH == 0 {
                let full = BundleId { index: bundle_of(edge.size() - 1), width: TILE_WIDTH as u16 };
                bundles.push((full, std::mem::take(&mut tail)));
            }
        }
        tiles.extend(edge.partial_tiles());
        if let Some(partial) = BundleId::in_tree(bundle_of(edge.size()), edge.size()) {
            bundles.push((partial, tail.clone()));
        }
        let origin = self.shared.key.verifier().name().to_owned();
        let checkpoint = Checkpoint { origin, size: edge.size(), root: edge.root() }.sign(&self.shared.key)?;
        Ok(Next { checkpoint, edge, tail, tiles, bundles })
    }

    /// Writes the public files, the checkpoint last, and then lets readers see it.
    fn publish(&mut self, next: Next, batch: Batch) -> Result<(), WriteError> {
        for (id, bytes) in &next.bundles {
            self.shared.files.write_bundle(*id, bytes)?;
        }
        for (id, bytes) in &next.tiles {
            self.shared.files.write_tile(*id, bytes)?;
        }
        self.shared.files.write_checkpoint(next.checkpoint.note())?;
        fail_point("after-checkpoint");
        let mut shown = self.shared.shown.write().unwrap_or_else(PoisonError::into_inner);
        let Shown { checkpoint, state } = &mut *shown;
        *checkpoint = next.checkpoint;
        state.keep(batch);
        drop(shown);
        (self.edge, self.tail) = (next.edge, next.tail);
        Ok(())
    }
}

/// The next batch; none when the log is closed and nothing waits.
fn collect(waiting: &Receiver<Waiting>) -> Option<Vec<Waiting>> {
    let mut batch = vec![waiting.recv().ok()?];
    let end = Instant::now() + WINDOW;
    while batch.len() < MAX_BATCH {
        match waiting.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(next) => batch.push(next),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Some(batch)
}
