//! `biobankd rebuild` for a log in PostgreSQL.

use crate::operate::{Failure, say};
use crate::places::store_of;
use ledger::NoteKey;
use server::{DatabaseAddress, log};
use std::fs;
use std::path::Path;

/// Makes the records again, and audits what came of it.
pub fn remake(data: &Path, address: &DatabaseAddress, key: &NoteKey) -> Result<bool, Failure> {
    let (store, scratch) = (store_of(address, key)?, data.join("check"));
    let made = log::remake(&store, &scratch).and_then(|made| {
        // What the entries do not lead to was not written, and is told.
        if made.is_sound() { log::check(&store, key.verifier(), &scratch, None) } else { Ok(made) }
    });
    let _ = fs::remove_dir_all(&scratch);
    let made = made?;
    say(&made)?;
    Ok(made.is_sound())
}
