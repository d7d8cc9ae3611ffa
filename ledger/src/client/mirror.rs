//! A copy of a log in a folder: its entry bundles in the same layout, and the last checkpoint that they lead to.
//!
//! The checkpoint is written last. What lies beyond its size is the rest of an interrupted sync and is not read. Beside
//! it stands how far the signatures of the entries were checked and which were false, so that opening the copy again
//! only has to compare the root.

use super::parallel::map_while;
use super::{ClientError, LogClient, LogSource};
use crate::checkpoint::{Checkpoint, LogKey, SignedCheckpoint};
use crate::entry::{Entry, EntryError};
use crate::hash::{Hash, leaf_hash};
use crate::merkle::Frontier;
use crate::note::VerifierKey;
use crate::record::{AuthorityRecord, Key, Record};
use crate::rules::Records as _;
use crate::state::State;
use crate::tile::{BundleId, TILE_WIDTH, append_to_bundle};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Bundles that are read at once and checked together.
const BUNDLES_AT_ONCE: usize = 16;

/// How far the signatures were checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Checked {
    /// So many entries, from the first.
    size: u64,
    /// The root over them: without it the same file could speak of other entries.
    root: Hash,
    /// Those of them that are no entries.
    unreadable: BTreeSet<u64>,
}

/// What a sync brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncReport {
    /// Entries before.
    pub from: u64,
    /// Entries now.
    pub to: u64,
}

/// A copy of one log, and what it says.
#[derive(Debug)]
pub struct Mirror {
    dir: PathBuf,
    key: VerifierKey,
    /// Keys that the log had before.
    former: Vec<VerifierKey>,
    tree: Frontier,
    state: State,
    checkpoint: Option<SignedCheckpoint>,
    refused: u64,
    unreadable: BTreeSet<u64>,
}

impl Mirror {
    /// Opens the copy in a folder, or begins one. Every entry is read and the root compared with the checkpoint;
    /// signatures are checked where they were not before.
    pub fn open(dir: &Path, key: &VerifierKey) -> Result<Self, ClientError> {
        Self::open_after(dir, key, &[])
    }

    /// The same for a log that had other keys before: the checkpoint of the copy may still be signed by one of them.
    pub fn open_after(dir: &Path, key: &VerifierKey, former: &[VerifierKey]) -> Result<Self, ClientError> {
        std::fs::create_dir_all(dir)?;
        let mut mirror = Self::empty(dir, key, former);
        let note = match std::fs::read_to_string(dir.join("checkpoint")) {
            Ok(note) => note,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(mirror),
            Err(error) => return Err(error.into()),
        };
        let keys: Vec<LogKey> = std::iter::once(key).chain(former).cloned().map(LogKey::from).collect();
        let checkpoint = Checkpoint::open_with(&note, &keys)?;
        let checked = read_checked(dir).filter(|checked| checked.size <= checkpoint.size);
        if let Some(checked) = &checked {
            mirror.fold(checked.size, checkpoint.size, Some(&checked.unreadable))?;
            if mirror.tree.root() != checked.root {
                // It speaks of other entries, so nothing was checked.
                mirror = Self::empty(dir, key, former);
            }
        }
        let known = mirror.tree.size();
        mirror.fold(checkpoint.size, checkpoint.size, None)?;
        if mirror.tree.root() != checkpoint.root {
            return Err(ClientError::Damaged);
        }
        mirror.checkpoint = Some(checkpoint);
        if known < mirror.size() {
            // Without it the next one takes longer, that is all.
            mirror.write_checked().ok();
        }
        Ok(mirror)
    }

    fn empty(dir: &Path, key: &VerifierKey, former: &[VerifierKey]) -> Self {
        Self {
            dir: dir.to_owned(),
            key: key.clone(),
            former: former.to_vec(),
            tree: Frontier::new(),
            state: State::new(),
            checkpoint: None,
            refused: 0,
            unreadable: BTreeSet::new(),
        }
    }

