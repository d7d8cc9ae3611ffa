//! The keychain of the operating system: one item of 32 bytes a profile.
//!
//! Errors are told apart by their variants, never by their texts, which differ between systems and languages.

use crate::ProfileSecret;
use keyring::{Entry, Error};
use std::time::Duration;
use zeroize::Zeroizing;

/// The name under which items are stored; the user name of an item is the profile's name.
pub const KEYCHAIN_SERVICE: &str = "org.consentwallet.wallet";

/// How long the keychain may take. A locked one may be showing a prompt that nobody sees.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why the keychain could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeychainError {
    /// There is no keychain: no session bus, or nothing on it that stores secrets.
    #[error("this computer offers no keychain")]
    Absent,
    /// It is locked, and nobody unlocked it.
    #[error("the keychain is locked")]
    Locked,
    /// It did not answer in time; most often it waits for somebody to unlock it.
    #[error("the keychain did not answer in time")]
    TimedOut,
    /// There is a secret already; it is never overwritten.
    #[error("the keychain holds a secret of this name already")]
    Occupied,
    /// Anything else, for the log.
    #[error("the keychain failed: {0}")]
    Other(String),
}

/// The keychain of this system: `secret-service`, `apple-keychain` or `windows-credential-manager`.
pub fn keychain_name() -> &'static str {
    if cfg!(target_os = "windows") {
        "windows-credential-manager"
    } else if cfg!(target_os = "macos") {
        "apple-keychain"
    } else {
        "secret-service"
    }
}

/// Reads the secret of a profile; `None` if the keychain is open and has none.
pub async fn read_secret(profile: &str) -> Result<Option<ProfileSecret>, KeychainError> {
    let profile = profile.to_owned();
    with_patience(PATIENCE, move || read(&open(&profile)?)).await
}

/// Stores the secret of a profile, and reads it back. Refuses to overwrite.
pub async fn store_secret(profile: &str, secret: &ProfileSecret) -> Result<(), KeychainError> {
    let profile = profile.to_owned();
    let secret = ProfileSecret::from_bytes(*secret.expose());
    with_patience(PATIENCE, move || store(&open(&profile)?, &secret)).await
}

fn open(profile: &str) -> Result<Entry, KeychainError> {
    Entry::new(KEYCHAIN_SERVICE, profile).map_err(classify)
}

fn read(entry: &Entry) -> Result<Option<ProfileSecret>, KeychainError> {
    let bytes = match entry.get_secret() {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(Error::NoEntry) => return Ok(None),
        Err(error) => return Err(classify(error)),
    };
    let bytes: [u8; 32] =
        bytes.as_slice().try_into().map_err(|_| KeychainError::Other("the item is not 32 bytes long".to_owned()))?;
    Ok(Some(ProfileSecret::from_bytes(bytes)))
}

fn store(entry: &Entry, secret: &ProfileSecret) -> Result<(), KeychainError> {
    match entry.get_secret().map(Zeroizing::new) {
        Err(Error::NoEntry) => {}
        // Whatever is there, even if it is no secret of ours, is somebody's.
        Ok(_) => return Err(KeychainError::Occupied),
        Err(error) => return Err(classify(error)),
    }
    entry.set_secret(secret.expose()).map_err(classify)?;
    // A keychain that forgets would cost the donor the identity; better to learn it now.
    match read(entry)? {
        Some(stored) if stored.expose() == secret.expose() => Ok(()),
        _ => Err(KeychainError::Other("the item was not kept".to_owned())),
    }
}

/// The texts of these errors hold no secret: those variants that carry one are named and replaced.
fn classify(error: Error) -> KeychainError {
    match error {
        Error::NoDefaultStore => KeychainError::Absent,
        Error::NoStorageAccess(_) => KeychainError::Locked,
        Error::Ambiguous(_) => KeychainError::Other("there is more than one item of this name".to_owned()),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            KeychainError::Other("the item can not be decoded".to_owned())
        }
        other => KeychainError::Other(other.to_string()),
    }
}

