//! The log, or the institution, gets another key. Each step can be made again after a crash: the entry that names the
//! new key, under a checkpoint of the log's key; and where that is the one that changes, the same checkpoint under the
//! new key.

use super::growth::Growth;
use super::store::{Head, Row, Store, StoreError, Turn, Write};
use consent::Timestamp;
use identity::{Did, SigningKey};
use ledger::event::{InstitutionEvent, InstitutionKey, LogKeyChange, prove_institution_key};
use ledger::{
    AuthorityRecord, Batch, BundleId, Checkpoint, Entry, Event, Hash, Key, Next, NoteKey, Receipt, Record, Rejected,
    SignedCheckpoint, Succession, TILE_WIDTH, VerifierKey, inclusion_proof, keys_of,
};
use std::collections::BTreeMap;

/// Why a log gets no other key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RekeyError {
    /// The store failed, or another process writes to it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no log, or nobody has founded it yet.
    #[error("there is no log that an institution has founded: start the service once")]
    NotFounded,
    /// The log listens to another institution.
    #[error("the log was founded by another institution than the one whose key lies here")]
    OtherInstitution,
    /// The key that lies here is not the log's.
    #[error("log.key is not the key that the log names: {0}")]
    OtherKey(String),
    /// The rules refuse the entry; a clock that went back is the likely reason.
    #[error("the log does not take the change of its key: {0}")]
    Rejected(#[from] Rejected),
}

/// A change that the log holds, under the last checkpoint of the former key.
#[derive(Debug)]
pub struct Announced {
    /// What readers are told.
    pub succession: Succession,
    turn: Turn,
    state: Hash,
    checkpoint: SignedCheckpoint,
}

/// The key that the log's entries name, if they name one.
pub fn named_key(store: &dyn Store) -> Result<Option<String>, StoreError> {
    Ok(authority(store)?.and_then(|authority| authority.vkey))
}

/// Whether the last entry of the log is a change to this key of the log, or of the institution.
pub fn was_just_changed(store: &dyn Store, key: &Next) -> Result<bool, StoreError> {
    let size = store.tip()?.map_or(0, |tip| tip.turn.size);
    let last = size.checked_sub(1).map(|last| read(store, last / TILE_WIDTH, size)).transpose()?;
    let is = |said: &InstitutionEvent| match key {
        Next::Log(key) => names(said, key),
        Next::Institution(did) => matches!(said, InstitutionEvent::InstitutionKey(said) if said.key == *did),
    };
    Ok(last.and_then(|mut entries| entries.pop()).is_some_and(|(_, entry)| says(&entry, is)))
}

/// The key by which the institution speaks, as the log's entries have it.
pub fn institution_key(store: &dyn Store) -> Result<Option<Did>, StoreError> {
    Ok(authority(store)?.map(|authority| authority.key))
}

/// Has the institution say which key is the log's from now on, unless it has said so, and shows the checkpoint over it.
pub fn announce(
    store: &dyn Store,
    former: &NoteKey,
    next: &VerifierKey,
    institution: &SigningKey,
    time: Timestamp,
) -> Result<Announced, RekeyError> {
    let mut head = store.take_turn()?;
    let authority = authority(store)?.ok_or(RekeyError::NotFounded)?;
    if authority.key != institution.did() {
        return Err(RekeyError::OtherInstitution);
    }
    match authority.vkey {
        Some(named) if named == next.to_string() => {}
        Some(named) if named != former.verifier().to_string() => return Err(RekeyError::OtherKey(named)),
        _ => {
            let said = InstitutionEvent::LogKey(LogKeyChange { time, vkey: next.clone().into() });
            enter(store, &mut head, former, institution, &said)?;
        }
    }
    let checkpoint = head.checkpoint.clone().ok_or(RekeyError::NotFounded)?;
    let succession = show(store, &checkpoint, former, |said| names(said, next))?;
    Ok(Announced { succession, turn: head.turn, state: head.state, checkpoint })
}

/// Has the institution say by which key it speaks from now on, unless it has said so, and shows the checkpoint over it.
pub fn announce_institution(
    store: &dyn Store,
    log: &NoteKey,
    former: &SigningKey,
    next: &SigningKey,
    time: Timestamp,
) -> Result<Succession, RekeyError> {
    let mut head = store.take_turn()?;
    let (old, new) = (former.did(), next.did());
    let speaks = authority(store)?.ok_or(RekeyError::NotFounded)?.key;
    if speaks == old {
        let said = InstitutionKey { key: new.clone(), proof: prove_institution_key(next, &old), time };
        enter(store, &mut head, log, former, &InstitutionEvent::InstitutionKey(said))?;
    } else if speaks != new {
        return Err(RekeyError::OtherInstitution);
    }
    let checkpoint = head.checkpoint.as_ref().ok_or(RekeyError::NotFounded)?;
    let is = |said: &InstitutionEvent| matches!(said, InstitutionEvent::InstitutionKey(said) if said.key == new);
    Ok(show(store, checkpoint, log, is)?)
}