    /// Brings the copy up to date. A log that shrank or forked is refused and the copy stays as it was; so is one that
    /// was pruned beyond what the copy holds.
    pub async fn sync(&mut self, client: &LogClient) -> Result<SyncReport, ClientError> {
        let offered = client.checkpoint(&self.key).await?;
        let from = self.size();
        if let Some(held) = &self.checkpoint {
            let (held, offered) = (Box::new(held.clone()), Box::new(offered.clone()));
            if offered.size < held.size {
                return Err(ClientError::Shrunk { held, offered });
            }
            if offered.size == held.size && offered.root != held.root {
                return Err(ClientError::Forked { held, offered });
            }
        }
        if offered.size > from {
            if let Err(error) = self.download(client, &offered).await {
                // Entries that do not fit can be a fork or just wrong entries: the tiles tell which.
                if let (ClientError::BadEntries, Some(held)) = (&error, &self.checkpoint) {
                    client.check_consistency(held, &offered).await?;
                }
                return Err(error);
            }
            // What was checked on its way in is read again from the disk: if it comes back otherwise, the copy starts
            // over from its last checkpoint.
            if self.fold(offered.size, offered.size, None).is_err() || self.tree.root() != offered.root {
                *self = Self::open_after(&self.dir, &self.key, &self.former)?;
                return Err(ClientError::Damaged);
            }
        }
        if !self.names_its_key() {
            *self = Self::open_after(&self.dir, &self.key, &self.former)?;
            return Err(ClientError::OtherKey);
        }
        write_atomically(&self.dir.join("checkpoint"), offered.note().as_bytes())?;
        self.write_checked().ok();
        self.forget_partial(from, offered.size);
        let report = SyncReport { from, to: offered.size };
        self.checkpoint = Some(offered);
        Ok(report)
    }

    /// Whether the entries name the key that signs the log. The first key is named by none.
    fn names_its_key(&self) -> bool {
        match self.state.record(&Key::authority()) {
            Some(Record::Authority(AuthorityRecord { vkey: Some(named), .. })) => *named == self.key.to_string(),
            _ => self.former.is_empty(),
        }
    }

    /// What the log says.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The last checkpoint that was checked.
    pub fn checkpoint(&self) -> Option<&SignedCheckpoint> {
        self.checkpoint.as_ref()
    }

    /// How many entries are held.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// How many entries of the log are not entries by the rules, and were passed over.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// The bytes of entry number `index`.
    pub fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, ClientError> {
        if index >= self.size() {
            return Ok(None);
        }
        let entries = self.read_bundle(index / TILE_WIDTH, self.size())?;
        let at = usize::try_from(index % TILE_WIDTH).unwrap_or(usize::MAX);
        Ok(entries.into_iter().nth(at))
    }

    /// Fetches the bundles that are new and stores them, if they lead to the signed root.
    async fn download(&self, client: &LogClient, offered: &SignedCheckpoint) -> Result<(), ClientError> {
        let (from, mut tree) = (self.size(), self.tree.clone());
        let bundles = offered.size.div_ceil(TILE_WIDTH);
        for number in from / TILE_WIDTH..bundles {
            let id = BundleId::in_tree(number, offered.size).ok_or(ClientError::BadEntries)?;
            let mut entries = match client.bundle(id).await {
                Ok(entries) => entries,
                // A copy can not begin in the middle: without the first entries there is no state to hold others to.
                Err(ClientError::NotFound) => {
                    return Err(LogSource::Http(client.clone()).lacks(number * TILE_WIDTH, offered.size).await);
                }
                Err(error) => return Err(error),
            };
            entries.truncate(usize::from(id.width));
            let held = match BundleId::in_tree(number, from) {
                Some(_) => self.read_bundle(number, from)?,
                None => Vec::new(),
            };
            if !entries.starts_with(&held) {
                return Err(ClientError::BadEntries);
            }
            entries.iter().skip(held.len()).for_each(|entry| tree.push(leaf_hash(entry)));
            self.write_bundle(id, &entries)?;
        }
        if tree.root() != offered.root { Err(ClientError::BadEntries) } else { Ok(()) }
    }

