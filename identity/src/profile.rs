//! The profile on this computer: a marker file beside the data, and the secret in the keychain.
//!
//! The marker says which secret belongs here. Without it, an emptied keychain would look like a first start, and a new
//! identity would take the place of the old one, to which consents are bound.

use crate::keychain::{KeychainError, read_secret, store_secret};
use crate::{Fingerprint, ProfileSecret};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

const MARKER: &str = "wallet.json";
const LOCK: &str = "wallet.lock";
const VERSION: u32 = 1;
/// A marker has about 100 bytes.
const MAX_MARKER: u64 = 4096;

/// How the profile on this computer stands.
pub enum ProfileState {
    /// No marker and no secret: nobody was here before.
    FirstRun,
    /// Marker and secret belong together.
    Ready(ProfileSecret),
    /// This computer offers no keychain.
    KeychainAbsent,
    /// The keychain is locked, or did not answer; the fingerprint if there is a marker.
    KeychainLocked {
        /// The secret that is expected.
        fingerprint: Option<Fingerprint>,
    },
    /// There is a marker, but the open keychain has no secret.
    KeyMissing {
        /// The secret that is expected.
        fingerprint: Fingerprint,
    },
    /// The keychain has another secret than the marker says.
    KeyForeign {
        /// The secret that is expected.
        fingerprint: Fingerprint,
    },
    /// The keychain has a secret, but there is no marker.
    KeyWithoutProfile,
}

/// Why a profile could not be looked at, made or adopted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The marker file can not be read or written.
    #[error("the profile's folder can not be used: {0}")]
    Folder(#[from] io::Error),
    /// The marker is damaged, of another version, or of another profile.
    #[error("the marker of the profile is not of the expected form")]
    Marker,
    /// The keychain failed.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// The profile stands otherwise than this step needs.
    #[error("the profile is not in the state that this step needs")]
    WrongState,
    /// Another program makes the same profile at this moment.
    #[error("another program is making this profile")]
    Busy,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    version: u32,
    profile: String,
    fingerprint: Fingerprint,
}

/// Looks at marker and keychain. Changes neither.
pub async fn inspect_profile(dir: &Path, profile: &str) -> Result<ProfileState, ProfileError> {
    let marker = read_marker(dir, profile)?;
    compare(marker, read_secret(profile).await)
}

/// Makes a new profile. Only where nobody was before; the keychain is written first, so that a broken-off start shows
/// as a secret without a profile and can be adopted.
pub async fn create_profile(dir: &Path, profile: &str) -> Result<ProfileSecret, ProfileError> {
    let _lock = lock(dir)?;
    match inspect_profile(dir, profile).await? {
        ProfileState::FirstRun => {}
        _ => return Err(ProfileError::WrongState),
    }
    let secret = ProfileSecret::make();
    store_secret(profile, &secret).await?;
    write_marker(dir, profile, secret.fingerprint())?;
    Ok(secret)
}

/// Takes over a secret that has no marker, by writing one.
pub async fn adopt_profile(dir: &Path, profile: &str) -> Result<ProfileSecret, ProfileError> {
    let _lock = lock(dir)?;
    match inspect_profile(dir, profile).await? {
        ProfileState::KeyWithoutProfile => {}
        _ => return Err(ProfileError::WrongState),
    }
    let secret = read_secret(profile).await?.ok_or(ProfileError::WrongState)?;
    write_marker(dir, profile, secret.fingerprint())?;
    Ok(secret)
}

fn compare(
    marker: Option<Fingerprint>,
    found: Result<Option<ProfileSecret>, KeychainError>,
) -> Result<ProfileState, ProfileError> {
    Ok(match (marker, found) {
        (_, Err(KeychainError::Absent)) => ProfileState::KeychainAbsent,
        (fingerprint, Err(KeychainError::Locked | KeychainError::TimedOut)) => {
            ProfileState::KeychainLocked { fingerprint }
        }
        (_, Err(error)) => return Err(error.into()),
        (None, Ok(None)) => ProfileState::FirstRun,
        (None, Ok(Some(_))) => ProfileState::KeyWithoutProfile,
        (Some(fingerprint), Ok(None)) => ProfileState::KeyMissing { fingerprint },
        (Some(fingerprint), Ok(Some(secret))) if secret.fingerprint() == fingerprint => ProfileState::Ready(secret),
        (Some(fingerprint), Ok(Some(_))) => ProfileState::KeyForeign { fingerprint },
    })
}

