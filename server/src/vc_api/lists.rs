//! The status lists of the service: two for each key that can sign one for all to read, one of what is revoked and one
//! of what is suspended.
//!
//! An entry is drawn at random, so that its number tells nothing of when a credential was signed or of how many there
//! are. With each entry that changes, some change that belong to nobody, so that a list says roughly, and not exactly,
//! how often that happens.

use super::keyring::{Keyring, suite_of};
use crate::StartError;
use consent::Timestamp;
use identity::status::{BitstringEntry, ListTerms, Purpose, StatusBits, StatusEntry, list_credential, status_entries};
use identity::vc::{IssueOptions, KeyKind, issue};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How long a list is valid, in seconds: somebody who holds a newer one back can do so for no longer.
const VALID: i64 = 24 * 3600;
/// How long a list may be kept, in seconds.
const TTL: u64 = 300;
/// How many entries of a list are given out, so that drawing one stays quick.
const MAX_TAKEN: u64 = 100_000;
/// At most how many entries that belong to nobody change with one that belongs to somebody.
const MAX_DECOYS: u64 = 3;

/// Why an entry was not changed.
#[derive(Debug)]
pub(super) enum NotChanged {
    /// No list of this service, or nobody's entry.
    NotOurs,
    /// What was revoked stays so.
    Final,
    Io(Error),
}

impl From<Error> for NotChanged {
    fn from(error: Error) -> Self {
        Self::Io(error)
    }
}

/// One list: which entries were given out, what they say, and which of them belong to nobody.
#[derive(Clone)]
struct List {
    taken: StatusBits,
    set: StatusBits,
    decoys: StatusBits,
}

pub(super) struct Lists {
    /// What comes before `/status/` in the address of a list.
    url: String,
    /// What the lists are of; the number of a list is its place, from 1.
    of: Vec<(KeyKind, Purpose)>,
    folder: Option<PathBuf>,
    /// Where there is no folder.
    kept: Mutex<BTreeMap<usize, List>>,
}

impl Lists {
    pub(super) fn open(folder: Option<&Path>, url: String, keys: &Keyring) -> std::result::Result<Self, StartError> {
        let purposes = [Purpose::Revocation, Purpose::Suspension];
        let signing = keys.kinds().filter(|kind| suite_of(*kind).is_some());
        let of = signing.flat_map(|kind| purposes.map(|purpose| (kind, purpose))).collect();
        let lists = Self { url, of, folder: folder.map(Path::to_owned), kept: Mutex::default() };
        for number in 1..=lists.of.len() {
            // A damaged list is found now, and not by the first who asks for it.
            lists.with(number, |_| Ok(())).map_err(|error| StartError::Io(format!("status list {number}"), error))?;
        }
        Ok(lists)
    }

    fn address(&self, number: usize) -> String {
        format!("{}/status/{number}", self.url)
    }

    fn number(&self, address: &str) -> Option<usize> {
        (1..=self.of.len()).find(|number| self.address(*number) == address)
    }

    /// An entry for a new credential, which nobody had before.
    pub(super) fn take(&self, kind: KeyKind, purpose: Purpose) -> Result<BitstringEntry> {
        let place = self.of.iter().position(|of| *of == (kind, purpose)).ok_or(ErrorKind::NotFound)?;
        let index = self.with(place + 1, List::draw)?;
        Ok(BitstringEntry::new(self.address(place + 1), index, purpose))
    }

    /// Sets an entry that a credential has, or takes a suspension back.
    pub(super) fn change(&self, entry: &Value, set: bool) -> std::result::Result<(), NotChanged> {
        let entries = status_entries(&Map::from_iter([("credentialStatus".to_owned(), entry.clone())]));
        let Ok([StatusEntry::Bitstring(entry)]) = entries.as_deref() else { return Err(NotChanged::NotOurs) };
        let number = self.number(&entry.list).ok_or(NotChanged::NotOurs)?;
        if self.of[number - 1].1 != entry.purpose {
            return Err(NotChanged::NotOurs);
        }
        self.with(number, |list| {
            let given = list.taken.get(entry.index) == Some(1) && list.decoys.get(entry.index) == Some(0);
            if !given {
                return Ok(Err(NotChanged::NotOurs));
            }
            let before = list.set.get(entry.index) == Some(1);
            if before && !set && entry.purpose == Purpose::Revocation {
                return Ok(Err(NotChanged::Final));
            }
            if before != set {
                list.turn(entry.index, set)?;
            }
            Ok(Ok(()))
        })?
    }

    /// The signed credential of a list; `None` if there is no such list.
    pub(super) fn signed(&self, number: usize, keys: &Keyring, now: Timestamp) -> Result<Option<Value>> {
        let Some((kind, purpose)) = number.checked_sub(1).and_then(|place| self.of.get(place)) else { return Ok(None) };
        let (key, suite) = keys.of(*kind).zip(suite_of(*kind)).ok_or(ErrorKind::NotFound)?;
        let bits = self.with(number, |list| Ok(list.set.clone()))?;
        let (url, issuer) = (self.address(number), key.id());
        let terms = ListTerms {
            url: &url,
            issuer: issuer.as_str(),
            purpose: *purpose,
            valid_from: now,
            valid_until: now.plus_seconds(VALID),
            ttl: TTL,
        };
        let list = list_credential(&bits, &terms).map_err(Error::other)?;
        issue(&list, &IssueOptions::new(suite, now), key).map(Some).map_err(Error::other)
    }

    /// Those of the addresses that are no lists of this service.
    pub(super) fn of_others(&self, mut addresses: Vec<String>) -> Vec<String> {
        addresses.retain(|address| self.number(address).is_none());
        addresses
    }

