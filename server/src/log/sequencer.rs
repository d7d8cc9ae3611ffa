//! The one writer of the log. It takes what waits, judges it, and makes it durable with one commit a batch.
//!
//! It waits for nobody to join a batch: while a batch is being flushed the next one gathers by itself, and an entry
//! that comes alone goes alone.

use super::growth::{Growth, GrowthError};
use super::store::{Head, Row, Store, StoreError, Turn, Write};
use super::{AppendError, Appended, OpenError, Sequenced, Shared, Waiting};
use ledger::{Batch, Checkpoint, Effect, EntryHash, Hash, NoteKey};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// The most entries in a batch.
const MAX_BATCH: usize = 1024;
/// How long the writer waits before it tries to reach its store again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often it tries, which is about half a minute. Those who wait have given up long before.
const TRIES: u32 = 35;

/// Why the writer stops.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Growth(#[from] GrowthError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The writer.
pub(super) struct Sequencer {
    shared: Arc<Shared>,
    head: Head,
}

/// What becomes of an entry.
enum Verdict {
    /// It was in the log.
    Known(u64),
    /// It gets this number.
    New(u64),
    /// The rules refuse it.
    Refused(ledger::Rejected),
}

/// A batch after it was judged.
struct Judged {
    verdicts: Vec<Verdict>,
    effects: Vec<Effect>,
    batch: Batch,
}