fn read_marker(dir: &Path, profile: &str) -> Result<Option<Fingerprint>, ProfileError> {
    let file = match File::open(dir.join(MARKER)) {
        Ok(file) => file,
        // Only this one error means that there is no marker. Any other must not look like a first start.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    file.take(MAX_MARKER).read_to_end(&mut bytes)?;
    let marker: Marker = serde_json::from_slice(&bytes).map_err(|_| ProfileError::Marker)?;
    if marker.version == VERSION && marker.profile == profile {
        Ok(Some(marker.fingerprint))
    } else {
        Err(ProfileError::Marker)
    }
}

/// Writes the marker so that it is there wholly or not at all, even if the power fails.
fn write_marker(dir: &Path, profile: &str, fingerprint: Fingerprint) -> Result<(), ProfileError> {
    let marker = Marker { version: VERSION, profile: profile.to_owned(), fingerprint };
    let bytes = serde_json::to_vec(&marker).map_err(|_| ProfileError::Marker)?;
    let draft = dir.join(format!("{MARKER}.new"));
    let mut file = private_file(&draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&draft, dir.join(MARKER))?;
    // The rename itself lasts only when the folder is on the disk; Windows has no such call and needs none.
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    Ok(())
}

/// Keeps a second program out while a profile is made. The lock ends with the file handle, so also with a crash.
fn lock(dir: &Path) -> Result<File, ProfileError> {
    private_folder(dir)?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(ProfileError::Busy),
        Err(fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

fn private_folder(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(state: Result<ProfileState, ProfileError>) -> &'static str {
        match state {
            Ok(ProfileState::FirstRun) => "first-run",
            Ok(ProfileState::Ready(_)) => "ready",
            Ok(ProfileState::KeychainAbsent) => "absent",
            Ok(ProfileState::KeychainLocked { fingerprint: None }) => "locked",
            Ok(ProfileState::KeychainLocked { fingerprint: Some(_) }) => "locked-marked",
            Ok(ProfileState::KeyMissing { .. }) => "missing",
            Ok(ProfileState::KeyForeign { .. }) => "foreign",
            Ok(ProfileState::KeyWithoutProfile) => "without-profile",
            Err(_) => "error",
        }
    }

    #[test]
    fn every_pair_of_marker_and_keychain_has_its_state() {
        use KeychainError::{Absent, Locked, Other, TimedOut};
        let ours = || ProfileSecret::from_bytes([7; 32]);
        let theirs = || ProfileSecret::from_bytes([8; 32]);
        let mark = Some(ours().fingerprint());
        let other = || Other(String::new());
        assert_eq!(name(compare(None, Ok(None))), "first-run");
        assert_eq!(name(compare(None, Ok(Some(ours())))), "without-profile");
        assert_eq!(name(compare(None, Err(Locked))), "locked");
        assert_eq!(name(compare(None, Err(TimedOut))), "locked");
        assert_eq!(name(compare(None, Err(Absent))), "absent");
        assert_eq!(name(compare(None, Err(other()))), "error");
        assert_eq!(name(compare(mark, Ok(None))), "missing");
        assert_eq!(name(compare(mark, Ok(Some(ours())))), "ready");
        assert_eq!(name(compare(mark, Ok(Some(theirs())))), "foreign");
        assert_eq!(name(compare(mark, Err(Locked))), "locked-marked");
        assert_eq!(name(compare(mark, Err(TimedOut))), "locked-marked");
        assert_eq!(name(compare(mark, Err(Absent))), "absent");
        assert_eq!(name(compare(mark, Err(other()))), "error");
    }

    #[test]
    fn a_marker_is_read_as_it_was_written_and_a_damaged_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let mark = ProfileSecret::from_bytes([7; 32]).fingerprint();
        assert_eq!(read_marker(dir.path(), "participant").unwrap(), None);
        write_marker(dir.path(), "participant", mark).unwrap();
        assert_eq!(read_marker(dir.path(), "participant").unwrap(), Some(mark));
        let text = fs::read_to_string(dir.path().join(MARKER)).unwrap();
        assert_eq!(text, format!(r#"{{"version":1,"profile":"participant","fingerprint":"{mark}"}}"#));
        assert!(matches!(read_marker(dir.path(), "staff"), Err(ProfileError::Marker)));
        for damaged in ["", "{", &text[..20], &text.replace(":1,", ":2,"), &text.replace('}', ",\"x\":1}")] {
            fs::write(dir.path().join(MARKER), damaged).unwrap();
            assert!(matches!(read_marker(dir.path(), "participant"), Err(ProfileError::Marker)), "{damaged}");
        }
        fs::remove_file(dir.path().join(MARKER)).unwrap();
        fs::create_dir(dir.path().join(MARKER)).unwrap();
        assert!(matches!(read_marker(dir.path(), "participant"), Err(ProfileError::Folder(_))));
    }

    #[cfg(unix)]
    #[test]
    fn marker_and_folder_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("a/b");
        let first = lock(&dir).unwrap();
        assert!(matches!(lock(&dir), Err(ProfileError::Busy)));
        drop(first);
        lock(&dir).unwrap();
        write_marker(&dir, "participant", ProfileSecret::make().fingerprint()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&dir.join(MARKER))), (0o700, 0o600));
    }
}
