//! What a witness and a mirror remember of each log: one row, replaced only by whoever saw what stood there.

use crate::tables::{Table, Tables, TablesError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest checkpoint that was witnessed, by origin.
pub const WITNESSED: Table = Table("witnessed");
/// What a mirror holds, by origin.
pub const MIRRORED: Table = Table("mirrored");

/// A row as it was read, so that it can be compared.
pub struct Seen<T> {
    bytes: Option<Vec<u8>>,
    /// What it says.
    pub value: Option<T>,
}

/// Reads a row.
pub fn read<T: DeserializeOwned>(tables: &dyn Tables, table: Table, origin: &str) -> Result<Seen<T>, TablesError> {
    let bytes = tables.get(table, origin)?;
    let value = bytes.as_deref().map(serde_json::from_slice).transpose().map_err(TablesError::new)?;
    Ok(Seen { bytes, value })
}

/// Puts a row in the place of exactly what was seen, durably. False if something else is there by now.
pub fn replace<T: Serialize, S>(
    tables: &dyn Tables,
    table: Table,
    origin: &str,
    seen: &Seen<S>,
    next: &T,
) -> Result<bool, TablesError> {
    let bytes = serde_json::to_vec(next).map_err(TablesError::new)?;
    let mut replaced = false;
    tables.change(&mut |rows| {
        let there = rows.get(table, origin)?;
        // A change may run again after it was made and not told: then its own row is there.
        replaced = there == seen.bytes || there.as_deref() == Some(&bytes);
        if replaced {
            rows.put(table, origin, &bytes)?;
        }
        Ok(())
    })?;
    Ok(replaced)
}

/// Copies what is remembered of logs of which nothing is remembered there yet. What is there is newer, and stays.
pub fn take_along(from: &dyn Tables, to: &dyn Tables) -> Result<(), TablesError> {
    for table in [WITNESSED, MIRRORED] {
        for (origin, bytes) in from.range(table, ("", None), usize::MAX)? {
            to.change(&mut |rows| match rows.get(table, &origin)? {
                Some(_) => Ok(()),
                None => rows.put(table, &origin, &bytes),
            })?;
        }
    }
    Ok(())
}