    /// Reads the entries up to `size` of the `stored` ones into the tree and the state. They lead to a signed root, or
    /// are about to be compared with one. Where it is known which of them are no entries, their signatures are not
    /// checked again.
    fn fold(&mut self, size: u64, stored: u64, known: Option<&BTreeSet<u64>>) -> Result<(), ClientError> {
        while self.tree.size() < size {
            let mut waiting = Vec::new();
            let mut index = self.tree.size();
            while index < size && waiting.len() < BUNDLES_AT_ONCE * TILE_WIDTH as usize {
                let skip = usize::try_from(index % TILE_WIDTH).unwrap_or(0);
                let entries = self.read_bundle(index / TILE_WIDTH, stored)?.into_iter().skip(skip);
                waiting.extend((index..size).zip(entries));
                index = waiting.last().map_or(size, |(last, _)| last + 1);
            }
            let read = |(index, bytes): &(u64, Vec<u8>)| match known {
                Some(unreadable) if unreadable.contains(index) => Err(EntryError::Signature),
                Some(_) => Entry::read_again(bytes),
                None => Entry::parse(bytes),
            };
            let (entries, ()) = map_while(&waiting, read, || ());
            for ((index, bytes), entry) in waiting.iter().zip(entries) {
                self.tree.push(leaf_hash(bytes));
                if entry.is_err() {
                    self.unreadable.insert(*index);
                }
                let applied = entry.is_ok_and(|entry| self.state.apply(*index, &entry).is_ok());
                self.refused += u64::from(!applied);
            }
        }
        Ok(())
    }

    fn write_checked(&self) -> io::Result<()> {
        let checked = Checked { size: self.size(), root: self.tree.root(), unreadable: self.unreadable.clone() };
        write_atomically(&self.dir.join("checked.json"), &serde_json::to_vec(&checked)?)
    }

    fn read_bundle(&self, number: u64, size: u64) -> Result<Vec<Vec<u8>>, ClientError> {
        let id = BundleId::in_tree(number, size).ok_or(ClientError::Damaged)?;
        let (found, bytes) = match std::fs::read(self.dir.join(id.path())) {
            Ok(bytes) => (id, bytes),
            // A later sync can have stored the full bundle before it was interrupted.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !id.is_full() => {
                (id.full(), std::fs::read(self.dir.join(id.full().path())).map_err(|_| ClientError::Damaged)?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ClientError::Damaged),
            Err(error) => return Err(error.into()),
        };
        let entries = found.entries(&bytes).map_err(|_| ClientError::Damaged)?;
        Ok(entries.into_iter().take(usize::from(id.width)).map(<[u8]>::to_vec).collect())
    }

    fn write_bundle(&self, id: BundleId, entries: &[Vec<u8>]) -> Result<(), ClientError> {
        let mut bytes = Vec::new();
        for entry in entries {
            append_to_bundle(&mut bytes, entry).map_err(|_| ClientError::BadEntries)?;
        }
        Ok(write_atomically(&self.dir.join(id.path()), &bytes)?)
    }

    /// Removes the partial bundle that a longer one has replaced. A rest does no harm, so errors are passed over.
    fn forget_partial(&self, old: u64, new: u64) {
        if let Some(id) = BundleId::in_tree(old / TILE_WIDTH, old).filter(|id| !id.is_full() && new > old) {
            let path = self.dir.join(id.path());
            let _ = std::fs::remove_file(&path);
            if let Some(folder) = path.parent() {
                let _ = std::fs::remove_dir(folder);
            }
        }
    }

    /// The state hash: what every other reader of the same entries must get too.
    pub fn state_hash(&self) -> Hash {
        self.state.hash()
    }
}

/// How far the signatures were checked; none if that is not known.
fn read_checked(dir: &Path) -> Option<Checked> {
    serde_json::from_slice(&std::fs::read(dir.join("checked.json")).ok()?).ok()
}

/// Writes a file beside its place, flushes it, and moves it there: readers see the old file or the new one.
fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(folder)?;
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".tmp");
    let beside = folder.join(name);
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&beside, path)?;
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}
