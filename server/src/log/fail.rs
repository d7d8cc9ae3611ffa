//! Places where a test may stop the process, to kill it there, or make a step fail before or after it happened, and
//! see what the next start makes of it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Every step of an append at which a process can die, in order.
pub const FAIL_POINTS: &[&str] = &[
    "batch-judged",
    "before-commit",
    "after-commit",
    "bundle-temp",
    "after-bundle",
    "tile-temp",
    "after-tile",
    "checkpoint-temp",
    "after-checkpoint",
    "before-reply",
];

/// The steps that follow in the background, when the answer has long been given.
pub const SETTLE_POINTS: &[&str] = &["before-index", "after-index", "before-flush", "after-flush"];

/// The steps by which the log gets another key, in order. For the institution's key the log need not be signed again.
pub const REKEY_POINTS: &[&str] =
    &["next-key-made", "change-entered", "change-kept", "former-key-kept", "signed-again", "next-key-placed"];

/// One of the steps by which a key is changed.
pub fn rekey_point(name: &str) {
    stop(name);
}

/// What a test wants to go wrong in one store. The default is: nothing.
#[derive(Debug, Clone, Default)]
pub struct Faults(Option<Arc<Plan>>);

#[derive(Debug)]
struct Plan {
    fails_at: Mutex<Option<String>>,
    /// Bytes that the disk still takes.
    space: AtomicU64,
}

impl Faults {
    /// Faults that can be planned while the store runs.
    pub fn planned() -> Self {
        Self(Some(Arc::new(Plan { fails_at: Mutex::default(), space: AtomicU64::new(u64::MAX) })))
    }

    /// Makes the step with this name return an error, each time.
    pub fn fail_at(&self, point: Option<&str>) {
        if let Some(plan) = &self.0 {
            *plan.fails_at.lock().unwrap_or_else(PoisonError::into_inner) = point.map(str::to_owned);
        }
    }

    /// The disk takes this many more bytes.
    pub fn leave_space(&self, bytes: u64) {
        if let Some(plan) = &self.0 {
            plan.space.store(bytes, Ordering::SeqCst);
        }
    }

    /// One of the places.
    pub(super) fn point(&self, name: &str) -> io::Result<()> {
        stop(name);
        let Some(plan) = &self.0 else { return Ok(()) };
        let fails = plan.fails_at.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(name);
        if fails { Err(io::Error::other(format!("a test lets {name} fail"))) } else { Ok(()) }
    }

    /// How many of these bytes the disk takes; fewer than all of them means that it is full.
    pub(super) fn take_space(&self, bytes: usize) -> usize {
        let Some(plan) = &self.0 else { return bytes };
        let wanted = bytes as u64;
        let take = |left: u64| (left != u64::MAX).then(|| left.saturating_sub(wanted));
        match plan.space.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
            Ok(left) => usize::try_from(left.min(wanted)).unwrap_or(bytes),
            Err(_) => bytes,
        }
    }
}

/// Stops here for ever if the environment names this point; if it names a file as well (`BIOBANKD_STOP_WHEN`), only
/// once that file is there: a start passes some of the points too. Programs that are built for release have no such
/// points.
#[cfg(debug_assertions)]
#[allow(clippy::print_stderr, reason = "the line tells the test that the point is reached")]
fn stop(name: &str) {
    debug_assert!([FAIL_POINTS, SETTLE_POINTS, REKEY_POINTS].iter().any(|all| all.contains(&name)), "{name}");
    let named = std::env::var("BIOBANKD_STOP_AT").is_ok_and(|at| at == name);
    let armed = || std::env::var_os("BIOBANKD_STOP_WHEN").is_none_or(|file| std::path::Path::new(&file).exists());
    if named && armed() {
        eprintln!("stopped at {name}");
        loop {
            std::thread::park();
        }
    }
}

#[cfg(not(debug_assertions))]
fn stop(_name: &str) {}
