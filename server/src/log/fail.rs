//! Places where a test may stop the process, to kill it there and see what the next start makes of it.

/// Every step of a write at which a process can die, in order.
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

/// Stops here for ever if the environment names this point; if it names a file as well (`BIOBANKD_STOP_WHEN`), only
/// once that file is there: a start passes some of the points too. Programs that are built for release have no such points.
#[cfg(debug_assertions)]
#[allow(clippy::print_stderr, reason = "the line tells the test that the point is reached")]
pub fn fail_point(name: &str) {
    debug_assert!(FAIL_POINTS.contains(&name), "{name} is not listed");
    let named = std::env::var("BIOBANKD_STOP_AT").is_ok_and(|at| at == name);
    let armed = || std::env::var_os("BIOBANKD_STOP_WHEN").is_none_or(|file| std::path::Path::new(&file).exists());
    if named && armed() {
        eprintln!("stopped at {name}");
        loop {
            std::thread::park();
        }
    }
}

/// Programs that are built for release have no such points.
#[cfg(not(debug_assertions))]
pub fn fail_point(_name: &str) {}
