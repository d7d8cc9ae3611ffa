//! Where an operator's log and desk lie, by the names that the command line has for them.

use crate::operate::Failure;
use ledger::NoteKey;
use server::log::{Embedded, Postgres, Store};
use server::{Database, DatabaseAddress, DeskPlace, StoreAddress};
use std::path::{Path, PathBuf};

/// The folder of the log below that of a biobank. To open one that is not there would make an empty log, beside the
/// database that the real one may be in.
pub fn log_of(data: &Path) -> Result<PathBuf, Failure> {
    let log = data.join("log");
    if log.join("log.redb").exists() {
        return Ok(log);
    }
    Err(format!("{}: there is no log here; where it is in a database, say --store", log.display()).into())
}

/// A store in a database. What is done here waits for no standby: it reads, or it can be done again.
pub fn store_of(address: &DatabaseAddress, key: &NoteKey) -> Result<Postgres, Failure> {
    Ok(Postgres::new(Database::open(address, true)?, key.verifier().clone()))
}

/// A store by its name.
pub fn open_store(name: &str, key: &NoteKey) -> Result<Box<dyn Store>, Failure> {
    match name.split_once(':') {
        Some(("embedded", dir)) => Ok(Box::new(Embedded::open(Path::new(dir), key.verifier())?)),
        Some(("postgres" | "postgresql", _)) => {
            let StoreAddress::Postgres(address) = name.parse()? else { return Err("not a database".into()) };
            Ok(Box::new(store_of(&address, key)?))
        }
        // The text is not repeated: it could hold a password.
        _ => Err("a store is embedded:DIR or postgres://USER@HOST/DATABASE".into()),
    }
}

/// Where the desk lies that belongs to a store.
pub fn desk_of(name: &str) -> Result<DeskPlace, Failure> {
    if let Some(log) = name.strip_prefix("embedded:") {
        return Ok(DeskPlace::File(Path::new(log).with_file_name("desk.redb")));
    }
    match name.parse()? {
        StoreAddress::Postgres(address) => Ok(DeskPlace::Database(address)),
        StoreAddress::Embedded => Err("not a database".into()),
    }
}
