//! The one source of randomness of this crate.

/// Random bytes from the operating system.
///
/// # Panics
/// If the operating system has no randomness to give. There is no safe way to go on without it.
#[expect(clippy::expect_used, reason = "a key made without randomness is worse than no program")]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// Fills a slice with random bytes from the operating system.
///
/// # Panics
/// As [`bytes`].
#[expect(clippy::expect_used, reason = "a check by predictable numbers is worse than no program")]
pub(crate) fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}
