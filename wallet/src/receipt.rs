//! A receipt of a consent: for the person to keep, or for another system.

use crate::profile::Profile;
use bridge::{Code, Failure, ReceiptFormat};
use consent::StudyId;
use std::path::{Path, PathBuf};

/// Writes a receipt into a folder under a name that is free.
pub fn save(_: &Profile, _: &StudyId, _: ReceiptFormat, _: &Path) -> Result<PathBuf, Failure> {
    Err(Code::NotPossible.into())
}
