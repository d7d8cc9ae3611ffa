//! The part of an id after its prefix.

use std::fmt;

/// Up to 16 ASCII characters in one number, the first one highest, so that keys sort as their text and compare in one
/// step. `4` and `0000004` stay different ids, as they are in the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(u128);

impl Key {
    /// The key of a local id, if it can be one.
    pub(super) fn new(local: &str) -> Option<Self> {
        let mut packed = [0; 16];
        let place = packed.get_mut(..local.len()).filter(|place| !place.is_empty())?;
        place.copy_from_slice(local.as_bytes());
        // No NUL inside: the bytes that are not used are told apart from the text by being zero.
        let plain = place.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        plain.then(|| Self(u128::from_be_bytes(packed)))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.0.to_be_bytes().into_iter().take_while(|byte| *byte != 0);
        used.map(char::from).try_for_each(|c| fmt::Write::write_char(f, c))
    }
}
