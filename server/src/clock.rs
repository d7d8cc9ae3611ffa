//! The one place where the server asks what time it is.

use consent::Timestamp;

/// The present moment, in whole seconds.
#[allow(clippy::disallowed_methods, reason = "this is the server's clock")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
