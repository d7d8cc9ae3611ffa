//! The records of a log in PostgreSQL, made again from its entries alone. The number of each entry by its hash is in the
//! table of entries itself, and tiles can not be changed there: both are only looked at.

use super::check::{Audit, CheckError, replay};
use super::postgres::Postgres;
use super::store::Store as _;
use std::path::Path;

/// Replays the entries and puts what they give in the place of what is stored, in one step. Nothing is changed if the
/// entries do not lead to the log's root. `scratch` is a folder on a disk with room for an index.
pub fn remake(store: &Postgres, scratch: &Path) -> Result<Audit, CheckError> {
    let tip = store.tip()?.ok_or(CheckError::NoLog)?;
    let (views, audit) = replay(store, &tip, scratch)?;
    if audit.is_sound() {
        store.replace_records(tip.turn.size, &audit.state, &views)?;
    }
    Ok(audit)
}
