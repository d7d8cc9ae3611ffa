//! A desk goes from one place to another, with every row.

use crate::desk::DeskError;
use crate::postgres::{Database, DatabaseAddress};
use crate::tables::{Embedded, Shared, Tables, TablesError, copy, refuse_rows};
use std::path::PathBuf;

/// Where a desk is kept.
#[derive(Debug)]
pub enum DeskPlace {
    /// In a file.
    File(PathBuf),
    /// In a database.
    Database(Box<DatabaseAddress>),
}

impl DeskPlace {
    fn open(&self) -> Result<Box<dyn Tables>, DeskError> {
        Ok(match self {
            Self::File(path) => Box::new(Embedded::open(path)?),
            Self::Database(address) => Box::new(Shared::new(Database::open(address, true).map_err(TablesError::new)?)),
        })
    }
}

/// Two desks, of which the second holds nothing yet. No service has them open meanwhile.
pub struct DeskMove {
    from: Box<dyn Tables>,
    to: Box<dyn Tables>,
}

impl DeskMove {
    /// Opens both. To open a desk that is not there would make an empty one, and moving that would lose the real one
    /// from sight.
    pub fn open(from: &DeskPlace, to: &DeskPlace) -> Result<Self, DeskError> {
        if let DeskPlace::File(path) = from
            && !path.exists()
        {
            return Err(TablesError::new(format!("{}: there is no desk beside the log", path.display())).into());
        }
        let (from, to) = (from.open()?, to.open()?);
        refuse_rows(&*to)?;
        Ok(Self { from, to })
    }

    /// Copies every row, and says how many there were.
    pub fn copy(&self) -> Result<u64, DeskError> {
        Ok(copy(&*self.from, &*self.to)?)
    }
}