/// Runs a call that may block for ever on a thread of its own, and stops waiting after a while.
///
/// A thread of the runtime's pool would keep the program from ending; this one is simply left behind.
async fn with_patience<T: Send + 'static>(
    patience: Duration,
    call: impl FnOnce() -> Result<T, KeychainError> + Send + 'static,
) -> Result<T, KeychainError> {
    let (done, result) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("keychain".to_owned());
    thread
        .spawn(move || {
            // Nobody waits any more if the time is over.
            let _ = done.send(call());
        })
        .map_err(|error| KeychainError::Other(error.to_string()))?;
    match tokio::time::timeout(patience, result).await {
        Err(_) => Err(KeychainError::TimedOut),
        Ok(Err(_)) => Err(KeychainError::Other("the keychain library broke off".to_owned())),
        Ok(Ok(outcome)) => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyring_core::api::CredentialStoreApi;
    use keyring_core::mock;

    /// An entry of the mock store; `fail` is the error of its next call.
    fn entry(fail: Option<Error>) -> Entry {
        let inner = mock::Store::new().unwrap().build(KEYCHAIN_SERVICE, "test", None).unwrap();
        if let (Some(error), Some(credential)) = (fail, inner.as_any().downcast_ref::<mock::Cred>()) {
            credential.set_error(error);
        }
        Entry { inner }
    }

    #[test]
    fn a_secret_is_read_as_it_was_stored_and_never_overwritten() {
        let entry = entry(None);
        assert!(read(&entry).unwrap().is_none());
        let secret = ProfileSecret::make();
        store(&entry, &secret).unwrap();
        assert_eq!(read(&entry).unwrap().unwrap().expose(), secret.expose());
        assert_eq!(store(&entry, &ProfileSecret::make()), Err(KeychainError::Occupied));
        assert_eq!(store(&entry, &secret), Err(KeychainError::Occupied));
        assert_eq!(read(&entry).unwrap().unwrap().expose(), secret.expose());
    }

    #[test]
    fn an_item_of_another_length_is_an_error_and_stays() {
        let entry = entry(None);
        entry.set_secret(b"not ours").unwrap();
        assert!(matches!(read(&entry), Err(KeychainError::Other(_))));
        assert_eq!(store(&entry, &ProfileSecret::make()), Err(KeychainError::Occupied));
        assert_eq!(entry.get_secret().unwrap(), b"not ours");
    }

    #[test]
    fn errors_are_told_apart_by_their_variants() {
        let io = || Box::new(std::io::Error::other("whatever the text says"));
        let cases =
            [(Error::NoDefaultStore, KeychainError::Absent), (Error::NoStorageAccess(io()), KeychainError::Locked)];
        for (error, expected) in cases {
            assert_eq!(read(&entry(Some(error))).err(), Some(expected));
        }
        let failures = [Error::PlatformFailure(io()), Error::Ambiguous(Vec::new()), Error::BadEncoding(vec![1])];
        for error in failures {
            assert!(matches!(store(&entry(Some(error)), &ProfileSecret::make()), Err(KeychainError::Other(_))));
        }
    }

    #[test]
    fn the_text_of_an_error_does_not_hold_the_secret() {
        let secret = vec![0xAB; 32];
        let errors = [
            Error::BadEncoding(secret.clone()),
            Error::BadDataFormat(secret, Box::new(std::io::Error::other("inner"))),
        ];
        for error in errors {
            let text = format!("{:?}", classify(error));
            assert!(!text.contains("171") && !text.to_lowercase().contains("ab, ab"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_keychain_that_never_answers_is_left_behind() {
        let outcome = with_patience(Duration::from_millis(20), || {
            std::thread::sleep(Duration::from_secs(2));
            Ok(())
        });
        assert_eq!(outcome.await, Err(KeychainError::TimedOut));
        let broken = with_patience(PATIENCE, || -> Result<(), _> { panic!("expected by this test") });
        assert!(matches!(broken.await, Err(KeychainError::Other(_))));
    }
}