/// Writes one entry of the institution behind the others, in the turn that was taken.
fn enter(
    store: &dyn Store,
    head: &mut Head,
    key: &NoteKey,
    institution: &SigningKey,
    said: &InstitutionEvent,
) -> Result<(), RekeyError> {
    let entry = Entry::sign(institution, said).map_err(|error| StoreError::Failed(error.to_string()))?;
    let mut batch = Batch::new(head.turn.size, head.state, store.records(&keys_of(&entry))?);
    batch.push(&entry)?;
    let damaged = |error: super::growth::GrowthError| StoreError::Damaged(error.to_string());
    let growth = Growth::of(head, std::iter::once(&entry)).map_err(damaged)?;
    let checkpoint = growth.sign(key).map_err(damaged)?;
    let rows = [Row { index: head.turn.size, hash: entry.hash(), bytes: entry.bytes() }];
    head.state = batch.hash();
    let write = Write {
        rows: &rows,
        records: &batch.into_changes(),
        state: head.state,
        checkpoint: &checkpoint,
        tiles: &growth.tiles,
        bundles: &growth.bundles,
    };
    head.turn = store.commit(head.turn, &write)?;
    head.checkpoint = Some(checkpoint);
    Ok(())
}

/// Publishes a checkpoint, and hands out the last entry of a kind under it.
fn show(
    store: &dyn Store,
    checkpoint: &SignedCheckpoint,
    key: &NoteKey,
    is: impl Fn(&InstitutionEvent) -> bool,
) -> Result<Succession, StoreError> {
    store.publish(checkpoint)?;
    let size = checkpoint.size;
    let damaged = |what: &str| StoreError::Damaged(what.to_owned());
    let (index, entry) = find(store, size, is)?.ok_or_else(|| damaged("the entry that names the key"))?;
    let tile = |id| store.tile(id)?.ok_or_else(|| damaged("a tile is missing"));
    let path = inclusion_proof(index, size, tile).map_err(|error| damaged(&error.to_string()))?;
    let receipt = Receipt { extra: None, index, path, checkpoint: checkpoint.note().to_owned() }.to_string();
    let entry = String::from_utf8(entry).map_err(|_| damaged("an entry is no text"))?;
    Ok(Succession { key: key.verifier().clone(), entry, receipt })
}

/// Puts the new key's signature in the place of the former one's, if nobody has written since.
pub fn sign_again(store: &dyn Store, announced: &Announced, next: &NoteKey) -> Result<(), StoreError> {
    let Checkpoint { origin, size, root } = &*announced.checkpoint;
    let checkpoint = Checkpoint { origin: origin.clone(), size: *size, root: *root };
    let checkpoint = checkpoint.sign(next).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let (records, state) = (BTreeMap::new(), announced.state);
    let write = Write { rows: &[], records: &records, state, checkpoint: &checkpoint, tiles: &[], bundles: &[] };
    store.commit(announced.turn, &write)?;
    store.publish(&checkpoint)
}

fn authority(store: &dyn Store) -> Result<Option<AuthorityRecord>, StoreError> {
    Ok(match store.records(&[Key::authority()])?.remove(&Key::authority()).flatten() {
        Some(Record::Authority(authority)) => Some(authority),
        _ => None,
    })
}

/// The last entry of a kind, sought from the end: nearly always it is the last one.
fn find(
    store: &dyn Store,
    size: u64,
    is: impl Fn(&InstitutionEvent) -> bool,
) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
    for number in (store.minimum()? / TILE_WIDTH..size.div_ceil(TILE_WIDTH)).rev() {
        let found = read(store, number, size)?.into_iter().rev().find(|(_, entry)| says(entry, &is));
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The entries of a bundle, with their numbers.
fn read(store: &dyn Store, number: u64, size: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let damaged = || StoreError::Damaged(format!("bundle {number}"));
    let id = BundleId::in_tree(number, size).ok_or_else(damaged)?;
    let bytes = store.bundle(id)?.ok_or_else(damaged)?;
    let entries = id.entries(&bytes).map_err(|_| damaged())?;
    Ok((number * TILE_WIDTH..).zip(entries.into_iter().map(<[u8]>::to_vec)).collect())
}

fn says(entry: &[u8], is: impl Fn(&InstitutionEvent) -> bool) -> bool {
    matches!(Entry::parse(entry).map(|entry| entry.said().clone()), Ok(Event::Institution(said)) if is(&said))
}

fn names(said: &InstitutionEvent, key: &VerifierKey) -> bool {
    matches!(said, InstitutionEvent::LogKey(said) if said.vkey.to_string() == key.to_string())
}
