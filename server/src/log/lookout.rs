//! Follows what other processes publish in a store that they share, and so notices when the store is out of reach.

use super::Shared;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a store that others write to as well is asked for what they published.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How long a store may give no answer until it counts as out of reach. A database that is restarted, or hands over to
/// another server, takes a moment.
const OUT_OF_REACH: Duration = Duration::from_secs(5);

/// When the store was last seen. A store that nobody looks after is always in sight.
#[derive(Default)]
pub(super) struct Sight(Mutex<Option<Instant>>);

impl Sight {
    /// It answered just now.
    fn take(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether it has not answered for a while.
    pub(super) fn is_lost(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|last| last.elapsed() > OUT_OF_REACH)
    }
}

/// Looks until the log is closed.
pub(super) fn look_out(shared: &Shared) {
    // It was reached a moment ago, when the log was opened.
    shared.sight.take();
    while !shared.closing.load(Ordering::Acquire) {
        match shared.look() {
            Ok(()) => shared.sight.take(),
            Err(error) => tracing::warn!(%error, "the published checkpoint can not be read"),
        }
        std::thread::park_timeout(LOOK_AGAIN);
    }
}
