//! Places at which a test stops the process in order to kill it there. Debug builds only; nothing in a release.

/// Waits for ever if the environment names this place in `CONSENT_WALLET_STOP_AT`.
#[cfg(debug_assertions)]
#[allow(clippy::print_stderr, reason = "the test waits for this line")]
pub fn stop_point(name: &str) {
    if std::env::var("CONSENT_WALLET_STOP_AT").is_ok_and(|wanted| wanted == name) {
        eprintln!("stopped at {name}");
        loop {
            std::thread::park();
        }
    }
}

/// Nothing, in a release build.
#[cfg(not(debug_assertions))]
pub fn stop_point(_: &str) {}