/// Becomes the writer, and gives an empty log its first checkpoint.
pub(super) fn take_turn(store: &dyn Store, key: &NoteKey) -> Result<Head, OpenError> {
    loop {
        let mut head = retry(|| store.take_turn())?;
        if head.checkpoint.is_some() {
            return Ok(head);
        }
        let origin = key.verifier().name().to_owned();
        let first = Checkpoint { origin, size: 0, root: Hash::empty_root() };
        let checkpoint = first.sign(key).map_err(|_| OpenError::KeyName)?;
        let (records, state) = (BTreeMap::new(), head.state);
        let write = Write { rows: &[], records: &records, state, checkpoint: &checkpoint, tiles: &[], bundles: &[] };
        match store.commit(head.turn, &write) {
            Ok(turn) => {
                (head.turn, head.checkpoint) = (turn, Some(checkpoint));
                return Ok(head);
            }
            // Another process has founded the log in the meantime, or this one has and was not told.
            Err(StoreError::NotYourTurn | StoreError::Interrupted(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl Sequencer {
    pub(super) fn new(shared: Arc<Shared>, head: Head) -> Self {
        Self { shared, head }
    }

    /// Works until the log is closed or the store fails. After a failure what is stored is unknown, so nothing is
    /// written until the next start has read it again.
    pub(super) fn run(mut self, waiting: &Receiver<Waiting>) {
        let mut guard = StopAtTheEnd { shared: self.shared.clone(), failed: true };
        while let Some(mut batch) = collect(waiting) {
            if let Err(error) = self.write(&mut batch) {
                tracing::error!(%error, "the log can not be written");
                // Said before those who wait hear of it.
                drop(guard);
                return;
            }
        }
        guard.failed = false;
    }

    /// Judges, stores, publishes and answers. Those who wait hear `Stopped` when their end of the line is dropped.
    fn write(&mut self, batch: &mut Vec<Waiting>) -> Result<(), WriteError> {
        let (verdicts, effects) = loop {
            let judged = self.judge(batch)?;
            self.shared.faults.point("batch-judged")?;
            match self.store(batch, judged) {
                Ok(done) => break done,
                Err(WriteError::Store(StoreError::NotYourTurn | StoreError::Interrupted(_))) => {
                    // Perhaps the commit happened: then the entries are found by their hashes when judged again.
                    self.head = retry(|| self.shared.store.take_turn())?;
                    // And then nobody else may show what it made.
                    if let Some(newest) = &self.head.checkpoint {
                        retry(|| self.shared.show(newest.clone()))?;
                    }
                }
                Err(error) => return Err(error),
            }
        };
        self.shared.faults.point("before-reply")?;
        let mut effects = effects.into_iter();
        for (waiting, verdict) in batch.drain(..).zip(verdicts) {
            let answer = match verdict {
                Verdict::Known(index) => Ok(Appended { index }),
                Verdict::New(index) => {
                    let effect = effects.next().unwrap_or(Effect::None);
                    // Who listens is told; nobody may listen.
                    let _ = self.shared.stream.send(Sequenced { index, hash: waiting.entry.hash(), effect });
                    Ok(Appended { index })
                }
                Verdict::Refused(why) => Err(AppendError::Rejected(why)),
            };
            // Who no longer waits will ask again and get the same answer.
            let _ = waiting.reply.send(answer);
        }
        Ok(())
    }

    /// Finds what is known, and gives numbers to what the rules allow.
    fn judge(&self, batch: &[Waiting]) -> Result<Judged, WriteError> {
        let hashes: Vec<EntryHash> = batch.iter().map(|waiting| waiting.entry.hash()).collect();
        let mut numbers: HashMap<EntryHash, u64> = retry(|| self.shared.store.indices(&hashes))?;
        let new = batch.iter().filter(|waiting| !numbers.contains_key(&waiting.entry.hash()));
        let mut keys: Vec<_> = new.flat_map(|waiting| ledger::keys_of(&waiting.entry)).collect();
        keys.sort_unstable();
        keys.dedup();
        let known = retry(|| self.shared.store.records(&keys))?;
        let mut staged = Batch::new(self.head.turn.size, self.head.state, known);
        let (mut verdicts, mut effects) = (Vec::with_capacity(batch.len()), Vec::new());
        for (waiting, hash) in batch.iter().zip(hashes) {
            verdicts.push(match numbers.get(&hash) {
                Some(index) => Verdict::Known(*index),
                None => match staged.push(&waiting.entry) {
                    Ok((index, effect)) => {
                        numbers.insert(hash, index);
                        effects.push(effect);
                        Verdict::New(index)
                    }
                    Err(rejected) => Verdict::Refused(rejected),
                },
            });
        }
        Ok(Judged { verdicts, effects, batch: staged })
    }

    /// Looks at what other processes wrote while a batch was judged of which nothing is to be written: no turn is lost
    /// then that would tell. A refusal counts only if nothing came between the index and the records that it was read
    /// from; and what another wrote and did not live to show is shown.
    fn compare_with_others(&self, verdicts: &[Verdict]) -> Result<(), WriteError> {
        let Some(tip) = retry(|| self.shared.store.tip())? else { return Ok(()) };
        if tip.turn.size != self.head.turn.size && verdicts.iter().any(|verdict| matches!(verdict, Verdict::Refused(_)))
        {
            return Err(StoreError::NotYourTurn.into());
        }
        if tip.checkpoint.size > self.shared.shown().size { Ok(self.shared.show(tip.checkpoint)?) } else { Ok(()) }
    }

    /// Makes what was judged durable, and shows it.
    fn store(&mut self, batch: &[Waiting], judged: Judged) -> Result<(Vec<Verdict>, Vec<Effect>), WriteError> {
        let Judged { verdicts, effects, batch: staged } = judged;
        let new = || {
            let both = batch.iter().zip(&verdicts);
            both.filter_map(|(waiting, verdict)| match verdict {
                Verdict::New(index) => Some((*index, &waiting.entry)),
                _ => None,
            })
        };
        let rows: Vec<Row<'_>> =
            new().map(|(index, entry)| Row { index, hash: entry.hash(), bytes: entry.bytes() }).collect();
        if rows.is_empty() {
            if self.shared.store.is_shared() {
                self.compare_with_others(&verdicts)?;
            }
            return Ok((verdicts, effects));
        }
        let growth = Growth::of(&self.head, new().map(|(_, entry)| entry))?;
        let checkpoint = growth.sign(&self.shared.key)?;
        let state = staged.hash();
        let records = staged.into_changes();
        let write = Write {
            rows: &rows,
            records: &records,
            state,
            checkpoint: &checkpoint,
            tiles: &growth.tiles,
            bundles: &growth.bundles,
        };
        let turn: Turn = self.shared.store.commit(self.head.turn, &write)?;
        let Growth { edge, tail, .. } = growth;
        self.head = Head { turn, checkpoint: Some(checkpoint.clone()), state, edge, tail };
        self.shared.show(checkpoint)?;
        Ok((verdicts, effects))
    }
}

/// Says that the log has stopped, also when the thread panics. A log that is closed has not failed.
struct StopAtTheEnd {
    shared: Arc<Shared>,
    failed: bool,
}

impl Drop for StopAtTheEnd {
    fn drop(&mut self) {
        if self.failed {
            // Read by whoever asks for the service's health; nothing else hangs on the order.
            self.shared.stopped.store(true, std::sync::atomic::Ordering::Release);
        }
    }
}

/// Asks a store that can not be reached again, for a while.
fn retry<T>(ask: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match ask() {
            Err(StoreError::Interrupted(why)) => {
                tracing::warn!(why, "the store of the log can not be reached");
                std::thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            answer => return answer,
        }
    }
    ask()
}

/// The next batch: what waits, but at least one; none when the log is closed and nothing waits.
fn collect(waiting: &Receiver<Waiting>) -> Option<Vec<Waiting>> {
    let mut batch = vec![waiting.recv().ok()?];
    batch.extend(waiting.try_iter().take(MAX_BATCH - 1));
    Some(batch)
}
