//! The institution's list of trusted issuers: one signed file in its folder, which the operator writes and the service
//! hands out.

use crate::biobank::{StartError, io_error, read_or_make_seed};
use crate::clock::now;
use crate::succession;
use consent::Timestamp;
use identity::{Did, SigningKey, TrustClaims, TrustError, TrustList, TrustedIssuer};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use thiserror::Error;

/// The file of the newest version.
pub const TRUST_FILE: &str = "trusted-issuers.jws";

/// Why no new version was made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The folder is none in which a biobank was started.
    #[error("there is no institution in this folder")]
    NoInstitution,
    /// A file or key could not be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The issuers, or the version before, are not in their form.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// Signs the next version of the list, with these issuers, for so many days. The version before has to be there, or none
/// ever: readers refuse a list that does not follow what they saw.
pub fn publish_trusted_issuers(dir: &Path, issuers: Vec<TrustedIssuer>, days: u16) -> Result<TrustList, PublishError> {
    let key = dir.join("institution.key");
    if !key.exists() {
        return Err(PublishError::NoInstitution);
    }
    let key = SigningKey::from_seed(read_or_make_seed(&key)?);
    let (path, now) = (dir.join(TRUST_FILE), now());
    let until = now.plus_seconds(i64::from(days) * 86_400);
    let claims = match read(&path).map_err(|error| io_error(&path, error))? {
        Some(before) => own(dir, &before, &key.did(), now)?.next(issuers, now, until),
        None => TrustClaims::first(issuers, now, until),
    };
    let signed = TrustList::sign(&key, &claims)?;
    succession::write(dir, TRUST_FILE, signed.as_bytes()).map_err(|error| io_error(&path, error))?;
    Ok(TrustList::read(&signed, &key.did(), None, now)?)
}

/// The version before, which may be from the time of a key that the institution had then.
fn own(dir: &Path, list: &str, did: &Did, now: Timestamp) -> Result<TrustList, PublishError> {
    let told = succession::read(dir)?;
    let by_former = |did: Did| TrustList::read(list, &did, None, now).ok();
    let read = TrustList::read(list, did, None, now);
    Ok(read.or_else(|error| succession::former_speakers(&told).find_map(by_former).ok_or(error))?)
}

/// The list as it lies there.
pub(crate) fn read(path: &Path) -> std::io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(list) => Ok(Some(list)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
