//! Another key for the log or for the institution, in the folder of an institution whose service is stopped.
//!
//! The steps come in an order in which each crash leaves something to go on from: the new key lies beside the old one
//! until the log has said so and what readers are told is kept; a log stands under its new key by then. Only then it
//! takes its place. As long as the new key lies beside the old one the change is not finished, and the next run finishes
//! it.

use crate::biobank::{self, Institution, StartError};
use crate::clock::now;
use crate::federation::PEERS_FILE;
use crate::log::{self, Embedded, OpenError, Postgres, RekeyError, Store, StoreError, rekey_point};
use crate::postgres::{Database, DatabaseError, StoreAddress};
use crate::succession::{self, KeyFile};
use identity::{Did, SigningKey};
use ledger::{Next, NoteError, NoteKey, VerifierKey};
use std::path::Path;

/// Why the key stays as it is.
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

/// A key, and the one that was in its place before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated<K> {
    /// The key before; none if nothing was left to do.
    pub former: Option<K>,
    /// The key.
    pub key: K,
}

/// Gives the log another key, or finishes a change that was cut off. Where the last entry of the log is a change of its
/// key nothing is done, so that asking again after a crash never makes two; `again` is for who means it.
pub fn rotate_log_key(dir: &Path, store: &StoreAddress, again: bool) -> Result<Rotated<VerifierKey>, RotateError> {
    if dir.join(PEERS_FILE).exists() {
        return Err(RotateError::Federation);
    }
    let (institution, former) = log_of(dir)?;
    let key = former.verifier().clone();
    if !KeyFile::Log.is_begun(dir) {
        let store = open(dir, store, &former)?;
        if !again && log::was_just_changed(store.as_ref(), &Next::Log(key.clone()))? {
            return Ok(Rotated { former: None, key });
        }
        drop(store);
        KeyFile::Log.make_next(dir)?;
    }
    rekey_point("next-key-made");
    let next = NoteKey::new(&institution.origin, read(dir, KeyFile::Log.next())?)?;
    match open(dir, store, &former) {
        Ok(store) => change_log(dir, store.as_ref(), &former, &next)?,
        // Cut off after the log was put under the new key: it is shown, and the rest is done.
        Err(RotateError::Open(OpenError::OtherLog)) => {
            let store = open(dir, store, &next)?;
            let tip = store.tip()?.ok_or(RotateError::NoLog)?;
            store.publish(&tip.checkpoint)?;
        }
        Err(error) => return Err(error),
    }
    KeyFile::Log.place_next(dir)?;
    rekey_point("next-key-placed");
    Ok(Rotated { former: Some(key), key: next.verifier().clone() })
}

/// The steps that the log takes part in.
fn change_log(dir: &Path, store: &dyn Store, former: &NoteKey, next: &NoteKey) -> Result<(), RotateError> {
    let institution = read(dir, KeyFile::Institution.name())?;
    let announced = log::announce(store, former, next.verifier(), &institution, now())?;
    rekey_point("change-entered");
    succession::keep(dir, &announced.succession)?;
    rekey_point("change-kept");
    let vkey = former.verifier().to_string();
    // Name, id, key: the name has no "+" in it, the key may have.
    KeyFile::Log.keep_former(dir, vkey.split('+').nth(1).unwrap_or_default())?;
    rekey_point("former-key-kept");
    log::sign_again(store, &announced, next)?;
    rekey_point("signed-again");
    Ok(())
}

/// Has the institution speak by another key, or finishes a change that was cut off. It stays known by the DID that it
/// was founded with: that is the name from which donors derive their keys and which credentials hold.
pub fn rotate_institution_key(dir: &Path, store: &StoreAddress, again: bool) -> Result<Rotated<Did>, RotateError> {
    let (_, log_key) = log_of(dir)?;
    let former = read(dir, KeyFile::Institution.name())?;
    let store = open(dir, store, &log_key)?;
    if !KeyFile::Institution.is_begun(dir) {
        if !again && log::was_just_changed(store.as_ref(), &Next::Institution(former.did()))? {
            return Ok(Rotated { former: None, key: former.did() });
        }
        // Only a key that the log listens to can hand over.
        if log::institution_key(store.as_ref())?.is_some_and(|speaks| speaks != former.did()) {
            return Err(RekeyError::OtherInstitution.into());
        }
        KeyFile::Institution.make_next(dir)?;
    }
    rekey_point("next-key-made");
    let next = read(dir, KeyFile::Institution.next())?;
    let told = log::announce_institution(store.as_ref(), &log_key, &former, &next, now())?;
    rekey_point("change-entered");
    succession::keep(dir, &told)?;
    rekey_point("change-kept");
    KeyFile::Institution.keep_former(dir, former.did().fingerprint())?;
    rekey_point("former-key-kept");
    KeyFile::Institution.place_next(dir)?;
    rekey_point("next-key-placed");
    Ok(Rotated { former: Some(former.did()), key: next.did() })
}

/// Who keeps the log here, and its key.
fn log_of(dir: &Path) -> Result<(Institution, NoteKey), RotateError> {
    let needed = ["institution.json", KeyFile::Institution.name(), KeyFile::Log.name()];
    if needed.iter().any(|name| !dir.join(name).exists()) {
        return Err(RotateError::NoLog);
    }
    let (institution, _) = biobank::identity_of(dir)?;
    let key = NoteKey::new(&institution.origin, read(dir, KeyFile::Log.name())?)?;
    Ok((institution, key))
}

fn read(dir: &Path, name: &str) -> Result<SigningKey, StartError> {
    biobank::read_or_make_seed(&dir.join(name)).map(SigningKey::from_seed)
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