    /// The lists of this service that a credential names.
    pub(super) fn named_by(
        &self,
        credential: &Map<String, Value>,
        keys: &Keyring,
        now: Timestamp,
    ) -> BTreeMap<String, Vec<u8>> {
        let mut lists = BTreeMap::new();
        for entry in status_entries(credential).unwrap_or_default() {
            let list = self.number(entry.list()).and_then(|number| self.signed(number, keys, now).ok().flatten());
            lists.extend(list.map(|list| (entry.list().to_owned(), list.to_string().into_bytes())));
        }
        lists
    }

    /// Works on a list while nobody else does, and keeps what came of it before anybody hears of it.
    fn with<T>(&self, number: usize, work: impl FnOnce(&mut List) -> Result<T>) -> Result<T> {
        let Some(folder) = &self.folder else {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            return work(kept.entry(number).or_insert(List::new()?));
        };
        // Another service may run on the same folder.
        let lock = private(&folder.join("status.lock"), false)?;
        lock.lock()?;
        let path = folder.join(format!("status-{number}.list"));
        let before = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut list = if before.is_empty() { List::new()? } else { List::from_bytes(&before)? };
        let done = work(&mut list)?;
        let after = list.to_bytes();
        if after != before {
            let beside = path.with_extension("new");
            let mut file = private(&beside, true)?;
            file.write_all(&after).and_then(|()| file.sync_all())?;
            std::fs::rename(&beside, &path)?;
            #[cfg(unix)]
            File::open(folder)?.sync_all()?;
        }
        Ok(done)
    }
}

fn private(path: &Path, empty: bool) -> Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(empty);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl List {
    fn new() -> Result<Self> {
        let bits = StatusBits::new(1).ok_or(ErrorKind::InvalidData)?;
        Ok(Self { taken: bits.clone(), set: bits.clone(), decoys: bits })
    }

    fn to_bytes(&self) -> Vec<u8> {
        [&self.taken, &self.set, &self.decoys].map(StatusBits::as_bytes).concat()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let length = Self::new()?.taken.as_bytes().len();
        if bytes.len() != 3 * length {
            return Err(Error::new(ErrorKind::InvalidData, "not a status list"));
        }
        let part = |number: usize| {
            let bytes = bytes[number * length..(number + 1) * length].to_vec();
            StatusBits::from_bytes(bytes, 1).map_err(Error::other)
        };
        Ok(Self { taken: part(0)?, set: part(1)?, decoys: part(2)? })
    }

    /// Gives out an entry that nobody has.
    fn draw(&mut self) -> Result<u64> {
        let taken: u64 = self.taken.as_bytes().iter().map(|byte| u64::from(byte.count_ones())).sum();
        if taken >= MAX_TAKEN {
            return Err(Error::other("the status list is full"));
        }
        loop {
            let index = random()? % self.taken.len() as u64;
            if self.taken.get(index) == Some(0) {
                put(&mut self.taken, index, 1)?;
                return Ok(index);
            }
        }
    }

    /// Changes an entry, and some that belong to nobody.
    fn turn(&mut self, index: u64, set: bool) -> Result<()> {
        put(&mut self.set, index, u8::from(set))?;
        for _ in 0..random()? % (MAX_DECOYS + 1) {
            let decoy = if set { self.draw().ok() } else { self.set_decoy()? };
            if let Some(decoy) = decoy {
                put(&mut self.decoys, decoy, 1)?;
                put(&mut self.set, decoy, u8::from(set))?;
            }
        }
        Ok(())
    }

    /// Nobody's entry that is set, if there is one.
    fn set_decoy(&self) -> Result<Option<u64>> {
        let set = |index: &u64| self.decoys.get(*index) == Some(1) && self.set.get(*index) == Some(1);
        let all: Vec<u64> = (0..self.set.len() as u64).filter(set).collect();
        let number = random()?.checked_rem(all.len() as u64).unwrap_or_default();
        Ok(all.get(number as usize).copied())
    }
}

fn put(bits: &mut StatusBits, index: u64, value: u8) -> Result<()> {
    bits.set(index, value).ok_or_else(|| ErrorKind::InvalidInput.into())
}

fn random() -> Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| Error::other(error.to_string()))?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ones(bits: &StatusBits) -> usize {
        bits.as_bytes().iter().map(|byte| byte.count_ones() as usize).sum()
    }

    #[test]
    fn an_index_tells_nothing_and_decoys_change_along() {
        let mut list = List::new().unwrap();
        let drawn: Vec<u64> = (0..400).map(|_| list.draw().unwrap()).collect();
        let mut sorted = drawn.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), drawn.len(), "nobody gets an entry twice");
        assert_ne!(sorted, drawn, "not in their order");
        assert!(sorted[0] < 20_000 && sorted[399] > 111_072, "from the whole list");

        for index in &drawn[..200] {
            list.turn(*index, true).unwrap();
        }
        let set = ones(&list.set);
        assert!((250..=800).contains(&set), "200, and from none to three with each: {set}");
        assert_eq!(ones(&list.decoys), set - 200);
        assert!(drawn[200..].iter().all(|index| list.set.get(*index) == Some(0)), "nobody else's");
        for index in &drawn[..200] {
            list.turn(*index, false).unwrap();
            assert_eq!(list.set.get(*index), Some(0));
        }
        assert!(ones(&list.set) < set - 200, "some of them end along");
        let again = List::from_bytes(&list.to_bytes()).unwrap();
        assert_eq!((again.set, again.taken, again.decoys), (list.set, list.taken, list.decoys));
        assert!(List::from_bytes(b"short").is_err());
    }
}
