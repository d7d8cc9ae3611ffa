//! Another key for the log, in the folder of an institution whose service is stopped.
//!
//! The steps come in an order in which each crash leaves something to go on from: the new key lies beside the old one
//! until the log has said so, the last word of the old key is kept, and the log stands under the new one. Only then it
//! takes its place. As long as `log.key.next` is there the change is not finished, and the next run finishes it.

use crate::biobank::{self, StartError, io_error};
use crate::clock::now;
use crate::federation::PEERS_FILE;
use crate::log::{self, Embedded, OpenError, Postgres, RekeyError, Store, StoreError, rekey_point};
use crate::postgres::{Database, DatabaseError, StoreAddress};
use crate::succession::{self, NEXT_KEY};
use identity::SigningKey;
use ledger::{NoteError, NoteKey, VerifierKey};
use std::path::Path;

/// Why the log's key stays as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
    /// Others hold the log to its key.
    #[error(
        "this institution is in a federation, whose members and whose donors' wallets hold its log to the key of \
         today: the key of its log can not be changed"
    )]
    Federation,
    /// There is no log, or no key of it.
    #[error("there is no log here: start the service once")]
    NoLog,
    /// A file could not be used.
    #[error(transparent)]
    Files(#[from] StartError),
    /// The log could not be opened; the service may run.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database could not be reached.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The log does not take the change.
    #[error(transparent)]
    Rekey(#[from] RekeyError),
    /// The key can not carry the log's name.
    #[error("the origin: {0}")]
    Origin(#[from] NoteError),
}

/// The key of a log, and the one that it had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The key before; none if nothing was left to do.
    pub former: Option<VerifierKey>,
    /// The key.
    pub key: VerifierKey,
}

/// Gives the log another key, or finishes a change that was cut off. Where the last entry of the log is a change of its
/// key nothing is done, so that asking again after a crash never makes two; `again` is for who means it.
pub fn rotate_log_key(dir: &Path, store: &StoreAddress, again: bool) -> Result<Rotated, RotateError> {
    if dir.join(PEERS_FILE).exists() {
        return Err(RotateError::Federation);
    }
    if ["institution.json", "institution.key", "log.key"].iter().any(|name| !dir.join(name).exists()) {
        return Err(RotateError::NoLog);
    }
    let (institution, _) = biobank::identity_of(dir)?;
    let read = |name: &str| biobank::read_or_make_seed(&dir.join(name)).map(SigningKey::from_seed);
    let former = NoteKey::new(&institution.origin, read("log.key")?)?;
    if !succession::is_begun(dir) {
        let store = open(dir, store, &former)?;
        if !again && log::was_just_changed(store.as_ref(), former.verifier())? {
            return Ok(Rotated { former: None, key: former.verifier().clone() });
        }
        drop(store);
        succession::make_next(dir)?;
    }
    rekey_point("next-key-made");
    let next = NoteKey::new(&institution.origin, read(NEXT_KEY)?)?;
    match open(dir, store, &former) {
        Ok(store) => change(dir, store.as_ref(), &former, &next, &read("institution.key")?)?,
        // Cut off after the log was put under the new key: it is shown, and the rest is done.
        Err(RotateError::Open(OpenError::OtherLog)) => {
            let store = open(dir, store, &next)?;
            let tip = store.tip()?.ok_or(RotateError::NoLog)?;
            store.publish(&tip.checkpoint)?;
        }
        Err(error) => return Err(error),
    }
    succession::place_next(dir).map_err(|error| io_error(&dir.join(NEXT_KEY), error))?;
    rekey_point("next-key-placed");
    Ok(Rotated { former: Some(former.verifier().clone()), key: next.verifier().clone() })
}

/// The steps that the log takes part in.
fn change(
    dir: &Path,
    store: &dyn Store,
    former: &NoteKey,
    next: &NoteKey,
    institution: &SigningKey,
) -> Result<(), RotateError> {
    let announced = log::announce(store, former, next.verifier(), institution, now())?;
    rekey_point("change-entered");
    succession::keep(dir, &announced.succession)?;
    rekey_point("change-kept");
    succession::keep_former(dir, former).map_err(|error| io_error(dir, error))?;
    rekey_point("former-key-kept");
    log::sign_again(store, &announced, next)?;
    rekey_point("signed-again");
    Ok(())
}

/// The log, if this key signed it last.
fn open(dir: &Path, store: &StoreAddress, key: &NoteKey) -> Result<Box<dyn Store>, RotateError> {
    let store: Box<dyn Store> = match store {
        StoreAddress::Embedded if !dir.join("log").exists() => return Err(RotateError::NoLog),
        StoreAddress::Embedded => Box::new(Embedded::open(&dir.join("log"), key.verifier())?),
        // Whether standbys are wanted is the service's matter; one entry more changes nothing about it.
        StoreAddress::Postgres(address) => {
            Box::new(Postgres::new(Database::open(address, true)?, key.verifier().clone()))
        }
    };
    match store.tip() {
        // That the key is another one shows in a database only as it is read.
        Err(StoreError::Damaged(_)) => Err(OpenError::OtherLog.into()),
        tip => {
            tip?;
            Ok(store)
        }
    }
}
