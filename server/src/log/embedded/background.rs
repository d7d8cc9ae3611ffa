//! What need not be waited for: the index on disk, and the flushing of full tiles and bundles.

use super::files::full_paths;
use super::views::Generation;
use super::{Shared, failed, lock};
use crate::log::store::StoreError;
use ledger::TILE_WIDTH;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Entries that are taken over to the index at once, if they come quickly.
const MANY: u64 = super::MOST_RECENT / 2;
/// How long an entry waits for its place in the index on disk, and a bundle for its flush. Either only decides how
/// much the next start has to do.
const PATIENCE: Duration = Duration::from_secs(1);

/// The thread.
#[derive(Debug)]
pub(super) struct Background {
    thread: JoinHandle<()>,
    end: Arc<AtomicBool>,
    shared: Arc<Shared>,
}

impl Background {
    pub(super) fn start(shared: Arc<Shared>) -> std::io::Result<Self> {
        let end = Arc::new(AtomicBool::new(false));
        let (log, ends) = (shared.clone(), end.clone());
        let thread = std::thread::Builder::new().name("log-background".into()).spawn(move || run(&log, &ends))?;
        Ok(Self { thread, end, shared })
    }

    /// Ends the thread after what it is doing.
    pub(super) fn end(self) {
        self.end.store(true, Ordering::Release);
        {
            let _pulse = lock(&self.shared.pulse);
            self.shared.moved.notify_all();
        }
        let _ = self.thread.join();
    }
}

fn run(shared: &Shared, end: &AtomicBool) {
    // If this thread panics nobody would make room again, so the log has to stop.
    let guard = BreakOnPanic(shared);
    while !end.load(Ordering::Acquire) && !shared.is_broken() {
        wait(shared, end);
        if let Err(error) = keep_recent(shared).and_then(|()| flush(shared)) {
            shared.break_down(&error);
        }
    }
    std::mem::forget(guard);
}

struct BreakOnPanic<'a>(&'a Shared);

impl Drop for BreakOnPanic<'_> {
    fn drop(&mut self) {
        self.0.break_down(&failed("a thread ended"));
    }
}

/// Waits until there is enough to do, or for as long as anything should wait.
fn wait(shared: &Shared, end: &AtomicBool) {
    let enough = |_: &mut ()| {
        let many = shared.recent().active.len() >= MANY;
        !many && !end.load(Ordering::Acquire) && !shared.is_broken()
    };
    let pulse = lock(&shared.pulse);
    drop(shared.moved.wait_timeout_while(pulse, PATIENCE, enough).unwrap_or_else(PoisonError::into_inner));
}

/// Brings what is in memory to the index on disk.
fn keep_recent(shared: &Shared) -> Result<(), StoreError> {
    let _keeper = lock(&shared.keeper);
    let frozen = shared.change(|recent| {
        if recent.active.is_empty() {
            return None;
        }
        let next = Generation::after(recent.active.end, recent.active.state);
        let frozen = Arc::new(std::mem::replace(&mut recent.active, next));
        recent.frozen = Some(frozen.clone());
        Some(frozen)
    });
    let Some(frozen) = frozen else { return Ok(()) };
    {
        let _pulse = lock(&shared.pulse);
        shared.moved.notify_all();
    }
    shared.views.keep(&frozen)?;
    // Only now, so that readers find it in memory or on disk at each moment.
    shared.change(|recent| recent.frozen = None);
    Ok(())
}

/// Flushes bundles and tiles that became full; the next commit drops their entries from the journal.
fn flush(shared: &Shared) -> Result<(), StoreError> {
    let _keeper = lock(&shared.keeper);
    let from = shared.flushed.load(Ordering::Acquire);
    let to = shared.size() / TILE_WIDTH * TILE_WIDTH;
    if from < to {
        shared.faults.point("before-flush").map_err(failed)?;
        shared.files.flush(&full_paths(from, to)).map_err(failed)?;
        shared.faults.point("after-flush").map_err(failed)?;
        shared.flushed.store(to, Ordering::Release);
    }
    Ok(())
}

/// All of it, and the journal too.
pub(super) fn settle(shared: &Shared) -> Result<(), StoreError> {
    keep_recent(shared)?;
    flush(shared)?;
    let _writer = lock(&shared.writer);
    shared.journal.drop_below(shared.flushed.load(Ordering::Acquire))
}
